/* Runs filters by the rows of filter.def. It knows no filter itself. */
#include "proxy/filter.h"

#include "core/must.h"
#include "proxy/filter_priv.h"

struct filter_row {
	proxy_filter_fn run;
	unsigned phases;
};

static const struct filter_row rows[] = {
#define FILTER(name, phases, function) \
	[UNIT_FILTER_##name] = {function, phases},
#include "proxy/filter.def"
#undef FILTER
};

static const struct filter_row *
find_row(const struct unit_filter *filter)
{
	static const struct filter_row none;
	if (filter->kind < 0 ||
	    (size_t)filter->kind >= sizeof(rows) / sizeof(rows[0]))
		return &none;
	return &rows[filter->kind];
}

enum proxy_verdict
proxy_filters_run(struct proxy_request *request,
    const struct unit_filter *filters, uint32_t count, enum proxy_phase phase,
    uint32_t *next)
{
	must(*next <= count);
	while (*next < count) {
		const struct unit_filter *filter = &filters[(*next)++];
		const struct filter_row *row = find_row(filter);
		if (!(row->phases & phase))
			continue;
		enum proxy_verdict verdict = row->run(request, filter);
		if (verdict != PROXY_GO_ON)
			return verdict;
	}
	return PROXY_GO_ON;
}

unsigned
proxy_filters_phases(const struct unit_filter *filters, uint32_t count)
{
	unsigned phases = 0;
	for (uint32_t i = 0; i < count; i++)
		phases |= find_row(&filters[i])->phases;
	return phases;
}
