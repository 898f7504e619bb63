/* Certificates for people: events, the page, metrics. */
#include "ctl/certificates.h"

#include "core/clock.h"
#include "core/log.h"
#include "core/must.h"

static const char *const healths[] = {
    [GW_CERTIFICATE_GOOD] = "good",
    [GW_CERTIFICATE_EXPIRING] = "expiring",
    [GW_CERTIFICATE_NOT_YET_VALID] = "not yet valid",
    [GW_CERTIFICATE_EXPIRED] = "expired",
    [GW_CERTIFICATE_BROKEN] = "broken",
};

static void
push_time(struct text *out, int64_t seconds)
{
	char time[CLOCK_RFC3339_BYTES + 1];

	clock_format(seconds * 1000, time);
	text_printf(out, "%.19sZ", time);
}

void
ctl_certificate_log(const struct gw_certificate *certificate)
{
	static const enum log_event events[] = {
	    [GW_CERTIFICATE_GOOD] = LOG_CERTIFICATE_GOOD,
	    [GW_CERTIFICATE_EXPIRING] = LOG_CERTIFICATE_EXPIRING,
	    [GW_CERTIFICATE_NOT_YET_VALID] = LOG_CERTIFICATE_UNUSABLE,
	    [GW_CERTIFICATE_EXPIRED] = LOG_CERTIFICATE_UNUSABLE,
	    [GW_CERTIFICATE_BROKEN] = LOG_CERTIFICATE_UNUSABLE,
	};
	struct text expires;

	text_init(&expires);
	if (certificate->not_after != 0)
		push_time(&expires, certificate->not_after);
	log_event(events[certificate->health],
	    LOG_TEXT("namespace", certificate->namespace),
	    LOG_TEXT("secret", certificate->name),
	    LOG_TEXT("expires",
	        expires.length > 0 ? text_slice(&expires) : SLICE_NONE),
	    LOG_TEXT("why",
	        certificate->told.length > 0 ? certificate->told : SLICE_NONE));
	text_fini(&expires);
}

/* ---- the page ---- */

struct writing {
	struct text *out;
	const struct ctl_query *query;
	unsigned count;
};

static void
write_one(void *context, const struct gw_certificate *certificate)
{
	struct writing *writing = context;
	struct text *out = writing->out;

	if (!ctl_query_asks_name(
	        writing->query, certificate->namespace, certificate->name))
		return;
	text_printf(
	    out, "%s\n{\"namespace\":", writing->count++ > 0 ? "," : "");
	text_push_json(out, certificate->namespace);
	text_push_string(out, ",\"name\":");
	text_push_json(out, certificate->name);
	text_printf(out, ",\"health\":\"%s\",\"used\":%s",
	    healths[certificate->health], certificate->used ? "true" : "false");
	if (certificate->not_after != 0) {
		text_push_string(out, ",\"notBefore\":\"");
		push_time(out, certificate->not_before);
		text_push_string(out, "\",\"notAfter\":\"");
		push_time(out, certificate->not_after);
		text_push_byte(out, '"');
	}
	text_push_string(out, ",\"names\":[");
	for (uint32_t i = 0; i < certificate->name_count; i++) {
		text_push_string(out, i > 0 ? "," : "");
		text_push_json(out, certificate->names[i]);
	}
	text_push_string(out, "],\"message\":");
	text_push_json(out, certificate->told);
	text_push_byte(out, '}');
}

bool
ctl_certificates_write(struct text *out, const struct ctl_view *view,
    const struct ctl_query *query)
{
	must(out != NULL && view != NULL && query != NULL);
	struct writing writing = {.out = out, .query = query};

	text_push_string(out, "{\"items\":[");
	gw_state_each_certificate(view->state, write_one, &writing);
	text_push_string(out, "]}\n");
	return true;
}

/* ---- metrics ---- */

/* Names of objects need no escapes. */
static void
push_metric(void *context, const struct gw_certificate *certificate)
{
	if (certificate->used && certificate->not_after != 0)
		text_printf(context,
		    "yumen_certificate_expiry_timestamp_seconds{namespace=\""
		    "%.*s\",secret=\"%.*s\"} %lld\n",
		    SLICE_ARGS(certificate->namespace),
		    SLICE_ARGS(certificate->name),
		    (long long)certificate->not_after);
}

void
ctl_certificates_metrics(struct text *out, struct gw_state *state)
{
	must(out != NULL && state != NULL);
	text_push_string(out,
	    "# HELP yumen_certificate_expiry_timestamp_seconds when a "
	    "certificate that is in use expires\n"
	    "# TYPE yumen_certificate_expiry_timestamp_seconds gauge\n");
	gw_state_each_certificate(state, push_metric, out);
}
