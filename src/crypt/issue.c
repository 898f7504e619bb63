/* Makes certificates by libcrypto. Only a lack of memory or of randomness fails
 * here, which is not to be lived with. */
#include "crypt/issue.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "core/must.h"
#include "crypt/certificate.h"
#include "crypt/key_priv.h"

#define SERIAL_BYTES 16

static EVP_PKEY *
make_key(void)
{
	EVP_PKEY *pkey;

	crypt_init();
	pkey = EVP_EC_gen("P-256");
	must(pkey != NULL);
	return pkey;
}

static void
set_serial(X509 *x509)
{
	unsigned char bytes[SERIAL_BYTES];
	int good = RAND_bytes(bytes, sizeof(bytes));

	must(good == 1);
	/* Positive, and not of fewer bytes. */
	bytes[0] = (bytes[0] & 0x3f) | 0x40;
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);

	must(number != NULL);
	good = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
	must(good);
	BN_free(number);
}

static void
add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	X509_EXTENSION *extension =
	    X509V3_EXT_conf_nid(NULL, &context, nid, value);

	must(extension != NULL);
	int good = X509_add_ext(x509, extension, -1);

	must(good == 1);
	X509_EXTENSION_free(extension);
}

static void
push_name(GENERAL_NAMES *names, const struct crypt_name *wanted)
{
	bool is_ip = wanted->kind == CRYPT_NAME_IP;
	int type = is_ip                     ? GEN_IPADD
	    : wanted->kind == CRYPT_NAME_URI ? GEN_URI
	                                     : GEN_DNS;
	ASN1_STRING *string =
	    is_ip ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	GENERAL_NAME *name = GENERAL_NAME_new();

	must(string != NULL && name != NULL);
	int good = ASN1_STRING_set(
	    string, wanted->value.data, (int)wanted->value.length);

	must(good == 1);
	GENERAL_NAME_set0_value(name, type, string);
	good = sk_GENERAL_NAME_push(names, name);
	must(good > 0);
}

static void
add_names(X509 *x509, const struct crypt_name *names, unsigned count)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();

	must(all != NULL && count > 0);
	for (unsigned i = 0; i < count; i++)
		push_name(all, &names[i]);
	int good = X509_add1_ext_i2d(
	    x509, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT);

	must(good == 1);
	GENERAL_NAMES_free(all);
}

/* All but its extensions and its signature. */
static X509 *
begin(EVP_PKEY *pkey, struct slice common_name, struct crypt_validity validity)
{
	X509 *x509 = X509_new();

	must(x509 != NULL);
	int good = X509_set_version(x509, X509_VERSION_3) &&
	    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN",
	        MBSTRING_UTF8, (const unsigned char *)common_name.data,
	        (int)common_name.length, -1, 0) &&
	    ASN1_TIME_set(X509_getm_notBefore(x509), validity.not_before) &&
	    ASN1_TIME_set(X509_getm_notAfter(x509), validity.not_after) &&
	    X509_set_pubkey(x509, pkey);

	must(good);
	set_serial(x509);
	return x509;
}

static void
sign(X509 *x509, X509 *issuer, EVP_PKEY *by)
{
	int good = X509_set_issuer_name(x509, X509_get_subject_name(issuer)) &&
	    X509_sign(x509, by, EVP_sha256()) > 0;

	must(good);
}

static void
take(BIO *bio, struct text *out)
{
	char *data;
	long length = BIO_get_mem_data(bio, &data);

	text_push(out, slice_make(data, (size_t)length));
	OPENSSL_cleanse(data, (size_t)length);
	BIO_free(bio);
}

static void
push_pem(X509 *x509, EVP_PKEY *pkey, struct text *certificate, struct text *key)
{
	BIO *one = BIO_new(BIO_s_mem()), *other = BIO_new(BIO_s_mem());

	must(one != NULL && other != NULL);
	int good = PEM_write_bio_X509(one, x509) &&
	    PEM_write_bio_PKCS8PrivateKey(
	        other, pkey, NULL, NULL, 0, NULL, NULL);

	must(good);
	take(one, certificate);
	take(other, key);
}

void
crypt_issue_authority(struct slice common_name, struct crypt_validity validity,
    struct text *certificate, struct text *key)
{
	EVP_PKEY *pkey = make_key();
	X509 *x509 = begin(pkey, common_name, validity);

	add_extension(
	    x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	add_extension(
	    x509, x509, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(x509, x509, NID_subject_key_identifier, "hash");
	sign(x509, x509, pkey);
	push_pem(x509, pkey, certificate, key);
	X509_free(x509);
	EVP_PKEY_free(pkey);
}

static void
issue(X509 *issuer, EVP_PKEY *by, const struct crypt_name *names,
    unsigned name_count, struct crypt_validity validity,
    struct text *certificate, struct text *key)
{
	EVP_PKEY *pkey = make_key();
	X509 *x509 = begin(pkey, SLICE("yumen"), validity);

	add_extension(x509, issuer, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(x509, issuer, NID_key_usage, "critical,digitalSignature");
	add_extension(x509, issuer, NID_ext_key_usage, "serverAuth");
	add_extension(x509, issuer, NID_authority_key_identifier, "keyid");
	add_names(x509, names, name_count);
	sign(x509, issuer, by);
	push_pem(x509, pkey, certificate, key);
	X509_free(x509);
	EVP_PKEY_free(pkey);
}

enum error
crypt_issue_server(struct slice authority, const struct crypt_name *names,
    unsigned name_count, struct crypt_validity validity,
    struct text *certificate, struct text *key)
{
	struct crypt_fault fault;
	struct crypt_certificates *chain = crypt_chain_parse(authority, &fault);
	struct crypt_key *by = crypt_key_parse(authority, &fault);
	enum error error = ERROR_INVALID;

	if (chain != NULL && by != NULL &&
	    memcmp(chain->items[0]->key_digest, by->digest,
	        sizeof(by->digest)) == 0) {
		issue(chain->items[0]->x509, by->pkey, names, name_count,
		    validity, certificate, key);
		error = ERROR_OK;
	}
	if (chain != NULL)
		crypt_certificates_free(chain);
	crypt_key_free(by);
	return error;
}

bool
crypt_is_issued_by(const struct crypt_certificate *certificate,
    const struct crypt_certificate *issuer)
{
	bool good =
	    X509_check_issued(issuer->x509, certificate->x509) == X509_V_OK &&
	    X509_verify(certificate->x509, X509_get0_pubkey(issuer->x509)) == 1;

	ERR_clear_error();
	return good;
}
