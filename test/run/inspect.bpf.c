/* SPDX-License-Identifier: MIT
 *
 * The program and maps that test/run/inspect.c looks at from outside.
 */
#include "../verdict/verdict.h"

enum colour { RED, GREEN = 5 };

struct point {
	short x, y;
};

struct seen {
	char name[8];
	struct T __kptr *t;
	int n;
	enum colour colour;
	unsigned int low : 3, high : 5;
	_Bool known;
	struct point at[2];
	unsigned char raw[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, int);
	__type(value, struct seen);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

/* Element n keeps a T. */
P(keep)
{
	struct seen seen = {.name = "seven", .n = -7, .colour = GREEN, .low = 5, .high = 17,
			    .known = 1, .at = {{1, -1}, {2, -2}}, .raw = {0xff, 0, 1}};
	struct seen *s;
	struct T *p, *old;

	bpf_map_update_elem(&table, &n, &seen, BPF_ANY);
	s = bpf_map_lookup_elem(&table, &n);
	p = s ? t_find(n) : NULL;
	if (!s || !p)
		return 1;
	old = bpf_kptr_xchg(&s->t, p);
	if (old)
		t_put(old);
	return 0;
}
