/* yumen run --announce: the announcer, or why there is none. */
#include "cmd/run_announcer.h"

#include <stdio.h>

#include "cmd/announcing.h"

/* of_link: what announcer_add_link says, else announcer_new. */
static bool
tell(const char *interface, enum error error, bool of_link)
{
	const char *why = announcing_why_not(error);

	if (error == ERROR_DENIED) {
		fprintf(stderr,
		    "yumen run: --announce %s: not announcing: %s; serving on "
		    "the addresses that this host has\n",
		    interface, announcing_lacks(of_link, true));
		return true;
	}
	fprintf(stderr, "yumen run: --announce %s: %s\n", interface, why);
	return false;
}

bool
run_announcer_open(const struct flags *flags, struct net_loop *loop,
    void (*on_change)(void *context), void *context,
    struct announcer **announcer)
{
	const char *const *names = flags->values[FLAG_RUN_ANNOUNCE];
	unsigned count = flags->counts[FLAG_RUN_ANNOUNCE];
	struct announcer_options options = {.loop = loop,
	    .takes = true,
	    .on_change = on_change,
	    .context = context};
	unsigned at = 0;
	bool of_link = false;

	*announcer = NULL;
	if (count == 0)
		return true;
	enum error error = announcer_new(&options, announcer);
	for (unsigned i = 0; error == ERROR_OK && i < count; i++) {
		at = i;
		of_link = true;
		error = announcer_add_link(*announcer, names[i]);
	}
	if (error == ERROR_OK)
		return true;
	announcer_free(announcer);
	return tell(names[at], error, of_link);
}
