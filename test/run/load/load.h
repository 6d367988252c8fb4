/* SPDX-License-Identifier: MIT
 *
 * load.h: what test/run/load.c and the objects it opens share.
 */
#ifndef TEST_RUN_LOAD_H
#define TEST_RUN_LOAD_H

/* What object.bpf.c answers about itself, in .bss. */
struct load_answers {
	long from_rodata, from_data, from_custom, from_static, from_global, from_section;
	long from_callback, weak_there, weak_absent, weak_ptr_absent;
};

/* What core.bpf.c learns of struct load_host. */
struct load_core {
	long moved, narrow, negative, bits, array, inner, deep, next_moved;
	long off_moved, size_narrow, size_array, exists_moved, exists_gone, exists_flavour;
	long signed_negative, signed_bits, lshift_bits, rshift_bits;
	long id_local, id_host, type_there, type_absent, size_host;
	long matches, matches_not;
	long enum_there, enum_absent, enum_value, enum_busy;
};

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

char _license[] SEC("license") = "GPL";
#endif

#endif
