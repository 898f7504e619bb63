/* The functions that rows of filter.def name. */
#ifndef YUMEN_PROXY_FILTER_PRIV_H
#define YUMEN_PROXY_FILTER_PRIV_H

#include "proxy/filter.h"

typedef enum proxy_verdict (*proxy_filter_fn)(
    struct proxy_request *, const struct unit_filter *);

#define FILTER(name, phases, function) \
	enum proxy_verdict function( \
	    struct proxy_request *, const struct unit_filter *);
#include "proxy/filter.def"
#undef FILTER

#endif
