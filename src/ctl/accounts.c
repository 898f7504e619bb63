/* Under a lock: asked once a connection of a proxy, and when a leader changes.
 */
#include "ctl/accounts.h"

#include <pthread.h>

#include "core/map.h"
#include "core/memory.h"
#include "core/must.h"

struct account {
	size_t length;
	char *name; /* "namespace/name"; owned */
	char gateway[];
};

struct ctl_accounts {
	pthread_mutex_t lock; /* of all */
	struct map by_gateway, by_name; /* of the same accounts */
	struct text leader;
};

struct ctl_accounts *
ctl_accounts_new(void)
{
	struct ctl_accounts *accounts = memory_zero(1, sizeof(*accounts));
	int failed = pthread_mutex_init(&accounts->lock, NULL);

	must(!failed);
	map_init(&accounts->by_gateway);
	map_init(&accounts->by_name);
	text_init(&accounts->leader);
	return accounts;
}

static void
lock(struct ctl_accounts *accounts)
{
	int failed = pthread_mutex_lock(&accounts->lock);

	must(!failed);
}

static void
unlock(struct ctl_accounts *accounts)
{
	int failed = pthread_mutex_unlock(&accounts->lock);

	must(!failed);
}

static void
free_account(struct account *account)
{
	memory_free(account->name);
	memory_free(account);
}

void
ctl_accounts_free(struct ctl_accounts **accounts)
{
	struct ctl_accounts *old = *accounts;
	struct slice key;
	void *value;

	*accounts = NULL;
	if (old == NULL)
		return;
	for (size_t at = 0; map_next(&old->by_gateway, &at, &key, &value);)
		free_account(value);
	map_fini(&old->by_gateway);
	map_fini(&old->by_name);
	text_fini(&old->leader);
	pthread_mutex_destroy(&old->lock);
	memory_free(old);
}

/* With the lock. */
static void
drop(struct ctl_accounts *accounts, struct slice gateway)
{
	struct account *old = map_remove(&accounts->by_gateway, gateway);

	if (old == NULL)
		return;
	/* Another Gateway may have taken the name meanwhile. */
	if (map_get(&accounts->by_name, slice_from_string(old->name)) == old)
		(void)map_remove(
		    &accounts->by_name, slice_from_string(old->name));
	free_account(old);
}

static void
add(struct ctl_accounts *accounts, const struct gw_fleet *fleet)
{
	struct slice gateway = fleet->gateway;
	struct account *account =
	    memory_zero(1, sizeof(*account) + gateway.length + 1);
	struct text name;

	memcpy(account->gateway, gateway.data, gateway.length);
	account->length = gateway.length;
	text_init(&name);
	text_printf(&name, "%.*s/%.*s", SLICE_ARGS(fleet->namespace),
	    SLICE_ARGS(fleet->name));
	account->name = text_take(&name);
	map_put(&accounts->by_gateway,
	    slice_make(account->gateway, account->length), account);
	/* Of two that would have one name, the first has it. */
	if (map_get(&accounts->by_name, slice_from_string(account->name)) ==
	    NULL)
		map_put(&accounts->by_name, slice_from_string(account->name),
		    account);
}

void
ctl_accounts_put(struct ctl_accounts *accounts, const struct gw_fleet *fleet)
{
	must(accounts != NULL && fleet != NULL);

	lock(accounts);
	drop(accounts, fleet->gateway);
	if (fleet->state != GW_FLEET_NONE)
		add(accounts, fleet);
	unlock(accounts);
}

bool
ctl_accounts_get(
    struct ctl_accounts *accounts, struct slice name, struct text *gateway)
{
	must(accounts != NULL && gateway != NULL);
	const struct account *account;

	lock(accounts);
	account = map_get(&accounts->by_name, name);
	if (account != NULL)
		text_push(
		    gateway, slice_make(account->gateway, account->length));
	unlock(accounts);
	return account != NULL;
}

void
ctl_accounts_set_leader(struct ctl_accounts *accounts, struct slice leader)
{
	must(accounts != NULL);
	lock(accounts);
	text_reset(&accounts->leader);
	text_push(&accounts->leader, leader);
	unlock(accounts);
}

void
ctl_accounts_leader(struct ctl_accounts *accounts, struct text *leader)
{
	must(accounts != NULL && leader != NULL);
	lock(accounts);
	text_push(leader, text_slice(&accounts->leader));
	unlock(accounts);
}
