/* SPDX-License-Identifier: MIT
 *
 * rules_host.h: the host and the maps of the rule book's section K, made by hand: BTF,
 * contract, image. Programs are text (isa_assemble()); `call @name` calls a host function.
 *
 * Maps
 *	0  A   array of 4 V        1  B   hash of V       2  C  array of 1 VL
 *	3  ro  .rodata, 16 bytes: a string of 7 and NUL, then 42 as 8 bytes
 *	4  N   hash of longs       5  PA  prog array      6  M  array of maps of kind B
 *
 * V   buf[8]@0  un@8  ref@16  refu@24  loc@32  pc@40  user@48  uptr@56  um@64  arr[3]@72
 *     x@96: 104 bytes        VL  lock@0  ref@8  un@16  long@24: 32 bytes
 * T   mask@0  pid@16  refs@20  leader@24 (rcu)  parent@32 (rcu)  peer@40  up@48 (user)
 *     union@56  name@64  boss@80 (trusted): 88 bytes
 */
#ifndef PINTLE_TEST_RULES_HOST_H
#define PINTLE_TEST_RULES_HOST_H

#include "base/arena.h"
#include "base/log.h"
#include "test.h"
#include "unit/btf_build.h"
#include "verify/verify.h"

struct rules_host {
	struct arena *arena;
	struct bb host_bb, prog_bb;
	struct btf *btf, *prog_btf;
	struct abi abi;
	struct image image;
	u32 t, u, m, w, x, b, l; /* struct ids; l in program BTF */
};

void rules_host_init(struct rules_host *h);
void rules_host_free(struct rules_host *h);

/* Program types; Q may sleep; K is one of a kernel, behind a function (rules_args.c). */
enum { HOOK_P, HOOK_Q, XDP, HOOK_K };

struct rules_case {
	const char *name;
	const char *text;	/* of the program */
	enum rule_id rule;	/* RULE_NONE: accepted */
	u32 type;		/* HOOK_P, ... */
	const char *sub;	/* text of a subprogram, label "sub" */
	const char *phrase;	/* in the log; NULL: any */
};

/* Verifies every case; how many verdicts are not as the case says (they are printed). */
u32 rules_check(struct rules_host *h, const struct rules_case *cases, u32 n);

#define RULES_TEST(name, table)                                                          \
	TEST(name)                                                                       \
	{                                                                                \
		struct rules_host h;                                                     \
		u32 wrong;                                                               \
                                                                                         \
		rules_host_init(&h);                                                     \
		wrong = rules_check(&h, table, ARRAY_SIZE(table));                       \
		rules_host_free(&h);                                                     \
		CHECK_EQ(wrong, 0);                                                      \
	}

/* Pieces of programs. r9: ctx, r6: t, r7: a value of A (never NULL: constant key). */
#define ARGS "r9 = r1\nr6 = *(u64 *)(r9 +0)\n"
#define KEY "*(u32 *)(r10 -4) = 0\nr2 = r10\nr2 += -4\n"
#define VALUE KEY "r1 = map[id:0]\ncall 1\nr7 = r0\n"
#define LOCKED_VALUE KEY "r1 = map[id:2]\ncall 1\nr7 = r0\n"
#define V ARGS VALUE
#define VL ARGS LOCKED_VALUE
#define FIND(reg) "r1 = 1\ncall @t_find\n" reg " = r0\n"
#define TEST_NULL(reg) "if " reg " == 0x0 goto out\n"
#define PUT(reg) "r1 = " reg "\ncall @t_put\n"
#define XCHG(off, src) "r1 = r7\nr1 += " #off "\nr2 = " src "\ncall 194\n"
#define LOCK "r1 = r7\ncall 93\n"
#define UNLOCK "r1 = r7\ncall 94\n"
#define READ_LOCK "call @bpf_rcu_read_lock\n"
#define READ_UNLOCK "call @bpf_rcu_read_unlock\n"
#define OUT "out: r0 = 0\nexit\n"

#endif
