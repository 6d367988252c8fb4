/* SPDX-License-Identifier: MIT
 *
 * Declarations that are fine (rule book K.1), each proved by an exchange or a load.
 */
#include "verdict.h"

typedef struct T alias;

struct inner {
	long n;
	struct T __kptr *ref;
};

struct value {
	struct T __kptr_untrusted *un;
	struct T __kptr *ref;
	struct W __kptr_untrusted *unw;
	struct T __kptr *volatile vol;
	const struct T __kptr *constant;
	alias __kptr *aliased;
#ifndef FOR_KERNEL /* a foreign tag beside a field is refused there */
	struct T __attribute__((btf_type_tag("foo"))) *foreign;
#endif
	struct inner nested[2];
};

struct grid {
	struct T __kptr *square[2][3];
};

#define MAP(name, map_type, value_type)                                                  \
	struct {                                                                         \
		__uint(type, map_type);                                                  \
		__uint(max_entries, 2);                                                  \
		__type(key, __u32);                                                      \
		__type(value, struct value_type);                                        \
	} name SEC(".maps")

MAP(array, BPF_MAP_TYPE_ARRAY, value);
MAP(table, BPF_MAP_TYPE_HASH, value);
MAP(percpu, BPF_MAP_TYPE_PERCPU_ARRAY, value);
MAP(grids, BPF_MAP_TYPE_ARRAY, grid);

/* The key is plain data, whatever it is called. */
struct key {
	struct T __kptr *name;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, struct key);
	__type(value, long);
} by_key SEC(".maps");

struct T __kptr *global SEC(".data.refs");

static __always_inline int empty(struct T **field)
{
	struct T *old = bpf_kptr_xchg(field, NULL);

	if (old)
		t_put(old);
	return old != NULL;
}

#define EMPTY(map, member) EMPTY_OF(value, map, member)
#define EMPTY_OF(type, map, member)                                                      \
	({                                                                               \
		__u32 zero_ = 0;                                                         \
		struct type *v_ = bpf_map_lookup_elem(&(map), &zero_);                   \
		v_ ? empty((struct T **)&v_->member) : 0;                                \
	})

ACCEPT BOOK("D01") RETVAL(0)
P(in_array)
{
	return EMPTY(array, ref);
}

ACCEPT BOOK("D01") RETVAL(0)
P(in_hash)
{
	return EMPTY(table, ref);
}

ACCEPT BOOK("D01") RETVAL(0)
P(in_percpu_array)
{
	return EMPTY(percpu, ref);
}

ACCEPT BOOK("D10") RETVAL(0)
P(in_key)
{
	struct key key = {0};

	return bpf_map_lookup_elem(&by_key, &key) != NULL;
}

ACCEPT BOOK("D16") RETVAL(0)
P(without_destructor)
{
	__u32 zero = 0;
	struct value *v = bpf_map_lookup_elem(&array, &zero);

	return v && v->unw;
}

ACCEPT BOOK("D28") RETVAL(0)
P(volatile_pointer)
{
	return EMPTY(array, vol);
}

ACCEPT BOOK("D30") RETVAL(0)
P(constant_pointee)
{
	return EMPTY(array, constant);
}

ACCEPT BOOK("D30") RETVAL(0)
P(typedef_of_struct)
{
	return EMPTY(array, aliased);
}

#ifndef FOR_KERNEL
ACCEPT BOOK("D21") RETVAL(1)
P(foreign_tag_is_plain)
{
	__u32 zero = 0;
	struct value *v = bpf_map_lookup_elem(&array, &zero);

	if (!v)
		return 0;
	*(long *)&v->foreign = 1;
	return *(volatile long *)&v->foreign;
}
#endif

ACCEPT BOOK("D34") RETVAL(0) POLICY(nest519, reject, "to kptr")
P(nested_arrays)
{
	return EMPTY(array, nested[1].ref);
}

ACCEPT BOOK("D35") RETVAL(0)
P(two_dimensions)
{
	return EMPTY_OF(grid, grids, square[1][2]);
}

ACCEPT BOOK("D55") RETVAL(0)
P(global_variable)
{
	return empty(&global);
}

/* The exchange of one knows the others apart. */
REJECT(XCHG_NO_KPTR, "doesn't point to kptr")
P(beside_nested)
{
	return EMPTY(array, nested[1].n);
}
