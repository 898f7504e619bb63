/* Files when there are -f, else the cluster of --kubeconfig, else that of the
 * pod.
 */
#include "cmd/controller_cluster.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/command.h"
#include "cmd/stream_secret.h"
#include "core/random.h"
#include "gw/form.h"
#include "net/address.h"

static bool
read_lease(struct controller_cluster *cluster, const char *value)
{
	struct slice rest = slice_from_string(value), first;

	cluster->lease = SLICE("yumen-controller");
	if (value == NULL)
		return true;
	if (strcmp(value, "off") == 0) {
		cluster->lease = SLICE_NONE;
		return true;
	}
	if (slice_find(rest, '/') < rest.length) {
		(void)slice_cut(&rest, '/', &first);
		cluster->access.namespace = first;
	}
	cluster->lease = rest;
	if (gw_form_is_name(rest) &&
	    gw_form_is_label(cluster->access.namespace))
		return true;
	fprintf(stderr,
	    "yumen controller: --lease %s: [NAMESPACE/]NAME or off\n", value);
	return false;
}

/* No other process has it, not even one of the same name later. Where the
 * address is told, the stream is there: at the port that is listened on first.
 */
static bool
make_identity(struct controller_cluster *cluster, const struct flags *flags)
{
	const char *listen = flags_value(flags, FLAG_CONTROLLER_STREAM_LISTEN);
	const char *ip = flags_value(flags, FLAG_CONTROLLER_STREAM_ADVERTISE);
	char host[256] = "", address[NET_ADDRESS_TEXT] = "";
	struct net_address told;
	struct random random;

	if (ip != NULL && listen != NULL) {
		const char *colon = strrchr(listen, ':');
		uint64_t port = 0;

		if (colon != NULL)
			(void)slice_to_number(
			    slice_from_string(colon + 1), UINT16_MAX, &port);
		if (net_address_parse(slice_from_string(ip), (uint16_t)port,
		        &told) != ERROR_OK) {
			fprintf(stderr,
			    "yumen controller: --stream-advertise %s: an IP "
			    "address is wanted\n",
			    ip);
			return false;
		}
		net_address_format(&told, address);
	}
	random_init(&random);
	(void)gethostname(host, sizeof(host) - 1);
	snprintf(cluster->identity, sizeof(cluster->identity), "%s_%s%s%016llx",
	    host, address, address[0] != '\0' ? "_" : "",
	    (unsigned long long)random_next(&random));
	return true;
}

struct slice
controller_cluster_address(struct slice identity)
{
	struct slice host, address;

	if (slice_cut(&identity, '_', &host) &&
	    slice_cut(&identity, '_', &address) && slice_is_set(identity))
		return address;
	return SLICE_NONE;
}

static bool
read_access(struct controller_cluster *cluster, const struct flags *flags)
{
	const char *path = flags_value(flags, FLAG_CONTROLLER_KUBECONFIG);
	const char *context = flags_value(flags, FLAG_CONTROLLER_CONTEXT);
	struct text why;
	enum error error;

	text_init(&why);
	if (path != NULL) {
		error = kube_access_read(&cluster->access, path, context, &why);
	} else if (kube_access_is_in_cluster()) {
		error = kube_access_in_cluster(&cluster->access, &why);
	} else {
		error = ERROR_NOT_FOUND;
		text_push_string(&why,
		    "name files (-f PATH...) or a --kubeconfig: this is no "
		    "pod of a cluster");
	}
	if (error != ERROR_OK)
		fprintf(stderr, "yumen controller: %s%s%.*s\n",
		    path != NULL ? path : "", path != NULL ? ": " : "",
		    SLICE_ARGS(text_slice(&why)));
	text_fini(&why);
	return error == ERROR_OK;
}

/* "NAME:PORT" */
static bool
read_service(struct gw_fleet_options *fleet, const char *value)
{
	struct slice rest =
	    slice_from_string(value != NULL ? value : "yumen-controller:9912");
	uint64_t port;

	if (slice_cut(&rest, ':', &fleet->service) &&
	    gw_form_is_label(fleet->service) &&
	    slice_to_number(rest, UINT16_MAX, &port) && port > 0) {
		fleet->port = (uint16_t)port;
		return true;
	}
	fprintf(stderr,
	    "yumen controller: --stream-service %s: NAME:PORT of a Service\n",
	    value);
	return false;
}

static struct slice
text_of_flag(const struct flags *flags, enum flag flag, const char *otherwise)
{
	const char *value = flags_value(flags, flag);

	return slice_from_string(value != NULL ? value : otherwise);
}

static bool
read_fleet(struct controller_cluster *cluster, const struct flags *flags)
{
	struct gw_fleet_options *fleet = &cluster->fleet;

	cluster->makes_proxies =
	    flags->counts[FLAG_CONTROLLER_STREAM_AUTHORITY] == 0 &&
	    flags->counts[FLAG_CONTROLLER_STREAM_TOKENS] == 0;
	if (!cluster->makes_proxies)
		return true;
	if (!read_service(
	        fleet, flags_value(flags, FLAG_CONTROLLER_STREAM_SERVICE)))
		return false;
	fleet->namespace = cluster->access.namespace;
	fleet->image = text_of_flag(flags, FLAG_CONTROLLER_PROXY_IMAGE,
	    "yumen.dev/yumen:" YUMEN_VERSION);
	fleet->image_from_parameters =
	    flags->counts[FLAG_CONTROLLER_PROXY_IMAGE_FROM_ENVOYPROXY] > 0;
	fleet->balancer_class =
	    text_of_flag(flags, FLAG_CONTROLLER_BALANCER_CLASS, "yumen.dev/lb");
	if (slice_equal(fleet->balancer_class, SLICE("none")))
		fleet->balancer_class = SLICE_NONE;
	fleet->envoy_namespace = text_of_flag(
	    flags, FLAG_CONTROLLER_ENVOY_NAMESPACE, "envoy-gateway-system");
	snprintf(cluster->server_name, sizeof(cluster->server_name),
	    "%.*s.%.*s.svc", SLICE_ARGS(fleet->service),
	    SLICE_ARGS(fleet->namespace));
	snprintf(cluster->announcers, sizeof(cluster->announcers),
	    "%.*s/" STREAM_SECRET_ANNOUNCERS, SLICE_ARGS(fleet->namespace));
	return true;
}

bool
controller_cluster_read(
    struct controller_cluster *cluster, const struct flags *flags)
{
	if (flags->counts[FLAG_CONTROLLER_FILE] > 0) {
		if (flags->counts[FLAG_CONTROLLER_KUBECONFIG] == 0)
			return true;
		fputs(
		    "yumen controller: -f or --kubeconfig, not both\n", stderr);
		return false;
	}
	if (!read_access(cluster, flags))
		return false;
	cluster->used = true;
	if (!make_identity(cluster, flags) ||
	    !read_lease(cluster, flags_value(flags, FLAG_CONTROLLER_LEASE)) ||
	    !read_fleet(cluster, flags))
		return false;
	cluster->pool_namespaces[0] = SLICE("metallb-system");
	cluster->pool_namespaces[1] = cluster->access.namespace;
	return true;
}

void
controller_cluster_fini(struct controller_cluster *cluster)
{
	if (cluster->used)
		kube_access_fini(&cluster->access);
	cluster->used = false;
}
