/* SPDX-License-Identifier: MIT
 *
 * For names.c: declarations of the engine's functions whose parameters have names. clang
 * leaves those out of extern declarations; each shape_x() here is one that has them, and the
 * test makes it the prototype of bpf_x().
 */
#include "../verdict/verdict.h"

extern __u32 bpf_dynptr_size(const struct bpf_dynptr *d) __ksym;
extern _Bool bpf_dynptr_is_null(const struct bpf_dynptr *d) __ksym;
extern int bpf_strlen(const char *text) __ksym;
extern int t_bytes(struct T *t, __u64 flags, struct bpf_dynptr *d) __ksym;

__u32 shape_dynptr_size(const struct bpf_dynptr *d__uninit)
{
	return 0;
}

_Bool shape_dynptr_is_null(const struct bpf_dynptr *d__ign)
{
	return 0;
}

int shape_strlen(const char *text__ign)
{
	return 0;
}

int shape_t_bytes(struct T *t__nullable, __u64 flags, struct bpf_dynptr *d)
{
	return 0;
}

char bytes[64];

REJECT(DYNPTR_INIT, "Expected an initialized dynptr as arg #0")
P(not_made)
{
	struct bpf_dynptr d = {};

	return bpf_dynptr_size(&d);
}

/* Jumps enough that states are stored where paths meet. */
#define LONG_WAY(n)                                                                      \
	do {                                                                             \
		barrier_var(n);                                                          \
		if (n > 8)                                                               \
			asm volatile("r9 = 1" ::: "r9");                                 \
		if (n > 16)                                                              \
			asm volatile("r9 = 2" ::: "r9");                                 \
		if (n > 32)                                                              \
			asm volatile("r9 = 3" ::: "r9");                                 \
	} while (0)

/* The path that makes it is walked first. What is read below it keeps its slots there. */
REJECT(DYNPTR_INIT, "Expected an initialized dynptr as arg #0")
P(not_made_on_one_path)
{
	struct {
		volatile __u64 kept;
		struct bpf_dynptr d;
	} s = {.kept = 1};

	if (n & 1)
		bpf_dynptr_from_mem(bytes, sizeof(bytes), 0, &s.d);
	LONG_WAY(n);
	return bpf_dynptr_is_null(&s.d) + s.kept;
}

ACCEPT
P(made)
{
	struct bpf_dynptr d;

	bpf_dynptr_from_mem(bytes, sizeof(bytes), 0, &d);
	return bpf_dynptr_is_null(&d) + bpf_dynptr_size(&d);
}

/* Slots that only the text reaches: on one path there is an address. */
ACCEPT
P(text_that_is_an_address)
{
	__u64 text[2] = {};

	if (!(n & 1))
		text[1] = (__u64)t;
	LONG_WAY(n);
	return bpf_strlen((const char *)text);
}

REJECT(KFUNC_NULL, "Possibly NULL pointer passed to trusted arg0")
P(of_nothing)
{
	struct T *found = t_find(n);
	struct bpf_dynptr d;

	t_bytes(found, 0, &d);
	if (found)
		t_put(found);
	return 0;
}
