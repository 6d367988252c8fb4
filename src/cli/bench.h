/* SPDX-License-Identifier: MIT
 *
 * bench.h: `pintle bench verify`: one line for each program, beside the running kernel's
 * where bpf(2) is permitted.
 */
#ifndef PINTLE_CLI_BENCH_H
#define PINTLE_CLI_BENCH_H

#include "verify/verify.h"

struct bench_row {
	const char *object, *program;
	int err;
	struct verify_stats stats;
};

/* What the kernel said of one program. */
struct bench_kernel {
	bool known;		/* false: it was not asked, or did not get to verify it */
	bool accepted;
	u32 insns, states, peak_states;
	u64 time_us;
};

/* Sums over the programs that both accept. */
struct bench {
	u32 programs, refused, both;
	u64 time_us, kernel_us;
	size_t memory; /* the most of one program */
	const char *why_not; /* the kernel was not asked */
};

void bench_begin(struct bench *bench);
void bench_add(struct bench *bench, const char *path, const struct bench_row *row);
void bench_end(const struct bench *bench);

/* bench_kernel.c: why the kernel cannot be asked; NULL: it can. */
const char *bench_kernel_missing(void);
/* Has the program of the object file verified, several times when that is quick: the
 * shortest time. */
struct bench_kernel bench_ask_kernel(const char *path, const char *program);

#endif
