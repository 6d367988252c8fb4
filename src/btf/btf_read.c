/* SPDX-License-Identifier: MIT
 *
 * btf_read.c: opening. Decides whether bytes are BTF: the header, the two sections, where
 * each record lies. What a record may say is btf_check.c's; names are btf_index.c's.
 *
 * One pass over the records fills the index from ids to offsets. Nothing is copied, except
 * bytes that are not 4-byte aligned (pahole gives the section no alignment) or that need
 * mending, which are copied once.
 */
#include "btf/btf_impl.h"

#include "base/log.h"

enum { MAGIC = 0xeb9f, MAGIC_SWAPPED = 0x9feb, VERSION = 1 };

struct header {
	u16 magic;
	u8 version, flags;
	u32 hdr_len;
	u32 type_off, type_len; /* offsets count from the end of the header */
	u32 str_off, str_len;
};

static int bad(struct log *log, const struct btf *btf, const char *what)
{
	return log_fail(log, -EINVAL, "%s: BTF: %s", btf->name, what);
}

static bool all_zero(const u8 *p, u64 n)
{
	while (n && !*p)
		p++, n--;
	return !n;
}

static int check_header(struct log *log, const struct btf *btf, const u8 *data, u32 size)
{
	const struct header *h = (const void *)data;

	if (size < sizeof(*h))
		return bad(log, btf, "too short for a header");
	if (h->magic == MAGIC_SWAPPED)
		return bad(log, btf, "big-endian BTF is not supported");
	if (h->magic != MAGIC)
		return bad(log, btf, "no BTF magic");
	if (h->version != VERSION)
		return bad(log, btf, "unknown version");
	if (h->flags)
		return bad(log, btf, "unknown flags");
	if (h->hdr_len < sizeof(*h) || h->hdr_len > size)
		return bad(log, btf, "header length is out of range");
	if (!all_zero(data + sizeof(*h), h->hdr_len - sizeof(*h)))
		return bad(log, btf, "the header has fields of a later format");
	return 0;
}

/* Types, then strings, in either case inside the blob; what belongs to neither is zero. */
static int check_sections(struct log *log, const struct btf *btf, const u8 *data, u32 size)
{
	const struct header *h = (const void *)data;
	u64 room = size - h->hdr_len;
	u64 type_end = (u64)h->type_off + h->type_len, str_end = (u64)h->str_off + h->str_len;
	const u8 *body = data + h->hdr_len;

	if (h->type_off % 4 || h->hdr_len % 4)
		return bad(log, btf, "the type section is not 4-byte aligned");
	if (type_end > room)
		return bad(log, btf, "the type section ends beyond the data");
	if (str_end > room)
		return bad(log, btf, "the string section ends beyond the data");
	if (h->str_off < h->type_off && str_end <= h->type_off)
		return bad(log, btf, "the string section comes before the types");
	if (h->str_off < type_end)
		return bad(log, btf, "the type and string sections overlap");
	if (!all_zero(body, h->type_off) ||
	    !all_zero(body + type_end, h->str_off - type_end) ||
	    !all_zero(body + str_end, room - str_end))
		return bad(log, btf, "data outside the type and string sections");
	return 0;
}

static bool has_controls(const char *s, u32 n)
{
	u32 odd = 0;

	for (u32 i = 0; i < n; i++)
		odd |= ((u8)s[i] < 0x20) & (s[i] != 0);
	return odd;
}

static int check_strings(struct log *log, struct btf *btf)
{
	if (!btf->base && (!btf->strs_len || btf->strs[0]))
		return bad(log, btf, "the string section does not begin with an empty string");
	if (btf->strs_len && btf->strs[btf->strs_len - 1])
		return bad(log, btf, "the string section does not end with a NUL");
	if (btf->strs_start + (u64)btf->strs_len > UINT32_MAX)
		return bad(log, btf, "too many strings");
	btf->strs_odd = has_controls(btf->strs, btf->strs_len);
	return 0;
}

