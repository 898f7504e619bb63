/* Errors: one enum for the whole program, from the one table error.def. Zero
 * is success. A function that can fail returns one and the caller must look. */
#ifndef YUMEN_CORE_ERROR_H
#define YUMEN_CORE_ERROR_H

enum error {
#define ERROR_ROW(name, text, label) ERROR_##name,
#include "core/error.def"
#undef ERROR_ROW
	ERROR__COUNT
};

#define must_check __attribute__((warn_unused_result))

/* The text for people, static. */
const char *error_text(enum error error);
/* The label in metrics and logs: lower case, underscores, static. */
const char *error_label(enum error error);
/* The error that an errno value stands for (SYSTEM where none fits better). */
enum error error_from_errno(int number);

#endif
