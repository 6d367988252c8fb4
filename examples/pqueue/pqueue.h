/* SPDX-License-Identifier: MIT
 *
 * pqueue.h: the host's frames.
 */
#ifndef PQUEUE_H
#define PQUEUE_H

#ifdef __bpf__
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

struct frame {
	int refs;
	unsigned int deadline;
};

#ifdef __bpf__
#pragma clang attribute pop
#else
#define __ksym
#endif

extern struct frame *frame_get(struct frame *f) __ksym;
extern void frame_put(struct frame *f) __ksym;
extern void frame_send(struct frame *f) __ksym;

#endif
