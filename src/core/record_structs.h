/* Expands RECORD_FILE into struct definitions; see core/record.h. No include
 * guard: each room includes it once for its own file. */
#define RECORD(record) struct record {
#define TEXT(record, member, ...) struct slice member;
#define NUMBER(record, member, ...) int64_t member;
#define BOOL(record, member, ...) int64_t member;
#define STRUCT(record, member, json, number, sub, ...) struct sub *member;
#define TEXTS(record, member, ...) \
	struct slice *member; \
	uint32_t member##_count;
#define STRUCTS(record, member, json, number, sub, ...) \
	struct sub *member; \
	uint32_t member##_count;
#define PAIRS(record, member, ...) \
	struct record_pair *member; \
	uint32_t member##_count;
#define END(record) \
	} \
	; \
	extern const struct record_type record##_type;
#include RECORD_FILE
#undef RECORD
#undef TEXT
#undef NUMBER
#undef BOOL
#undef STRUCT
#undef TEXTS
#undef STRUCTS
#undef PAIRS
#undef END
