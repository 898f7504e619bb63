/* Keys and certificates by OpenSSL. */
#include "authority/authority.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "core/must.h"

enum { HOUR = 3600, RSA_BITS = 2048 };

static EVP_PKEY *
make_key(const struct authority_wish *wish)
{
	EVP_PKEY *pkey;
	if (strcmp(wish->key, "RSA") == 0)
		pkey = EVP_RSA_gen(wish->rsa_bits ? wish->rsa_bits : RSA_BITS);
	else if (strcmp(wish->key, "ED25519") == 0)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		pkey = EVP_EC_gen(wish->key);
	must(pkey);
	return pkey;
}

static void
push_name(GENERAL_NAMES *names, int type, struct slice value)
{
	ASN1_STRING *string =
	    type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	must(string && name &&
	    ASN1_STRING_set(string, value.data, (int)value.length));
	GENERAL_NAME_set0_value(name, type, string);
	must(sk_GENERAL_NAME_push(names, name));
}

static void
set_names(X509 *x509, const struct authority_wish *wish)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	for (unsigned i = 0; wish->dns && wish->dns[i]; i++)
		push_name(names, GEN_DNS, slice_from_string(wish->dns[i]));
	if (wish->uri)
		push_name(names, GEN_URI, slice_from_string(wish->uri));
	if (slice_is_set(wish->odd_dns))
		push_name(names, GEN_DNS, wish->odd_dns);
	if (slice_is_set(wish->ip))
		push_name(names, GEN_IPADD, wish->ip);
	if (sk_GENERAL_NAME_num(names) > 0)
		must(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0,
		         X509V3_ADD_DEFAULT) == 1);
	GENERAL_NAMES_free(names);
}

static void
set_extension(X509 *x509, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
	X509_EXTENSION *extension =
	    X509V3_EXT_conf_nid(NULL, &context, nid, value);
	must(extension && X509_add_ext(x509, extension, -1));
	X509_EXTENSION_free(extension);
}

struct authority_pair
authority_make(const struct authority_wish *wish)
{
	static long serial = 1000;
	struct authority_pair pair = {X509_new(), make_key(wish)};
	const struct authority_pair *issuer =
	    wish->issuer ? wish->issuer : &pair;
	time_t now = time(NULL);
	X509_NAME *subject = X509_get_subject_name(pair.x509);
	must(X509_set_version(pair.x509, X509_VERSION_3));
	ASN1_INTEGER_set(X509_get_serialNumber(pair.x509), serial++);
	must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
	    (const unsigned char *)wish->subject, -1, -1, 0));
	X509_set_issuer_name(pair.x509, X509_get_subject_name(issuer->x509));
	ASN1_TIME_set(X509_getm_notBefore(pair.x509),
	    wish->not_before ? wish->not_before : now - HOUR);
	ASN1_TIME_set(X509_getm_notAfter(pair.x509),
	    wish->not_after ? wish->not_after : now + HOUR);
	must(X509_set_pubkey(pair.x509, pair.pkey));
	set_extension(pair.x509, NID_basic_constraints,
	    wish->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	set_names(pair.x509, wish);
	const EVP_MD *digest =
	    EVP_PKEY_get_base_id(issuer->pkey) == EVP_PKEY_ED25519
	    ? NULL
	    : EVP_get_digestbyname(wish->digest ? wish->digest : "SHA256");
	must(X509_sign(pair.x509, issuer->pkey, digest) > 0);
	return pair;
}

void
authority_pair_free(struct authority_pair *pair)
{
	X509_free(pair->x509);
	EVP_PKEY_free(pair->pkey);
	*pair = (struct authority_pair){0};
}

static void
push_bio(BIO *bio, struct text *out)
{
	char *data;
	long length = BIO_get_mem_data(bio, &data);
	text_push(out, slice_make(data, (size_t)length));
	BIO_free(bio);
}

void
authority_push_certificate(const struct authority_pair *pair, struct text *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	must(PEM_write_bio_X509(bio, pair->x509));
	push_bio(bio, out);
}

void
authority_push_key(const struct authority_pair *pair, enum authority_form form,
    struct text *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool encrypted = form >= AUTHORITY_PKCS8_ENCRYPTED;
	const EVP_CIPHER *cipher = encrypted ? EVP_aes_128_cbc() : NULL;
	const unsigned char *word = encrypted ? (const void *)"word" : NULL;
	if (form == AUTHORITY_PKCS8 || form == AUTHORITY_PKCS8_ENCRYPTED)
		must(PEM_write_bio_PKCS8PrivateKey(bio, pair->pkey, cipher,
		    (const char *)word, encrypted ? 4 : 0, NULL, NULL));
	else
		must(PEM_write_bio_PrivateKey_traditional(bio, pair->pkey,
		    cipher, word, encrypted ? 4 : 0, NULL, NULL));
	push_bio(bio, out);
}
