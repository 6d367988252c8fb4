/* SPDX-License-Identifier: MIT
 *
 * typed.h: the host's type and functions for the workloads on typed pointers.
 */
#ifndef BENCH_TYPED_H
#define BENCH_TYPED_H

struct thing {
	int id;
	int refs;
	unsigned long value;
};

struct ask {
	unsigned int n;
};

#ifndef __bpf__
#define __ksym
#endif

extern struct thing *thing_get(struct thing *t) __ksym;
extern void thing_put(struct thing *t) __ksym;
extern unsigned long thing_value(struct thing *t) __ksym;

#endif
