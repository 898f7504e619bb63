/* SHA-256 by libcrypto's EVP. The algorithm is fetched once a process: a fetch
 * takes locks and looks at providers. Owns that one pointer. */
#include "crypt/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "core/memory.h"
#include "core/must.h"
#include "crypt/key_priv.h"

#define BLOCK_BYTES 64 /* of SHA-256 */
#define HMAC_PARTS 8

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

/* A longer key is its digest (RFC 2104 3). */
static void
set_block(struct slice key, uint8_t with, uint8_t block[BLOCK_BYTES])
{
	memset(block, 0, BLOCK_BYTES);
	if (key.length > BLOCK_BYTES)
		crypt_sha256(&key, 1, block);
	else if (key.length > 0)
		memcpy(block, key.data, key.length);
	for (unsigned i = 0; i < BLOCK_BYTES; i++)
		block[i] ^= with;
}

void
crypt_hmac_sha256(struct slice key, const struct slice *parts, unsigned count,
    uint8_t out[CRYPT_SHA256_BYTES])
{
	uint8_t block[BLOCK_BYTES];
	struct slice all[HMAC_PARTS] = {
	    slice_make((const char *)block, sizeof(block))};

	must(count < HMAC_PARTS);
	set_block(key, 0x36, block);
	for (unsigned i = 0; i < count; i++)
		all[1 + i] = parts[i];
	crypt_sha256(all, 1 + count, out);
	set_block(key, 0x5c, block);
	all[1] = slice_make((const char *)out, CRYPT_SHA256_BYTES);
	crypt_sha256(all, 2, out);
	memory_wipe(block, sizeof(block));
}
