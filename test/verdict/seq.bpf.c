/* SPDX-License-Identifier: MIT
 *
 * Fields with a version beside them (rule book H6): both forms of the exchange step it, by
 * two; programs read it, and never write it.
 */
#include "verdict.h"

#ifndef FOR_KERNEL
struct versioned {
	struct T __kptr_untrusted *un;
	struct T __kptr *ref;
	struct pintle_seq seq;
	struct T __kptr *other;
};

struct bare {
	struct T __kptr_untrusted *un;
	struct T __kptr *ref;
	long x;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct versioned);
} versions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct bare);
} bares SEC(".maps");

static __always_inline void *of(void *map)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(map, &zero);
}

#define version(v) (*(volatile __u64 *)&(v)->seq.version)

static __always_inline void put_if(struct T *old)
{
	if (old)
		t_put(old);
}

/* What it was, in and out again: two exchanges, which @xchg does. */
#define VERSIONS_OF_IN_AND_OUT(xchg)                                                     \
	do {                                                                             \
		struct versioned *v = of(&versions);                                     \
		struct T *new;                                                           \
		__u64 before;                                                            \
										 \
		if (!v)                                                                  \
			return -1;                                                       \
		before = version(v);                                                     \
		new = t_find(n);                                                         \
		if (!new)                                                                \
			return -1;                                                       \
		put_if(xchg(&v->ref, new));                                              \
		put_if(xchg(&v->ref, NULL));                                             \
		return version(v) - before;                                              \
	} while (0)

ACCEPT BOOK("X03") RETVAL(4)
P(by_helper)
{
	VERSIONS_OF_IN_AND_OUT(bpf_kptr_xchg);
}

ACCEPT BOOK("I16") RETVAL(4)
P(by_instruction)
{
	VERSIONS_OF_IN_AND_OUT(pintle_xchg);
}

/* The field on the other side of the version, and one that owns nothing. */
ACCEPT BOOK("I03") RETVAL(4)
P(on_both_sides)
{
	struct versioned *v = of(&versions);
	struct T *old;
	__u64 before;

	if (!v)
		return -1;
	before = version(v);
	old = pintle_xchg(&v->other, NULL);
	if (old)
		t_put(old);
	pintle_xchg(&v->un, t);
	return version(v) - before;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("I02")
P(old_not_put)
{
	struct versioned *v = of(&versions);

	return v && pintle_xchg(&v->ref, NULL) ? 1 : 0;
}

REJECT(RELEASE_UNREF, "must be referenced") BOOK("I05")
P(not_owned)
{
	struct versioned *v = of(&versions);
	struct T *old;

	if (!v)
		return 0;
	old = pintle_xchg(&v->ref, t);
	if (old)
		t_put(old);
	return 0;
}

/* The version must be found in one place. */
REJECT(MIXED_POINTERS, "same insn cannot be used with different pointers")
P(with_and_without)
{
	struct versioned *v = of(&versions);
	struct bare *b = of(&bares);
	struct T *old = NULL;

	if (!v || !b)
		return 0;
	ASM("r1 = %1\n\tif %3 s> 3 goto +1\n\tr1 = %2\n\t%0 = xchg_64(r1 + 8, %0)"
	    : "+r"(old) : "r"(v), "r"(b), "r"((long)n) : "r1", "memory");
	if (old)
		t_put(old);
	return 0;
}

REJECT(FIELD_DIRECT, "cannot be accessed directly by load/store")
P(version_written)
{
	struct versioned *v = of(&versions);

	if (v)
		version(v) = 2;
	return 0;
}

REJECT(FIELD_DIRECT, "cannot be accessed directly by load/store")
P(version_added_to)
{
	struct versioned *v = of(&versions);

	if (v)
		__sync_fetch_and_add(&v->seq.version, 2);
	return 0;
}
#endif
