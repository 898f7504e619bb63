/* Compares names of certificates: RFC 9525. */
#include "crypt/name.h"

bool
crypt_dns_name_covers(struct slice name, struct slice host)
{
	if (host.length == 0)
		return false;
	if (!slice_starts_with(name, SLICE("*.")))
		return slice_find(name, '*') == name.length &&
		    slice_equal_nocase(name, host);
	/* One label for the asterisk, at least two behind it. */
	struct slice rest = slice_skip(name, 1);
	size_t label = slice_find(host, '.');

	return label > 0 && label < host.length &&
	    slice_find(slice_skip(rest, 1), '.') < rest.length - 1 &&
	    slice_find(rest, '*') == rest.length &&
	    slice_equal_nocase(rest, slice_skip(host, label));
}

bool
crypt_name_matches(struct crypt_name had, struct crypt_name wanted)
{
	if (had.kind != wanted.kind || wanted.value.length == 0)
		return false;
	/* A wildcard that is wanted stands for one label, as one that is had.
	 */
	if (had.kind == CRYPT_NAME_DNS)
		return crypt_dns_name_covers(had.value, wanted.value) ||
		    (slice_starts_with(wanted.value, SLICE("*.")) &&
		        crypt_dns_name_covers(wanted.value, had.value));
	return slice_equal(had.value, wanted.value);
}

bool
crypt_name_is_sane(struct crypt_name name)
{
	if (name.kind == CRYPT_NAME_IP)
		return name.value.length == 4 || name.value.length == 16;
	for (size_t i = 0; i < name.value.length; i++)
		if (name.value.data[i] <= ' ' || name.value.data[i] > '~')
			return false;
	return name.value.length > 0;
}