static const struct btf_type *record_at_off(const struct btf *btf, u32 off)
{
	return (const struct btf_type *)(btf->types + off);
}

/* Where each record lies. The index is made as large as the smallest records could ask
 * for, and cut to what there are; pages never touched cost nothing. */
static int index_records(struct log *log, struct btf *btf)
{
	size_t most = btf->types_len / sizeof(struct btf_type) + 1;
	const char *why;
	u32 n = 0, size, *fit;

	btf->offs = malloc(most * sizeof(*btf->offs));
	if (!btf->offs)
		return -ENOMEM;
	for (u32 off = 0; off < btf->types_len; off += size) {
		size = btf_record_size(record_at_off(btf, off), btf->types_len - off, &why);
		if (!size)
			return log_fail(log, -EINVAL, "%s: BTF: type %llu: %s", btf->name,
					(unsigned long long)btf->start + n, why);
		btf->offs[n++] = off;
	}
	if ((u64)btf->start + n > INT32_MAX)
		return bad(log, btf, "too many types");
	btf->end = btf->start + n;
	fit = realloc(btf->offs, ((size_t)n + 1) * sizeof(*btf->offs));
	btf->offs = fit ? fit : btf->offs;
	return 0;
}

static void set_sections(struct btf *btf, const u8 *data)
{
	const struct header *h = (const void *)data;
	const struct btf *base = btf->base;

	btf->types = data + h->hdr_len + h->type_off;
	btf->types_len = h->type_len;
	btf->strs = (const char *)data + h->hdr_len + h->str_off;
	btf->strs_len = h->str_len;
	btf->strs_start = base ? base->strs_start + base->strs_len : 0;
	btf->start = base ? base->end : 1;
}

static int read_all(struct log *log, struct btf *btf, const u8 *data, u32 size, bool mend)
{
	if ((uintptr_t)data % 4 || mend) {
		btf->copy = malloc(size ? size : 1);
		if (!btf->copy)
			return -ENOMEM;
		data = memcpy(btf->copy, data, size);
	}
	TRY(check_header(log, btf, data, size));
	TRY(check_sections(log, btf, data, size));
	set_sections(btf, data);
	TRY(check_strings(log, btf));
	TRY(index_records(log, btf));
	TRY(btf_check(log, btf, mend));
	return btf_index(btf);
}

static int open_one(struct log *log, const char *name, const void *data, u32 size,
		    const struct btf *base, bool mend, struct btf **out)
{
	struct btf *btf = calloc(1, sizeof(*btf));
	int err;

	*out = NULL;
	if (!btf || !(btf->name = strdup(name))) {
		free(btf);
		return log_fail(log, -ENOMEM, "%s: BTF: out of memory", name);
	}
	btf->base = base;
	err = read_all(log, btf, data, size, mend);
	if (err == -ENOMEM)
		log_fail(log, err, "%s: BTF: out of memory", name);
	if (err)
		btf_close(btf);
	else
		*out = btf;
	return err;
}

int btf_open(struct log *log, const char *name, const void *data, u32 size,
	     const struct btf *base, struct btf **out)
{
	return open_one(log, name, data, size, base, false, out);
}

/* Strictly first, for nothing is copied then; where that fails, with a copy to mend. */
int btf_open_host(struct log *log, const char *name, const void *data, u32 size,
		  const struct btf *base, struct btf **out)
{
	if (open_one(NULL, name, data, size, base, false, out) != -EINVAL && *out)
		return 0;
	return open_one(log, name, data, size, base, true, out);
}

const char *btf_str_checked(const struct btf *btf, u32 off)
{
	while (off < btf->strs_start)
		btf = btf->base;
	off -= btf->strs_start;
	if (off < btf->strs_len)
		return btf->strs + off;
	return off ? NULL : ""; /* a split object need not have strings */
}
