/* Expands RECORD_FILE into tables; see core/record.h. No include guard. */
#define RECORD(record) \
	static const struct record_field record##_fields[] = {
#define RECORD_ROW(record, member, json, id, what, ...) \
	{ .name = (json), .name_length = sizeof(json) - 1, \
	    .number = (id), .kind = (what), \
	    .offset = offsetof(struct record, member), ##__VA_ARGS__ },
#define RECORD_ROW_LIST(record, member, json, id, what, ...) \
	{ .name = (json), .name_length = sizeof(json) - 1, \
	    .number = (id), .kind = (what), \
	    .offset = offsetof(struct record, member), \
	    .count_offset = offsetof(struct record, member##_count), \
	    ##__VA_ARGS__ },
#define TEXT(record, member, json, id, ...) \
	RECORD_ROW(record, member, json, id, RECORD_TEXT, ##__VA_ARGS__)
#define NUMBER(record, member, json, id, ...) \
	RECORD_ROW(record, member, json, id, RECORD_NUMBER, ##__VA_ARGS__)
#define BOOL(record, member, json, id, ...) \
	RECORD_ROW(record, member, json, id, RECORD_BOOL, ##__VA_ARGS__)
#define STRUCT(record, member, json, id, of, ...) \
	RECORD_ROW(record, member, json, id, RECORD_STRUCT, \
	    .sub = &of##_type, ##__VA_ARGS__)
#define TEXTS(record, member, json, id, ...) \
	RECORD_ROW_LIST(record, member, json, id, RECORD_TEXTS, ##__VA_ARGS__)
#define STRUCTS(record, member, json, id, of, ...) \
	RECORD_ROW_LIST(record, member, json, id, RECORD_STRUCTS, \
	    .sub = &of##_type, ##__VA_ARGS__)
#define PAIRS(record, member, json, id, ...) \
	RECORD_ROW_LIST(record, member, json, id, RECORD_PAIRS, ##__VA_ARGS__)
#define END(record) \
	} \
	; \
	const struct record_type record##_type = { \
		.name = #record, \
		.fields = record##_fields, \
		.count = sizeof(record##_fields) / sizeof(record##_fields[0]), \
		.size = sizeof(struct record), \
	};
#include RECORD_FILE
#undef RECORD
#undef RECORD_ROW
#undef RECORD_ROW_LIST
#undef TEXT
#undef NUMBER
#undef BOOL
#undef STRUCT
#undef TEXTS
#undef STRUCTS
#undef PAIRS
#undef END
