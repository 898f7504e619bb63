/* Certificates for people: the log's lines, the page that `get certificates`
 * shows, and metrics. */
#ifndef YUMEN_CTL_CERTIFICATES_H
#define YUMEN_CTL_CERTIFICATES_H

#include "ctl/pages.h"
#include "gw/state.h"

/* Its health has changed. */
void ctl_certificate_log(const struct gw_certificate *certificate);

/* A page's: {"items": [...]}, in ctl's thread. */
bool ctl_certificates_write(struct text *out, const struct ctl_view *view,
    const struct ctl_query *query);

/* yumen_certificate_expiry_timestamp_seconds. */
void ctl_certificates_metrics(struct text *out, struct gw_state *state);

#endif
