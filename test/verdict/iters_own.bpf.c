/* SPDX-License-Identifier: MIT
 *
 * The engine's iterators over bits and over keys of maps, the host's over its own objects,
 * and strings that may not be there.
 */
#include "setup.h"

#ifndef FOR_KERNEL /* types of the host that these are for */

struct bpf_iter_bits {
	__u64 opaque[2];
} __attribute__((aligned(8)));

extern int bpf_iter_bits_new(struct bpf_iter_bits *it, const __u64 *words, __u32 n) __ksym;
extern int *bpf_iter_bits_next(struct bpf_iter_bits *it) __ksym;
extern void bpf_iter_bits_destroy(struct bpf_iter_bits *it) __ksym;

extern int bpf_iter_ts_new(struct bpf_iter_ts *it, int n) __ksym;
extern struct T *bpf_iter_ts_next(struct bpf_iter_ts *it) __ksym;
extern void bpf_iter_ts_destroy(struct bpf_iter_ts *it) __ksym;

struct long_key {
	__u32 n, rest[19];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct long_key);
	__type(value, __u32);
} long_keys SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4);
	__type(value, __u32);
} queue SEC(".maps");

__u64 words[4] = {1, 0, 1ull << 63 | 2, 1};

/* ---- bits ---- */

ACCEPT RETVAL(448)
P(bits_of_words)
{
	struct bpf_iter_bits it;
	int sum = 0, *bit;

	bpf_iter_bits_new(&it, words, 4); /* 0, 129, 191, 192 */
	while ((bit = bpf_iter_bits_next(&it)))
		sum += *bit;
	if (bpf_iter_bits_next(&it))
		sum = -1;
	bpf_iter_bits_destroy(&it);
	bpf_iter_bits_new(&it, words, 1); /* 0 */
	while ((bit = bpf_iter_bits_next(&it)))
		sum += *bit;
	bpf_iter_bits_destroy(&it);
	return sum - 64;
}

ACCEPT RETVAL(0)
P(edges_of_bits)
{
	struct bpf_iter_bits it;
	int wrong;

	wrong = bpf_iter_bits_new(&it, words, 0) != -22 || bpf_iter_bits_next(&it);
	bpf_iter_bits_destroy(&it);
	wrong |= bpf_iter_bits_new(&it, words, 512) != -7 || bpf_iter_bits_next(&it);
	bpf_iter_bits_destroy(&it);
	wrong |= bpf_iter_bits_new(&it, NULL, 1) != -14 || bpf_iter_bits_next(&it);
	bpf_iter_bits_destroy(&it);
	/* More than what is there. */
	wrong |= bpf_iter_bits_new(&it, words + 3, 511) != -14 || bpf_iter_bits_next(&it);
	bpf_iter_bits_destroy(&it);
	return wrong;
}

