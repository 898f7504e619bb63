/* Keys of elliptic curves from their encodings, without libcrypto's decoders:
 * those try all that they know at each key, which costs ten times what the key
 * itself does, and a gateway reads thousands of them. What is not plain here
 * (parameters written out, no public half) is left to them. */
#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "core/memory.h"
#include "core/reader.h"
#include "crypt/key_priv.h"

enum {
	TAG_INTEGER = 0x02,
	TAG_BIT_STRING = 0x03,
	TAG_OCTET_STRING = 0x04,
	TAG_OBJECT = 0x06,
	TAG_SEQUENCE = 0x30,
	TAG_PARAMETERS = 0xa0,
	TAG_PUBLIC_KEY = 0xa1,
};
#define SCALAR_BYTES_MAX 66 /* of P-521 */

/* The content of the next element, if it has this tag; DER alone (X.690
 * 10.1): the shortest form of its length. */
static struct slice
take(struct reader *in, uint8_t tag)
{
	if (reader_u8(in) != tag)
		reader_fail(in, ERROR_INVALID);
	size_t length = reader_u8(in);
	if (length == 0x81) {
		length = reader_u8(in);
		if (length < 0x80)
			reader_fail(in, ERROR_INVALID);
	} else if (length == 0x82) {
		length = reader_u16(in);
		if (length < 0x100)
			reader_fail(in, ERROR_INVALID);
	} else if (length >= 0x80) {
		reader_fail(in, ERROR_INVALID);
	}
	return reader_bytes(in, length);
}

static bool
is_next(const struct reader *in, uint8_t tag)
{
	return reader_left(in) > 0 && *in->next == tag;
}

/* A curve of TLS by its name's DER; NULL: another one. */
static const char *
curve_of(struct slice object)
{
	static const struct {
		struct slice object;
		const char *name;
	} curves[] = {
	    {SLICE("\x2a\x86\x48\xce\x3d\x03\x01\x07"), "prime256v1"},
	    {SLICE("\x2b\x81\x04\x00\x22"), "secp384r1"},
	    {SLICE("\x2b\x81\x04\x00\x23"), "secp521r1"},
	};
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (slice_equal(curves[i].object, object))
			return curves[i].name;
	return NULL;
}

static EVP_PKEY *
make(const char *curve, struct slice scalar, struct slice point)
{
	unsigned char native[SCALAR_BYTES_MAX];
	EVP_PKEY *pkey = NULL;

	/* libcrypto takes numbers in the machine's order. */
	for (size_t i = 0; i < scalar.length; i++)
		native[i] = (unsigned char)scalar.data[scalar.length - 1 - i];
	OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_utf8_string(
	        OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)curve, 0),
	    OSSL_PARAM_construct_BN(
	        OSSL_PKEY_PARAM_PRIV_KEY, native, scalar.length),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
	        (void *)(uintptr_t)point.data, point.length),
	    OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (context && EVP_PKEY_fromdata_init(context) == 1 &&
	    EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, parameters) !=
	        1)
		pkey = NULL;
	EVP_PKEY_CTX_free(context);
	memory_wipe(native, sizeof(native));
	return pkey;
}

/* RFC 5915 3. curve: NULL when it must name its own. */
struct evp_pkey_st *
crypt_key_from_sec1(struct slice der, const char *curve)
{
	struct reader outer, in;

	reader_init(&outer, der);
	struct slice sequence = take(&outer, TAG_SEQUENCE);
	reader_init(&in, sequence);
	struct slice version = take(&in, TAG_INTEGER);
	struct slice scalar = take(&in, TAG_OCTET_STRING);
	if (is_next(&in, TAG_PARAMETERS)) {
		struct reader parameters;
		reader_init(&parameters, take(&in, TAG_PARAMETERS));
		const char *named = curve_of(take(&parameters, TAG_OBJECT));
		if (parameters.error || (curve && named != curve))
			return NULL;
		curve = named;
	}
	struct reader public;
	reader_init(&public, take(&in, TAG_PUBLIC_KEY));
	struct slice point = take(&public, TAG_BIT_STRING);
	if (outer.error || in.error || public.error || !curve ||
	    reader_left(&outer) > 0 || reader_left(&in) > 0 ||
	    !slice_equal(version, SLICE("\1")) || scalar.length == 0 ||
	    scalar.length > SCALAR_BYTES_MAX || point.length < 2 ||
	    point.data[0] != 0)
		return NULL;
	return make(curve, scalar, slice_skip(point, 1));
}

/* RFC 5958 2, with an elliptic curve by its name (RFC 5480 2.1.1). */
struct evp_pkey_st *
crypt_key_from_pkcs8_ec(struct slice der)
{
	static const struct slice ec = SLICE("\x2a\x86\x48\xce\x3d\x02\x01");
	struct reader outer, in, algorithm;

	reader_init(&outer, der);
	reader_init(&in, take(&outer, TAG_SEQUENCE));
	struct slice version = take(&in, TAG_INTEGER);
	reader_init(&algorithm, take(&in, TAG_SEQUENCE));
	struct slice kind = take(&algorithm, TAG_OBJECT);
	struct slice curve = take(&algorithm, TAG_OBJECT);
	struct slice inner = take(&in, TAG_OCTET_STRING);
	if (outer.error || in.error || algorithm.error ||
	    reader_left(&outer) > 0 || !slice_equal(version, SLICE("\0")) ||
	    !slice_equal(kind, ec) || !curve_of(curve))
		return NULL;
	return crypt_key_from_sec1(inner, curve_of(curve));
}
