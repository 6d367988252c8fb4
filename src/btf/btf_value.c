/* SPDX-License-Identifier: MIT
 *
 * btf_value.c: bytes as the values of their type.
 *
 * Types are a program's: nesting is bounded, and no member is read that does not lie within
 * the bytes at hand. What is too deep, or described wrongly, is printed as hex digits.
 */
#include "btf/btf_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

enum { MAX_DEPTH = 24, MAX_HEX = 64 };

struct printing {
	struct out *out;
	const struct btf *btf;
};

static void value(struct printing *p, u32 id, const u8 *data, u32 size, u32 depth);

static void hex(struct printing *p, const u8 *data, u32 size)
{
	out_add(p->out, "\"");
	for (u32 i = 0; i < size && i < MAX_HEX; i++)
		out_add(p->out, "%02x", data[i]);
	out_add(p->out, "%s\"", size > MAX_HEX ? "..." : "");
}

/* Up to 8 bytes of this host's order. */
static u64 bits_of(const u8 *data, u32 size)
{
	u64 n = 0;

	memcpy(&n, data, size < sizeof(n) ? size : sizeof(n));
	return n;
}

static s64 extend(u64 n, u32 bits)
{
	return bits && bits < 64 ? (s64)(n << (64 - bits)) >> (64 - bits) : (s64)n;
}

static void number(struct printing *p, const struct btf_type *t, u64 n, u32 bits)
{
	if (btf_int_bool(t))
		out_add(p->out, n ? "true" : "false");
	else if (btf_int_signed(t))
		out_add(p->out, "%lld", (long long)extend(n, bits));
	else
		out_add(p->out, "%llu", (unsigned long long)n);
}

static void enumerator(struct printing *p, const struct btf_type *t, s64 n)
{
	const char *name = NULL;

	for (u32 i = 0; i < btf_vlen(t) && !name; i++)
		if (btf_enumerators(t)[i].val == (s32)n)
			name = btf_str(p->btf, btf_enumerators(t)[i].name_off);
	if (name)
		out_json(p->out, name, strlen(name));
	else
		out_add(p->out, "%lld", (long long)n);
}

/* Text, and after it only zeros. */
static bool is_text(const u8 *data, u32 n)
{
	u32 len = 0;

	while (len < n && isprint(data[len]))
		len++;
	for (u32 i = len; i < n; i++)
		if (data[i])
			return false;
	return len > 0;
}

static void array(struct printing *p, const struct btf_type *t, const u8 *data, u32 size,
		  u32 depth)
{
	const struct btf_array_info *a = btf_array(t);
	const struct btf_type *of = btf_type(p->btf, btf_skip_mods(p->btf, a->type));
	u32 each = 0;

	if (!btf_size(p->btf, a->type, &each) || !each || (u64)each * a->nelems > size) {
		hex(p, data, size);
		return;
	}
	if (each == 1 && btf_kind(of) == BTF_INT && is_text(data, a->nelems)) {
		out_json(p->out, (const char *)data, strnlen((const char *)data, a->nelems));
		return;
	}
	out_add(p->out, "[");
	for (u32 i = 0; i < a->nelems && !p->out->full; i++) {
		out_add(p->out, i ? "," : "");
		value(p, a->type, data + (size_t)i * each, each, depth + 1);
	}
	out_add(p->out, "]");
}

static void bitfield(struct printing *p, const struct btf_member *m, const u8 *data, u32 size,
		     u32 bit, u32 bits)
{
	const struct btf_type *t = btf_type(p->btf, btf_skip_mods(p->btf, m->type));
	u32 from = bit / 8, bytes = (bit % 8 + bits + 7) / 8;
	u64 n = bytes <= 8 && from + bytes <= size ? bits_of(data + from, bytes) : 0;

	n = n >> bit % 8 & (bits < 64 ? BIT64(bits) - 1 : ~0ull);
	if (btf_kind(t) == BTF_INT)
		number(p, t, n, bits);
	else
		out_add(p->out, "%llu", (unsigned long long)n);
}

