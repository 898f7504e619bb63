/* Reads private keys by libcrypto. Owns each key's EVP_PKEY, which libcrypto
 * wipes when it goes; never writes one out. */
#include "crypt/key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/memory.h"
#include "core/must.h"
#include "crypt/key_priv.h"
#include "crypt/pem.h"

enum { RSA_BITS_MIN = 2048 };

const char *
crypt_key_kind_text(enum crypt_key_kind kind)
{
	static const char *const texts[] = {
	    [CRYPT_KEY_UNSUPPORTED] = "unsupported",
	    [CRYPT_KEY_RSA] = "RSA",
	    [CRYPT_KEY_ECDSA] = "ECDSA",
	    [CRYPT_KEY_ED25519] = "Ed25519",
	};
	must((unsigned)kind < sizeof(texts) / sizeof(texts[0]));
	return texts[kind];
}

/* RFC 8446 4.2.3 and 4.4.2.2: the curves that a certificate may be on. */
static bool
is_curve_of_tls(const EVP_PKEY *pkey)
{
	static const struct slice names[] = {
	    SLICE("prime256v1"), SLICE("secp384r1"), SLICE("secp521r1")};
	char name[32];
	size_t length = 0;

	if (!EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
	        name, sizeof(name), &length)) {
		ERR_clear_error();
		return false;
	}
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_equal(names[i], slice_make(name, length)))
			return true;
	return false;
}

enum crypt_problem
crypt_key_judge(
    const struct evp_pkey_st *pkey, enum crypt_key_kind *kind, unsigned *bits)
{
	*kind = CRYPT_KEY_UNSUPPORTED;
	*bits = (unsigned)EVP_PKEY_get_bits(pkey);
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		*kind = CRYPT_KEY_RSA;
		return *bits < RSA_BITS_MIN ? CRYPT_WEAK_KEY : CRYPT_NONE;
	case EVP_PKEY_EC:
		if (!is_curve_of_tls(pkey))
			return CRYPT_UNSUPPORTED_KEY;
		*kind = CRYPT_KEY_ECDSA;
		return CRYPT_NONE;
	case EVP_PKEY_ED25519:
		*kind = CRYPT_KEY_ED25519;
		return CRYPT_NONE;
	default:
		return CRYPT_UNSUPPORTED_KEY;
	}
}

/* Of the public half; false when it has no encoding. */
static bool
take_digest(struct evp_pkey_st *pkey, uint8_t out[CRYPT_SHA256_BYTES])
{
	unsigned char *der = NULL;
	int length = i2d_PUBKEY(pkey, &der);

	if (length <= 0) {
		ERR_clear_error();
		return false;
	}
	struct slice bytes = slice_make((const char *)der, (size_t)length);
	crypt_sha256(&bytes, 1, out);
	OPENSSL_free(der);
	return true;
}

/* At *at, which is then behind it. */
static EVP_PKEY *
from_pkcs8(const unsigned char **at, long length)
{
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, at, length);
	EVP_PKEY *pkey = info ? EVP_PKCS82PKEY(info) : NULL;

	PKCS8_PRIV_KEY_INFO_free(info);
	return pkey;
}

enum label { LABEL_OTHER, LABEL_PKCS8, LABEL_RSA, LABEL_EC, LABEL_ENCRYPTED };

static enum label
label_of(const struct crypt_pem *pem)
{
	static const struct {
		struct slice text;
		enum label label;
	} labels[] = {
	    {SLICE("PRIVATE KEY"), LABEL_PKCS8},
	    {SLICE("RSA PRIVATE KEY"), LABEL_RSA},
	    {SLICE("EC PRIVATE KEY"), LABEL_EC},
	    {SLICE("ENCRYPTED PRIVATE KEY"), LABEL_ENCRYPTED},
	};
	for (unsigned i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (slice_equal(labels[i].text, pem->label))
			return pem->encrypted ? LABEL_ENCRYPTED
			                      : labels[i].label;
	return LABEL_OTHER;
}

/* The key of a block. */
static enum crypt_problem
parse_block(const struct crypt_pem *pem, enum label label, EVP_PKEY **pkey)
{
	const unsigned char *at = pem->bytes;
	long length = (long)pem->length;
	struct slice der = slice_make((const char *)at, pem->length);

	if (label == LABEL_ENCRYPTED)
		return CRYPT_ENCRYPTED_KEY;
	if (*pkey)
		return CRYPT_SEVERAL_KEYS;
	if (label == LABEL_PKCS8)
		*pkey = crypt_key_from_pkcs8_ec(der);
	else if (label == LABEL_EC)
		*pkey = crypt_key_from_sec1(der, NULL);
	if (*pkey)
		return CRYPT_NONE;
	if (label == LABEL_PKCS8)
		*pkey = from_pkcs8(&at, length);
	else
		*pkey = d2i_PrivateKey(
		    label == LABEL_RSA ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL, &at,
		    length);
	ERR_clear_error();
	if (!*pkey)
		return CRYPT_BAD_KEY;
	return at == pem->bytes + length ? CRYPT_NONE : CRYPT_GARBAGE;
}

static enum crypt_problem
describe(struct crypt_key *key)
{
	enum crypt_problem problem =
	    crypt_key_judge(key->pkey, &key->kind, &key->bits);

	if (problem == CRYPT_NONE && !take_digest(key->pkey, key->digest))
		problem = CRYPT_BAD_KEY;
	return problem;
}

struct crypt_key *
crypt_key_parse(struct slice text, struct crypt_fault *fault)
{
	struct crypt_key *key = memory_zero(1, sizeof(*key));
	struct crypt_pem pem;
	enum error error;
	bool any = false;

	*fault = (struct crypt_fault){0};
	crypt_init();
	crypt_pem_init(&pem, text);
	while ((error = crypt_pem_next(&pem, fault)) == ERROR_OK) {
		enum label label = label_of(&pem);

		any = true;
		if (label == LABEL_OTHER)
			continue;
		fault->problem = parse_block(&pem, label, &key->pkey);
		fault->line = pem.line;
		if (fault->problem == CRYPT_NONE)
			fault->problem = describe(key);
		if (fault->problem != CRYPT_NONE)
			break;
	}
	crypt_pem_fini(&pem);
	if (error == ERROR_NOT_FOUND && !key->pkey)
		fault->problem = any ? CRYPT_NO_KEY : CRYPT_NOT_PEM;
	if (fault->problem == CRYPT_NONE) {
		fault->line = 0;
		return key;
	}
	crypt_key_free(key);
	return NULL;
}

void
crypt_key_free(struct crypt_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	memory_free(key);
}
