/* Words about interfaces and capabilities. */
#include "cmd/announcing.h"

#include "net/capability.h"

/* What the kernel has just denied is missing, whatever the process seems to
 * have: capabilities may be of another user namespace. */
const char *
announcing_lacks(bool of_link, bool takes)
{
	bool raw = of_link || !net_may_send_raw();
	bool admin = !of_link || (takes && !net_may_administer());

	if (raw && admin)
		return "CAP_NET_RAW and CAP_NET_ADMIN are missing";
	return raw ? "CAP_NET_RAW is missing" : "CAP_NET_ADMIN is missing";
}

const char *
announcing_why_not(enum error error)
{
	if (error == ERROR_UNSUPPORTED)
		return "it is no Ethernet, where ARP could be spoken";
	if (error == ERROR_NOT_FOUND)
		return "this host has no such interface; `ip link` lists them";
	if (error == ERROR_IN_USE)
		return "another yumen announces on this host";
	return error_text(error);
}
