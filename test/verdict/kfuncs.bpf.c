/* SPDX-License-Identifier: MIT
 *
 * Arguments and results of host functions, and walking (rule book K.11).
 */
#include "setup.h"

ACCEPT BOOK("C01") RETVAL(1)
P(raised)
{
	struct T *p = t_get(t);

	if (p)
		t_put(p);
	return 1;
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0") BOOK("C02")
P(untested)
{
	t_put(t_get(t));
	return 0;
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0") BOOK("C04")
P(null_put)
{
	t_put(NULL);
	return 0;
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0") BOOK("C04")
P(null_raised)
{
	struct T *p = t_get(NULL);

	if (p)
		t_put(p);
	return 0;
}

REJECT(KFUNC_TYPE, "expected pointer to STRUCT T but R1 has a pointer to STRUCT T") BOOK("C05")
P(inside_object)
{
	struct T *p = t_get((struct T *)((char *)t + 8));

	if (p)
		t_put(p);
	return 0;
}

REJECT(KFUNC_PTR, "must point to scalar, or struct with scalar") BOOK("C06")
P(stack_memory)
{
	struct T local = {.pid = n};

	return t_use(&local);
}

REJECT(KFUNC_PTR, "must point to scalar, or struct with scalar") BOOK("C06")
P(number)
{
	return t_use((struct T *)(long)n);
}

REJECT(KFUNC_TRUST, "R1 must be referenced or trusted") BOOK("C07")
P(loaded_put)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	if (p)
		t_put(p);
	return 0;
}

REJECT(KFUNC_TRUST, "R1 must be referenced or trusted") BOOK("C08")
P(untrusted_put)
{
	WITH_VALUE(v);
	struct T *p = v->un;

	if (p)
		t_put(p);
	return 0;
}

REJECT(KFUNC_TRUST, "R1 must be referenced or trusted") BOOK("C09")
P(loaded_owned)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	if (p)
		t_put(t_own(p));
	return 0;
}

/* A listed member is protected as its object is. */
ACCEPT BOOK("C10")
P(listed_member)
{
	struct T *p = t_get(t->parent);

	if (p)
		t_put(p);
	return 0;
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0") BOOK("C11")
P(unlisted_untested)
{
	struct T *p = t_get(t->peer);

	if (p)
		t_put(p);
	return 0;
}

REJECT(KFUNC_RCU, "must be a rcu pointer") BOOK("C11")
P(unlisted_member)
{
	struct T *p = t->peer;

	if (!p)
		return 0;
	p = t_get(p);
	if (p)
		t_put(p);
	return 0;
}

ACCEPT BOOK("C12")
P(two_steps)
{
	struct T *p = t_get(t->parent->parent);

	if (p)
		t_put(p);
	return 0;
}

REJECT(NULL_DEREF, "invalid mem access 'untrusted_ptr_or_null_") BOOK("C13") POLICY(kernel, accept)
	KERNEL(accept, "unlisted members need no test there")
P(unlisted_read)
{
	return t->peer->pid;
}

ACCEPT BOOK("C14") RETVAL(0)
P(embedded_struct)
{
	return m_count(&t->mask);
}

#ifndef FOR_KERNEL
ACCEPT BOOK("C15") RETVAL(0)
P(first_member)
{
	struct T *p = t_find(n);
	int count;

	if (!p)
		return 0;
	count = m_count((struct M *)p);
	t_put(p);
	return count;
}
#endif

REJECT(KFUNC_TYPE, "expected pointer to STRUCT B but R1 has a pointer to STRUCT T") BOOK("C16")
P(inner_for_outer)
{
	return b_use((struct B *)t);
}

/* The address of an object is not a number that helpers may have. */
REJECT(ARG_KIND, "R1 type=rcu_ptr_") BOOK("C27")
P(object_as_memory)
{
	WITH_VALUE(v);
	struct T *p = v->ref;

	return p ? bpf_trace_printk((const char *)p, 8) : 0;
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper") BOOK("C28")
P(value_with_fields)
{
	WITH_VALUE(v);
	__u32 key = 2;

	return bpf_map_update_elem(&hash, &key, v, 0);
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, __u64);
} numbers SEC(".maps");

ACCEPT BOOK("C29") RETVAL(0)
P(bytes_beside_fields)
{
	WITH_VALUE(v);
	__u64 key = 2;

	return bpf_map_update_elem(&numbers, &key, v->buf, 0);
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper") BOOK("C30")
P(field_as_key)
{
	WITH_VALUE(v);
	return bpf_map_lookup_elem(&numbers, &v->un) != NULL;
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper") BOOK("C31")
P(nine_bytes)
{
	WITH_VALUE(v);
	return bpf_get_current_comm(v->buf, 9);
}

ACCEPT BOOK("C31") RETVAL(0)
P(eight_bytes)
{
	WITH_VALUE(v);
	return bpf_get_current_comm(v->buf, 8);
}

__noinline int first_int(const int *p)
{
	return p ? *p : 0;
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly") BOOK("C32")
P(number_over_field)
{
	WITH_VALUE(v);
	return first_int((int *)(v->buf + 5));
}

ACCEPT BOOK("C32") RETVAL(0)
P(number_beside_field)
{
	WITH_VALUE(v);
	return first_int((int *)(v->buf + 4));
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly by helper") BOOK("C33") POLICY(kernel, accept)
	KERNEL(accept, "privileged programs may probe anything")
P(field_probed)
{
	WITH_VALUE(v);
	long out;

	return bpf_probe_read_kernel(&out, 8, &v->ref);
}

ACCEPT BOOK("C34") RETVAL(0)
P(probed_through_untrusted)
{
	WITH_VALUE(v);
	struct T *p = v->un;
	long out;

	return p ? bpf_probe_read_kernel(&out, 8, p) : 0;
}

/* Which member of a union is meant nobody knows. */
REJECT(KFUNC_RCU, "must be a rcu pointer") BOOK("C35")
P(member_of_union)
{
	struct T *p = t_get(t->left);

	if (p)
		t_put(p);
	return 0;
}

REJECT(BTF_USER, "access user memory") BOOK("U07")
P(user_memory)
{
	return t->up->a;
}

/* ---- functions of a program type, constants, memory, contexts ---- */

REJECT(KFUNC_ALLOW, "calling kernel function t_only is not allowed") BOOK("C26")
P(other_program_type)
{
	return t_only(n);
}

#ifndef FOR_KERNEL
extern int t_call(int (*fn)(int n)) __ksym;

static __noinline int called_by_the_host(int n)
{
	return *(volatile int *)(long)n;
}

/* Nobody knows what the host would pass, so nothing was proved of it. */
REJECT(UNSUPPORTED, "unsupported: t_call: a function of the program")
P(function_for_the_host)
{
	return t_call(called_by_the_host);
}
#endif

REJECT(NOT_CONST, "must be a known constant")
P(variable_constant)
{
	return add_const(n);
}

ACCEPT RETVAL(5)
P(constant)
{
	return add_const(4);
}

REJECT(KFUNC_SCALAR, "R1 is not a scalar")
P(object_as_number)
{
	return sum_of((long)t);
}

REJECT(KFUNC_CTX, "expected pointer to ctx, but got")
CTX(not_the_context)
{
	return t_ctx((struct test_ctx *)ctx->t) & 1;
}

ACCEPT RETVAL(1)
CTX(the_context)
{
	return t_ctx(ctx) & 1;
}

ACCEPT RETVAL(4)
P(buffer)
{
	char buf[4];

	return fill_bytes(buf, sizeof(buf));
}

REJECT(MEM_SIZE_NEG, "min value is negative")
P(negative_size)
{
	char buf[4] = {0};

	return fill_bytes(buf, n);
}

ACCEPT RETVAL(7)
P(nothing_where_allowed)
{
	return t_maybe(NULL);
}

ACCEPT RETVAL(7)
P(perhaps_nothing_where_allowed)
{
	WITH_VALUE(v);
	return t_maybe(v->ref);
}

/* Plain numbers by address: memory of their size. */
REJECT(STACK_BOUNDS, "invalid indirect access to stack")
P(short_struct)
{
	long bit = n;

	return m_write((struct M *)&bit);
}

ACCEPT RETVAL(0)
P(whole_struct)
{
	struct M m = {{n, 0}};

	m_write(&m);
	return m.bits[1];
}

/* Registration refuses the flags of the next three; the verifier does not rely on it. */
REJECT(KFUNC_RET, "is not supported")
P(bad_result)
{
	return name_of(n) != NULL;
}

REJECT(KFUNC_ACQUIRE, "acquire kernel function does not return PTR_TO_BTF_ID")
P(acquires_a_number)
{
	struct M m = {};

	return m_first(&m);
}

REJECT(KFUNC_RCU_CS, "requires RCU critical section protection")
Q(outside_section)
{
	return t_seen(n) != NULL;
}

ACCEPT
Q(inside_section)
{
	struct T *p;
	int out;

	bpf_rcu_read_lock();
	p = t_seen(n);
	out = p ? t_read(p) : 0;
	bpf_rcu_read_unlock();
	return out;
}

/* Nobody promises that an object returned without a reference stays. */
REJECT(KFUNC_TRUST, "must be referenced or trusted")
P(returned_without_reference)
{
	struct T *p = t_peek(n);

	return p ? t_use(p) : 0;
}

ACCEPT
P(returned_and_read)
{
	struct T *p = t_peek(n);

	return p ? p->pid & 0 : 0;
}

/* ---- memory that functions return ---- */

ACCEPT RETVAL(1)
P(room)
{
	char *room = t_room(t, 16);

	if (room)
		room[15] = 1;
	return room ? room[15] : 0;
}

REJECT(KFUNC_BUF_SIZE, "R2 is not a const")
P(room_of_unknown_size)
{
	char *room = t_room(t, n);

	return room ? room[0] : 0;
}

REJECT(REGION_MIN, "invalid access to memory, mem_size=8 off=8 size=1")
P(room_exceeded)
{
	char *room = t_room(t, 8);

	return room ? room[8] : 0;
}

REJECT(MEM_WRITE, "cannot write into rdonly_mem")
P(text_written)
{
	char *text = (char *)t_text(t, 8);

	if (text)
		text[0] = 1;
	return 0;
}

/* It goes with the object. */
REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(room_outlives_its_object)
{
	struct T *p = t_get(t);
	char *room;

	if (!p)
		return 0;
	room = t_room(p, 8);
	t_put(p);
	return room ? room[0] : 0;
}

REJECT(UNSUPPORTED, "read section")
Q(text_outlives_its_section)
{
	const char *text = NULL;

	WITH_VALUE(v);
	bpf_rcu_read_lock();
	t = v->ref;
	if (t)
		text = t_text(t, 8);
	bpf_rcu_read_unlock();
	return text ? text[0] : 0;
}

/* ---- any object ---- */

ACCEPT RETVAL(3)
P(any_object)
{
	return t_any(t);
}

REJECT(KFUNC_OBJECT, "arg#0 is untrusted_ptr_ expected ptr_ or socket")
P(any_but_untrusted)
{
	WITH_VALUE(v);

	t = v->un;
	return t ? t_any(t) : 0;
}

/* ---- texts ---- */

static const char greeting[] = "hello";

ACCEPT RETVAL(5)
P(text_known)
{
	return text_len(greeting);
}

REJECT(CONST_STR, "R1 does not point to a readonly map")
P(text_in_a_map)
{
	WITH_VALUE(v);
	return text_len(v->buf);
}

REJECT(KFUNC_STR, "arg#0 doesn't point to a const string")
P(text_on_the_stack)
{
	char text[4] = "abc";

	return text_len(text);
}
