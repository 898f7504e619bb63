/* Reads the system's authorities: a file of many, and folders in which each is
 * named by the hash of its subject. Owns the certificates; a set of trust that
 * is made from them has a count of each. */
#include "net/tls_system.h"

#include <dirent.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "core/limit.h"
#include "core/memory.h"
#include "core/must.h"
#include "net/tls_openssl_priv.h"

struct net_tls_system {
	X509_STORE *store; /* keeps them, each once; NULL: not begun */
	BIO *file; /* that is read, or NULL */
	DIR *folder; /* whose files are read, or NULL */
	struct text folder_path;
	struct slice folders; /* still to read; separated by colons */
	unsigned count;
	bool is_read;
};

static struct slice
path_of(const char *environment, const char *built_in)
{
	const char *set = secure_getenv(environment);

	return slice_from_string(set ? set : built_in);
}

static BIO *
open_file(struct slice folder, const char *name)
{
	struct text path;
	BIO *file;

	text_init(&path);
	text_printf(&path, "%.*s%s%s", SLICE_ARGS(folder),
	    folder.length > 0 ? "/" : "", name);
	file = BIO_new_file(path.data, "r");
	text_fini(&path);
	return file;
}

struct net_tls_system *
net_tls_system_new(void)
{
	struct net_tls_system *system = memory_zero(1, sizeof(*system));

	text_init(&system->folder_path);
	return system;
}

static void
begin(struct net_tls_system *system)
{
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	system->store = X509_STORE_new();
	must(system->store);
	system->file = open_file(SLICE_NONE,
	    path_of(
	        X509_get_default_cert_file_env(), X509_get_default_cert_file())
	        .data);
	system->folders = path_of(
	    X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
}

static void
close_file(struct net_tls_system *system)
{
	BIO_free(system->file);
	system->file = NULL;
}

static void
close_folder(struct net_tls_system *system)
{
	if (system->folder)
		closedir(system->folder);
	system->folder = NULL;
}

void
net_tls_system_free(struct net_tls_system **system)
{
	struct net_tls_system *old = *system;

	*system = NULL;
	if (!old)
		return;
	close_file(old);
	close_folder(old);
	text_fini(&old->folder_path);
	X509_STORE_free(old->store);
	memory_free(old);
}

/* "0123abcd.0": others are lists of what was revoked, or not for us. */
static bool
is_hashed(const char *name)
{
	size_t digits = strspn(name, "0123456789abcdef");

	return digits == 8 && name[8] == '.' && name[9] != '\0' &&
	    strspn(name + 9, "0123456789") == strlen(name + 9);
}

static void
take_certificate(struct net_tls_system *system)
{
	X509 *x509 = PEM_read_bio_X509_AUX(system->file, NULL, NULL, NULL);

	if (x509 && system->count < LIMIT_VALUE_SYSTEM_CERTIFICATES) {
		system->count++;
		/* What is worked out at first use is worked out now: later
		 * several threads have it. */
		(void)X509_check_purpose(x509, -1, 0);
		must(X509_STORE_add_cert(system->store, x509));
	} else {
		close_file(system);
	}
	X509_free(x509);
}

static void
take_name(struct net_tls_system *system)
{
	const struct dirent *entry = readdir(system->folder);

	if (!entry)
		close_folder(system);
	else if (is_hashed(entry->d_name))
		system->file =
		    open_file(text_slice(&system->folder_path), entry->d_name);
}

/* False: nothing is left to do. */
static bool
step(struct net_tls_system *system)
{
	struct slice path;

	if (system->file) {
		take_certificate(system);
	} else if (system->folder) {
		take_name(system);
	} else if (slice_cut(&system->folders, ':', &path)) {
		text_reset(&system->folder_path);
		text_push(&system->folder_path, path);
		if (path.length > 0)
			system->folder = opendir(system->folder_path.data);
	} else {
		return false;
	}
	return true;
}

bool
net_tls_system_read(struct net_tls_system *system, unsigned count)
{
	if (!system->store)
		begin(system);
	for (; !system->is_read && count > 0; count--)
		system->is_read = !step(system);
	ERR_clear_error();
	return system->is_read;
}

struct net_tls_trust *
net_tls_system_trust(const struct net_tls_system *system)
{
	must(system->is_read);
	const STACK_OF(X509_OBJECT) *all =
	    X509_STORE_get0_objects(system->store);
	struct net_tls_trust *trust = memory_zero(1, sizeof(*trust));

	trust->store = X509_STORE_new();
	must(trust->store);
	for (int i = 0; i < sk_X509_OBJECT_num(all); i++)
		must(X509_STORE_add_cert(trust->store,
		    X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i))));
	return trust;
}
