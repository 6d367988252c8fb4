/* SPDX-License-Identifier: MIT
 *
 * btf_build.c: see btf_build.h.
 */
#include "unit/btf_build.h"

#include "btf/btf_impl.h"
#include "test.h"

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

void bb_init(struct bb *b, const struct btf *base)
{
	*b = (struct bb){.base = base, .next_id = base ? btf_end(base) : 1};
	if (!base)
		vec_push(&b->strs, 0);
	b->strs_start = base ? base->strs_start + base->strs_len : 0;
}

void bb_free(struct bb *b)
{
	vec_free(&b->types);
	vec_free(&b->strs);
	free(b->blob);
	b->blob = NULL;
}

static void put(struct bb *b, const void *p, u32 n)
{
	if (!vec_reserve(&b->types, n))
		abort();
	memcpy(b->types.v + b->types.n, p, n);
	b->types.n += n;
}

u32 bb_str(struct bb *b, const char *s)
{
	u32 off = b->strs_start + b->strs.n;

	if (!s || !*s)
		return 0;
	do
		if (!vec_push(&b->strs, *s))
			abort();
	while (*s++);
	return off;
}

void bb_word(struct bb *b, u32 word)
{
	put(b, &word, sizeof(word));
}

u32 bb_raw(struct bb *b, const char *name, enum btf_kind kind, bool kflag, u32 vlen,
	   u32 size_or_type)
{
	bb_word(b, bb_str(b, name));
	bb_word(b, (u32)kflag << 31 | (u32)kind << 24 | vlen);
	bb_word(b, size_or_type);
	return b->next_id++;
}

u32 bb_int(struct bb *b, const char *name, u32 size)
{
	u32 id = bb_raw(b, name, BTF_INT, false, 0, size);

	bb_word(b, (name[0] != 'u' ? BIT(24) : 0) | size * 8);
	return id;
}

u32 bb_ref(struct bb *b, enum btf_kind kind, const char *name, u32 to)
{
	return bb_raw(b, name, kind, false, 0, to);
}

u32 bb_ptr(struct bb *b, u32 to)
{
	return bb_ref(b, BTF_PTR, NULL, to);
}

u32 bb_tagged_ptr(struct bb *b, const char *tag, u32 to)
{
	return bb_ptr(b, bb_ref(b, BTF_TYPE_TAG, tag, to));
}

u32 bb_array(struct bb *b, u32 elem, u32 n)
{
	u32 index = bb_int(b, "unsigned long", 8);
	u32 id = bb_raw(b, NULL, BTF_ARRAY, false, 0, 0);

	bb_word(b, elem);
	bb_word(b, index);
	bb_word(b, n);
	return id;
}

u32 bb_fwd(struct bb *b, const char *name, bool is_union)
{
	return bb_raw(b, name, BTF_FWD, is_union, 0, 0);
}

u32 bb_composite(struct bb *b, enum btf_kind kind, const char *name, u32 size, u32 n,
		 const struct bb_member *m)
{
	bool kflag = false;
	u32 id;

	for (u32 i = 0; i < n; i++)
		kflag |= m[i].bits != 0;
	id = bb_raw(b, name, kind, kflag, n, size);
	for (u32 i = 0; i < n; i++) {
		bb_word(b, bb_str(b, m[i].name));
		bb_word(b, m[i].type);
		bb_word(b, m[i].bits << 24 | m[i].bit);
	}
	return id;
}

u32 bb_enum_of(struct bb *b, const char *name, u32 n, const struct bb_value *v)
{
	u32 id = bb_raw(b, name, BTF_ENUM, true, n, 4);

	for (u32 i = 0; i < n; i++) {
		bb_word(b, bb_str(b, v[i].name));
		bb_word(b, (u32)v[i].value);
	}
	return id;
}

u32 bb_proto_of(struct bb *b, u32 ret, u32 n, const struct bb_member *p)
{
	u32 id = bb_raw(b, NULL, BTF_FUNC_PROTO, false, n, ret);

	for (u32 i = 0; i < n; i++) {
		bb_word(b, bb_str(b, p[i].name));
		bb_word(b, p[i].type);
	}
	return id;
}

u32 bb_func(struct bb *b, const char *name, u32 proto)
{
	return bb_raw(b, name, BTF_FUNC, false, BTF_GLOBAL, proto);
}

u32 bb_var(struct bb *b, const char *name, u32 type, enum btf_linkage linkage)
{
	u32 id = bb_raw(b, name, BTF_VAR, false, 0, type);

	bb_word(b, linkage);
	return id;
}

u32 bb_datasec_of(struct bb *b, const char *name, u32 size, u32 n,
		  const struct btf_secinfo *s)
{
	u32 id = bb_raw(b, name, BTF_DATASEC, false, n, size);

	put(b, s, n * sizeof(*s));
	return id;
}

u32 bb_decl_tag(struct bb *b, const char *value, u32 target, s32 component)
{
	u32 id = bb_raw(b, value, BTF_DECL_TAG, false, 0, target);

	bb_word(b, (u32)component);
	return id;
}

u8 *bb_blob(struct bb *b)
{
	struct bb_header h = {
		.magic = 0xeb9f, .version = 1, .hdr_len = sizeof(h),
		.type_len = b->types.n, .str_off = b->types.n, .str_len = b->strs.n,
	};

	free(b->blob);
	b->size = (u32)sizeof(h) + b->types.n + b->strs.n;
	b->blob = must(malloc(b->size));
	memcpy(b->blob, &h, sizeof(h));
	if (b->types.n)
		memcpy(b->blob + sizeof(h), b->types.v, b->types.n);
	if (b->strs.n)
		memcpy(b->blob + sizeof(h) + b->types.n, b->strs.v, b->strs.n);
	return b->blob;
}

struct btf *bb_open(struct bb *b, const char *name)
{
	struct log log = {0};
	struct btf *btf;
	int err;

	bb_blob(b);
	err = btf_open(&log, name, b->blob, b->size, b->base, &btf);
	if (err)
		test_fail(__FILE__, __LINE__, "%s: %s", name, log.error);
	log_free(&log);
	return btf;
}

void bb_refused(struct bb *b, const char *part)
{
	struct log log = {0};
	struct btf *btf;
	int err;

	bb_blob(b);
	err = btf_open(&log, "blob", b->blob, b->size, b->base, &btf);
	btf_close(btf);
	bb_free(b);
	CHECK_EQ(err, -EINVAL);
	CHECK_HAS(log.error, part);
	log_free(&log);
}
