/* What is told of a request when it is over: its counter and its log line. */
#ifndef YUMEN_PROXY_REPORT_H
#define YUMEN_PROXY_REPORT_H

#include "proxy/request.h"

void proxy_report(struct proxy_request *request);
/* Of a peer that sent no request at all. */
void proxy_report_refused(struct proxy_worker *worker,
    const struct net_address *peer, enum reason reason, int status);

#endif
