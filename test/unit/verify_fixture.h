/* SPDX-License-Identifier: MIT
 *
 * verify_fixture.h: verdicts as tables. A case is a program in assembly and what the
 * verifier must say: nothing (accepted), or a part of its log.
 *
 * Programs are of type xdp (r1: data at 0, data_end at 4, data_meta at 8, numbers at 12 and
 * 16) and have three maps: map[id:0] an array of 16 values of 48 bytes, map[id:1] a hash
 * with 8-byte keys and 16-byte values, map[id:2] an array of 4 programs.
 */
#ifndef PINTLE_TEST_VERIFY_FIXTURE_H
#define PINTLE_TEST_VERIFY_FIXTURE_H

#include "test.h"

#include "verify/verify.h"

struct verify_case {
	const char *name;
	const char *want;   /* part of the log; NULL: accepted */
	const char *text;   /* assembly */
	const char *kernel; /* "accept", "reject": the kernel decides otherwise, and why that is
			     * right is beside the case; NULL: the same */
};

#define ACCEPT(name, ...) {name, NULL, __VA_ARGS__}
#define REJECT(name, phrase, ...) {name, phrase, __VA_ARGS__}

/* One verification, kept for a closer look. */
struct verified {
	struct arena *arena;
	struct log log;
	struct image *image;
	struct proof *proof; /* NULL: refused */
	struct rejection why;
	struct verify_stats stats;
	int err;
};

void verify_text(struct verified *v, const char *text, const struct verify_opts *opts);
void verify_insns(struct verified *v, const struct insn *insns, u32 n,
		  const struct verify_opts *opts);
void verify_done(struct verified *v);
void verify_cases(const struct verify_case *cases, u32 n);

/* r0 = a value of map 0, not NULL; r1-r5 are lost. */
#define MAP_VALUE                                                                        \
	"*(u32 *)(r10 -4) = 0\n"                                                         \
	"r2 = r10\n"                                                                     \
	"r2 += -4\n"                                                                     \
	"r1 = map[id:0]\n"                                                               \
	"call 1\n"                                                                       \
	"if r0 != 0 goto +1\n"                                                           \
	"exit\n"

/* r0 = a number nobody knows. */
#define RANDOM "call 7\n"

#endif
