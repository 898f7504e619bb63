/* Capabilities of this process, which the C library has no call for. */
#include "net/capability.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool
has(unsigned capability)
{
	struct __user_cap_header_struct whose = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &whose, sets) == 0 &&
	    (sets[CAP_TO_INDEX(capability)].effective &
	        CAP_TO_MASK(capability));
}

bool
net_may_send_raw(void)
{
	return has(CAP_NET_RAW);
}

bool
net_may_administer(void)
{
	return has(CAP_NET_ADMIN);
}
