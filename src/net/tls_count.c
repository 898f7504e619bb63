/* How handshakes end, as metrics count them. It never touches a connection. */
#include "net/tls_priv.h"

static enum metric
metric_of_server(enum error error)
{
	switch (error) {
	case ERROR_TLS_BAD_HELLO:
		return METRIC_TLS_SERVER_FAILED_HELLO;
	case ERROR_TLS_NOTHING_SHARED:
		return METRIC_TLS_SERVER_FAILED_SHARED;
	case ERROR_TLS_NAME_REFUSED:
		return METRIC_TLS_SERVER_FAILED_NAME;
	case ERROR_TLS_NO_CERTIFICATE:
		return METRIC_TLS_SERVER_FAILED_CERTIFICATE;
	case ERROR_TLS_CERTIFICATE_MISSING:
		return METRIC_TLS_SERVER_FAILED_MISSING;
	case ERROR_TLS_CERTIFICATE_REFUSED:
	case ERROR_TLS_CERTIFICATE_UNTRUSTED:
	case ERROR_TLS_CERTIFICATE_EXPIRED:
		return METRIC_TLS_SERVER_FAILED_REFUSED;
	case ERROR_TLS_ALERT:
		return METRIC_TLS_SERVER_FAILED_ALERT;
	case ERROR_TIMEOUT:
		return METRIC_TLS_SERVER_FAILED_TIMEOUT;
	case ERROR_RESET:
		return METRIC_TLS_SERVER_FAILED_CLOSED;
	default:
		return METRIC_TLS_SERVER_FAILED_OTHER;
	}
}

static enum metric
metric_of_client(enum error error)
{
	switch (error) {
	case ERROR_TLS_CERTIFICATE_REFUSED:
		return METRIC_TLS_CLIENT_FAILED_REFUSED;
	case ERROR_TLS_CERTIFICATE_UNTRUSTED:
		return METRIC_TLS_CLIENT_FAILED_UNTRUSTED;
	case ERROR_TLS_CERTIFICATE_EXPIRED:
		return METRIC_TLS_CLIENT_FAILED_EXPIRED;
	case ERROR_TLS_CERTIFICATE_NAME:
		return METRIC_TLS_CLIENT_FAILED_NAME;
	case ERROR_TLS_NOTHING_SHARED:
		return METRIC_TLS_CLIENT_FAILED_SHARED;
	case ERROR_TLS_ALERT:
		return METRIC_TLS_CLIENT_FAILED_ALERT;
	case ERROR_TIMEOUT:
		return METRIC_TLS_CLIENT_FAILED_TIMEOUT;
	case ERROR_RESET:
		return METRIC_TLS_CLIENT_FAILED_CLOSED;
	default:
		return METRIC_TLS_CLIENT_FAILED_OTHER;
	}
}

void
net_tls_count_failure(struct metrics *metrics, bool is_client, enum error error)
{
	metric_add(metrics,
	    is_client ? metric_of_client(error) : metric_of_server(error), 1);
}

void
net_tls_count_success(struct metrics *metrics, bool is_client, bool is_resumed)
{
	enum metric metric = is_resumed ? METRIC_TLS_SERVER_RESUMED
	                                : METRIC_TLS_SERVER_HANDSHAKES;

	if (is_client)
		metric = is_resumed ? METRIC_TLS_CLIENT_RESUMED
		                    : METRIC_TLS_CLIENT_HANDSHAKES;
	metric_add(metrics, metric, 1);
}
