/* What libyaml complains of, in words and at a place that help who wrote the
 * file. Pure. */
#include "wire/tree_priv.h"

#include <stdio.h>

static enum error explain_reader(
    const yaml_parser_t *yaml, struct slice bytes, struct tree_fault *fault);
static char byte_at(struct slice bytes, const yaml_mark_t *mark);

enum error
wire_tree_explain(
    const yaml_parser_t *yaml, struct slice bytes, struct tree_fault *fault)
{
	if (yaml->error == YAML_MEMORY_ERROR)
		return ERROR_NO_MEMORY;
	if (yaml->error == YAML_READER_ERROR)
		return explain_reader(yaml, bytes, fault);
	const yaml_mark_t *mark = &yaml->problem_mark;
	const char *problem = yaml->problem ? yaml->problem : "malformed";
	const char *context = yaml->context;
	if (byte_at(bytes, mark) == '\t')
		problem = "a tab where YAML wants spaces";
	else if (context != NULL &&
	    strcmp(context, "while scanning a simple key") == 0)
		/* It is seen only lines later; the key's own line is at fault.
		 */
		mark = &yaml->context_mark;
	fault->line = (uint32_t)mark->line + 1;
	fault->column = (uint32_t)mark->column + 1;
	(void)snprintf(fault->text, sizeof(fault->text), "%s%s%s", problem,
	    context ? ", " : "", context ? context : "");
	return ERROR_INVALID;
}

/* A byte that libyaml's reader refuses: it tells an offset, not a mark. */
static enum error
explain_reader(
    const yaml_parser_t *yaml, struct slice bytes, struct tree_fault *fault)
{
	size_t offset = yaml->problem_offset;
	if (offset > bytes.length)
		offset = bytes.length;
	fault->line = fault->column = 1;
	for (size_t i = 0; i < offset; i++) {
		unsigned char c = (unsigned char)bytes.data[i];
		if (c == '\n') {
			fault->line++;
			fault->column = 1;
		} else if ((c & 0xc0) != 0x80) {
			fault->column++;
		}
	}
	(void)snprintf(fault->text, sizeof(fault->text), "not UTF-8 text: %s",
	    yaml->problem);
	return ERROR_INVALID;
}
/* The byte at a mark, whose columns count characters; 0 past the end. */
static char
byte_at(struct slice bytes, const yaml_mark_t *mark)
{
	size_t at = 0;
	for (size_t line = 0; at < bytes.length && line < mark->line; at++)
		line += bytes.data[at] == '\n';
	for (size_t column = 0; at < bytes.length && column < mark->column;
	     column++) {
		at++;
		while (at < bytes.length &&
		    ((unsigned char)bytes.data[at] & 0xc0) == 0x80)
			at++;
	}
	return at < bytes.length ? bytes.data[at] : '\0';
}
