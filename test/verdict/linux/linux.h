/* SPDX-License-Identifier: MIT
 *
 * linux.h: for annotated programs that are verified as the kernel does (--kernel): their
 * sections, contexts, helpers and types are its own. Expectations as in ../verdict.h; the
 * test needs the BTF of a kernel, and its phrases are the kernel's.
 */
#ifndef VERDICT_LINUX_H
#define VERDICT_LINUX_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "../expect.h"

/* A program whose body is one ASM(). */
#define PROG_ASM(section, name)                                                          \
	SEC(section) __attribute__((naked)) int name(void)

#endif
