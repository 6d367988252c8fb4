/* SPDX-License-Identifier: MIT
 *
 * What a refusal tells of the path: what has to do with it, and nothing else.
 */
#include "verdict.h"

struct value {
	struct bpf_spin_lock lock;
	int count;
	struct T __kptr *own;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct value);
} values SEC(".maps");

/* The register that the message names, not the call's others. */
REJECT(ARG_KIND, "R1 type=scalar expected=")
SAYS("<- R1 is made here: scalar(")
SAYS_NOT("<- R2 is made here")
SAYS_NOT("is taken here")
P(one_register)
{
	struct T *held = t_get(t);
	int key = 0;

	if (!held)
		return 0;
	bpf_map_lookup_elem((void *)(long)n, &key);
	t_put(held);
	return 0;
}

/* A lock by no number; what else is held does not matter. */
REJECT(LOCK_CALL, "function calls are not allowed while holding a lock")
SAYS("bpf_spin_lock(&v->lock); ")
SAYS("<- the lock is taken here")
SAYS_NOT("<- reference")
P(lock_taken)
{
	struct T *held = t_get(t);
	int key = 0;
	struct value *v = bpf_map_lookup_elem(&values, &key);

	if (!held)
		return 0;
	if (v) {
		bpf_spin_lock(&v->lock);
		v->count = t_read(t);
		bpf_spin_unlock(&v->lock);
	}
	t_put(held);
	return 0;
}

/* Of two references that which leaks, and where it was taken. */
REJECT(REF_LEAK, "Unreleased reference")
SAYS("struct T *lost = t_get(t); ")
SAYS("<- reference ")
SAYS_NOT("struct T *held = t_get(t); ")
P(which_leaks)
{
	struct T *held = t_get(t);

	if (!held)
		return 0;
	t_put(held);
	struct T *lost = t_get(t);

	return lost ? t_use(lost) : 0;
}
