/* The sample records as structs. */
#ifndef YUMEN_TEST_RECORD_SAMPLE_H
#define YUMEN_TEST_RECORD_SAMPLE_H

#include "core/record.h"

#define RECORD_FILE "../test/unit/wire/record_sample.def"
#include "core/record_structs.h"
#undef RECORD_FILE

#endif
