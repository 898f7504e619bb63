/* Inside kube: credentials from a program (client.authentication.k8s.io), run
 * beside the loop: it may take its time, or ask somebody. */
#ifndef YUMEN_KUBE_PLUGIN_PRIV_H
#define YUMEN_KUBE_PLUGIN_PRIV_H

#include "kube/access.h"
#include "net/loop.h"

struct kube_plugin_run;
/* on_done: it ran, well or not; from the loop. */
struct kube_plugin_run *kube_plugin_run_new(struct net_loop *loop,
    const struct kube_plugin *plugin, void (*on_done)(void *context),
    void *context);
/* A program that still runs is ended. */
void kube_plugin_run_free(struct kube_plugin_run **run);
/* Is there a credential? If not, the program is started, unless it runs or has
 * just failed. */
bool kube_plugin_is_ready(struct kube_plugin_run *run, uint64_t now_ms);
/* The server did not believe it. */
void kube_plugin_doubt(struct kube_plugin_run *run, uint64_t now_ms);
/* Until it is ready again; absent: none of this sort. */
struct slice kube_plugin_token(const struct kube_plugin_run *run);
bool kube_plugin_identity(const struct kube_plugin_run *run,
    struct slice *certificate_pem, struct slice *key_pem);

#endif
