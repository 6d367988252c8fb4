/* SPDX-License-Identifier: MIT
 *
 * bare.h: programs of bare instructions, assembled, assumed, lowered and run: natively
 * where that can be had, else interpreted.
 */
#ifndef TEST_BARE_H
#define TEST_BARE_H

#include "base/arena.h"
#include "run/run.h"

struct bare {
	struct arena *arena;
	struct log log;
	struct abi abi;
	struct pintle_host host; /* slots and deferred calls, nothing else */
	struct image *image;
	struct proof *proof;
	struct code *code;
	struct jit *jit; /* NULL: interpreted */
};

/* A host with just slots and deferred calls. */
void bare_host(struct pintle_host *host);
void bare_host_free(struct pintle_host *host);

/* Assembles @text and assumes its proof, which the test may then change. */
void bare_make(struct bare *b, const char *text);
/* 0, or what lower() says. @link may be NULL. */
int bare_lower(struct bare *b, const struct link *link);
/* Native code of what the test has changed after lowering. */
void bare_compile(struct bare *b);
u64 bare_run(struct bare *b, u64 r1, u64 r2);
void bare_free(struct bare *b);

/* All of it: r0 of @text. */
u64 run_text(const char *text, u64 r1, u64 r2);

#endif
