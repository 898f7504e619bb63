/* What OpenSSL takes to parse certificates and keys, each once: files that hold
 * a certificate and its key, one after the other, as PEM. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	unsigned count = 0;

	for (int i = 1; i < argc; i++) {
		BIO *file = BIO_new_file(argv[i], "r");
		X509 *x509;

		if (!file)
			return 1;
		while ((x509 = PEM_read_bio_X509(file, NULL, NULL, NULL))) {
			EVP_PKEY *key =
			    PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);

			if (!key || !X509_get0_pubkey(x509))
				return 1;
			EVP_PKEY_free(key);
			X509_free(x509);
			count++;
		}
		BIO_free(file);
	}
	printf("%u\n", count);
	return 0;
}
