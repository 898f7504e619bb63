/* What this process may do at the network, as its capabilities say. */
#ifndef YUMEN_NET_CAPABILITY_H
#define YUMEN_NET_CAPABILITY_H

#include <stdbool.h>

/* CAP_NET_RAW: packet sockets. False also where that cannot be told. */
bool net_may_send_raw(void);
/* CAP_NET_ADMIN: routes, rules, settings. */
bool net_may_administer(void);

#endif