REJECT(PROBE_NUMBER, "a number is no address to read from")
P(bits_at_a_number)
{
	struct bpf_iter_bits it;

	bpf_iter_bits_new(&it, (void *)4096, 2);
	bpf_iter_bits_destroy(&it);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference")
P(bits_not_destroyed)
{
	struct bpf_iter_bits it;

	return bpf_iter_bits_new(&it, words, 2);
}

/* ---- keys of maps ---- */

/* Goes on behind keys that it deletes. */
ACCEPT RETVAL(28)
P(keys_of_a_hash)
{
	struct bpf_iter_map_elem it;
	const struct long_key *key;
	struct long_key new = {};
	int sum = 0;

	for (int i = 0; i < 8; i++) {
		new.n = i;
		bpf_map_update_elem(&long_keys, &new, &i, 0);
	}
	bpf_iter_map_elem_new(&it, &long_keys);
	while ((key = bpf_iter_map_elem_next(&it))) {
		sum += key->n;
		bpf_map_delete_elem(&long_keys, key);
	}
	if (bpf_iter_map_elem_next(&it))
		sum = -1;
	bpf_iter_map_elem_destroy(&it);
	return sum;
}

/* A value is found by its key, with all that is known of it. */
ACCEPT RETVAL(4)
P(values_by_their_keys)
{
	struct bpf_iter_map_elem it;
	const __u32 *key;
	int seen = 0;

	bpf_iter_map_elem_new(&it, &A);
	while ((key = bpf_iter_map_elem_next(&it))) {
		struct value *v = bpf_map_lookup_elem(&A, key);
		struct T *ref = v ? v->ref : NULL;

		seen += v && !(ref && ref->pid);
	}
	bpf_iter_map_elem_destroy(&it);
	return seen;
}

REJECT(MEM_WRITE, "cannot write into rdonly_mem")
P(key_written)
{
	struct bpf_iter_map_elem it;
	__u32 *key;

	bpf_iter_map_elem_new(&it, &A);
	key = (void *)bpf_iter_map_elem_next(&it);
	if (key)
		*key = 1;
	bpf_iter_map_elem_destroy(&it);
	return 0;
}

REJECT(REGION_MIN, "invalid access to memory, mem_size=4")
P(key_of_another_size)
{
	struct bpf_iter_map_elem it;
	const __u64 *key;
	int result = 0;

	bpf_iter_map_elem_new(&it, &A);
	key = bpf_iter_map_elem_next(&it);
	if (key)
		result = (int)*key;
	bpf_iter_map_elem_destroy(&it);
	return result;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(key_after_the_next)
{
	struct bpf_iter_map_elem it;
	const __u32 *key;
	int result = 0;

	bpf_iter_map_elem_new(&it, &A);
	key = bpf_iter_map_elem_next(&it);
	bpf_iter_map_elem_next(&it);
	if (key)
		result = *key;
	bpf_iter_map_elem_destroy(&it);
	return result;
}

REJECT(UNSUPPORTED, "an iterator over a map without keys")
P(keys_of_a_queue)
{
	struct bpf_iter_map_elem it;

	bpf_iter_map_elem_new(&it, &queue);
	bpf_iter_map_elem_destroy(&it);
	return 0;
}

REJECT(KFUNC_MAP, "pointer in R2 isn't map pointer")
P(keys_of_a_number)
{
	struct bpf_iter_map_elem it;

	bpf_iter_map_elem_new(&it, (void *)(long)n);
	bpf_iter_map_elem_destroy(&it);
	return 0;
}

/* ---- the host's objects ---- */

ACCEPT RETVAL(21)
P(objects_of_the_host)
{
	struct bpf_iter_ts it;
	struct T *each;
	int sum = 0;

	bpf_iter_ts_new(&it, 3);
	while ((each = bpf_iter_ts_next(&it)))
		sum += t_use(each); /* trusted */
	bpf_iter_ts_destroy(&it);
	return sum;
}

ACCEPT RETVAL(-22)
P(no_objects_of_the_host)
{
	struct bpf_iter_ts it;
	int err = bpf_iter_ts_new(&it, -1);

	if (bpf_iter_ts_next(&it))
		err = 0;
	bpf_iter_ts_destroy(&it);
	return err;
}

/* A reference outlives the iterator; what it gave does not. */
ACCEPT RETVAL(7)
P(object_kept)
{
	struct bpf_iter_ts it;
	struct T *each, *kept = NULL;
	int pid = 0;

	bpf_iter_ts_new(&it, 1);
	each = bpf_iter_ts_next(&it);
	if (each)
		kept = t_get(each);
	bpf_iter_ts_destroy(&it);
	if (kept) {
		pid = kept->pid;
		t_put(kept);
	}
	return pid;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
P(object_after_its_iterator)
{
	struct bpf_iter_ts it;
	struct T *each;

	bpf_iter_ts_new(&it, 1);
	each = bpf_iter_ts_next(&it);
	bpf_iter_ts_destroy(&it);
	return each ? each->pid : 0;
}

REJECT(ITER_INIT, "expected an initialized iter_ts as arg #0")
P(objects_before_new)
{
	struct bpf_iter_ts it;

	bpf_iter_ts_next(&it);
	return 0;
}

/* ---- strings ---- */

extern int bpf_strcmp(const char *a, const char *b) __ksym;
extern int bpf_strcasecmp(const char *a, const char *b) __ksym;
extern int bpf_strchr(const char *s, char c) __ksym;
extern int bpf_strnchr(const char *s, __u64 n, char c) __ksym;
extern int bpf_strchrnul(const char *s, char c) __ksym;
extern int bpf_strrchr(const char *s, int c) __ksym;
extern int bpf_strlen(const char *s) __ksym;
extern int bpf_strnlen(const char *s, __u32 n) __ksym;
extern int bpf_strspn(const char *s, const char *accept) __ksym;
extern int bpf_strcspn(const char *s, const char *reject) __ksym;
extern int bpf_strstr(const char *s, const char *part) __ksym;
extern int bpf_strnstr(const char *s, const char *part, __u64 n) __ksym;

static char text[] = "hello, world", empty[] = "", upper[] = "HELLO, world";
static char other[] = "hello, worms", set[] = "ehlo", comma[] = ",", wor[] = "wor";

ACCEPT RETVAL(0)
P(strings)
{
	int wrong = 0;

	wrong |= bpf_strcmp(text, text) != 0 || bpf_strcmp(text, other) != -1;
	wrong |= bpf_strcmp(other, text) != 1 || bpf_strcmp(empty, text) != -1;
	wrong |= bpf_strcasecmp(text, upper) != 0 || bpf_strcmp(text, upper) != 1;
	wrong |= bpf_strchr(text, 'o') != 4 || bpf_strchr(text, 'x') != -2;
	wrong |= bpf_strchr(text, 0) != 12 || bpf_strnchr(text, 4, 'o') != -2;
	wrong |= bpf_strnchr(text, 5, 'o') != 4 || bpf_strchrnul(text, 'x') != 12;
	wrong |= bpf_strchrnul(text, 'o') != 4 || bpf_strrchr(text, 'o') != 8;
	wrong |= bpf_strrchr(text, 0) != 12 || bpf_strrchr(text, 'x') != -2;
	wrong |= bpf_strlen(text) != 12 || bpf_strlen(empty) != 0;
	wrong |= bpf_strnlen(text, 5) != 5 || bpf_strnlen(text, 50) != 12;
	wrong |= bpf_strspn(text, set) != 5 || bpf_strcspn(text, comma) != 5;
	wrong |= bpf_strspn(text, empty) != 0 || bpf_strcspn(text, empty) != 12;
	wrong |= bpf_strstr(text, wor) != 7 || bpf_strstr(text, empty) != 0;
	wrong |= bpf_strstr(text, upper) != -2 || bpf_strstr(wor, text) != -2;
	wrong |= bpf_strnstr(text, wor, 9) != -2 || bpf_strnstr(text, wor, 10) != 7;
	return wrong;
}

/* Nowhere, of an object of the host, of a part of the stack. */
ACCEPT RETVAL(0)
P(strings_that_are_not_there)
{
	char here[8] = "abc";
	int wrong = 0;

	wrong |= bpf_strlen(NULL) != -14 || bpf_strstr(text, NULL) != -14;
	wrong |= bpf_strlen(here) != 3 || bpf_strlen(t->name) < 0;
	return wrong;
}

/* J12: where it points a program could find out what its host's memory holds. */
REJECT(PROBE_NUMBER, "a number is no address to read from")
P(string_at_a_number)
{
	return bpf_strlen((void *)4097);
}

REJECT(PROBE_NUMBER, "a number is no address to read from")
P(string_at_a_number_beside_one)
{
	return bpf_strcmp(text, (void *)(long)bpf_get_prandom_u32());
}

static char unended[4] = {'a', 'b', 'c', 'd'}, behind[4] = "ef";

/* The search ends with the memory: what lies behind is not looked at. */
ACCEPT RETVAL(0)
P(string_without_end)
{
	char here[4] = {'a', 'b', 'c', 'd'};
	int wrong = 0;

	/* The map value goes on; the stack does not. */
	wrong |= bpf_strlen(unended) < 4 || bpf_strnlen(unended, 4) != 4;
	wrong |= bpf_strlen(behind) != 2;
	__asm__ volatile("" : : "r"(here) : "memory");
	wrong |= bpf_strlen((char *)here) == 0;
	return wrong;
}

struct named {
	char name[8];
	struct T __kptr *t;
	char more[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct named);
} names SEC(".maps");

static struct named *named_of(__u32 key)
{
	return bpf_map_lookup_elem(&names, &key);
}

/* A string may stand before a pointer field, and ends there at the latest. */
ACCEPT RETVAL(-7)
P(string_up_to_a_field)
{
	struct named *v = named_of(0);

	if (!v)
		return -7;
	__builtin_memset(v->name, 'x', sizeof(v->name));
	return bpf_strlen(v->name);
}

REJECT(SLOT_INDIRECT, "kptr cannot be accessed indirectly")
P(string_in_a_field)
{
	struct named *v = named_of(0);

	return v ? bpf_strlen((char *)&v->t) : 0;
}

/* Where on some path an address is, the string ends on all of them. */
ACCEPT RETVAL(-7)
P(string_before_what_may_be_an_address)
{
	long size = 0, i = 0;

	if (bpf_strlen("abc") != 3)
		return 0;
	ASM("r1 = 0x4141414141414141 ll\n\t*(u64 *)(r10 - 16) = r1\n\tr1 = 0\n\t"
	    "*(u64 *)(r10 - 8) = r1\n\tif %1 s< 3333 goto +1\n\t*(u64 *)(r10 - 8) = %3\n\t"
	    "if %2 == 5 goto +1\n\t%2 += 1\n\tif %2 == 6 goto +1\n\t%2 += 1\n\t"
	    "if %2 == 7 goto +1\n\t%2 += 1\n\tif %2 == 8 goto +1\n\t%2 += 1\n\t"
	    "if %1 == 5 goto +1\n\t%1 += 1\n\tif %1 == 6 goto +1\n\t%1 += 1\n\t"
	    "if %1 == 7 goto +1\n\t%1 += 1\n\tif %1 == 8 goto +1\n\t%1 += 1\n\t"
	    "r1 = r10\n\tr1 += -16\n\tcall bpf_strlen\n\t%0 = r0"
	    : "=r"(size), "+r"(n), "+r"(i) : "r"(t)
	    : "r0", "r1", "r2", "r3", "r4", "r5", "memory");
	return (int)size;
}

#endif
