/* SPDX-License-Identifier: MIT
 *
 * conn.h: the host's types and the functions it exports. The host compiles them as they
 * are; programs see the same text with CO-RE, so that they keep working when the host's
 * layout changes, and the functions as externs (include <pintle/bpf.h> before).
 */
#ifndef CONN_H
#define CONN_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct conn {
	int id;
	int refs;
	unsigned long requests;
};

struct request {
	unsigned int client;
	unsigned int bytes;
};

#ifdef __bpf__
#pragma clang attribute pop
#else
#define __ksym
#endif

extern struct conn *conn_get(struct conn *c) __ksym;
extern void conn_put(struct conn *c) __ksym;

#endif
