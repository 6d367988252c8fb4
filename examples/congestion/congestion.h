/* SPDX-License-Identifier: MIT
 *
 * congestion.h: what a host lets programs decide about its connections: how much may be
 * under way.
 */
#ifndef CONGESTION_H
#define CONGESTION_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct flow {
	unsigned int window; /* packets that may be under way */
	unsigned int acked, lost;
};

#ifdef __bpf__
#pragma clang attribute pop
#endif

struct cc_ops {
	unsigned int (*start)(struct flow *f);			  /* the first window */
	unsigned int (*on_ack)(struct flow *f, unsigned int acked); /* the next window */
	unsigned int (*on_loss)(struct flow *f);
	char name[16];
	unsigned int most; /* no window is larger */
};

#endif
