/* SPDX-License-Identifier: MIT
 *
 * compute.bpf.c: arithmetic, hashing, strings, parsing, dispatch: no helpers, no maps but
 * global data.
 */
#include "work.h"

enum { SIZE = 1024 };

u8 input[SIZE + 64];
u8 output[SIZE + 64];
u32 words[256];
u64 longs[128];
u32 table[256];
u8 code[256];

WORK(fill)
{
	u32 x = 12345;

	for (u32 i = 0; i < SIZE; i++) {
		x = x * 1103515245 + 12345;
		input[i] = x >> 16;
	}
	for (u32 i = 0; i < 256; i++) {
		x = x * 1103515245 + 12345;
		words[i & 255] = x ^ x >> 7;
		code[i & 255] = (x >> 20) % 7;
		u32 c = i;

		for (u32 k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		table[i & 255] = c;
	}
	for (u32 i = 0; i < 128; i++)
		longs[i & 127] = (u64)words[i] << 32 | words[255 - i];
	return 0;
}

WORK(sum)
{
	u32 a = 1, b = 2;

	for (u32 i = 0; i < 256; i++) {
		a += words[i] ^ b;
		b = (b << 3) - a;
		OPAQUE(a);
	}
	return a ^ b;
}

WORK(collatz)
{
	u64 n = 837799;
	u32 steps = 0;

	for (u32 i = 0; i < 400; i++) {
		OPAQUE(n);
		n = n & 1 ? 3 * n + 1 : n >> 1;
		steps += n != 1;
	}
	return steps + (u32)n;
}

WORK(divide)
{
	u64 sum = 0;

	for (u32 i = 0; i < 127; i++)
		sum += longs[i] / (words[i] | 1) + longs[i + 1] % (words[i] >> 8 | 1);
	return sum ^ sum >> 32;
}

WORK(decimal) /* division by constants */
{
	u32 sum = 0;

	for (u32 i = 0; i < 64; i++) {
		u32 v = words[i];

		for (u32 k = 0; k < 9; k++) {
			OPAQUE(v);
			sum += v % 10;
			v /= 10;
		}
	}
	return sum;
}

WORK(hash_jenkins)
{
	u32 a = 0xdeadbeef, b = a, c = a;

	for (u32 i = 0; i + 2 < 256; i += 3) {
		a += words[i], b += words[i + 1], c += words[i + 2];
		a -= c, a ^= ROTL32(c, 4), c += b;
		b -= a, b ^= ROTL32(a, 6), a += c;
		c -= b, c ^= ROTL32(b, 8), b += a;
		a -= c, a ^= ROTL32(c, 16), c += b;
		b -= a, b ^= ROTL32(a, 19), a += c;
		c -= b, c ^= ROTL32(b, 4), b += a;
	}
	return a ^ b ^ c;
}

WORK(hash_siphash)
{
	u64 v0 = 0x736f6d6570736575, v1 = 0x646f72616e646f6d, v2 = 0x6c7967656e657261,
	    v3 = 0x7465646279746573;

	for (u32 i = 0; i < 128; i++) {
		u64 m = longs[i];

		v3 ^= m;
		for (u32 k = 0; k < 2; k++) {
			v0 += v1, v1 = ROTL64(v1, 13), v1 ^= v0, v0 = ROTL64(v0, 32);
			v2 += v3, v3 = ROTL64(v3, 16), v3 ^= v2;
			v0 += v3, v3 = ROTL64(v3, 21), v3 ^= v0;
			v2 += v1, v1 = ROTL64(v1, 17), v1 ^= v2, v2 = ROTL64(v2, 32);
		}
		v0 ^= m;
	}
	v0 ^= v1 ^ v2 ^ v3;
	return v0 ^ v0 >> 32;
}

WORK(hash_fnv)
{
	u64 h = 0xcbf29ce484222325;

	for (u32 i = 0; i < SIZE; i++)
		h = (h ^ input[i]) * 0x100000001b3;
	return h ^ h >> 32;
}

WORK(crc_table)
{
	u32 c = ~0u;

	for (u32 i = 0; i < SIZE; i++)
		c = table[(c ^ input[i]) & 255] ^ c >> 8;
	return ~c;
}

WORK(random)
{
	u64 s0 = 1, s1 = 2, sum = 0;

	for (u32 i = 0; i < 300; i++) {
		u64 x = s0, y = s1;

		s0 = y;
		x ^= x << 23;
		s1 = x ^ y ^ x >> 17 ^ y >> 26;
		sum += s1 + y;
		OPAQUE(sum);
	}
	return sum ^ sum >> 32;
}

WORK(copy)
{
	u32 sum = 0;

	for (u32 i = 0; i < 16; i++) {
		__asm__ volatile("" ::: "memory");
		__builtin_memcpy(output, input, 256);
		output[i & 255] = i;
		sum += output[(i * 7) & 255];
	}
	return sum;
}

WORK(compare)
{
	u32 same = 0;

	for (u32 i = 0; i < SIZE; i++) {
		u8 a = input[i], b = input[(i * 3) & (SIZE - 1)];

		if (a == b)
			same++;
		else if (a < b)
			same += 3;
	}
	return same;
}

WORK(checksum)
{
	u64 sum = 0;

	for (u32 i = 0; i < SIZE; i += 2) {
		sum += *(u16 *)(input + i);
		OPAQUE(sum);
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

struct header {
	u8 version, tos;
	u16 length, id, frag;
	u8 ttl, protocol;
	u16 check;
	u32 from, to;
	u16 sport, dport;
} __attribute__((packed));

WORK(packets)
{
	u32 sum = 0;

	for (u32 i = 0; i < 40; i++) {
		struct header *h = (struct header *)(input + i * 24);

		if ((h->version >> 4) > 12)
			continue;
		if (h->protocol < 40)
			sum += __builtin_bswap16(h->dport);
		else if (h->protocol < 90)
			sum ^= __builtin_bswap32(h->to) ^ __builtin_bswap16(h->sport);
		else if (h->ttl > 1)
			sum += __builtin_bswap16(h->length) - h->tos;
	}
	return sum;
}

WORK(text) /* a scanner: words, numbers, lines */
{
	u32 state = 0, words_seen = 0, lines = 0, number = 0, sum = 0;

	for (u32 i = 0; i < SIZE; i++) {
		u8 c = input[i] & 127;

		if (c >= '0' && c <= '9') {
			number = state == 2 ? number * 10 + c - '0' : c - '0';
			state = 2;
		} else if ((c | 32) >= 'a' && (c | 32) <= 'z') {
			words_seen += state != 1;
			state = 1;
		} else {
			sum += state == 2 ? number : 0;
			lines += c < 32;
			state = 0;
		}
	}
	return sum ^ words_seen << 8 ^ lines << 20;
}

WORK(dispatch) /* an interpreter of seven operations */
{
	u32 acc = 1, x = 3;

	for (u32 i = 0; i < 256; i++) {
		switch (code[i]) {
		case 0: acc += x; break;
		case 1: acc ^= x << 3; break;
		case 2: x = acc >> 2; break;
		case 3: acc *= 5; break;
		case 4: acc -= 77; break;
		case 5: x += acc & 15; break;
		default: acc = ~acc; break;
		}
	}
	return acc ^ x;
}

WORK(bits)
{
	u32 sum = 0;

	for (u32 i = 0; i < 128; i++) {
		u64 v = longs[i];

		v -= v >> 1 & 0x5555555555555555;
		v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
		v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
		sum += v * 0x0101010101010101 >> 56;
		OPAQUE(sum);
	}
	return sum;
}

WORK(search) /* binary, in a table that grows */
{
	u32 found = 0;

	for (u32 i = 0; i < 64; i++) {
		u32 low = 0, key = (words[i] + found) & 1023;

		for (u32 step = 128; step; step >>= 1) {
			u32 at = (low + step) & 255;

			if (at * 4 <= key)
				low = at;
		}
		found += low;
	}
	return found;
}

WORK(minmax)
{
	u32 low = ~0u, high = 0;
	s64 best = 0;

	for (u32 i = 0; i < 256; i++) {
		u32 w = words[i];

		low = w < low ? w : low;
		high = w > high ? w : high;
		OPAQUE(low);
		best = (s64)longs[i & 127] > best ? (s64)longs[i & 127] : best;
	}
	return low ^ high ^ (u32)best;
}

WORK(matrix)
{
	u32 sum = 0;

	for (u32 i = 0; i < 8; i++)
		for (u32 j = 0; j < 8; j++) {
			u32 dot = 0;

			for (u32 k = 0; k < 8; k++) {
				dot += words[i * 8 + k] * words[64 + k * 8 + j];
				OPAQUE(dot);
			}
			sum ^= dot;
		}
	return sum;
}

SUBPROG u64 mix(u64 a, u64 b, u64 c)
{
	a ^= b >> 7;
	a *= 0x9e3779b97f4a7c15;
	return a + (c << 5);
}

WORK(calls)
{
	u64 h = 1;

	for (u32 i = 0; i < 128; i++)
		h = mix(h, longs[i], i);
	return h ^ h >> 32;
}
