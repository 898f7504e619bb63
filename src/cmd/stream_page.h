/* The proxies of a controller, as people see them: /api/v1/proxies, and whether
 * the controller lives. */
#ifndef YUMEN_CMD_STREAM_PAGE_H
#define YUMEN_CMD_STREAM_PAGE_H

#include "admin/admin.h"
#include "stream/server.h"

struct stream_page {
	struct stream_server *server;
};

void stream_page_register(struct stream_page *page,
    struct stream_server *server, struct admin *admin);

#endif
