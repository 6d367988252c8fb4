/* SPDX-License-Identifier: MIT
 *
 * ctx.c: contexts of the kernel's program types.
 */
#include "abi/linux/linux.h"

/* Members that are packet pointers, of any context that has them. */
static enum ctx_kind kind_of(const char *ctx, const char *name)
{
	if (strcmp(ctx, "__sk_buff") && strcmp(ctx, "xdp_md"))
		return CTX_SCALAR;
	if (!strcmp(name, "data"))
		return CTX_PACKET;
	if (!strcmp(name, "data_end"))
		return CTX_PACKET_END;
	return !strcmp(name, "data_meta") ? CTX_PACKET_META : CTX_SCALAR;
}

static void fill_field(const struct btf *btf, const struct btf_type *t, u32 i,
		       const char *ctx, struct abi_ctx_field *f)
{
	const struct btf_member *m = &btf_members(t)[i];

	f->name = btf_str(btf, m->name_off);
	f->off = btf_member_bit(t, m) / 8;
	btf_size(btf, m->type, &f->size);
	f->kind = kind_of(ctx, f->name);
	f->narrow = f->kind == CTX_SCALAR;
}

int linux_ctx(const struct abi *abi, struct arena *arena, struct abi_prog_type *type)
{
	const struct btf *btf;
	const struct btf_type *t;
	u32 id;

	type->kind = PROG_CTX;
	if (!type->ctx_name || !abi_find_struct(abi, type->ctx_name, &btf, &id))
		return 0;
	t = btf_type(btf, id);
	type->ctx_size = t->size;
	type->nfields = btf_vlen(t);
	type->fields = arena_array(arena, type->nfields, sizeof(type->fields[0]));
	if (!type->fields)
		return -ENOMEM;
	for (u32 i = 0; i < type->nfields; i++)
		fill_field(btf, t, i, type->ctx_name, &type->fields[i]);
	return 0;
}
