/* SHA-256 by libcrypto's EVP. The algorithm is fetched once a process: a fetch
 * takes locks and looks at providers. Owns that one pointer. */
#include "crypt/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "core/must.h"
#include "crypt/key_priv.h"

static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

/* Reading openssl.cnf costs 80 KiB too. */
void
crypt_init(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

static void
fetch_sha256(void)
{
	crypt_init();
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(sha256 != NULL);
}

void
crypt_sha256(
    const struct slice *parts, unsigned count, uint8_t out[CRYPT_SHA256_BYTES])
{
	must(count == 0 || parts != NULL);
	pthread_once(&sha256_once, fetch_sha256);

	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int good = context && EVP_DigestInit_ex(context, sha256, NULL);

	for (unsigned i = 0; i < count; i++)
		good = good &&
		    EVP_DigestUpdate(context, parts[i].data, parts[i].length);
	good = good && EVP_DigestFinal_ex(context, out, NULL);
	/* Only a lack of memory fails here. */
	must(good);
	EVP_MD_CTX_free(context);
}
