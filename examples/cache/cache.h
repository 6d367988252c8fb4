/* SPDX-License-Identifier: MIT
 *
 * cache.h: the host's users, looked up at a price.
 */
#ifndef CACHE_H
#define CACHE_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct user {
	int id;
	int refs;
	int score;
};

#ifdef __bpf__
#pragma clang attribute pop
#else
#define __ksym
#endif

extern struct user *user_find(int id) __ksym;
extern void user_put(struct user *u) __ksym;

#endif
