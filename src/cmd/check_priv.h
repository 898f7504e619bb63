/* The forms in which `check` prints what it found. */
#ifndef YUMEN_CMD_CHECK_PRIV_H
#define YUMEN_CMD_CHECK_PRIV_H

#include "core/text.h"
#include "ctl/check.h"

/* FILE:LINE:COLUMN: severity CODE OBJECT: FIELD: text, then the fix. */
void check_print_text(struct text *out, const struct ctl_checked *checked);
/* {"findings": [...], "summary": {...}}; stable. */
void check_print_json(struct text *out, const struct ctl_checked *checked);
/* SARIF 2.1.0, for code scanning. */
void check_print_sarif(struct text *out, const struct ctl_checked *checked);
/* Workflow commands: ::error file=...,line=...,col=...::... */
void check_print_github(struct text *out, const struct ctl_checked *checked);

#endif
