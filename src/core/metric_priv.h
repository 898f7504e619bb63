/* What the kernel knows of this process, for metrics_write. */
#ifndef YUMEN_CORE_METRIC_PRIV_H
#define YUMEN_CORE_METRIC_PRIV_H

#include "core/text.h"

void metrics_write_process(struct text *out);

#endif
