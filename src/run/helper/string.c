/* SPDX-License-Identifier: MIT
 *
 * string.c: strings for programs, as kernels since 6.17 have them: what is not there is
 * -EFAULT, and what has no end within MAX_STRING bytes, or within the memory that it was proved to
 * be in (verify/rule/text.c; the bounds are in r4 and r5), is -E2BIG, as is a search that takes too
 * long. Places are given as indexes, -ENOENT where there is none.
 *
 * Reading is what bpf_probe_read_kernel() does, a piece at a time.
 */
#include "run/helper/string.h"
#include "run/memory/fault.h"
#include "run/helper/helpers.h"

#include <ctype.h>

enum { MAX_STRING = 65536, MAX_STEPS = 1 << 20, /* of a search: it is not metered */
       PIECE = 64 /* divides a page: it is there or is not */ };

struct string {
	u64 at;
	u64 piece_at; /* address of piece[0]; 0: none read yet */
	u64 room; /* bytes from `at` that may be read */
	u32 n, steps;
	u8 piece[PIECE];
};

/* Byte @i, or a negative errno. */
static int byte_of(struct string *s, u64 i)
{
	u64 addr = s->at + i;

	if (i >= MAX_STRING || (i >= s->room && s->at) || s->steps++ >= MAX_STEPS)
		return -E2BIG;
	if (!s->n || addr < s->piece_at || addr - s->piece_at >= s->n) {
		u32 n = PIECE - (u32)(addr % PIECE), room = probe_room(addr, n);

		s->n = 0;
		n = (u32)fault_copy(s->piece, helper_ptr(addr), min_u32(n, room));
		if (!n)
			return -EFAULT;
		s->piece_at = addr;
		s->n = n;
	}
	return s->piece[addr - s->piece_at];
}

static s64 compare(struct string s, struct string t, bool fold)
{
	for (u64 i = 0;; i++) {
		int x = byte_of(&s, i), y = byte_of(&t, i);

		if (x < 0 || y < 0)
			return x < 0 ? x : y;
		if (fold) {
			x = tolower(x);
			y = tolower(y);
		}
		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return 0;
	}
}

static struct string string(u64 at, u64 room)
{
	return (struct string){.at = at, .room = room};
}

s64 string_cmp(u64 a, u64 b, u64 c, u64 room_a, u64 room_b)
{
	return compare(string(a, room_a), string(b, room_b), false);
}

s64 string_casecmp(u64 a, u64 b, u64 c, u64 room_a, u64 room_b)
{
	return compare(string(a, room_a), string(b, room_b), true);
}

static s64 find(struct string s, u64 n, u64 c)
{
	for (u64 i = 0; i < n; i++) {
		int x = byte_of(&s, i);

		if (x < 0)
			return x;
		if (x == (u8)c)
			return (s64)i;
		if (!x)
			break;
	}
	return -ENOENT;
}

s64 string_nchr(u64 s, u64 n, u64 c, u64 room)
{
	return find(string(s, room), n, c);
}

s64 string_chr(u64 s, u64 c, u64 b, u64 room)
{
	return find(string(s, room), UINT64_MAX, c);
}

s64 string_nlen(u64 s, u64 n, u64 b, u64 room)
{
	s64 i = find(string(s, room), n, 0);

	return i == -ENOENT ? (s64)n : i;
}

s64 string_len(u64 s, u64 a, u64 b, u64 room)
{
	return find(string(s, room), UINT64_MAX, 0);
}

s64 string_chrnul(u64 s, u64 c, u64 b, u64 room)
{
	s64 i = find(string(s, room), UINT64_MAX, c);

	return i == -ENOENT ? find(string(s, room), UINT64_MAX, 0) : i;
}

s64 string_rchr(u64 at, u64 c, u64 b, u64 room)
{
	struct string s = string(at, room);
	s64 last = -ENOENT;

	for (u64 i = 0;; i++) {
		int x = byte_of(&s, i);

		if (x < 0)
			return x;
		if (x == (u8)c)
			last = (s64)i;
		if (!x)
			return last;
	}
}

/* Whether @c is in @set, or a negative errno. */
static int is_in(struct string *set, int c)
{
	for (u64 i = 0;; i++) {
		int x = byte_of(set, i);

		if (x <= 0 || x == c)
			return x < 0 ? x : x == c;
	}
}

/* How many bytes the string begins with that are in the set (@in), or are not. */
static s64 span(struct string s, struct string set, bool in)
{
	for (u64 i = 0;; i++) {
		int x = byte_of(&s, i);
		int found;

		if (x < 0)
			return x;
		if (!x)
			return (s64)i;
		found = is_in(&set, x);
		if (found < 0)
			return found;
		if (found != in)
			return (s64)i;
	}
}

s64 string_spn(u64 s, u64 accept, u64 c, u64 room, u64 room_accept)
{
	return span(string(s, room), string(accept, room_accept), true);
}

s64 string_cspn(u64 s, u64 reject, u64 c, u64 room, u64 room_reject)
{
	return span(string(s, room), string(reject, room_reject), false);
}

/* Whether @part is at @i: 1; 0: it is not; -ENOENT: nor further on, @s ends before. */
static int part_at(struct string *s, struct string *part, u64 i, u64 n)
{
	for (u64 k = 0;; k++) {
		int y = byte_of(part, k), x;

		if (y <= 0)
			return y ? y : 1;
		if (i + k >= n)
			return -ENOENT;
		x = byte_of(s, i + k);
		if (x <= 0)
			return x ? x : -ENOENT;
		if (x != y)
			return 0;
	}
}

s64 string_nstr(u64 at, u64 part_of, u64 n, u64 room, u64 room_part)
{
	struct string s = string(at, room), part = string(part_of, room_part);

	for (u64 i = 0; i < MAX_STRING; i++) {
		int is = part_at(&s, &part, i, n);

		if (is)
			return is < 0 ? is : (s64)i;
	}
	return -E2BIG;
}

s64 string_str(u64 s, u64 part, u64 c, u64 room, u64 room_part)
{
	return string_nstr(s, part, UINT64_MAX, room, room_part);
}
