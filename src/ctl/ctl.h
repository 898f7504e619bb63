/* ctl: reads the objects (from files, or a cluster), admits and reconciles them
 * in a thread of its own, offers units over the feed, keeps and shows statuses.
 */
#ifndef YUMEN_CTL_CTL_H
#define YUMEN_CTL_CTL_H

#include "admin/admin.h"
#include "core/error.h"
#include "gw/state.h"
#include "kube/access.h"
#include "net/loop.h"
#include "snap/feed.h"

struct ctl;
struct ctl_options {
	const char *const *paths; /* files, folders, or "-" */
	unsigned path_count;
	const char *addresses; /* ctl/addresses.h; NULL: no file */
	/* Instead of them: an API server, borrowed for ctl's life; statuses
	 * are then written there, by the one that has the lease (absent: by
	 * this one) under its identity. */
	const struct kube_access *cluster;
	struct slice lease, identity;
	/* The Secret beside the Lease (ctl/stream_secret.h) has the seeds of
	 * tickets, and what gw.fleet's proxies believe. */
	bool stream_secret;
	struct gw_options gw;
	struct feed *feed;
	struct net_loop *admin_loop; /* where answers to pages are given */
	/* In ctl's thread, after each time that files were read: object and
	 * problem counts. Problems themselves are logged. */
	void (*on_read)(
	    void *context, unsigned objects, unsigned files, unsigned problems);
	void *context;
};

/* Starts the thread and the first read. A path that cannot be opened is an
 * error (NOT_FOUND, DENIED): told through the log. */
enum error ctl_new(
    const struct ctl_options *options, struct ctl **ctl) must_check;
void ctl_free(struct ctl **ctl);
/* Whose proxies a ServiceAccount's ("namespace/name") are: appends that
 * Gateway's "namespace/name". False: nobody's. From any thread. */
bool ctl_account_gateway(
    struct ctl *ctl, struct slice account, struct text *gateway) must_check;
/* Appends the identity of another controller that leads; nothing: none is known
 * to, or this one does. From any thread; when it changes, the admin loop is
 * woken. */
void ctl_leader(struct ctl *ctl, struct text *identity);
/* Pages: /api/v1/objects?kind=K[&namespace=N][&name=X] (a JSON list of objects
 * with status). */
void ctl_register(struct ctl *ctl, struct admin *admin);
/* Deliver finished pages; call from the admin loop's wake-up. */
void ctl_wake(struct ctl *ctl);

#endif
