/* Trees from YAML: libyaml's events become nodes; JSON has a parser of its own
 * (wire/tree_parse_json.c), which is asked first. One builder reads
 * one file; it keeps a frame for each open list and map, never recurses but to
 * copy an alias (within LIMIT_FILE_DEPTH), and counts every node, those of
 * aliases too, so that a small file cannot grow a large tree. What plain
 * scalars stand for is wire/tree_scalar.c's. */
#include "wire/tree_priv.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/limit.h"
#include "core/map.h"
#include "core/must.h"

/* Up to so many keys are compared with each other, more by a hash table. */
#define SMALL_MAP 16

/* A list or map that is still open. */
struct frame {
	struct tree_node *node;
	struct tree_node **tail; /* where the next child goes */
	struct slice anchor; /* known once it is closed, or absent */
	/* maps */
	struct tree_node *merge; /* the child whose key is a plain << */
	struct slice key; /* of the child to come; absent: the key is next */
	uint32_t key_line, key_column;
	bool key_merges; /* that key is a plain << */
};

struct builder {
	yaml_parser_t yaml;
	struct slice bytes;
	struct arena *arena;
	tree_document_fn on_document;
	void *context;
	struct tree_fault *fault;
	enum error error;
	bool stopped; /* on_document had enough */
	struct map anchors; /* of this document: name -> node */
	struct tree_node *root;
	uint32_t nodes; /* of all documents so far */
	unsigned depth; /* frames in use */
	struct frame frames[LIMIT_VALUE_FILE_DEPTH];
};

