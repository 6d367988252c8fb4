/* SPDX-License-Identifier: MIT
 *
 * CO-RE: every kind of relocation, on types that lie otherwise than the host's.
 */
#include "load.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct load_host {
	unsigned int bits : 11;
	int negative : 5;
	int moved;
	unsigned long narrow; /* a byte there */
	int gone;	      /* not there */
	int array[2];	      /* longer there */
	int deep;	      /* in an anonymous struct in an anonymous union there */
	struct {
		int x, y;
	} inner;
	struct load_host *next;
};

struct load_host___other { /* a flavour: the same type */
	long more;
	int moved;
};

struct load_small___same {
	int a;
};

struct load_small___different {
	char *a;
};

struct load_nowhere {
	int a;
};

#pragma clang attribute pop

enum load_state___here { LOAD_IDLE___here = 1, LOAD_BUSY___here = 2, LOAD_GONE___here = 9 };

struct load_core core;

static void read_values(struct load_host *h)
{
	struct load_host___other *other = (void *)h;
	struct load_host *next = h->next;

	core.moved = h->moved;
	core.narrow = h->narrow;
	core.negative = BPF_CORE_READ_BITFIELD(h, negative);
	core.bits = BPF_CORE_READ_BITFIELD(h, bits);
	core.array = h->array[1];
	core.inner = h->inner.x;
	core.deep = h->deep;
	core.next_moved = next ? next->moved : -1;
	core.exists_flavour = bpf_core_field_exists(other->moved);
	if (bpf_core_field_exists(h->gone))
		core.moved = h->gone; /* a load that cannot be: never reached */
}

static void ask_fields(struct load_host *h)
{
	core.off_moved = bpf_core_field_offset(h->moved);
	core.size_narrow = bpf_core_field_size(h->narrow);
	core.size_array = bpf_core_field_size(h->array);
	core.exists_moved = bpf_core_field_exists(h->moved);
	core.exists_gone = bpf_core_field_exists(h->gone);
	core.signed_negative = __CORE_RELO(h, negative, SIGNED);
	core.signed_bits = __CORE_RELO(h, bits, SIGNED);
	core.lshift_bits = __CORE_RELO(h, bits, LSHIFT_U64);
	core.rshift_bits = __CORE_RELO(h, bits, RSHIFT_U64);
}

static void ask_types(void)
{
	core.id_local = bpf_core_type_id_local(struct load_nowhere);
	core.id_host = bpf_core_type_id_kernel(struct load_host);
	core.type_there = bpf_core_type_exists(struct load_host___other);
	core.type_absent = bpf_core_type_exists(struct load_nowhere);
	core.size_host = bpf_core_type_size(struct load_host);
	core.matches = bpf_core_type_matches(struct load_small___same);
	core.matches_not = bpf_core_type_matches(struct load_small___different);
	core.enum_there = bpf_core_enum_value_exists(enum load_state___here, LOAD_IDLE___here);
	core.enum_absent = bpf_core_enum_value_exists(enum load_state___here, LOAD_GONE___here);
	core.enum_value = bpf_core_enum_value(enum load_state___here, LOAD_IDLE___here);
	core.enum_busy = bpf_core_enum_value(enum load_state___here, LOAD_BUSY___here);
}

SEC("hook/load_hook") int BPF_PROG(ask, struct load_host *h, int n)
{
	read_values(h);
	ask_fields(h);
	ask_types();
	return n;
}

SEC("?hook/load_hook") int BPF_PROG(reads_what_is_gone, struct load_host *h, int n)
{
	return h->gone;
}