static void member(struct printing *p, const struct btf_type *t, const struct btf_member *m,
		   const u8 *data, u32 size, u32 depth)
{
	u32 bit = btf_member_bit(t, m), bits = btf_member_bits(t, m), bytes = 0;
	const char *name = btf_str(p->btf, m->name_off);

	out_json(p->out, name, strlen(name));
	out_add(p->out, ":");
	if (bits)
		bitfield(p, m, data, size, bit, bits);
	else if (btf_size(p->btf, m->type, &bytes) && (u64)bit / 8 + bytes <= size)
		value(p, m->type, data + bit / 8, bytes, depth + 1);
	else
		out_add(p->out, "null");
}

static void composite(struct printing *p, const struct btf_type *t, const u8 *data, u32 size,
		      u32 depth)
{
	out_add(p->out, "{");
	for (u32 i = 0; i < btf_vlen(t) && !p->out->full; i++) {
		out_add(p->out, i ? "," : "");
		member(p, t, &btf_members(t)[i], data, size, depth);
	}
	out_add(p->out, "}");
}

/* Variables of a section of global data. */
static void section(struct printing *p, const struct btf_type *t, const u8 *data, u32 size,
		    u32 depth)
{
	out_add(p->out, "{");
	for (u32 i = 0; i < btf_vlen(t) && !p->out->full; i++) {
		const struct btf_secinfo *v = &btf_secinfos(t)[i];
		const char *name = btf_type_name(p->btf, v->type);

		out_add(p->out, i ? "," : "");
		out_json(p->out, name, strlen(name));
		out_add(p->out, ":");
		if (add_fits(v->offset, v->size, size))
			value(p, btf_type(p->btf, v->type)->type, data + v->offset, v->size,
			      depth + 1);
		else
			out_add(p->out, "null");
	}
	out_add(p->out, "}");
}

static void value(struct printing *p, u32 id, const u8 *data, u32 size, u32 depth)
{
	const struct btf_type *t = btf_type(p->btf, id = btf_skip_mods(p->btf, id));

	switch (depth > MAX_DEPTH ? BTF_VOID : btf_kind(t)) {
	case BTF_INT:
		if (size > 8)
			break;
		number(p, t, bits_of(data, size), 8 * size);
		return;
	case BTF_ENUM:
		enumerator(p, t, extend(bits_of(data, size), 8 * size));
		return;
	case BTF_PTR: /* addresses are nobody's business */
		out_add(p->out, bits_of(data, size) ? "\"hidden\"" : "null");
		return;
	case BTF_ARRAY:
		array(p, t, data, size, depth);
		return;
	case BTF_STRUCT:
	case BTF_UNION:
		composite(p, t, data, size, depth);
		return;
	case BTF_DATASEC:
		section(p, t, data, size, depth);
		return;
	default:
		break;
	}
	hex(p, data, size);
}

void btf_value_json(struct out *out, const struct btf *btf, u32 type, const void *data, u32 size)
{
	struct printing p = {out, btf};

	if (btf && type)
		value(&p, type, data, size, 0);
	else
		hex(&p, data, size);
}

/* ------------------------------------------------------------------ reading */

static int digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

static bool parse_hex(const char *text, u8 *data, u32 size)
{
	if (strlen(text) != 2 * (size_t)size)
		return false;
	for (u32 i = 0; i < size; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		data[i] = (u8)(high << 4 | low);
	}
	return true;
}

/* Within what @size bytes hold, with a sign or without. */
static bool parse_number(const char *text, void *data, u32 size)
{
	bool negative = *text == '-';
	char *end;
	u64 n, most = size < 8 ? BIT64(8 * size) - 1 : ~0ull;

	if (!isdigit((unsigned char)text[negative]))
		return false;
	errno = 0;
	n = strtoull(text + negative, &end, 0);
	if (errno || *end || n > (negative ? most / 2 + 1 : most))
		return false;
	n = negative ? 0 - n : n;
	memcpy(data, &n, size);
	return true;
}

bool btf_value_parse(const struct btf *btf, u32 type, const char *text, void *data, u32 size)
{
	static const char prefix[] = "hex:";
	enum btf_kind kind = btf && type
				     ? btf_kind(btf_type(btf, btf_skip_mods(btf, type))) : BTF_VOID;

	if (!strncmp(text, prefix, strlen(prefix)))
		return parse_hex(text + strlen(prefix), data, size);
	if (size > 8 || (kind != BTF_INT && kind != BTF_ENUM && kind != BTF_VOID))
		return false;
	return parse_number(text, data, size);
}
