/* Queries and where they are: with the admin server, on the way to ctl, on the
 * way back. The end of an exchange is seen by standing in for its handler until
 * it is answered. */
#include "ctl/pages.h"

#include <assert.h>
#include <pthread.h>

#include "core/memory.h"
#include "core/must.h"
#include "ctl/certificates.h"

struct ctl_pages {
	struct net_loop *ctl_loop, *admin_loop;
	struct list open; /* the admin server's */
	pthread_mutex_t lock; /* of the two below */
	struct list asked, answered;
};

static void on_request(struct http_exchange *exchange);
static bool on_response(struct http_exchange *exchange);
static void on_failure(struct http_exchange *exchange, enum error error);
static void on_end(struct http_exchange *exchange, enum error error);

/* Of an exchange that waits for ctl: nothing can come but its end. */
static const struct http_handler waiting_handler = {
    .on_request = on_request,
    .on_response = on_response,
    .on_failure = on_failure,
    .on_end = on_end,
};

struct ctl_pages *
ctl_pages_new(struct net_loop *ctl_loop, struct net_loop *admin_loop)
{
	struct ctl_pages *pages = memory_zero(1, sizeof(*pages));
	int failed = pthread_mutex_init(&pages->lock, NULL);

	must(!failed);
	pages->ctl_loop = ctl_loop;
	pages->admin_loop = admin_loop;
	list_init(&pages->open);
	list_init(&pages->asked);
	list_init(&pages->answered);
	return pages;
}

/* Hands the exchange back to its handler; NULL when it is gone. */
static struct http_exchange *
release_exchange(struct ctl_query *query)
{
	struct http_exchange *exchange = query->exchange;

	if (exchange == NULL)
		return NULL;
	query->exchange = NULL;
	list_remove(&query->open);
	exchange->handler = query->handler;
	exchange->handler_state = NULL;
	return exchange;
}

void
ctl_query_free(struct ctl_query **query)
{
	must((*query)->exchange == NULL);
	text_fini(&(*query)->body);
	memory_free(*query);
	*query = NULL;
}

static void
free_queries(struct list *list)
{
	LIST_FOR_EACH_SAFE(at, list)
	{
		struct ctl_query *query =
		    container_of(at, struct ctl_query, link);

		ctl_query_free(&query);
	}
}

void
ctl_pages_free(struct ctl_pages **pages)
{
	struct ctl_pages *old = *pages;

	*pages = NULL;
	if (old == NULL)
		return;
	LIST_FOR_EACH_SAFE(at, &old->open)
	{
		struct http_exchange *exchange =
		    release_exchange(container_of(at, struct ctl_query, open));

		admin_answer(exchange, 503, "text/plain; charset=utf-8",
		    SLICE("yumen is stopping\n"));
	}
	free_queries(&old->asked);
	free_queries(&old->answered);
	pthread_mutex_destroy(&old->lock);
	memory_free(old);
}

static void
on_request(struct http_exchange *exchange)
{
	(void)exchange;
	must(!"a request that waits comes again");
}

static bool
on_response(struct http_exchange *exchange)
{
	(void)exchange;
	must(!"a response before the answer");
	return false;
}

static void
on_failure(struct http_exchange *exchange, enum error error)
{
	http_exchange_abort(exchange, error);
}

static void
on_end(struct http_exchange *exchange, enum error error)
{
	struct ctl_query *query = exchange->handler_state;

	must(query != NULL && query->exchange == exchange);
	(void)release_exchange(query);
	exchange->handler->on_end(exchange, error);
}

static void
post(struct ctl_pages *pages, struct list *list, struct ctl_query *query,
    struct net_loop *wake)
{
	int failed = pthread_mutex_lock(&pages->lock);

	must(!failed);
	list_insert(list, &query->link);
	failed = pthread_mutex_unlock(&pages->lock);
	must(!failed);
	net_loop_wake(wake);
}

static struct ctl_query *
take(struct ctl_pages *pages, struct list *list)
{
	struct ctl_query *query = NULL;
	int failed = pthread_mutex_lock(&pages->lock);

	must(!failed);
	if (!list_is_empty(list)) {
		query = container_of(list->next, struct ctl_query, link);
		list_remove(&query->link);
	}
	failed = pthread_mutex_unlock(&pages->lock);
	must(!failed);
	return query;
}

/* A parameter of the query part; absent when it is not there or empty. Names of
 * objects need no escapes, so there are none. */
static struct slice
parameter(struct slice query, struct slice name)
{
	struct slice pair, key;

	while (slice_cut(&query, '&', &pair)) {
		struct slice value = pair;

		if (slice_cut(&value, '=', &key) && slice_equal(key, name) &&
		    value.length > 0)
			return value;
	}
	return SLICE_NONE;
}

