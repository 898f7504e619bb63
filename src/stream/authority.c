/* The stream's authorities, as texts. */
#include "stream/authority.h"

#include <string.h>

#include "core/memory.h"
#include "core/must.h"
#include "crypt/certificate.h"
#include "crypt/issue.h"

#define PAIRS_MAX 8 /* more were never made */

struct pair {
	struct slice pem; /* certificate and key */
	int64_t not_before, not_after;
};
struct pairs {
	struct pair items[PAIRS_MAX];
	unsigned count;
};

/* Is there an authority with its key? */
static bool
read_pair(struct slice pem, struct pair *pair)
{
	struct crypt_fault fault;
	struct crypt_certificates *chain = crypt_chain_parse(pem, &fault);
	struct crypt_key *key = crypt_key_parse(pem, &fault);
	bool good = chain != NULL && key != NULL && chain->count == 1 &&
	    memcmp(chain->items[0]->key_digest, key->digest,
	        sizeof(key->digest)) == 0;

	if (good)
		*pair = (struct pair){
		    .pem = pem,
		    .not_before = chain->items[0]->not_before,
		    .not_after = chain->items[0]->not_after,
		};
	if (chain != NULL)
		crypt_certificates_free(chain);
	crypt_key_free(key);
	return good;
}

/* The text up to the next certificate. */
static struct slice
next_part(struct slice *rest)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	size_t length = rest->length;

	if (length > 1) {
		const char *next = memmem(
		    rest->data + 1, length - 1, begin, sizeof(begin) - 1);

		if (next != NULL)
			length = (size_t)(next - rest->data);
	}
	struct slice part = slice_make(rest->data, length);

	*rest = slice_skip(*rest, length);
	return part;
}

static struct pairs
read_pairs(struct slice state)
{
	struct pairs pairs = {.count = 0};
	struct slice rest = state;

	while (rest.length > 0 && pairs.count < PAIRS_MAX)
		if (read_pair(next_part(&rest), &pairs.items[pairs.count]))
			pairs.count++;
	return pairs;
}

static void
push_new(struct text *out, int64_t now)
{
	struct text key;

	text_init(&key);
	crypt_issue_authority(SLICE("yumen stream"),
	    (struct crypt_validity){
	        now - STREAM_CLOCK_SKEW, now + STREAM_AUTHORITY_LIFE},
	    out, &key);
	text_push(out, text_slice(&key));
	text_wipe(&key);
}

bool
stream_authority_renew(struct slice state, int64_t now, struct text *out)
{
	struct pairs pairs = read_pairs(state);
	size_t before = out->length;

	if (pairs.count == 0 ||
	    pairs.items[0].not_after - now < STREAM_AUTHORITY_RENEW)
		push_new(out, now);
	for (unsigned i = 0; i < pairs.count; i++)
		if (pairs.items[i].not_after > now)
			text_push(out, pairs.items[i].pem);
	return !slice_equal(state, slice_skip(text_slice(out), before));
}

void
stream_authority_bundle(struct slice state, struct text *out)
{
	struct pairs pairs = read_pairs(state);
	struct crypt_fault fault;

	for (unsigned i = 0; i < pairs.count; i++) {
		struct crypt_certificates *chain =
		    crypt_chain_parse(pairs.items[i].pem, &fault);

		must(chain != NULL);
		crypt_certificate_pem(chain->items[0], out);
		crypt_certificates_free(chain);
	}
}

/* The newest one that everybody has had the time to believe; otherwise the
 * oldest. */
static const struct pair *
signer(const struct pairs *pairs, int64_t now)
{
	for (unsigned i = 0; i < pairs->count; i++)
		if (pairs->items[i].not_before + STREAM_CLOCK_SKEW +
		            STREAM_AUTHORITY_REST <=
		        now &&
		    pairs->items[i].not_after > now)
			return &pairs->items[i];
	return pairs->count > 0 ? &pairs->items[pairs->count - 1] : NULL;
}

enum error
stream_authority_issue(struct slice state, const struct crypt_name *names,
    unsigned name_count, int64_t now, struct text *certificate,
    struct text *key)
{
	struct pairs pairs = read_pairs(state);
	const struct pair *by = signer(&pairs, now);
	struct crypt_validity validity = {
	    now - STREAM_CLOCK_SKEW, now + STREAM_SERVER_LIFE};

	if (by == NULL)
		return ERROR_INVALID;
	if (validity.not_after > by->not_after)
		validity.not_after = by->not_after;
	return crypt_issue_server(
	    by->pem, names, name_count, validity, certificate, key);
}
