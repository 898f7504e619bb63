/* yumen run --announce: the announcer, or why there is none. */
#include "cmd/run_announcer.h"

#include <stdio.h>

static bool
tell(const char *interface, enum error error)
{
	const char *why = error_text(error);

	if (error == ERROR_DENIED) {
		fprintf(stderr,
		    "yumen run: --announce %s: not announcing: CAP_NET_RAW and "
		    "CAP_NET_ADMIN are needed; serving on the addresses that "
		    "this host has\n",
		    interface);
		return true;
	}
	if (error == ERROR_NOT_FOUND)
		why = "this host has no such interface; `ip link` lists them";
	if (error == ERROR_UNSUPPORTED)
		why = "it is no Ethernet, where ARP could be spoken";
	if (error == ERROR_IN_USE)
		why = "another yumen announces on this host";
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

	*announcer = NULL;
	if (count == 0)
		return true;
	enum error error = announcer_new(&options, announcer);
	for (unsigned i = 0; error == ERROR_OK && i < count; i++) {
		at = i;
		error = announcer_add_link(*announcer, names[i]);
	}
	if (error == ERROR_OK)
		return true;
	announcer_free(announcer);
	return tell(names[at], error);
}
