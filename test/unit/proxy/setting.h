/* A whole worker between a client and two backends, over loopback. */
#ifndef YUMEN_TEST_PROXY_SETTING_H
#define YUMEN_TEST_PROXY_SETTING_H

#include "peer.h"
#include "proxy/log.h"
#include "proxy/worker.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a.example\r\n\r\n"

struct setting {
	struct snap_store *store;
	struct proxy_worker *worker;
	struct proxy_log *log;
	struct peer_backend one, two;
	int fd;
	uint16_t port;
	_Atomic unsigned progress;
};

/* A moment. */
void setting_rest(void);

#define WAIT_UNTIL(condition) \
	for (unsigned waited = 0; !(condition); waited++) { \
		assert_true(waited < 10000); \
		setting_rest(); \
	}

/* A unit of the store, by its name. */
void setting_put(struct setting *setting, const char *name, const void *record);
/* Publish and wait until it is served, as the agent does. */
const struct snap_set *setting_publish(struct setting *setting);
void setting_put_listener(struct setting *setting, const char *hostname);
void setting_put_route(
    struct setting *setting, struct unit_rule *rules, uint32_t count);
/* A service with a port 80 and endpoints at these ports of loopback. */
void setting_put_service(struct setting *setting, const char *name,
    const uint16_t *ports, unsigned count, int64_t conditions);
/* A rule of prefix that goes to one service. */
struct unit_rule setting_rule_to(
    struct unit_match *match, struct unit_backend *backend);
/* Everything to "one", over a listener of every host; the socket's number. */
uint32_t setting_serve_one(struct setting *setting);

/* For cmocka. */
int setting_start(void **state, struct proxy_log *log);
int setting_set_up(void **state);
int setting_tear_down(void **state);
/* On a connection of its own. */
struct peer_answer setting_get(struct setting *setting, const char *path);

#endif
