/* SPDX-License-Identifier: MIT
 *
 * client.h: the host's clients, each with memory of its own.
 */
#ifndef CLIENT_H
#define CLIENT_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct area { /* in the memory of a client, which writes it as it likes */
	unsigned int state;
	char name[12];
};

struct client {
	int id;
	struct area *area; /* in its memory */
};

#ifdef __bpf__
#pragma clang attribute pop
#else
#define __ksym
#endif

#endif
