/* The client of one API server: where it is by now, what is shown to it, and
 * whether it can be reached. Calls (kube/call.h) go through it. Runs on one
 * loop. */
#ifndef YUMEN_KUBE_CLIENT_H
#define YUMEN_KUBE_CLIENT_H

#include "core/error.h"
#include "core/random.h"
#include "kube/access.h"
#include "net/loop.h"

struct kube_client;
/* access is borrowed for its life. */
enum error kube_client_new(struct net_loop *loop,
    const struct kube_access *access, struct kube_client **client) must_check;
/* After all of its calls. */
void kube_client_free(struct kube_client **client);

struct net_loop *kube_client_loop(const struct kube_client *client);
const struct kube_access *kube_client_access(const struct kube_client *client);
/* For waits, so that many who lost one server do not come to it at once. */
struct random *kube_client_random(struct kube_client *client);

/* A wait that doubles, from KUBE_RETRY_MS to KUBE_RETRY_MAX_MS, and is random:
 * somewhere in its second half. *wait_ms is 0 to begin with, and the owner's to
 * set back. */
uint64_t kube_client_wait_ms(struct kube_client *client, uint64_t *wait_ms);

#endif
