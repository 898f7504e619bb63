/* The kinds that `get` and `describe` take, for people and for roff. */
#ifndef YUMEN_CMD_KINDS_H
#define YUMEN_CMD_KINDS_H

#include <stdio.h>

/* One a line, indented, with its short names: "  gateways (gtw)". */
void kinds_print(FILE *out);
/* "gateways (gtw), httproutes, ...", on one line. */
void kinds_print_line(FILE *out);

#endif
