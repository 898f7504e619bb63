/* Any bytes as the OCSP response that a Secret brings with its certificate. */
#include "crypt/staple.h"

#include <openssl/err.h>
#include "core/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of serial number 5, as the corpus speaks of it, and its issuer. */
static const char pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBaTCCAQ+gAwIBAgIBBTAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZtaWRkbGUw\n"
    "IBcNMjYxMTI2MTM0MDE1WhgPMjEyNjExMDIxMzQwMTVaMA8xDTALBgNVBAMMBGxl\n"
    "YWYwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATf8WGfduT8VDGKV3P3Wvfe4nQ+\n"
    "wacEUfwdvJ8zKz8wvPzWmwxNtwRX4ZFmNLgu5/D8M5Z9xGkRNZMMmpMgCp0fo1gw\n"
    "VjAUBgNVHREEDTALgglhLmV4YW1wbGUwHQYDVR0OBBYEFIH5+/q8QRXXeD8XT37l\n"
    "fkRLh0zIMB8GA1UdIwQYMBaAFPQSgYjSupAuqI+pMu+Y0uc78ggaMAoGCCqGSM49\n"
    "BAMCA0gAMEUCIADzMzL9fuIm5BJEgBc+gai40ZXQI/9aWHA6YieW3YzwAiEAtfCh\n"
    "EcxWL/dLtwsQy20Ev5Sf64ss6h5Z+N6t6j+OfI0=\n"
    "-----END CERTIFICATE-----\n"
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdDCCARqgAwIBAgIBAzAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARyb290MCAX\n"
    "DTI2MTEyNjEzNDAxNVoYDzIxMjYxMTAyMTM0MDE1WjARMQ8wDQYDVQQDDAZtaWRk\n"
    "bGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATyGYzKYv1GkeK+kLW0dpDVwcbq\n"
    "E+YZ0bXNhbP3kttlU5HsVjLjmwJ5EI3BCKkhsEvZsoRK9nn+tQUDLtXkPMuDo2Mw\n"
    "YTAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQU9BKB\n"
    "iNK6kC6oj6ky75jS5zvyCBowHwYDVR0jBBgwFoAUQEMVeT1gCmrYrniuTpFB+AOv\n"
    "W38wCgYIKoZIzj0EAwIDSAAwRQIhANe9YJyuuaO/BuV9y9LqRfkFreHjUImfNGUm\n"
    "UzOXpcR6AiAxSQXLjOZf3snyoEs/TkdU9u4ubmqONtzDQ7Cq6wQYNA==\n"
    "-----END CERTIFICATE-----\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct crypt_certificates *chain;
	struct crypt_staple staple;
	struct crypt_fault fault;

	if (!chain)
		chain =
		    crypt_chain_parse(slice_make(pem, sizeof(pem) - 1), &fault);
	must(chain && chain->count == 2);
	bool good = crypt_staple_parse(
	    slice_make((const char *)data, size), chain, &staple, &fault);
	must(good == (fault.problem == CRYPT_NONE));
	must(good || staple.until == 0);
	/* What is signed is what is parsed, and no more. */
	if (crypt_staple_check(
	        slice_make((const char *)data, size), chain, &staple, &fault))
		must(good);
	/* libssl asks this queue whether a call of its own has failed. */
	must(ERR_peek_error() == 0);
	return 0;
}
