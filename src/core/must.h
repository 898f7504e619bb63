/* must(): an assertion that stays on in release. It states what our own code
 * has guaranteed, never what a peer or the kernel sent, and has no side effect.
 * It prints the place and the condition to stderr, then aborts. */
#ifndef YUMEN_CORE_MUST_H
#define YUMEN_CORE_MUST_H

void must_failed(const char *condition, const char *file, int line,
    const char *function) __attribute__((noreturn, cold));

#define must(condition) \
	(__builtin_expect(!!(condition), 1) \
	        ? (void)0 \
	        : must_failed(#condition, __FILE__, __LINE__, __func__))

/* True where the tests look for faults that cost too much to look for in
 * release. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* For what is rarely done in a function that is often called: alone, it costs
 * the others neither registers nor a look at the stack's guard. */
#define set_apart __attribute__((noinline, cold))

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#endif
