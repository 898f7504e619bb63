/* What reading YAML costs at least: libyaml's events of all files, and nothing
 * done with them. `yumen check` is held against it. */
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

static unsigned long
scan(const unsigned char *bytes, size_t length)
{
	yaml_parser_t parser;
	yaml_event_t event;
	unsigned long events = 0;
	int ended = 0;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, bytes, length);
	while (!ended) {
		if (!yaml_parser_parse(&parser, &event))
			abort();
		ended = event.type == YAML_STREAM_END_EVENT;
		events++;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return events;
}

int
main(int argc, char **argv)
{
	static unsigned char bytes[8 << 20];
	unsigned long events = 0;

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");

		if (!file)
			abort();
		size_t length = fread(bytes, 1, sizeof(bytes), file);

		if (length == sizeof(bytes))
			abort();
		fclose(file);
		events += scan(bytes, length);
	}
	printf("%lu events\n", events);
	return 0;
}
