/* Any two lines as authorities and hostname patterns: what was read is read
 * again as the same; hostnames are hosts; patterns intersect both ways alike.
 */
#include "wire/host.h"

#include <stdlib.h>
#include "core/must.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The host in a block of its own, or NULL when it is refused. */
static char *
read_host(struct slice authority, struct slice *host, uint16_t *port)
{
	char *out = malloc(WIRE_HOST_BYTES + 3);
	must(out != NULL);
	enum error error = wire_authority_parse(authority, out, host, port);
	if (error == ERROR_OK)
		return out;
	must(error == ERROR_HTTP_BAD_HOST);
	free(out);
	return NULL;
}

static void
check_authority(struct slice authority)
{
	struct slice host, host_again;
	uint16_t port, port_again;
	char *out = read_host(authority, &host, &port);
	if (out == NULL) {
		must(!wire_is_hostname(authority, false));
		return;
	}
	must(host.length > 0 && host.length <= WIRE_HOST_BYTES);
	must(host.data[host.length - 1] != '.');
	for (size_t i = 0; i < host.length; i++)
		must(host.data[i] > ' ' && host.data[i] < 0x7f &&
		    (host.data[i] < 'A' || host.data[i] > 'Z'));
	struct text text;
	text_init(&text);
	text_push(&text, host);
	if (port != 0)
		text_printf(&text, ":%u", port);
	char *again = read_host(text_slice(&text), &host_again, &port_again);
	must(again != NULL && slice_equal(host, host_again));
	must(port == port_again);
	text_fini(&text);
	free(again);
	free(out);
}

static void
check_patterns(struct slice a, struct slice b)
{
	bool a_is = wire_is_hostname(a, true), b_is = wire_is_hostname(b, true);
	bool intersect = wire_hostnames_intersect(a, b);
	must(intersect == wire_hostnames_intersect(b, a));
	must(!wire_is_hostname(a, false) || a_is);
	if (!a_is || !b_is)
		return;
	must(wire_hostnames_intersect(a, a) && wire_hostnames_intersect(b, b));
	if (wire_is_hostname(b, false))
		must(wire_hostname_covers(a, b) == intersect);
	/* A name that both cover shows that they do intersect. */
	struct text name;
	text_init(&name);
	text_push_string(&name, "x");
	text_push(&name, a.data[0] == '*' ? slice_skip(a, 1) : SLICE(".x"));
	if (wire_hostname_covers(a, text_slice(&name)) &&
	    wire_hostname_covers(b, text_slice(&name)))
		must(intersect);
	text_fini(&name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make((const char *)data, size);
	struct slice a = SLICE(""), b = SLICE("");
	if (slice_cut(&rest, '\n', &a))
		slice_cut(&rest, '\n', &b);
	check_authority(a);
	check_authority(b);
	check_patterns(a, b);
	return 0;
}
