/* Certificates for people: the log's lines, the page that `get certificates`
 * shows, and metrics, which the admin server asks for in its own thread. */
#ifndef YUMEN_CTL_CERTIFICATES_H
#define YUMEN_CTL_CERTIFICATES_H

#include "ctl/pages.h"
#include "gw/state.h"
#include "net/loop.h"

/* Its health has changed. */
void ctl_certificate_log(const struct gw_certificate *certificate);

/* A page's: {"items": [...]}, in ctl's thread. */
bool ctl_certificates_write(struct text *out, const struct ctl_view *view,
    const struct ctl_query *query);

struct ctl_certificates;
struct ctl_certificates *ctl_certificates_new(struct net_loop *ctl_loop);
void ctl_certificates_free(struct ctl_certificates **certificates);
/* In ctl's thread. Writes the metrics anew when something has changed and
 * somebody has read them since the last time; true when it did. */
bool ctl_certificates_refresh(struct ctl_certificates *certificates,
    struct gw_state *state, bool changed);
/* In the admin server's thread (an admin_metrics_fn). */
void ctl_certificates_metrics(void *certificates, struct text *out);

#endif
