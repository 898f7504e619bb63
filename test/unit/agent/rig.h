/* An agent under test on a real loop, with a real feed, store and sockets, but
 * workers, names and admin pages of the test: their functions are defined here
 * instead of in their rooms, so that each step is the test's. */
#ifndef YUMEN_TEST_AGENT_RIG_H
#define YUMEN_TEST_AGENT_RIG_H

#include "agent/agent.h"
#include "proxy/worker.h"

#define RIG_WORKERS 2
#define RIG_LENT 32
#define RIG_NAMES 8
#define RIG_PAGES 8
#define RIG_REPLIES 64

struct rig_lent {
	uint32_t socket;
	int fd;
	uint16_t port;
	bool tls, taken, accepts;
};

/* A worker that does nothing by itself. */
struct proxy_worker {
	struct proxy_options options;
	struct snap_holds *holds;
	const struct snap_set *wanted;
	uint64_t served;
	struct rig_lent lent[RIG_LENT];
	unsigned lent_count;
	bool draining, idle;
};

struct rig {
	struct net_loop *loop;
	struct feed *feed;
	struct agent *agent;
	unsigned served, drained; /* calls of on_served, on_drained */
	struct feed_reply *replies[RIG_REPLIES]; /* so far */
	unsigned reply_count;
};

/* What the test's functions were asked; one rig at a time. */
extern struct rig_asked {
	struct proxy_worker *workers[RIG_WORKERS];
	enum error start_error; /* of the second worker */
	bool no_names; /* c-ares does not start */
	void (*on_name)(void *context, struct slice name,
	    const struct net_address *addresses, unsigned count,
	    enum error error);
	void *name_context;
	unsigned channels; /* made and not freed */
	char names[RIG_NAMES][64]; /* watched */
	unsigned name_count;
	struct rig_page {
		const char *path;
		admin_page_fn show;
		void *context;
	} pages[RIG_PAGES];
	unsigned page_count;
	admin_metrics_fn metrics;
	void *metrics_context;
	uint16_t status; /* of the page that was shown last */
	char body[65536];
} rig_asked;

int rig_set_up(void **state);
int rig_tear_down(void **state);

/* Turn the loop until it has nothing to do at once. */
void rig_settle(struct rig *rig);
/* All workers take the newest set, and tell. */
void rig_serve(struct rig *rig);
/* Worker: gives back what was taken back; tells. */
void rig_give_back(struct rig *rig, unsigned worker);
/* How many replies of this kind came for this unit, the last of them in *last
 * (which may be NULL). */
unsigned rig_replies(struct rig *rig, enum feed_reply_kind kind,
    const char *name, const struct feed_reply **last);
/* What worker 0 has been lent and not been told to give back. */
unsigned rig_lent_count(void);
/* The page at path; its status is returned, its text is in rig_asked.body. */
unsigned rig_show(const char *path);

void rig_put(struct feed_batch *batch, const char *name, const void *record);
/* A listener at this address ("" for all) and port. */
void rig_put_listener(struct feed_batch *batch, const char *name,
    const char *address, uint16_t port);
/* Offer it as whole or as a change, with a generation of this number. */
void rig_offer(struct rig *rig, struct feed_batch **batch, bool whole,
    unsigned char number);

/* A port of 127.0.0.1 on which nobody listens. */
uint16_t rig_free_port(void);
/* Listen there as another process would; port 0: any, which is told. */
int rig_occupy(uint16_t *port);
bool rig_connects(uint16_t port);

#endif
