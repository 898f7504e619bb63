/* Intrusive doubly linked lists with a head node. Header only. */
#ifndef YUMEN_CORE_LIST_H
#define YUMEN_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *previous;
};

#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void
list_init(struct list *list)
{
	list->next = list->previous = list;
}

static inline bool
list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* Insert node before position: before the head is at the end. */
static inline void
list_insert(struct list *position, struct list *node)
{
	node->next = position;
	node->previous = position->previous;
	position->previous->next = node;
	position->previous = node;
}

/* Unlink; node is then empty and may be removed again. */
static inline void
list_remove(struct list *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
	list_init(node);
}

#define LIST_FOR_EACH(at, head) \
	for (struct list *at = (head)->next; at != (head); at = at->next)
/* The current node may be removed in the body. */
#define LIST_FOR_EACH_SAFE(at, head) \
	for (struct list *at = (head)->next, *at##_next = at->next; \
	     at != (head); at = at##_next, at##_next = at->next)

#endif
