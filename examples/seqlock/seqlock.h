/* SPDX-License-Identifier: MIT
 *
 * seqlock.h: the host's settings, whose memory is used again at once.
 */
#ifndef SEQLOCK_H
#define SEQLOCK_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct settings {
	int limit, limit_again; /* equal in every version */
	int refs;
};

#ifdef __bpf__
#pragma clang attribute pop
#else
#define __ksym
#endif

extern struct settings *settings_next(int limit) __ksym;
extern void settings_put(struct settings *s) __ksym;

#endif
