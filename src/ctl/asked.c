/* What other threads ask of ctl, and get at once. */
#include "core/must.h"
#include "ctl/ctl_priv.h"

bool
ctl_account_gateway(struct ctl *ctl, struct slice account, struct text *gateway)
{
	must(ctl != NULL);
	return ctl_accounts_get(ctl->accounts, account, gateway);
}

void
ctl_leader(struct ctl *ctl, struct text *identity)
{
	must(ctl != NULL);
	ctl_accounts_leader(ctl->accounts, identity);
}
