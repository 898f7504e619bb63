/* tls.options of a listener: those of our domain, which are understood whole or
 * refused, since a setting of TLS that is passed over is a hole. Others'
 * domains are theirs. */
#include "gw/tls_priv.h"
#include "wire/nearest.h"

#define DOMAIN "yumen.dev/"

struct row {
	const char *name, *other;
	int64_t number;
};

enum option {
#define GW_TLS_OPTION(name, key) OPTION_##name,
#include "gw/tls_option.def"
#undef GW_TLS_OPTION
	OPTION__COUNT
};
static const struct row options[] = {
#define GW_TLS_OPTION(name_, key) {.name = (key), .other = (key)},
#include "gw/tls_option.def"
#undef GW_TLS_OPTION
    {0}};
static const struct row versions[] = {
#define GW_TLS_VERSION(value, number_) \
	{.name = (value), .other = (value), .number = (number_)},
#include "gw/tls_option.def"
#undef GW_TLS_VERSION
    {0}};
static const struct row ciphers[] = {
#define GW_TLS_CIPHER(openssl, iana) {.name = (openssl), .other = (iana)},
#include "gw/tls_option.def"
#undef GW_TLS_CIPHER
    {0}};
static const struct row curves[] = {
#define GW_TLS_CURVE(openssl, other_) {.name = (openssl), .other = (other_)},
#include "gw/tls_option.def"
#undef GW_TLS_CURVE
    {0}};

static const struct row *
find(const struct row *rows, struct slice name)
{
	for (; rows->name; rows++)
		if (slice_equal_nocase(name, slice_from_string(rows->name)) ||
		    slice_equal_nocase(name, slice_from_string(rows->other)))
			return rows;
	return NULL;
}

static void
push_hint(const struct row *rows, struct slice name, struct text *out)
{
	struct wire_nearest nearest;

	wire_nearest_init(&nearest, name);
	for (const struct row *row = rows; row->name; row++) {
		wire_nearest_feed(&nearest, slice_from_string(row->name));
		wire_nearest_feed(&nearest, slice_from_string(row->other));
	}
	if (slice_is_set(nearest.best)) {
		text_printf(
		    out, "; did you mean \"%.*s\"?", SLICE_ARGS(nearest.best));
		return;
	}
	text_push_string(out, "; known:");
	for (const struct row *row = rows; row->name; row++)
		text_printf(out, "%s %s", row == rows ? "" : ",", row->name);
}

static void
refuse_value(const struct record_pair *option, const struct row *rows,
    struct slice value, struct text *fault)
{
	text_printf(fault, "tls.options: %.*s: \"%.*s\" is not known here",
	    SLICE_ARGS(option->key), SLICE_ARGS(value));
	push_hint(rows, value, fault);
}

/* Values separated by commas, each once. */
static bool
take_list(const struct record_pair *option, const struct row *rows,
    struct arena *arena, struct slice **items, uint32_t *count,
    struct text *fault)
{
	struct slice rest = option->value, word;
	uint32_t room = 1;

	for (size_t i = 0; i < rest.length; i++)
		room += rest.data[i] == ',';
	*items = arena_zero(arena, room, sizeof(**items));
	*count = 0;
	do {
		(void)slice_cut(&rest, ',', &word);
		word = slice_trim(word);

		const struct row *row = find(rows, word);

		if (!row) {
			refuse_value(option, rows, word, fault);
			return false;
		}
		struct slice name = slice_from_string(row->name);
		bool seen = false;

		for (uint32_t i = 0; i < *count; i++)
			seen = seen || slice_equal((*items)[i], name);
		if (!seen)
			(*items)[(*count)++] = name;
	} while (slice_is_set(rest));
	return true;
}

static bool
take_option(const struct record_pair *option, struct arena *arena,
    struct gw_tls_settings *settings, struct text *fault)
{
	const struct row *row = find(options, option->key), *version;

	switch (row ? (enum option)(row - options) : OPTION__COUNT) {
	case OPTION_VERSION:
		version = find(versions, slice_trim(option->value));
		if (!version)
			refuse_value(option, versions, option->value, fault);
		else
			settings->version_min = version->number;
		return version != NULL;
	case OPTION_CIPHERS:
		return take_list(option, ciphers, arena, &settings->ciphers,
		    &settings->cipher_count, fault);
	case OPTION_CURVES:
		return take_list(option, curves, arena, &settings->curves,
		    &settings->curve_count, fault);
	case OPTION__COUNT:
		break;
	}
	text_printf(fault, "tls.options: %.*s is no option that yumen knows",
	    SLICE_ARGS(option->key));
	push_hint(options, option->key, fault);
	return false;
}

bool
gw_tls_options_take(const struct gw_listener_tls *tls, struct arena *arena,
    struct gw_tls_settings *settings, struct text *fault)
{
	*settings = (struct gw_tls_settings){0};
	for (uint32_t i = 0; tls && i < tls->options_count; i++)
		if (slice_starts_with(tls->options[i].key, SLICE(DOMAIN)) &&
		    !take_option(&tls->options[i], arena, settings, fault))
			return false;
	return true;
}
