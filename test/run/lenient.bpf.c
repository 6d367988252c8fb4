/* SPDX-License-Identifier: MIT
 *
 * lenient.bpf.c: the programs of lenient.c. What the members of unions hold are plain bytes
 * where .lenient_decl makes them so, whatever their tags say.
 */
#include "../verdict/verdict.h"

struct value {
	struct T __kptr *ref;
	union {
		struct T __kptr *either;
		struct T __kptr_untrusted *un;
		long number;
	};
	struct T __kptr *const constant;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} map SEC(".maps");

#define WITH_VALUE(v)                                                                    \
	__u32 key_ = 0;                                                                  \
	struct value *v = bpf_map_lookup_elem(&map, &key_);                              \
	if (!v)                                                                          \
	return 0

P(number_through_it)
{
	WITH_VALUE(v);
	v->number = n;
	return v->number & 0;
}

P(other_field)
{
	struct T *p;

	WITH_VALUE(v);
	p = bpf_kptr_xchg(&v->ref, NULL);
	if (p)
		t_put(p);
	return 0;
}

P(loaded_and_read)
{
	WITH_VALUE(v);
	v->number = 4096;
	ASM("" : : : "memory");
	return v->either ? v->either->pid : 0;
}

P(loaded_and_passed)
{
	struct T *p;

	WITH_VALUE(v);
	v->number = 4096;
	ASM("" : : : "memory");
	p = v->either;
	return p ? t_read(p) : 0;
}

P(loaded_and_put)
{
	struct T *p;

	WITH_VALUE(v);
	p = v->either;
	if (p)
		t_put(p);
	return 0;
}

P(number_into_the_field)
{
	WITH_VALUE(v);
	v->number = 4096;
	ASM("" : : : "memory");
	ASM("r1 = *(u64 *)(%0 + 8)\n\t*(u64 *)(%0 + 0) = r1" : : "r"(v) : "r1", "memory");
	return 0;
}

P(number_exchanged_in)
{
	struct T *p;

	WITH_VALUE(v);
	p = v->either;
	if (!p)
		return 0;
	p = bpf_kptr_xchg(&v->ref, p);
	if (p)
		t_put(p);
	return 0;
}

P(exchanged_with_it)
{
	struct T *p;

	WITH_VALUE(v);
	p = bpf_kptr_xchg(&v->either, NULL);
	if (p)
		t_put(p);
	return 0;
}

P(exchanged_with_a_constant)
{
	struct T *p;

	WITH_VALUE(v);
	p = bpf_kptr_xchg((struct T **)&v->constant, NULL);
	if (p)
		t_put(p);
	return 0;
}

P(address_into_it)
{
	WITH_VALUE(v);
	v->un = t;
	return 0;
}

P(got_through_it)
{
	struct T *p;

	WITH_VALUE(v);
	p = t_kget(&v->either);
	if (p)
		t_put(p);
	return 0;
}
