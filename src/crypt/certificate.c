/* Reads certificates by libcrypto. Owns each certificate's X509; names are
 * copied out by their ASN.1 lengths. */
#include "crypt/certificate.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "crypt/key_priv.h"
#include "crypt/pem.h"

enum { ARENA_BYTES = 512 };

static bool
to_seconds(const ASN1_TIME *time, int64_t *seconds)
{
	struct tm utc;

	if (!time || !ASN1_TIME_to_tm(time, &utc))
		return false;
	*seconds = (int64_t)timegm(&utc);
	return true;
}

static struct slice
slice_of(const ASN1_STRING *string)
{
	return slice_make((const char *)ASN1_STRING_get0_data(string),
	    (size_t)ASN1_STRING_length(string));
}

static bool
name_of(const GENERAL_NAME *general, struct crypt_name *name)
{
	switch (general->type) {
	case GEN_DNS:
		*name = (struct crypt_name){
		    CRYPT_NAME_DNS, slice_of(general->d.dNSName)};
		break;
	case GEN_URI:
		*name = (struct crypt_name){CRYPT_NAME_URI,
		    slice_of(general->d.uniformResourceIdentifier)};
		break;
	case GEN_IPADD:
		*name = (struct crypt_name){
		    CRYPT_NAME_IP, slice_of(general->d.iPAddress)};
		break;
	default:
		return false;
	}
	return crypt_name_is_sane(*name);
}

/* What is no sane name (a NUL or a blank in it) is none of the certificate's
 * names. False: the extension is there and malformed, or there twice. */
static bool
take_names(struct crypt_certificate *certificate)
{
	int critical;
	GENERAL_NAMES *all = X509_get_ext_d2i(
	    certificate->x509, NID_subject_alt_name, &critical, NULL);

	if (!all)
		return critical == -1;
	int count = sk_GENERAL_NAME_num(all);
	struct crypt_name *names =
	    arena_zero(&certificate->arena, (size_t)count + 1, sizeof(*names));

	certificate->names = names;
	for (int i = 0; i < count; i++) {
		struct crypt_name name;

		if (!name_of(sk_GENERAL_NAME_value(all, i), &name))
			continue;
		name.value = arena_copy(&certificate->arena, name.value);
		names[certificate->name_count++] = name;
	}
	GENERAL_NAMES_free(all);
	return true;
}

static bool
take_digest(struct crypt_certificate *certificate)
{
	unsigned char *der = NULL;
	int length = i2d_X509(certificate->x509, &der);

	if (length <= 0)
		return false;
	struct slice bytes = slice_make((const char *)der, (size_t)length);
	crypt_sha256(&bytes, 1, certificate->digest);
	OPENSSL_free(der);
	return true;
}

/* As it stands in the certificate: to encode the key anew costs as much as to
 * parse it. */
static bool
take_key_digest(struct crypt_certificate *certificate)
{
	unsigned char *der = NULL;
	int length =
	    i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate->x509), &der);

	if (length <= 0)
		return false;
	struct slice bytes = slice_make((const char *)der, (size_t)length);
	crypt_sha256(&bytes, 1, certificate->key_digest);
	OPENSSL_free(der);
	return true;
}

static bool
describe(struct crypt_certificate *certificate)
{
	X509 *x509 = certificate->x509;
	EVP_PKEY *pkey = X509_get0_pubkey(x509);
	bool good =
	    to_seconds(X509_get0_notBefore(x509), &certificate->not_before) &&
	    to_seconds(X509_get0_notAfter(x509), &certificate->not_after) &&
	    take_names(certificate) && take_digest(certificate) && pkey &&
	    take_key_digest(certificate);

	if (good)
		(void)crypt_key_judge(
		    pkey, &certificate->key_kind, &certificate->key_bits);
	certificate->is_self_issued = X509_NAME_cmp(X509_get_subject_name(x509),
	                                  X509_get_issuer_name(x509)) == 0;
	ERR_clear_error();
	return good;
}

struct crypt_certificate *
crypt_certificate_from_x509(struct x509_st *x509)
{
	struct crypt_certificate *certificate =
	    memory_zero(1, sizeof(*certificate));

	must(x509 && X509_up_ref(x509));
	certificate->x509 = x509;
	arena_init(&certificate->arena, ARENA_BYTES);
	if (describe(certificate))
		return certificate;
	crypt_certificate_free(certificate);
	return NULL;
}

void
crypt_certificate_free(struct crypt_certificate *certificate)
{
	if (!certificate)
		return;
	X509_free(certificate->x509);
	arena_fini(&certificate->arena);
	memory_free(certificate);
}

/* The certificate of a block. */
static enum crypt_problem
parse_block(const struct crypt_pem *pem, struct crypt_certificate **certificate)
{
	const unsigned char *at = pem->bytes;
	X509 *x509 = d2i_X509(NULL, &at, (long)pem->length);

	*certificate = NULL;
	ERR_clear_error();
	if (!x509)
		return CRYPT_BAD_CERTIFICATE;
	if (at == pem->bytes + pem->length)
		*certificate = crypt_certificate_from_x509(x509);
	X509_free(x509);
	if (!*certificate)
		return at == pem->bytes + pem->length ? CRYPT_BAD_CERTIFICATE
		                                      : CRYPT_GARBAGE;
	(*certificate)->line = pem->line;
	return CRYPT_NONE;
}

