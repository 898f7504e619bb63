/* See fake_client.h. */
#include "fake_client.h"

#include "core/must.h"

struct fake fake;

void
fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
}

unsigned
fake_count(int state)
{
	unsigned count = 0;

	for (unsigned i = 0; i < fake.opened; i++)
		count += (int)fake.clients[i].state == state;
	return count;
}

void
fake_connected(struct http_client *client, enum error error)
{
	must(client->state == FAKE_OPENING);
	client->state = error == ERROR_OK ? FAKE_IDLE : FAKE_DEAD;
	client->ops->on_connected(client, client->owner, error);
}

void
fake_done(struct http_client *client)
{
	must(client->state == FAKE_LENT);
	client->state = FAKE_IDLE;
	client->ops->on_idle(client, client->owner);
}

void
fake_gone(struct http_client *client)
{
	must(client->state == FAKE_IDLE || client->state == FAKE_LENT);
	client->state = FAKE_DEAD;
	list_remove(&client->link);
	client->ops->on_closed(client, client->owner);
}

struct http_client *
fake_of(struct http_stream *stream)
{
	return container_of(stream, struct http_client, stream);
}

struct http_client *
http_client_open(struct http_worker *worker, const struct net_address *address,
    const struct net_tls_client *tls, const struct http_client_owner_ops *ops,
    void *owner, uint32_t connect_ms, enum error *error)
{
	(void)worker;
	(void)tls;
	(void)connect_ms;
	must(fake.opened < FAKE_CLIENTS);
	*error = fake.refuse;
	if (fake.refuse != ERROR_OK)
		return NULL;
	struct http_client *client = &fake.clients[fake.opened++];
	list_init(&client->link);
	client->ops = ops;
	client->owner = owner;
	client->address = *address;
	client->state = FAKE_OPENING;
	return client;
}

struct list *
http_client_link(struct http_client *client)
{
	return &client->link;
}

struct http_client *
http_client_from_link(struct list *link)
{
	return container_of(link, struct http_client, link);
}

struct http_stream *
http_client_lend(struct http_client *client)
{
	if (client->state == FAKE_DEAD)
		return NULL;
	must(client->state == FAKE_IDLE);
	client->state = FAKE_LENT;
	return &client->stream;
}

void
http_client_close(struct http_client *client)
{
	must(client->state == FAKE_IDLE || client->state == FAKE_OPENING);
	list_remove(&client->link);
	client->state = FAKE_DEAD;
}