static void on_event(struct builder *builder, const yaml_event_t *event);
static void fail_at(struct builder *builder, enum error error, uint32_t line,
    uint32_t column, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void fail_by_parser(struct builder *builder);

enum error
wire_tree_parse(struct slice bytes, struct arena *arena,
    tree_document_fn on_document, void *context, struct tree_fault *fault)
{
	must(arena != NULL && on_document != NULL && fault != NULL);
	struct builder builder = {
	    .bytes = bytes,
	    .arena = arena,
	    .on_document = on_document,
	    .context = context,
	    .fault = fault,
	};
	*fault = (struct tree_fault){0};
	if (bytes.length > LIMIT_VALUE_FILE_BYTES) {
		fail_at(&builder, ERROR_LIMIT, 1, 1,
		    "more than %d bytes in one file", LIMIT_VALUE_FILE_BYTES);
		return builder.error;
	}
	if (wire_tree_parse_json(
	        bytes, arena, on_document, context, fault, &builder.error))
		return builder.error;
	if (!yaml_parser_initialize(&builder.yaml))
		return ERROR_NO_MEMORY;
	map_init(&builder.anchors);
	yaml_parser_set_encoding(&builder.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&builder.yaml,
	    (const unsigned char *)(bytes.data ? bytes.data : ""),
	    bytes.length);
	bool ended = false;
	while (!ended && !builder.stopped && builder.error == ERROR_OK) {
		yaml_event_t event;
		if (!yaml_parser_parse(&builder.yaml, &event)) {
			fail_by_parser(&builder);
			break;
		}
		ended = event.type == YAML_STREAM_END_EVENT;
		on_event(&builder, &event);
		yaml_event_delete(&event);
	}
	map_fini(&builder.anchors);
	yaml_parser_delete(&builder.yaml);
	return builder.error;
}

static void begin_document(struct builder *builder);
static void end_document(struct builder *builder);
static void add_scalar(struct builder *builder, const yaml_event_t *event);
static void add_alias(struct builder *builder, const yaml_event_t *event);
static void open_list(struct builder *builder, const yaml_event_t *event);
static void open_map(struct builder *builder, const yaml_event_t *event);
static void close_frame(struct builder *builder);

static void
on_event(struct builder *builder, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		begin_document(builder);
		break;
	case YAML_DOCUMENT_END_EVENT:
		end_document(builder);
		break;
	case YAML_SCALAR_EVENT:
		add_scalar(builder, event);
		break;
	case YAML_ALIAS_EVENT:
		add_alias(builder, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		open_list(builder, event);
		break;
	case YAML_MAPPING_START_EVENT:
		open_map(builder, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_frame(builder);
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
		break;
	}
}

static void
begin_document(struct builder *builder)
{
	must(builder->depth == 0);
	builder->root = NULL;
	if (builder->anchors.count > 0) {
		map_fini(&builder->anchors);
		map_init(&builder->anchors);
	}
}

static void
end_document(struct builder *builder)
{
	must(builder->depth == 0);
	struct tree_node *root = builder->root;
	if (root != NULL && root->kind != TREE_NULL)
		builder->stopped =
		    !builder->on_document(builder->context, root);
}

/* Faults: the first one counts. */

static void
fail_at(struct builder *builder, enum error error, uint32_t line,
    uint32_t column, const char *format, ...)
{
	if (builder->error != ERROR_OK)
		return;
	builder->error = error;
	builder->fault->line = line;
	builder->fault->column = column;
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(builder->fault->text, sizeof(builder->fault->text),
	    format, arguments);
	va_end(arguments);
}

static uint32_t
mark_line(const yaml_mark_t *mark)
{
	return (uint32_t)mark->line + 1;
}

static uint32_t
mark_column(const yaml_mark_t *mark)
{
	return (uint32_t)mark->column + 1;
}

static void
fail_by_parser(struct builder *builder)
{
	builder->error =
	    wire_tree_explain(&builder->yaml, builder->bytes, builder->fault);
}

/* Nodes and where they go. */

static void
count_node(struct builder *builder, const yaml_mark_t *mark)
{
	if (++builder->nodes > LIMIT_VALUE_FILE_NODES)
		fail_at(builder, ERROR_LIMIT, mark_line(mark),
		    mark_column(mark), "more than %d nodes in one file",
		    LIMIT_VALUE_FILE_NODES);
}

static struct tree_node *
new_node(struct builder *builder, const yaml_mark_t *mark)
{
	count_node(builder, mark);
	struct tree_node *node = arena_zero(builder->arena, 1, sizeof(*node));
	node->line = mark_line(mark);
	node->column = mark_column(mark);
	return node;
}

static struct frame *
top_frame(struct builder *builder)
{
	return builder->depth > 0 ? &builder->frames[builder->depth - 1] : NULL;
}

static bool
wants_key(struct builder *builder)
{
	struct frame *top = top_frame(builder);
	return top != NULL && top->node->kind == TREE_MAP &&
	    !slice_is_set(top->key);
}

/* A node is known: the root, or the next child of the open list or map. */
static void
place_node(struct builder *builder, struct tree_node *node)
{
	struct frame *top = top_frame(builder);
	if (top == NULL) {
		builder->root = node;
		return;
	}
	if (top->node->kind == TREE_MAP) {
		must(slice_is_set(top->key));
		node->key = top->key;
		node->key_line = top->key_line;
		node->key_column = top->key_column;
		top->key = SLICE_NONE;
		if (top->key_merges && top->merge != NULL) {
			fail_at(builder, ERROR_INVALID, node->key_line,
			    node->key_column, "\"<<\" comes twice in one map");
			return;
		}
		if (top->key_merges) {
			/* Set aside until the map closes. */
			top->merge = node;
			return;
		}
	}
	*top->tail = node;
	top->tail = &node->next;
	top->node->count++;
}

static void
place_key(struct builder *builder, const struct tree_node *scalar, bool plain)
{
	struct frame *top = top_frame(builder);
	top->key_line = scalar->line;
	top->key_column = scalar->column;
	top->key_merges = plain && slice_equal(scalar->text, SLICE("<<"));
	switch (scalar->kind) {
	case TREE_BOOL:
		top->key = scalar->integer ? SLICE("true") : SLICE("false");
		break;
	case TREE_INTEGER:
		top->key = arena_format(
		    builder->arena, "%lld", (long long)scalar->integer);
		break;
	case TREE_REAL:
	case TREE_TEXT:
		top->key = scalar->text;
		break;
	case TREE_NULL:
	case TREE_LIST:
	case TREE_MAP:
		fail_at(builder, ERROR_INVALID, scalar->line, scalar->column,
		    "a key must be text");
		break;
	}
}

static void
put_anchor(struct builder *builder, struct slice name, struct tree_node *node)
{
	if (slice_is_set(name))
		(void)map_put(&builder->anchors, name, node);
}

static struct slice
copy_anchor(struct builder *builder, const yaml_char_t *anchor)
{
	return arena_copy(
	    builder->arena, slice_from_string((const char *)anchor));
}

static void
check_tag(
    struct builder *builder, const yaml_char_t *tag, struct tree_node *node)
{
	if (tag != NULL && !wire_tree_tag(node, (const char *)tag))
		fail_at(builder, ERROR_INVALID, node->line, node->column,
		    "the tag %.80s cannot stand here", (const char *)tag);
}

/* A key is no node of the tree, unless an anchor names it. */
static struct tree_node *
scalar_node(struct builder *builder, const yaml_event_t *event,
    struct tree_node *key_node)
{
	if (!wants_key(builder) || event->data.scalar.anchor != NULL)
		return new_node(builder, &event->start_mark);
	count_node(builder, &event->start_mark);
	*key_node = (struct tree_node){
	    .line = mark_line(&event->start_mark),
	    .column = mark_column(&event->start_mark),
	};
	return key_node;
}

static void
add_scalar(struct builder *builder, const yaml_event_t *event)
{
	struct tree_node key_node;
	struct tree_node *node = scalar_node(builder, event, &key_node);
	node->text = arena_copy(builder->arena,
	    slice_make((const char *)event->data.scalar.value,
	        event->data.scalar.length));
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->kind = TREE_TEXT;
	if (plain)
		wire_tree_resolve(node);
	check_tag(builder, event->data.scalar.tag, node);
	put_anchor(
	    builder, copy_anchor(builder, event->data.scalar.anchor), node);
	if (wants_key(builder))
		place_key(builder, node, plain);
	else
		place_node(builder, node);
}

/* A list or map begins: it is placed when it closes. */
static void
open_frame(struct builder *builder, const yaml_event_t *event,
    enum tree_kind kind, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct tree_node *node = new_node(builder, &event->start_mark);
	node->kind = kind;
	check_tag(builder, tag, node);
	if (wants_key(builder)) {
		fail_at(builder, ERROR_INVALID, node->line, node->column,
		    "a key must be text, not a list or a map");
	} else if (builder->depth == LIMIT_VALUE_FILE_DEPTH) {
		fail_at(builder, ERROR_LIMIT, node->line, node->column,
		    "nested deeper than %d levels", LIMIT_VALUE_FILE_DEPTH);
	} else {
		builder->frames[builder->depth++] = (struct frame){
		    .node = node,
		    .tail = &node->child,
		    .anchor = copy_anchor(builder, anchor),
		};
	}
}

static void
open_list(struct builder *builder, const yaml_event_t *event)
{
	open_frame(builder, event, TREE_LIST, event->data.sequence_start.anchor,
	    event->data.sequence_start.tag);
}

static void
open_map(struct builder *builder, const yaml_event_t *event)
{
	open_frame(builder, event, TREE_MAP, event->data.mapping_start.anchor,
	    event->data.mapping_start.tag);
}

static void close_map(struct builder *builder, struct frame *frame);

static void
close_frame(struct builder *builder)
{
	must(builder->depth > 0);
	struct frame *frame = top_frame(builder);
	if (frame->node->kind == TREE_MAP)
		close_map(builder, frame);
	if (builder->error != ERROR_OK)
		return;
	builder->depth--;
	put_anchor(builder, frame->anchor, frame->node);
	place_node(builder, frame->node);
}

/* Aliases: a copy of what the anchor names. An anchor is known only once its
 * node is closed, so none can contain itself. */

static struct tree_node *
copy_node(struct builder *builder, const struct tree_node *original,
    const yaml_mark_t *alias, unsigned depth)
{
	struct tree_node *node = new_node(builder, alias);
	if (depth > LIMIT_VALUE_FILE_DEPTH)
		fail_at(builder, ERROR_LIMIT, mark_line(alias),
		    mark_column(alias), "nested deeper than %d levels",
		    LIMIT_VALUE_FILE_DEPTH);
	*node = *original;
	node->child = node->next = NULL;
	struct tree_node **tail = &node->child;
	for (const struct tree_node *at = original->child;
	     at != NULL && builder->error == ERROR_OK; at = at->next) {
		*tail = copy_node(builder, at, alias, depth + 1);
		tail = &(*tail)->next;
	}
	return node;
}

static void
add_alias(struct builder *builder, const yaml_event_t *event)
{
	const yaml_mark_t *mark = &event->start_mark;
	const char *name = (const char *)event->data.alias.anchor;
	const struct tree_node *original =
	    map_get(&builder->anchors, slice_from_string(name));
	if (original == NULL) {
		fail_at(builder, ERROR_INVALID, mark_line(mark),
		    mark_column(mark),
		    "*%.80s names no anchor that stands before it", name);
		return;
	}
	struct tree_node *node =
	    copy_node(builder, original, mark, builder->depth + 1);
	if (builder->error != ERROR_OK)
		return;
	if (wants_key(builder))
		place_key(builder, node, false);
	else
		place_node(builder, node);
}

/* Maps are closed: no key twice, then what << brings. */

const struct tree_node *
wire_tree_repeated(const struct tree_node *map, const struct tree_node **before)
{
	const struct tree_node *again = NULL;
	struct map keys;

	if (map->count <= SMALL_MAP) {
		for (const struct tree_node *at = map->child; at; at = at->next)
			for (*before = map->child; *before != at;
			     *before = (*before)->next)
				if (slice_equal(at->key, (*before)->key))
					return at;
		return NULL;
	}
	map_init(&keys);
	for (struct tree_node *at = map->child; at && !again; at = at->next) {
		*before = map_put(&keys, at->key, at);
		if (*before)
			again = at;
	}
	map_fini(&keys);
	return again;
}

/* Adds the children of from that frame's map does not have yet. They are
 * copied, for from may have an anchor; what is below them is shared. */
static void
merge_map(struct builder *builder, struct frame *frame, struct map *keys,
    const struct tree_node *from)
{
	if (from->kind != TREE_MAP) {
		fail_at(builder, ERROR_INVALID, frame->merge->key_line,
		    frame->merge->key_column,
		    "\"<<\" wants a map, or a list of maps");
		return;
	}
	for (const struct tree_node *at = from->child; at; at = at->next) {
		if (map_get(keys, at->key) != NULL)
			continue;
		struct tree_node *copy =
		    arena_alloc(builder->arena, sizeof(*copy));
		*copy = *at;
		copy->next = NULL;
		(void)map_put(keys, copy->key, copy);
		*frame->tail = copy;
		frame->tail = &copy->next;
		frame->node->count++;
	}
}

static void
close_map(struct builder *builder, struct frame *frame)
{
	const struct tree_node *before,
	    *again = wire_tree_repeated(frame->node, &before);
	struct map keys;

	if (again)
		fail_at(builder, ERROR_INVALID, again->key_line,
		    again->key_column, WIRE_TREE_TWICE,
		    WIRE_TREE_TWICE_ARGS(again, before));
	if (again || !frame->merge)
		return;
	map_init(&keys);
	for (struct tree_node *at = frame->node->child; at; at = at->next)
		(void)map_put(&keys, at->key, at);
	if (frame->merge->kind == TREE_LIST) {
		for (struct tree_node *at = frame->merge->child; at != NULL;
		     at = at->next)
			merge_map(builder, frame, &keys, at);
	} else {
		merge_map(builder, frame, &keys, frame->merge);
	}
	map_fini(&keys);
}
