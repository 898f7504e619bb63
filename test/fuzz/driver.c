/* The driver of fuzz targets where there is no libFuzzer: it replays every file
 * of the folders (or files) it is given, then feeds mutations of each. A
 * mutation is a pure function of the file's bytes and a number, so what was
 * found is found again: when a target dies, the file and the number are
 * printed, and "fuzz_x -m NUMBER FILE" runs that one alone.
 *
 * Each input is a heap block of exactly its length, so that a sanitizer sees a
 * read past either end. Mutating stops after ROUNDS rounds over the corpus or
 * after BUDGET_MS, whatever comes first. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 4096
#define INPUT_BYTES_MAX (1 << 20)
#define GROWTH_MAX 64
#define ROUNDS 4096
#define BUDGET_MS 1200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
void __sanitizer_set_death_callback(void (*callback)(void))
    __attribute__((weak));

struct input {
	char *path;
	uint8_t *bytes;
	size_t length;
};

struct corpus {
	struct input inputs[FILES_MAX];
	unsigned count;
};

/* What runs now, for the handler of a crash. */
static const char *running_path = "";
static unsigned long running_number;

static void
tell(void)
{
	char line[512];
	int length = snprintf(line, sizeof(line),
	    "\nfuzz: died in %s, mutation %lu (-m %lu FILE repeats it)\n",
	    running_path, running_number, running_number);
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
		_exit(2);
}

static void
on_signal(int number)
{
	tell();
	signal(number, SIG_DFL);
	raise(number);
}

static void
fail(const char *what, const char *path)
{
	fprintf(stderr, "fuzz: %s %s: %s\n", what, path, strerror(errno));
	exit(2);
}

static void *
keep(void *block)
{
	if (block == NULL)
		fail("memory for", "input");
	return block;
}

static void
corpus_add_file(struct corpus *corpus, const char *path)
{
	if (corpus->count == FILES_MAX) {
		errno = E2BIG;
		fail("read", path);
	}
	struct input *input = &corpus->inputs[corpus->count++];
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		fail("open", path);
	input->path = keep(strdup(path));
	input->bytes = keep(malloc(INPUT_BYTES_MAX));
	input->length = fread(input->bytes, 1, INPUT_BYTES_MAX, file);
	if (ferror(file))
		fail("read", path);
	fclose(file);
	/* Never zero bytes: realloc would free. */
	input->bytes = keep(realloc(input->bytes, input->length + 1));
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
corpus_add(struct corpus *corpus, const char *path)
{
	struct stat status;
	if (stat(path, &status) < 0)
		fail("find", path);
	if (!S_ISDIR(status.st_mode)) {
		corpus_add_file(corpus, path);
		return;
	}
	struct dirent **entries;
	int count = scandir(path, &entries, is_visible, alphasort);
	if (count < 0)
		fail("list", path);
	for (int i = 0; i < count; i++) {
		char child[4096];
		snprintf(
		    child, sizeof(child), "%s/%s", path, entries[i]->d_name);
		corpus_add(corpus, child);
		free(entries[i]);
	}
	free(entries);
}

static void
corpus_free(struct corpus *corpus)
{
	for (unsigned i = 0; i < corpus->count; i++) {
		free(corpus->inputs[i].path);
		free(corpus->inputs[i].bytes);
	}
	free(corpus);
}

/* splitmix64: good enough to pick bytes by. */
static uint64_t
pick(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static size_t
pick_below(uint64_t *state, size_t bound)
{
	return bound == 0 ? 0 : (size_t)(pick(state) % bound);
}

/* One change in place; returns the new length, at most length + 8. */
static size_t
mutate_once(uint8_t *bytes, size_t length, uint64_t *state)
{
	static const uint8_t odd[] = {0, 1, 9, 10, 13, 32, 34, 35, 37, 44, 46,
	    47, 48, 57, 58, 59, 63, 92, 95, 127, 128, 254, 255};
	size_t at = pick_below(state, length + 1);
	size_t span = 1 + pick_below(state, 8);
	if (span > length - at)
		span = length - at;
	switch (pick_below(state, 7)) {
	case 0: /* flip a bit */
		if (at < length)
			bytes[at] ^= (uint8_t)(1u << pick_below(state, 8));
		return length;
	case 1: /* an odd byte */
		if (at < length)
			bytes[at] = odd[pick_below(state, sizeof(odd))];
		return length;
	case 2: /* any byte */
		if (at < length)
			bytes[at] = (uint8_t)pick(state);
		return length;
	case 3: /* take some out */
		memmove(bytes + at, bytes + at + span, length - at - span);
		return length - span;
	case 4: /* put an odd byte in */
		memmove(bytes + at + 1, bytes + at, length - at);
		bytes[at] = odd[pick_below(state, sizeof(odd))];
		return length + 1;
	case 5: /* double some */
		memmove(bytes + at + span, bytes + at, length - at);
		return length + span;
	default: /* end early */
		return at;
	}
}

/* Number 0 is the file as it is. */
static size_t
run_one(const struct input *input, unsigned long number)
{
	running_path = input->path;
	running_number = number;
	uint8_t *work = keep(malloc(input->length + GROWTH_MAX));
	size_t length = input->length;
	memcpy(work, input->bytes, length);
	if (number > 0) {
		uint64_t state = number;
		size_t changes = 1 + pick_below(&state, GROWTH_MAX / 8);
		for (size_t i = 0; i < changes; i++)
			length = mutate_once(work, length, &state);
	}
	/* A block of its own length: malloc(0) may be NULL, which is a legal
	 * input of no bytes. */
	uint8_t *exact = malloc(length);
	if (length > 0)
		memcpy(keep(exact), work, length);
	free(work);
	LLVMFuzzerTestOneInput(exact, length);
	free(exact);
	return length;
}

static uint64_t
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static unsigned long
run_mutations(const struct corpus *corpus)
{
	unsigned long runs = 0;
	uint64_t end_ms = now_ms() + BUDGET_MS;
	for (unsigned long round = 1; round <= ROUNDS; round++) {
		for (unsigned i = 0; i < corpus->count; i++) {
			run_one(&corpus->inputs[i], round);
			runs++;
			if (runs % 16 == 0 && now_ms() >= end_ms)
				return runs;
		}
	}
	return runs;
}

static void
watch_crashes(void)
{
	/* Under a sanitizer its own handlers stay, and call back. */
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(tell);
		signal(SIGABRT, on_signal);
		return;
	}
	static const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], on_signal);
}

int
main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize != NULL)
		LLVMFuzzerInitialize(&argc, &argv);
	int first = 1;
	unsigned long only = 0;
	if (argc > 2 && strcmp(argv[1], "-m") == 0) {
		first = 3;
		if (sscanf(argv[2], "%lu", &only) != 1)
			fail("read number", argv[2]);
	}
	if (argc <= first) {
		fprintf(stderr, "usage: %s [-m NUMBER] PATH...\n", argv[0]);
		return 2;
	}
	struct corpus *corpus = keep(calloc(1, sizeof(*corpus)));
	for (int i = first; i < argc; i++)
		corpus_add(corpus, argv[i]);
	watch_crashes();
	for (unsigned i = 0; i < corpus->count; i++)
		run_one(&corpus->inputs[i], only);
	unsigned long mutations = first == 1 ? run_mutations(corpus) : 0;
	printf("fuzz: %u files, %lu mutations\n", corpus->count, mutations);
	corpus_free(corpus);
	return 0;
}
