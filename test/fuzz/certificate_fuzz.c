/* Any bytes as a Secret's tls.crt and tls.key and as a bundle; what begins as
 * DER is wrapped in PEM, so that mutations reach the certificate and its names.
 */
#include "crypt/certificate.h"

#include <openssl/err.h>
#include "core/must.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DER_SEQUENCE = 0x30, NOW = 1800000000 };

static void
push_base64(struct text *out, const uint8_t *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                             "abcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t bits = (uint32_t)data[i] << 16 |
		    (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
		    (left > 2 ? data[i + 2] : 0);
		text_push_byte(out, digits[bits >> 18]);
		text_push_byte(out, digits[bits >> 12 & 63]);
		text_push_byte(out, left > 1 ? digits[bits >> 6 & 63] : '=');
		text_push_byte(out, left > 2 ? digits[bits & 63] : '=');
	}
}

static void
push_wrapped(
    struct text *out, const char *label, const uint8_t *data, size_t size)
{
	text_printf(out, "-----BEGIN %s-----\n", label);
	push_base64(out, data, size);
	text_printf(out, "\n-----END %s-----\n", label);
}

static void
check_names(const struct crypt_certificate *certificate)
{
	struct text text;

	for (unsigned i = 0; i < certificate->name_count; i++) {
		const struct crypt_name *name = &certificate->names[i];

		must(crypt_name_is_sane(*name));
		if (name->kind == CRYPT_NAME_IP)
			continue;
		must(!memchr(name->value.data, 0, name->value.length));
	}
	must(!crypt_certificate_has(
	    certificate, (struct crypt_name){CRYPT_NAME_DNS, SLICE("a b")}));
	text_init(&text);
	crypt_certificate_subject(certificate, &text);
	crypt_certificate_issuer(certificate, &text);
	for (size_t i = 0; i < text.length; i++)
		must((unsigned char)text.data[i] >= ' ');
	text_fini(&text);
}

static void
check_chain(const struct crypt_certificates *chain, const struct crypt_key *key)
{
	struct crypt_fault fault;
	struct text text;

	must(chain->count > 0);
	for (unsigned i = 0; i < chain->count; i++)
		check_names(chain->items[i]);
	crypt_chain_check(chain, key, NOW, &fault);
	text_init(&text);
	crypt_fault_print(&fault, &text);
	must(text.length > 0);
	text_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct crypt_fault chain_fault, bundle_fault, key_fault;
	struct text text;

	text_init(&text);
	if (size > 0 && data[0] == DER_SEQUENCE) {
		push_wrapped(&text, "CERTIFICATE", data, size);
		push_wrapped(&text, "PRIVATE KEY", data, size);
	} else {
		text_push(&text, slice_make((const char *)data, size));
	}
	struct crypt_certificates *chain =
	    crypt_chain_parse(text_slice(&text), &chain_fault);
	struct crypt_certificates *bundle =
	    crypt_bundle_parse(text_slice(&text), &bundle_fault);
	struct crypt_key *key = crypt_key_parse(text_slice(&text), &key_fault);
	must((chain != NULL) == (chain_fault.problem == CRYPT_NONE));
	must((key != NULL) == (key_fault.problem == CRYPT_NONE));
	must(!chain || bundle);
	if (chain)
		check_chain(chain, key);
	/* libssl asks this queue whether a call of its own has failed. */
	must(ERR_peek_error() == 0);
	crypt_certificates_free(chain);
	crypt_certificates_free(bundle);
	crypt_key_free(key);
	text_fini(&text);
	return 0;
}
