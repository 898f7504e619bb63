/* The texts of fault.def, and a fault in one line. */
#include "crypt/fault.h"

#include "core/clock.h"
#include "core/must.h"

static const struct {
	const char *text, *label, *fix;
} rows[CRYPT_PROBLEM__COUNT] = {
#define CRYPT_PROBLEM(name, text, label, fix) \
	[CRYPT_##name] = {(text), (label), (fix)},
#include "crypt/fault.def"
#undef CRYPT_PROBLEM
};

const char *
crypt_problem_text(enum crypt_problem problem)
{
	must((unsigned)problem < CRYPT_PROBLEM__COUNT);
	return rows[problem].text;
}

const char *
crypt_problem_label(enum crypt_problem problem)
{
	must((unsigned)problem < CRYPT_PROBLEM__COUNT);
	return rows[problem].label;
}

const char *
crypt_problem_fix(enum crypt_problem problem)
{
	must((unsigned)problem < CRYPT_PROBLEM__COUNT);
	return rows[problem].fix;
}

void
crypt_fault_print(const struct crypt_fault *fault, struct text *out)
{
	if (fault->certificate > 0)
		text_printf(out, "certificate %u", fault->certificate);
	if (fault->line > 0)
		text_printf(out, "%sline %u", fault->certificate ? ", " : "",
		    fault->line);
	if (fault->certificate > 0 || fault->line > 0)
		text_push_string(out, ": ");
	text_push_string(out, crypt_problem_text(fault->problem));
	if (fault->seconds != 0) {
		char time[CLOCK_RFC3339_BYTES + 1];
		clock_format(fault->seconds * 1000, time);
		/* Certificates know no fractions of a second. */
		text_printf(out, ": %.19sZ", time);
	}
}
