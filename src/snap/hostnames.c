/* The names of external units, and their addresses as far as those are known.
 */
#include "core/memory.h"
#include "snap/store_priv.h"

void
snap_hostnames_init(struct snap_store *store)
{
	map_init(&store->hostnames);
	list_init(&store->idle_hostnames);
}

static void
free_hostname(struct snap_hostname *hostname)
{
	memory_free(hostname->addresses);
	memory_free(hostname);
}

void
snap_hostnames_fini(struct snap_store *store)
{
	struct slice name;
	void *value;
	size_t at = 0;

	while (map_next(&store->hostnames, &at, &name, &value))
		free_hostname(value);
	map_fini(&store->hostnames);
}

static struct snap_hostname *
hostname_get(struct snap_store *store, struct slice name)
{
	struct snap_hostname *hostname = map_get(&store->hostnames, name);

	if (hostname)
		return hostname;
	hostname = memory_zero(1, sizeof(*hostname) + name.length);
	list_init(&hostname->targets);
	list_init(&hostname->idle);
	hostname->name_length = (uint32_t)name.length;
	memcpy(hostname->name, name.data, name.length);
	map_put(&store->hostnames, slice_make(hostname->name, name.length),
	    hostname);
	return hostname;
}

/* Names that lost their last unit are kept until the commit: another unit of
 * the same batch may have them, and then their addresses are known. */
void
snap_target_name(
    struct snap_store *store, struct snap_target *target, struct slice name)
{
	struct snap_hostname *old = target->hostname;
	struct snap_hostname *hostname =
	    slice_is_set(name) ? hostname_get(store, name) : NULL;

	list_remove(&target->of_hostname);
	if (hostname)
		list_insert(&hostname->targets, &target->of_hostname);
	target->hostname = hostname;
	if (old && list_is_empty(&old->targets) && list_is_empty(&old->idle))
		list_insert(&store->idle_hostnames, &old->idle);
}

void
snap_hostnames_commit(struct snap_store *store)
{
	LIST_FOR_EACH_SAFE(at, &store->idle_hostnames)
	{
		struct snap_hostname *hostname =
		    container_of(at, struct snap_hostname, idle);

		list_remove(at);
		if (!list_is_empty(&hostname->targets))
			continue;
		map_remove(&store->hostnames,
		    slice_make(hostname->name, hostname->name_length));
		free_hostname(hostname);
	}
}

static bool
has_addresses(const struct snap_hostname *hostname,
    const struct slice *addresses, unsigned count)
{
	if (hostname->address_count != count)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!slice_equal(hostname->addresses[i], addresses[i]))
			return false;
	return true;
}

void
snap_store_resolve(struct snap_store *store, struct slice name,
    const struct slice *addresses, unsigned count)
{
	struct snap_hostname *hostname = map_get(&store->hostnames, name);
	size_t bytes = count * sizeof(addresses[0]);
	char *text;

	/* The unit may have gone while the name was looked up. */
	if (!hostname || has_addresses(hostname, addresses, count))
		return;
	for (unsigned i = 0; i < count; i++)
		bytes += addresses[i].length;
	memory_free(hostname->addresses);
	hostname->addresses = memory_alloc(bytes);
	hostname->address_count = count;
	text = (char *)&hostname->addresses[count];
	for (unsigned i = 0; i < count; i++) {
		memcpy(text, addresses[i].data, addresses[i].length);
		hostname->addresses[i] = slice_make(text, addresses[i].length);
		text += addresses[i].length;
	}
	LIST_FOR_EACH(at, &hostname->targets)
	{
		snap_target_mark(
		    store, container_of(at, struct snap_target, of_hostname));
	}
}

void
snap_store_hostnames(const struct snap_store *store,
    void (*fn)(void *context, struct slice hostname), void *context)
{
	struct slice name;
	void *value;
	size_t at = 0;

	while (map_next(&store->hostnames, &at, &name, &value)) {
		const struct snap_hostname *hostname = value;

		if (!list_is_empty(&hostname->targets))
			fn(context, name);
	}
}
