/* SPDX-License-Identifier: MIT
 *
 * ctx.c: contexts of the kernel's program types, from the table in ctx.def.
 */
#include "abi/fields.h"
#include "abi/linux/linux.h"

enum packet_access { PACKET_NO, PACKET_RD, PACKET_RDWR };
enum { LINUX_AT_ANY = NR_LINUX_ATTACH };

/* The most members a context has. */
enum { MAX_FIELDS = 40 };

static const struct context {
	u8 type, attach; /* enum linux_prog, linux_attach */
	u8 packet;	 /* enum packet_access */
	struct abi_ctx_field fields[MAX_FIELDS]; /* ended by one of size 0 */
} contexts[] = {
#define CONTEXT(type_, attach_, packet_, ...)                                            \
	{LINUX_##type_, LINUX_AT_##attach_, PACKET_##packet_, {__VA_ARGS__}},
#include "abi/linux/ctx.def"
#undef CONTEXT
};

static const struct context *context_of(u32 type, u32 attach)
{
	for (u32 i = 0; i < ARRAY_SIZE(contexts); i++)
		if (contexts[i].type == type &&
		    (contexts[i].attach == attach || contexts[i].attach == LINUX_AT_ANY))
			return &contexts[i];
	return NULL;
}

static u32 count(const struct context *c)
{
	u32 n = 0;

	while (n < MAX_FIELDS && c->fields[n].size)
		n++;
	return n;
}

/* Structs are looked up by name; what a kernel lacks cannot be read. */
static void find_struct(const struct abi *abi, struct abi_ctx_field *f)
{
	if (f->kind == CTX_POINTER && !abi_find_struct(abi, f->name, &f->btf, &f->type))
		f->reads = 0;
}

/* Who may use the loads of classic BPF. */
static const u8 ld_abs[] = {LINUX_SOCKET_FILTER, LINUX_SCHED_CLS, LINUX_SCHED_ACT};
/* Whose context is the memory it seems to be. */
static const u8 plain[] = {LINUX_SYSCALL, LINUX_KPROBE, LINUX_TRACEPOINT,
			   LINUX_RAW_TRACEPOINT};

static bool has(const u8 *types, u32 n, u32 type)
{
	for (u32 i = 0; i < n; i++)
		if (types[i] == type)
			return true;
	return false;
}

int linux_ctx(const struct abi *abi, struct arena *arena, struct abi_prog_type *type)
{
	const struct context *c = context_of(type->bit, type->attach);
	u32 n = c ? count(c) : 0;
	struct abi_ctx_field *fields;

	type->kind = PROG_CTX;
	if (!c)
		return 0;
	fields = arena_array(arena, n, sizeof(*fields));
	if (!fields)
		return -ENOMEM;
	for (u32 i = 0; i < n; i++) {
		fields[i] = c->fields[i];
		find_struct(abi, &fields[i]);
		if (type->ctx_size < fields[i].off + fields[i].size)
			type->ctx_size = fields[i].off + fields[i].size;
	}
	type->fields = fields;
	type->nfields = n;
	type->packet_hidden = c->packet == PACKET_NO;
	type->packet_writable = c->packet == PACKET_RDWR;
	type->ld_abs = has(ld_abs, ARRAY_SIZE(ld_abs), type->bit);
	type->ctx_is_plain = has(plain, ARRAY_SIZE(plain), type->bit);
	return 0;
}
