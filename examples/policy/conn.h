/* SPDX-License-Identifier: MIT
 *
 * conn.h: the host's types. The host compiles them as they are; programs see the same
 * text with CO-RE, so that they keep working when the host's layout changes.
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
#endif

#endif
