/* SPDX-License-Identifier: MIT
 *
 * work.h: a workload is one C function that compiles twice: as a BPF program, and
 * (with NATIVE) as its native twin. Both work on globals that `fill` sets up, and return
 * 32 bits that all engines must agree on.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <linux/bpf.h>

#ifdef NATIVE
#define WORK(name)                                                                       \
	__u32 native_##name(void *ctx);                                                  \
	__attribute__((noinline)) __u32 native_##name(void *ctx)
#define SUBPROG static __attribute__((noinline, noclone))
#else
#include <bpf/bpf_helpers.h>
#define WORK(name)                                                                       \
	SEC("xdp") int name(struct xdp_md *ctx)
#define SUBPROG static __attribute__((noinline))
#endif

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define ROTL32(x, k) ((x) << (k) | (x) >> (32 - (k)))
#define ROTL64(x, k) ((x) << (k) | (x) >> (64 - (k)))

/* Keeps a loop a loop where clang would rather unroll or vectorise it all. */
#define OPAQUE(x) __asm__ volatile("" : "+r"(x))

#endif
