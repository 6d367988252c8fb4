/* SPDX-License-Identifier: MIT
 *
 * helper_probe.c: helpers that read memory which may not be there (J11), and sums of
 * memory that is.
 */
#include "run/helper/helpers.h"

/* Under probe_region, what is of no pool is of no concern to programs. */
u32 probe_room(u64 addr, u32 size)
{
	const struct slot_ctx *slot = slot_current();
	u64 room;

	if (!slot || !slot->host->opts.probe_region)
		return size;
	room = pools_room(slot->host, addr);
	return room < size ? (u32)room : size;
}

/* long(dst, size, src): 0, or -EFAULT with all of dst zeroed. */
HELPER_FN(probe_read_kernel)
{
	u32 size = (u32)b;

	if (probe_room(c, size) < size) {
		memset(helper_ptr(a), 0, size);
		return helper_err(-EFAULT);
	}
	if (fault_copy(helper_ptr(a), helper_ptr(c), size) == size)
		return 0;
	memset(helper_ptr(a), 0, size);
	return helper_err(-EFAULT);
}

enum { PIECE = 64 }; /* divides a page: a piece aligned to it is there or is not */

s64 probe_str(char *to, u32 size, const void *from)
{
	u32 n = 0;

	while (n < size) {
		const char *at = (const char *)from + n;
		u32 want = min_u32(size - n, PIECE - (uintptr_t)at % PIECE);
		u32 got = (u32)fault_copy(to + n, at, want);
		char *end = memchr(to + n, 0, got);

		if (end) { /* nothing of what follows the string stays */
			memset(end, 0, size - (u32)(end - to));
			return end - to + 1;
		}
		if (got < want) {
			memset(to, 0, size);
			return -EFAULT;
		}
		n += got;
	}
	if (size)
		to[size - 1] = 0;
	return size;
}

/* long(dst, size, src): length with the NUL, cut to size; or -EFAULT and zeros. */
HELPER_FN(probe_read_kernel_str)
{
	u32 size = (u32)b, room = probe_room(c, size);

	if (room < size) /* what is behind the pool's end counts as not there */
		memset((char *)helper_ptr(a) + room, 0, size - room);
	if (size && !room)
		return helper_err(-EFAULT);
	return (u64)probe_str(helper_ptr(a), room, helper_ptr(c));
}

/* Ones' complement sum of words; what is short of a word counts as followed by zeros. */
static u32 csum_add(u32 sum, const u8 *p, u32 size)
{
	u64 total = sum;

	for (u32 i = 0; i < size; i += 4) {
		u32 word = 0;

		memcpy(&word, p + i, min_u32(size - i, 4));
		total += word;
	}
	total = (total & UINT32_MAX) + (total >> 32);
	return (u32)(total + (total >> 32));
}

static u32 csum_fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* s64(from, from_size, to, to_size, seed): the sum that changes by what replaces @from by
 * @to, folded to 16 bits as kernels since 6.13 do. Additions wrap round: sum of @to and
 * the seed, less the sum of @from. */
HELPER_FN(csum_diff)
{
	u32 from_size = (u32)b, to_size = (u32)d, seed = (u32)e, sum, minus;

	if (!to_size && from_size) /* one subtraction, so that 0 less 0 is 0 and not -0 */
		return csum_fold(~csum_add(~seed, helper_ptr(a), from_size));
	sum = csum_add(seed, helper_ptr(c), to_size);
	if (from_size) {
		minus = ~csum_add(0, helper_ptr(a), from_size);
		sum = csum_add(sum, (const u8 *)&minus, 4);
	}
	return csum_fold(sum);
}
