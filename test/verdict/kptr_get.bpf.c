/* SPDX-License-Identifier: MIT
 *
 * Host functions that raise a reference straight from a field (rule book K.6).
 */
#include "setup.h"

struct one {
	struct T __kptr *ref;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct one);
} ones SEC(".maps");

ACCEPT BOOK("G01") POLICY(kernel, reject, "is not allowed") RETVAL(0)
Q(raised)
{
	WITH_VALUE(v);
	struct T *p = t_kget(&v->ref);

	if (p)
		t_put(p);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference") BOOK("G02")
Q(not_put)
{
	WITH_VALUE(v);
	return t_kget(&v->ref) != NULL;
}

REJECT(XCHG_NOT_REF, "isn't referenced kptr") BOOK("G03")
Q(unreferenced)
{
	WITH_VALUE(v);
	struct T *p = t_kget((struct T **)&v->un);

	if (p)
		t_put(p);
	return 0;
}

REJECT(XCHG_NO_KPTR, "doesn't point to kptr") BOOK("G04")
Q(plain_bytes)
{
	WITH_VALUE(v);
	struct T *p = t_kget((struct T **)v->buf);

	if (p)
		t_put(p);
	return 0;
}

REJECT(XCHG_CONST_OFF, "doesn't have constant offset") BOOK("G05")
Q(variable_offset)
{
	WITH_VALUE(v);
	struct T *p = t_kget((struct T **)&v->arr[n & 1]);

	if (p)
		t_put(p);
	return 0;
}

REJECT(KFUNC_TYPE, "expected pointer to STRUCT T but R1 has a pointer to STRUCT U") BOOK("G06")
Q(another_type)
{
	WITH_VALUE(v);
	struct T *p = t_kget((struct T **)&v->refu);

	if (p)
		t_put(p);
	return 0;
}

REJECT(KPTR_GET_DST, "arg#0 expected pointer to map value") BOOK("G07")
Q(on_the_stack)
{
	struct T *local = NULL, *p = t_kget(&local);

	if (p)
		t_put(p);
	return 0;
}

/* Registration refuses such a function; the verifier does not rely on it. */
REJECT(KPTR_GET_PROTO, "must be a double pointer") BOOK("G08")
Q(single_pointer)
{
	WITH_VALUE(v);
	struct T *p = t_kget_one((struct T *)&v->ref);

	if (p)
		t_put(p);
	return 0;
}

/* A B begins with a T, but a T is not a B. */
REJECT(KFUNC_TYPE, "expected pointer to STRUCT B but R1 has a pointer to STRUCT T") BOOK("G09")
Q(larger_type)
{
	WITH_VALUE(v);
	struct B *p = b_kget((struct B **)&v->ref);

	if (p)
		t_put(&p->t);
	return 0;
}

REJECT(NULL_DEREF, "invalid mem access 'map_value_or_null'") BOOK("G10")
Q(untested_value)
{
	struct one *v = element(ones);
	struct T *p = t_kget(&v->ref);

	if (p)
		t_put(p);
	return 0;
}

/* The other arguments are checked as everywhere. */
REJECT(STACK_BOUNDS, "invalid indirect access to stack") BOOK("G11")
Q(short_buffer)
{
	WITH_VALUE(v);
	char name[8] = "name";
	struct T *p = t_kget_name((struct T **)&v->ref, name, 64);

	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("G11") RETVAL(0)
Q(whole_buffer)
{
	WITH_VALUE(v);
	char name[8] = "name";
	struct T *p = t_kget_name((struct T **)&v->ref, name, 8);

	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("G12") RETVAL(0)
Q(moved_on)
{
	WITH_VALUE(v);
	struct T *p = t_kget(&v->ref);

	if (!p)
		return 0;
	p = bpf_kptr_xchg(&v->arr[0], p);
	if (p)
		t_put(p);
	return 0;
}
