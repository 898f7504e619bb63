/* A world for tests of gw: objects read from YAML, a state, and what it said so
 * far: the units and statuses that are now in force. */
#ifndef YUMEN_TEST_GW_WORLD_H
#define YUMEN_TEST_GW_WORLD_H

#include "core/map.h"
#include "gw/admit.h"
#include "gw/state.h"

/* A root, as a text in YAML's double quotes. */
#define AUTHORITY \
	"-----BEGIN CERTIFICATE-----\\n" \
	"MIIBezCCASGgAwIBAgIUVJJChA7ioYdoCwhDzAXAXxIGVEcwCgYIKoZIzj0EAwIw\\n" \
	"EjEQMA4GA1UEAwwHdGVzdC1jYTAgFw0yNjExMjUxODQ5NTVaGA8yMTI2MTEwMTE4\\n" \
	"NDk1NVowEjEQMA4GA1UEAwwHdGVzdC1jYTBZMBMGByqGSM49AgEGCCqGSM49AwEH\\n" \
	"A0IABOphRZxR5UiasvtrWbRzYo6ZuNE+aymHTx2vK5zBLDJM1WvghmrQHmwTrgQ8\\n" \
	"GC2rI9aJchqg+1oRwOU8nLPyJVijUzBRMB0GA1UdDgQWBBSsmHZF33EMTlrZg15s\\n" \
	"VSDFU+DWOTAfBgNVHSMEGDAWgBSsmHZF33EMTlrZg15sVSDFU+DWOTAPBgNVHRMB\\n" \
	"Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCVsBAF5aXlv7VSPAxzpcsFGWJa\\n" \
	"TNFmK7Jr1zDSH9TZtAIgFeY5L/cS5NETKmVXa3CDbYe/3nGDpnAP0eEpbJ9hlzk=\\n" \
	"-----END CERTIFICATE-----\\n"

struct world {
	struct gw_state *state;
	struct map units; /* name -> struct world_thing */
	struct map fleets; /* "namespace/name" -> struct world_thing */
	struct map statuses; /* "kind namespace/name" -> struct world_thing */
	struct text findings; /* a line each */
	unsigned changes; /* units and statuses told by the last reconcile */
};

void world_init(struct world *world, const struct gw_options *options);
void world_fini(struct world *world);

/* Admitted objects of all documents; findings go to world->findings. */
struct world_objects {
	struct gw_object **items;
	size_t count;
};
struct world_objects world_admit(struct world *world, struct slice yaml);
void world_objects_fini(struct world_objects *objects);
/* Admit, put all, reconcile. */
void world_apply(struct world *world, const char *yaml);
void world_put(struct world *world, struct gw_object **object);
void world_remove(struct world *world, const struct gw_object *object);
void world_reconcile(struct world *world);

/* One object from YAML, which must be admitted. */
struct gw_object *world_object(struct slice yaml);

/* All units (as YAML) and statuses (a line a condition), sorted. */
void world_print(const struct world *world, struct text *out);
/* The text of one unit or status, or absent. */
struct slice world_unit(const struct world *world, const char *name);
struct slice world_status(const struct world *world, const char *name);
bool world_has(struct slice text, const char *part);

#endif
