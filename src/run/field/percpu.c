/* SPDX-License-Identifier: MIT
 *
 * percpu.c: memory that there is once for every execution slot (rule book D, J14-J16):
 * objects that programs allocate, and variables of the host.
 *
 * To a program a per-CPU pointer is the address of a struct pintle_percpu, which it can neither
 * read nor move; bpf_this_cpu_ptr() and bpf_per_cpu_ptr() make an ordinary pointer of it.
 * An object is its struct pintle_percpu, followed by a copy for each slot, each on cache lines of
 * its own. Copies hold plain bytes only (D6), so nothing is owned by them.
 *
 * A variable's struct pintle_percpu lives as long as the host, so that a field may remember it
 * without a reference (D8).
 */
#include "run/helper/helpers.h"
#include "run/field/local.h"

enum { LINE = 64 };

struct percpu_object {
	struct pintle_host *host;
	u64 bytes; /* charged */
	struct pintle_percpu percpu;
};

static u64 stride_of(const struct local_type *type)
{
	return ROUND_UP(type->size, LINE);
}

void *percpu_at(const struct pintle_percpu *p, u32 slot)
{
	if (slot >= p->count)
		return NULL;
	return p->base ? (char *)p->base + slot * p->stride : p->at(p->data, slot);
}

void *percpu_new(struct local_type *type)
{
	u32 n = slot_count(type->host);
	u64 head = ROUND_UP(sizeof(struct percpu_object), LINE);
	u64 bytes = head + n * stride_of(type);
	struct percpu_object *object;

	if (!heap_charge(type->host, bytes))
		return NULL;
	object = aligned_alloc(LINE, bytes);
	if (!object) {
		heap_uncharge(type->host, bytes);
		return NULL;
	}
	memset(object, 0, bytes);
	object->host = type->host;
	object->bytes = bytes;
	object->percpu = (struct pintle_percpu){.base = (char *)object + head,
					 .stride = stride_of(type), .count = n};
	local_type_count(type, 1);
	return &object->percpu;
}

static void object_free(void *data)
{
	struct percpu_object *object = data;

	heap_uncharge(object->host, object->bytes);
	free(object);
}

void percpu_drop(struct local_type *type, void *handle)
{
	local_type_count(type, -1);
	defer_call(type->host, object_free,
		   container_of((struct pintle_percpu *)handle, struct percpu_object, percpu));
}



/* void *(percpu): this slot's. Never NULL: hosts register a copy for every slot. */
HELPER_FN(this_cpu_ptr)
{
	return (uintptr_t)percpu_at(helper_ptr(a), slot_current()->index);
}

/* void *(percpu, cpu): or NULL when there is none of that number (D5). */
HELPER_FN(per_cpu_ptr)
{
	return (uintptr_t)percpu_at(helper_ptr(a), (u32)b);
}
