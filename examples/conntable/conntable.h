/* SPDX-License-Identifier: MIT
 *
 * conntable.h: the host's connections.
 */
#ifndef CONNTABLE_H
#define CONNTABLE_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct conn {
	unsigned int id;
	int refs;
	long bytes;
};

#ifdef __bpf__
#pragma clang attribute pop
#else
#define __ksym
#endif

extern struct conn *conn_get(struct conn *c) __ksym;
extern struct conn *conn_tryget(struct conn *c) __ksym;
extern void conn_put(struct conn *c) __ksym;
extern void conn_account(struct conn *c, int bytes) __ksym;

#endif
