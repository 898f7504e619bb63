/* Events are of API version v1: events.k8s.io shows the same ones. */
#include "ctl/event_priv.h"

#include "core/clock.h"
#include "core/memory.h"
#include "core/random.h"

/* What the API takes of a message. */
#define MESSAGE_BYTES_MAX 1024

static char *
copy(struct slice text)
{
	char *made = memory_zero(1, text.length + 1);

	if (text.length > 0)
		memcpy(made, text.data, text.length);
	return made;
}

/* Of most conditions False is bad; these tell of something bad. */
static bool
is_bad(const struct ctl_merge_change *change)
{
	static const struct slice complaints[] = {SLICE("Conflicted"),
	    SLICE("InsecureFrontendValidationMode"),
	    SLICE("OverlappingTLSConfig"), SLICE("PartiallyInvalid"),
	    SLICE(GW_CONFLICT_CONDITION)};

	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++)
		if (slice_equal(change->type, complaints[i]))
			return slice_equal(change->status, SLICE("True"));
	return !slice_equal(change->status, SLICE("True"));
}

/* A Gateway and its listeners often say the same. */
static bool
is_noted(const struct list *events, const struct ctl_event *event)
{
	LIST_FOR_EACH(at, events)
	{
		const struct ctl_event *other =
		    container_of(at, struct ctl_event, link);

		if (strcmp(other->message, event->message) == 0 &&
		    strcmp(other->reason, event->reason) == 0)
			return true;
	}
	return false;
}

struct ctl_event *
ctl_event_new(enum gw_kind kind, struct slice namespace, struct slice name,
    struct slice uid)
{
	struct ctl_event *event = memory_zero(1, sizeof(*event));

	list_init(&event->link);
	event->kind = kind;
	event->namespace = copy(namespace);
	event->name = copy(name);
	event->uid = copy(uid);
	return event;
}

void
ctl_event_say(struct ctl_event *event, bool is_warning, struct slice reason,
    struct slice message)
{
	if (message.length > MESSAGE_BYTES_MAX)
		message.length = MESSAGE_BYTES_MAX;
	event->is_warning = is_warning;
	event->reason = copy(reason);
	event->message = copy(message);
}

static void
add(struct list *events, struct ctl_event *event)
{
	if (is_noted(events, event))
		ctl_event_free(event);
	else
		list_insert(events, &event->link);
}

static struct ctl_event *
event_of(const struct ctl_row *row, struct slice uid)
{
	return ctl_event_new((enum gw_kind)row->kind, ctl_row_namespace(row),
	    ctl_row_name(row), uid);
}

void
ctl_event_note(struct list *events, const struct ctl_row *row, struct slice uid,
    const struct ctl_merge_change *change)
{
	bool bad = is_bad(change);
	bool addresses =
	    slice_equal(change->type, SLICE(GW_BALANCER_CONDITION));
	struct ctl_event *event;
	struct text text;

	/* That it has them ctl_event_note_addresses tells. */
	if ((addresses && !bad) ||
	    (!slice_is_set(change->before) && !bad && row->kind != GW_GATEWAY))
		return;
	event = event_of(row, uid);
	text_init(&text);
	if (addresses)
		text_printf(&text,
		    "Failed to allocate IP for \"%.*s/%.*s\": %.*s",
		    SLICE_ARGS(ctl_row_namespace(row)),
		    SLICE_ARGS(ctl_row_name(row)), SLICE_ARGS(change->message));
	else
		text_printf(&text, "%.*s=%.*s: %.*s", SLICE_ARGS(change->type),
		    SLICE_ARGS(change->status), SLICE_ARGS(change->message));
	ctl_event_say(event, bad,
	    addresses ? SLICE("AllocationFailed") : change->reason,
	    text_slice(&text));
	text_fini(&text);
	add(events, event);
}

/* "["10.0.0.1" "fd00::1"]", or nothing. */
static void
push_addresses(struct text *out, const struct tree_node *status)
{
	const struct tree_node *list =
	    wire_tree_member(wire_tree_member(status, "loadBalancer", TREE_MAP),
	        "ingress", TREE_LIST);

	if (list == NULL || list->child == NULL)
		return;
	for (const struct tree_node *at = list->child; at != NULL;
	     at = at->next)
		text_printf(out, "%s\"%.*s\"", at == list->child ? "[" : " ",
		    SLICE_ARGS(wire_tree_text(at, "ip")));
	text_push_byte(out, ']');
}

void
ctl_event_note_addresses(struct list *events, const struct ctl_row *row,
    struct slice uid, const struct tree_node *before,
    const struct tree_node *now)
{
	struct text had, has, text;

	text_init(&had);
	text_init(&has);
	text_init(&text);
	push_addresses(&had, before);
	push_addresses(&has, now);
	if (has.length > 0 &&
	    !slice_equal(text_slice(&had), text_slice(&has))) {
		struct ctl_event *event = event_of(row, uid);

		text_printf(&text, "Assigned IP %s", has.data);
		ctl_event_say(
		    event, false, SLICE("IPAllocated"), text_slice(&text));
		add(events, event);
	}
	text_fini(&had);
	text_fini(&has);
	text_fini(&text);
}

struct ctl_event *
ctl_event_first(const struct list *events)
{
	return container_of(events->next, struct ctl_event, link);
}

void
ctl_event_free(struct ctl_event *event)
{
	list_remove(&event->link);
	memory_free(event->namespace);
	memory_free(event->name);
	memory_free(event->uid);
	memory_free(event->reason);
	memory_free(event->message);
	memory_free(event);
}

static void
push_field(struct text *out, const char *key, const char *value)
{
	text_printf(out,
	    "%s\"%s\":", out->data[out->length - 1] == '{' ? "" : ",", key);
	text_push_json(out, slice_from_string(value));
}

/* An object without a namespace has its Events in "default". */
void
ctl_event_write(struct text *target, struct text *body,
    const struct ctl_event *event, struct slice identity)
{
	const struct gw_kind_row *row = &gw_kinds[event->kind];
	const char *namespace =
	    event->namespace[0] != '\0' ? event->namespace : "default";
	char now[CLOCK_RFC3339_BYTES + 1];
	struct random random;

	clock_format(clock_wall_ms(), now);
	now[19] = 'Z';
	now[20] = '\0';
	random_init(&random);
	text_printf(target, "/api/v1/namespaces/%s/events", namespace);
	text_printf(body,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{"
	    "\"namespace\":\"%s\",\"name\":\"%.200s.%016llx\"},"
	    "\"involvedObject\":{",
	    namespace, event->name, (unsigned long long)random_next(&random));
	text_printf(body, "\"apiVersion\":\"%s%sv1\"", row->group,
	    row->group[0] != '\0' ? "/" : "");
	push_field(body, "kind", row->kind);
	if (event->namespace[0] != '\0')
		push_field(body, "namespace", event->namespace);
	push_field(body, "name", event->name);
	push_field(body, "uid", event->uid);
	text_push_byte(body, '}');
	push_field(body, "type", event->is_warning ? "Warning" : "Normal");
	push_field(body, "reason", event->reason);
	push_field(body, "message", event->message);
	push_field(body, "firstTimestamp", now);
	push_field(body, "lastTimestamp", now);
	text_push_string(body,
	    ",\"count\":1,\"source\":{\"component\":"
	    "\"yumen-controller\"},\"reportingComponent\":"
	    "\"yumen.dev/controller\",\"reportingInstance\":");
	text_push_json(body, identity);
	text_push_byte(body, '}');
}
