/* SPDX-License-Identifier: MIT
 *
 * example.bpf.h: what every example's program includes.
 */
#ifndef EXAMPLE_BPF_H
#define EXAMPLE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>
#include <stdbool.h>

#define outer(ptr, type, member)                                                         \
	((type *)((char *)(ptr) - __builtin_offsetof(type, member)))

#endif