static bool
is_certificate(const struct crypt_pem *pem)
{
	return slice_equal(pem->label, SLICE("CERTIFICATE")) ||
	    slice_equal(pem->label, SLICE("X509 CERTIFICATE"));
}

static void
push(struct crypt_certificates *list, struct crypt_certificate *certificate)
{
	/* Room for a power of two. */
	if ((list->count & (list->count - 1)) == 0)
		list->items = memory_resize(list->items,
		    list->count ? list->count * 2 : 1, sizeof(*list->items));
	list->items[list->count++] = certificate;
}

/* One block more; number counts the certificates so far. */
static enum crypt_problem
take_block(struct crypt_certificates *list, const struct crypt_pem *pem,
    unsigned number, unsigned count_max)
{
	struct crypt_certificate *certificate;

	if (number > count_max)
		return CRYPT_TOO_MANY;
	enum crypt_problem problem = parse_block(pem, &certificate);
	if (problem == CRYPT_NONE)
		push(list, certificate);
	return problem;
}

static void
note_fault(struct crypt_fault *first, struct crypt_fault found)
{
	if (first->problem == CRYPT_NONE)
		*first = found;
}

/* All certificates, or with !lenient all until the first fault. */
static struct crypt_certificates *
parse(struct slice text, unsigned count_max, bool lenient,
    struct crypt_fault *fault)
{
	struct crypt_certificates *list = memory_zero(1, sizeof(*list));
	struct crypt_pem pem;
	unsigned number = 0;
	bool any = false;

	*fault = (struct crypt_fault){0};
	crypt_init();
	crypt_pem_init(&pem, text);
	while (lenient || fault->problem == CRYPT_NONE) {
		struct crypt_fault found = {0};
		enum error error = crypt_pem_next(&pem, &found);

		if (error == ERROR_NOT_FOUND)
			break;
		any = true;
		if (error == ERROR_OK && is_certificate(&pem)) {
			found.problem =
			    take_block(list, &pem, ++number, count_max);
			found.certificate = number;
			found.line = pem.line;
		}
		if (found.problem != CRYPT_NONE)
			note_fault(fault, found);
		if (found.problem == CRYPT_TOO_MANY)
			break;
	}
	crypt_pem_fini(&pem);
	if (list->count == 0)
		note_fault(fault,
		    (struct crypt_fault){
		        .problem = any ? CRYPT_NO_CERTIFICATE : CRYPT_NOT_PEM});
	return list;
}

struct crypt_certificates *
crypt_chain_parse(struct slice pem, struct crypt_fault *fault)
{
	struct crypt_certificates *chain =
	    parse(pem, LIMIT_VALUE_CHAIN_CERTIFICATES, false, fault);

	if (fault->problem == CRYPT_NONE)
		return chain;
	crypt_certificates_free(chain);
	return NULL;
}

struct crypt_certificates *
crypt_bundle_parse(struct slice pem, struct crypt_fault *fault)
{
	struct crypt_certificates *bundle =
	    parse(pem, LIMIT_VALUE_BUNDLE_CERTIFICATES, true, fault);

	if (bundle->count > 0)
		return bundle;
	crypt_certificates_free(bundle);
	return NULL;
}

void
crypt_certificates_free(struct crypt_certificates *certificates)
{
	if (!certificates)
		return;
	for (unsigned i = 0; i < certificates->count; i++)
		crypt_certificate_free(certificates->items[i]);
	memory_free(certificates->items);
	memory_free(certificates);
}

bool
crypt_certificate_has(
    const struct crypt_certificate *certificate, struct crypt_name wanted)
{
	for (unsigned i = 0; i < certificate->name_count; i++)
		if (crypt_name_matches(certificate->names[i], wanted))
			return true;
	return false;
}

static void
push_bio(BIO *bio, struct text *out)
{
	char *data;
	long length = BIO_get_mem_data(bio, &data);

	if (length > 0)
		text_push(out, slice_make(data, (size_t)length));
	BIO_free(bio);
	ERR_clear_error();
}

static void
push_name(const X509_NAME *name, struct text *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(bio);
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253);
	push_bio(bio, out);
}

void
crypt_certificate_subject(
    const struct crypt_certificate *certificate, struct text *out)
{
	push_name(X509_get_subject_name(certificate->x509), out);
}

void
crypt_certificate_issuer(
    const struct crypt_certificate *certificate, struct text *out)
{
	push_name(X509_get_issuer_name(certificate->x509), out);
}

void
crypt_certificate_pem(
    const struct crypt_certificate *certificate, struct text *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(bio);
	PEM_write_bio_X509(bio, certificate->x509);
	push_bio(bio, out);
}
