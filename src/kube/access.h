/* Access: where the API server is, how it is known, and how to prove who we
 * are. Read from the pod's own service account or from a kubeconfig; what lies
 * in files of its own (tokens, certificates) is only named here, for it is
 * rotated. */
#ifndef YUMEN_KUBE_ACCESS_H
#define YUMEN_KUBE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>
#include "core/arena.h"
#include "core/error.h"
#include "core/text.h"

/* Something that stands in a file of its own, or in the configuration. */
struct kube_part {
	const char *path; /* NULL: bytes */
	struct slice bytes; /* absent: there is none */
};
static inline bool
kube_part_is_set(const struct kube_part *part)
{
	return part->path != NULL || slice_is_set(part->bytes);
}
/* Appends what the part is. */
enum error kube_part_read(
    const struct kube_part *part, struct text *out) must_check;

/* A program that is asked for a credential. */
struct kube_plugin {
	const char *api_version;
	const char **arguments; /* the program first, NULL last */
	const char **settings; /* NAME=VALUE, NULL last */
};

struct kube_access {
	struct arena arena; /* of all the rest */
	const char *host; /* a name or an IP address, without brackets */
	uint16_t port;
	bool plain; /* http://, as of `kubectl proxy` */
	struct slice prefix; /* of paths: "/k8s/clusters/a", or empty */
	const char *server_name; /* that its certificate must have */
	/* None: the system's are believed. */
	struct kube_part authority;
	struct kube_part certificate, key, token;
	struct kube_plugin *plugin; /* NULL: none */
	struct slice namespace; /* where our own objects go; "default" */
};

/* Is this process in a pod with a service account? */
bool kube_access_is_in_cluster(void);
/* On an error why says, for people, what is wrong. */
enum error kube_access_in_cluster(
    struct kube_access *access, struct text *why) must_check;
/* context: NULL: the current one. */
enum error kube_access_read(struct kube_access *access, const char *path,
    const char *context, struct text *why) must_check;
/* The same of a file's text; names of files in it are relative to folder. */
enum error kube_access_parse(struct kube_access *access, struct slice text,
    struct slice folder, const char *context, struct text *why) must_check;
/* Wipes what was in the configuration itself. */
void kube_access_fini(struct kube_access *access);

#endif
