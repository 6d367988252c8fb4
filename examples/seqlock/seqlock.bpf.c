/* SPDX-License-Identifier: MIT
 *
 * seqlock.bpf.c: the reader and writer of the original proposal. Nobody counts: the reader
 * looks at the version of the field before and after. struct pintle_seq counts every
 * exchange, and whatever else empties the field, by itself.
 */
#include "../example.bpf.h"
#include "seqlock.h"

struct value {
	struct pintle_seq seq;
	struct settings __kptr *now;
	__u64 fence;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct value);
} current SEC(".maps");

static struct value *value(void)
{
	int zero = 0;

	return bpf_map_lookup_elem(&current, &zero);
}

SEC("hook/on_change")
int BPF_PROG(change, int limit)
{
	struct value *v = value();
	struct settings *s;

	if (!v)
		return -1;
	s = settings_next(limit);
	if (!s)
		return -1;
	s = bpf_kptr_xchg(&v->now, s);
	if (s)
		settings_put(s);
	return 0;
}

/* An atomic operation that gives back what it found orders everything before it against
 * everything after it. */
static __always_inline void fence(struct value *v)
{
	volatile __u64 old = __sync_fetch_and_add(&v->fence, 1);

	(void)old;
}

/* The limit; -2 when the settings changed meanwhile. */
SEC("hook/on_question")
int BPF_PROG(question, int unused)
{
	struct value *v = value();
	struct settings *s;
	int limit, limit_again;
	__u64 before, after;

	if (!v)
		return -2;
	before = *(volatile __u64 *)&v->seq.version;
	fence(v);
	s = v->now; /* may be anybody's by now: reads through it give something, or 0 */
	if (!s)
		return -2;
	limit = s->limit;
	limit_again = s->limit_again;
	fence(v);
	after = *(volatile __u64 *)&v->seq.version;
	if (before & 1 || before != after)
		return -2;
	return limit == limit_again ? limit : -1;
}
