/* What is wrong with a certificate or key that somebody brought, and where. A
 * user's mistake is data: these become conditions. */
#ifndef YUMEN_CRYPT_FAULT_H
#define YUMEN_CRYPT_FAULT_H

#include "core/text.h"

enum crypt_problem {
#define CRYPT_PROBLEM(name, ...) CRYPT_##name,
#include "crypt/fault.def"
#undef CRYPT_PROBLEM
	CRYPT_PROBLEM__COUNT
};

struct crypt_fault {
	enum crypt_problem problem; /* CRYPT_NONE: nothing is wrong */
	unsigned certificate; /* which one in the text, from 1; 0: none */
	unsigned line; /* of the text, from 1; 0: no line */
	int64_t seconds; /* of EXPIRED and NOT_YET_VALID: since when, until */
};

const char *crypt_problem_text(enum crypt_problem problem);
/* Lower case, for metrics and logs. */
const char *crypt_problem_label(enum crypt_problem problem);
/* What to do about it. */
const char *crypt_problem_fix(enum crypt_problem problem);
/* "certificate 2, line 24: the certificate has expired: 2026-01-01T00:00:00Z".
 * Nothing of what was parsed is in it. */
void crypt_fault_print(const struct crypt_fault *fault, struct text *out);

#endif
