/* Whose proxies a ServiceAccount is: which Gateway's; and who of several
 * controllers leads. Written by ctl's thread, read by any. */
#ifndef YUMEN_CTL_ACCOUNTS_H
#define YUMEN_CTL_ACCOUNTS_H

#include "core/error.h"
#include "core/text.h"
#include "gw/fleet.h"

struct ctl_accounts;
struct ctl_accounts *ctl_accounts_new(void);
void ctl_accounts_free(struct ctl_accounts **accounts);
/* A Gateway's fleet has another account, or none any more. */
void ctl_accounts_put(
    struct ctl_accounts *accounts, const struct gw_fleet *fleet);
/* account, gateway: "namespace/name". False: it is no Gateway's. */
bool ctl_accounts_get(struct ctl_accounts *accounts, struct slice account,
    struct text *gateway) must_check;
/* The identity of another that leads; empty: none is known to, or we do. */
void ctl_accounts_set_leader(
    struct ctl_accounts *accounts, struct slice leader);
/* Appends it. */
void ctl_accounts_leader(struct ctl_accounts *accounts, struct text *leader);

#endif
