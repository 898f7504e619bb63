/* Objects: what was admitted, as typed records in an arena of their own.
 * Immutable once made. An object may be put to sleep: all of it then is one
 * block of a few bytes, until it is woken. */
#ifndef YUMEN_GW_OBJECT_H
#define YUMEN_GW_OBJECT_H

#include "core/arena.h"
#include "gw/kind.h"
#include "wire/tree.h"

#define RECORD_FILE "gw/object.def"
#include "core/record_structs.h"
#undef RECORD_FILE

/* The name of a file, kept once for all that was written in it. */
struct gw_file {
	uint32_t references;
	uint32_t length;
	char path[]; /* and a NUL */
};
/* Of one reference, the caller's. */
struct gw_file *gw_file_new(struct slice path);
struct gw_file *gw_file_ref(struct gw_file *file);
void gw_file_unref(struct gw_file **file);
struct slice gw_file_path(const struct gw_file *file);

/* Where an object was written. */
struct gw_source {
	struct gw_file *file; /* a reference */
	uint32_t line, column;
};

/* What a cluster would hold of an object whose record does not say it all. */
struct gw_stored {
	uint32_t length;
	uint32_t metadata; /* where the metadata ends in it */
	/* JSON, metadata first, without generation and status, Secrets' values
	 * as digests */
	char text[];
};

/* An object asleep, but for its names, which whoever keeps it has. */
struct gw_asleep {
	uint32_t length; /* of the record, packed */
	uint32_t arena_bytes; /* that the record takes awake */
	uint32_t since;
	uint8_t kind; /* enum gw_kind */
	bool generation_given;
	struct gw_source source;
	int64_t created, generation;
	uint64_t change, digest, spec_digest;
	struct gw_stored *stored;
	char record[]; /* packed */
};

struct gw_object {
	struct arena arena; /* of the record */
	struct gw_asleep *asleep; /* what it was woken from, or NULL */
	enum gw_kind kind;
	bool generation_given; /* by its file */
	/* of who keeps it: when there came to be an object of this name, in
	 * seconds since 1970 */
	uint32_t since;
	struct slice namespace, name; /* namespace empty for cluster scope */
	int64_t created; /* seconds since 1970; 0: no creationTimestamp */
	int64_t generation; /* counts changes of spec */
	uint64_t change; /* of who keeps it: the change that it came by */
	const struct gw_metadata *metadata;
	union {
		const void *record; /* the whole object */
		const struct gw_gatewayclass *gatewayclass;
		const struct gw_gateway *gateway;
		const struct gw_listenerset *listenerset;
		const struct gw_httproute *httproute; /* TLS, TCP, UDP too */
		const struct gw_grpcroute *grpcroute;
		const struct gw_service *service;
		const struct gw_endpointslice *endpointslice;
		const struct gw_configmap *configmap;
		const struct gw_secret *secret;
		const struct gw_clustertrustbundle *clustertrustbundle;
		const struct gw_backendtlspolicy *backendtlspolicy;
		const struct gw_referencegrant *referencegrant;
		const struct gw_xbackend *xbackend;
		const struct gw_ipaddresspool *ipaddresspool;
		const struct gw_l2advertisement *l2advertisement;
		const struct gw_bgpadvertisement *bgpadvertisement;
	};
	/* The status that it came with; NULL: none, or not one. In no digest.
	 */
	union {
		/* of a policy: other controllers may have entries in it */
		const struct gw_policy_status *told;
		/* of a Gateway and of a Service: what it had */
		const struct gw_told_addresses *told_addresses;
		const struct gw_service_status *told_service;
		/* of a Node */
		const struct gw_node_status *told_node;
	};
	struct gw_stored
	    *stored; /* the object's; NULL: the record says it all */
	/* Of a route of any kind: its spec as an HTTPRoute's. A GRPCRoute's
	 * rules have no matches in it. NULL: no route. */
	const struct gw_httproute_spec *route;
	struct gw_source source;
	/* Keyed hashes, good within this process: they have only to tell two
	 * versions of one object apart. */
	uint64_t digest; /* of all that reconcile reads: metadata and spec */
	uint64_t spec_digest;
	char storage[]; /* of names */
};

const struct gw_metadata *gw_metadata_of(enum gw_kind kind, const void *record);
/* An object without a record yet; the names are copied. */
struct gw_object *gw_object_new(
    enum gw_kind kind, struct slice namespace, struct slice name);
/* What the object says, in its arena. */
void gw_object_set_record(struct gw_object *object, const void *record);
/* The object asleep (*object is NULL after); what pointed into it, or into its
 * texts, must not be used any more. NULL, and it stays: it is a Secret, or
 * others told a status. */
struct gw_asleep *gw_object_sleep(struct gw_object **object);
/* The object awake (*asleep is NULL after). */
struct gw_object *gw_object_wake(
    struct gw_asleep **asleep, struct slice namespace, struct slice name);
/* Wipes what a Secret holds. */
void gw_object_free(struct gw_object **object);
void gw_asleep_free(struct gw_asleep **asleep);
/* object takes the place of previous (NULL: of none): where its file names no
 * generation, that counts on from previous's when the specs differ. */
void gw_object_succeed(
    struct gw_object *object, const struct gw_object *previous);

#endif
