/* Fleets: what is made for a Gateway in a cluster, as values: a ServiceAccount,
 * a Service, a Deployment of `yumen proxy`, and what these need. Pure: whoever
 * gets a fleet applies it.
 *
 * All of it is named <gateway>-<class> in the Gateway's namespace and owned by
 * it (GEP-1762); for a class that was Envoy Gateway's it has the names,
 * namespace and labels that Envoy Gateway gives. */
#ifndef YUMEN_GW_FLEET_H
#define YUMEN_GW_FLEET_H

#include <stdbool.h>
#include <stdint.h>
#include "core/slice.h"
#include "core/text.h"

/* The label by which all that is made is known; its value says for which
 * controllerName (gw_fleet_mark). What lacks it is never touched. */
#define GW_FLEET_MARK "yumen.dev/controller"
/* The annotation that says of which Gateway ("namespace/name"), or of which
 * Service. */
#define GW_FLEET_GATEWAY "yumen.dev/gateway"
#define GW_FLEET_SERVICE "yumen.dev/service"
/* What the names of fleets that are of a Service begin with. */
#define GW_FLEET_OF_SERVICE "Service "
/* The key of the bundle's ConfigMap. */
#define GW_FLEET_BUNDLE_KEY "ca.pem"
/* What proxies' tokens are for. */
#define GW_FLEET_AUDIENCE "yumen.dev/stream"
/* Bytes of a mark or a name, as labels bound them. */
#define GW_FLEET_NAME_BYTES 63

/* What the controller says of itself; texts are borrowed for the state's life.
 */
struct gw_fleet_options {
	struct slice namespace; /* its own */
	struct slice service; /* there, that leads to its stream */
	uint16_t port; /* of it */
	struct slice image; /* of proxies */
	struct slice balancer_class; /* of Services; absent: none */
	/* EnvoyProxy's container.image is what proxies run. */
	bool image_from_parameters;
	/* Where what was Envoy Gateway's goes. */
	struct slice envoy_namespace;
};

enum gw_made {
#define GW_MADE(name, ...) GW_MADE_##name,
#include "gw/made.def"
#undef GW_MADE
	GW_MADE__COUNT
};
struct gw_made_row {
	const char *group, *version, *kind, *plural;
	bool own; /* in the controller's own namespace alone */
};
extern const struct gw_made_row gw_made_rows[GW_MADE__COUNT];

enum gw_fleet_state {
	GW_FLEET_NONE, /* the Gateway is gone or not ours: what is there goes */
	GW_FLEET_KEPT, /* it is not valid: what is there stays as it is */
	GW_FLEET_WANTED, /* these objects and no others */
};
/* What whoever applies a fleet may say of it, each in the place of the last. */
enum gw_fleet_word {
	GW_FLEET_FAULT, /* an object is not as it is to be */
	GW_FLEET_LATE, /* pods are not ready that had their time */
	GW_FLEET_WORD__COUNT
};
struct gw_fleet_object {
	enum gw_made kind;
	struct slice name; /* its own, or absent */
	struct slice json;
	/* What its status is to say; absent: that is another's to say. Of a
	 * Service: what its load balancer gave, which we are ("a,b"; empty:
	 * nothing yet). Of a ServiceL2Status: gw_l2_status. */
	struct slice given;
	/* Of a Deployment: how many replicas it has is another's to say. */
	bool scaled;
};
struct gw_fleet {
	struct slice gateway; /* "namespace/name", or that of a Service */
	enum gw_fleet_state state;
	/* Of each object that has no name of its own; WANTED and KEPT */
	struct slice namespace, name;
	const struct gw_fleet_object *objects; /* WANTED */
	uint32_t count;
};

/* The status of a ServiceL2Status, as JSON: of the same the same text. */
struct gw_l2_status {
	struct slice node;
	struct slice namespace, name; /* of the Service */
	struct slice interfaces; /* "eth0,eth1" */
};
void gw_l2_status(struct text *out, const struct gw_l2_status *status);

/* The value of GW_FLEET_MARK for a controllerName. */
void gw_fleet_mark(struct slice controller, char out[GW_FLEET_NAME_BYTES + 1]);

#endif