static struct slice
keep(char **at, struct slice text)
{
	struct slice kept = slice_make(*at, text.length);

	if (!slice_is_set(text))
		return SLICE_NONE;
	memcpy(*at, text.data, text.length);
	*at += text.length;
	return kept;
}

/* "gateways,httproutes", or "all"; absent: some, which may be none. */
static bool
read_kinds(struct slice list, uint64_t some, uint64_t *kinds)
{
	struct slice name;
	enum gw_kind kind;

	static_assert(GW_KIND__COUNT < 64, "a kind is a bit");
	*kinds = slice_is_set(list) ? 0 : some;
	if (slice_equal(list, SLICE("all"))) {
		*kinds = ((uint64_t)1 << GW_KIND__COUNT) - 1;
		return true;
	}
	while (list.length > 0 && slice_cut(&list, ',', &name)) {
		if (!gw_kind_parse(name, &kind))
			return false;
		*kinds |= (uint64_t)1 << kind;
	}
	return *kinds != 0;
}

struct ctl_query *
ctl_query_new(struct slice text, ctl_write_fn write)
{
	must(write != NULL);
	/* Certificates are Secrets'. */
	uint64_t some =
	    write == ctl_certificates_write ? (uint64_t)1 << GW_SECRET : 0;
	struct slice namespace = parameter(text, SLICE("namespace"));
	struct slice name = parameter(text, SLICE("name"));
	struct slice after = parameter(text, SLICE("after"));
	uint64_t kinds, number = 0;

	if (!read_kinds(parameter(text, SLICE("kind")), some, &kinds) ||
	    (slice_is_set(after) &&
	        !slice_to_number(after, UINT64_MAX, &number)))
		return NULL;
	struct ctl_query *query =
	    memory_zero(1, sizeof(*query) + namespace.length + name.length);
	char *at = query->storage;

	list_init(&query->link);
	list_init(&query->open);
	text_init(&query->body);
	query->write = write;
	query->kinds = kinds;
	query->after = number;
	query->namespace = keep(&at, namespace);
	query->name = keep(&at, name);
	return query;
}

static void
show(struct ctl_pages *pages, struct http_exchange *exchange, struct slice text,
    ctl_write_fn write)
{
	struct ctl_query *query = ctl_query_new(text, write);

	if (query == NULL) {
		admin_answer(exchange, 400, "text/plain; charset=utf-8",
		    SLICE("?kind= must name kinds that yumen reads, or all; "
		          "&after= is a number\n"));
		return;
	}
	query->exchange = exchange;
	query->handler = exchange->handler;
	exchange->handler = &waiting_handler;
	exchange->handler_state = query;
	list_insert(&pages->open, &query->open);
	post(pages, &pages->asked, query, pages->ctl_loop);
}

static void
show_certificates(
    void *context, struct http_exchange *exchange, struct slice query)
{
	show(context, exchange, query, ctl_certificates_write);
}

static void
show_objects(void *context, struct http_exchange *exchange, struct slice query)
{
	show(context, exchange, query, ctl_objects_write);
}

static void
show_problems(void *context, struct http_exchange *exchange, struct slice query)
{
	show(context, exchange, query, ctl_problems_write);
}

void
ctl_pages_register(struct ctl_pages *pages, struct admin *admin)
{
	must(pages != NULL && admin != NULL);
	admin_add_page(admin, "/api/v1/objects",
	    "objects with their statuses, JSON; "
	    "?kind=K,...|all[&namespace=N][&name=X][&after=CHANGE]",
	    show_objects, pages);
	admin_add_page(admin, "/api/v1/certificates",
	    "certificates of Secrets: names, expiry, what is wrong, JSON; "
	    "?[namespace=N][&name=X]",
	    show_certificates, pages);
	admin_add_page(admin, "/api/v1/problems",
	    "what is wrong with objects, JSON; "
	    "?kind=K,...|all[&namespace=N][&name=X]",
	    show_problems, pages);
}

void
ctl_pages_deliver(struct ctl_pages *pages)
{
	must(pages != NULL);
	struct ctl_query *query;

	while ((query = take(pages, &pages->answered)) != NULL) {
		struct http_exchange *exchange = release_exchange(query);

		if (exchange != NULL)
			admin_answer(exchange, 200, "application/json",
			    text_slice(&query->body));
		ctl_query_free(&query);
	}
}

struct ctl_query *
ctl_pages_take(struct ctl_pages *pages)
{
	must(pages != NULL);
	return take(pages, &pages->asked);
}

void
ctl_pages_answer(struct ctl_pages *pages, struct ctl_query **query)
{
	must(pages != NULL && *query != NULL);
	post(pages, &pages->answered, *query, pages->admin_loop);
	*query = NULL;
}
