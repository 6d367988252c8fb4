/* SPDX-License-Identifier: MIT
 *
 * memarg.c: memory handed to a helper or kfunc: all of it belongs to the program, is
 * readable (and writable where the callee writes), and holds no special field (B24).
 *
 * One function per base of the pointer. Stack memory that the callee writes is afterwards
 * unknown bytes. Where offset or size vary, the callee may leave bytes as they were, so
 * no spilled pointer may be among them: it could be read back as a number.
 */
#include "verify/rule/rule.h"
#include "verify/walk.h"

enum { MAX_VAR_SIZE = 1 << 29 };

static const char any_memory[] =
	"fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_";

struct memarg {
	struct access acc; /* of the whole range: regno, ptr, size */
	bool read, write;
	bool size_varies;  /* the size is only a bound */
	bool printed;	   /* addresses in it are somebody else's business */
};

/* ---- stack ---- */

/* No pointer, and nothing left of one, among the bytes [lo, end) of @frame. */
static int check_no_spill(struct env *env, const struct memarg *m,
			  const struct frame *frame, s64 lo, s64 end)
{
	if (env->abi->policy.ptr_leaks)
		return 0;
	for (s64 at = lo; at < end; at++) {
		u32 i = (u32)(-at - 1) / 8;

		if (i < frame->nslots &&
		    slot_shows_address(&frame->stack[i], (u32)(at + STACK_SIZE) % 8))
			return reject(env, RULE_LEAK, m->acc.regno, "function argument");
	}
	return 0;
}

static int stack_arg(struct env *env, struct memarg *m)
{
	const struct reg *ptr = &m->acc.ptr;
	struct frame *frame = env->cur->frames[ptr->frame];
	bool varies = m->size_varies;
	s64 lo, hi;

	if (ptr->num.smin < -MAX_VAR_SIZE || ptr->num.smax > MAX_VAR_SIZE)
		return reject(env, RULE_STACK_UNBOUNDED, m->write ? "write to" : "read from",
			      m->acc.regno);
	lo = ptr->off + ptr->num.smin;
	hi = ptr->off + ptr->num.smax;
	varies |= lo != hi;
	if (m->read)
		TRY(stack_readable(env, m->acc.regno, frame, lo, hi, m->acc.size));
	if (m->write)
		TRY(stack_writable(env, m->acc.regno, frame, lo, hi, m->acc.size));
	if ((m->read || varies) && !(m->printed && !varies))
		TRY(check_no_spill(env, m, frame, lo, hi + m->acc.size));
	if (!m->write)
		return 0;
	return stack_mark_written(env, frame, (s32)lo, (u32)(hi - lo) + m->acc.size);
}

/* ---- maps ---- */

static int check_no_field(struct env *env, const struct memarg *m)
{
	const struct reg *ptr = &m->acc.ptr;
	s64 lo = ptr->off + (s64)ptr->num.umin, hi = ptr->off + (s64)ptr->num.umax;
	const struct record *rec = ptr->map->record;
	const struct field *field;

	if (!rec || !m->acc.size)
		return 0;
	field = record_overlap(rec, (u32)lo, (u32)(hi - lo) + m->acc.size);
	if (!field)
		return 0;
	if (field->kind > FIELD_UPTR)
		return reject(env, RULE_FIELD_DIRECT, field_kind_name(field->kind));
	return reject(env, RULE_SLOT_INDIRECT, lo, m->acc.size);
}

static int map_value_arg(struct env *env, struct memarg *m)
{
	const struct image_map *map = m->acc.ptr.map;

	TRY(check_region(env, &m->acc, map->value_size, true));
	if (m->read)
		TRY(check_map_mode(env, map, false, m->acc.ptr.off, m->acc.size));
	if (m->write)
		TRY(check_map_mode(env, map, true, m->acc.ptr.off, m->acc.size));
	return check_no_field(env, m);
}

static int map_key_arg(struct env *env, struct memarg *m)
{
	if (m->write)
		return reject(env, RULE_MAP_KEY_WRITE, m->acc.regno);
	return check_region(env, &m->acc, m->acc.ptr.map->key_size, true);
}

/* ---- the rest ---- */

/* What moves the packet cannot read from it at the same time. */
int check_packet_mem(struct env *env, const struct abi_helper *helper)
{
	bool listed = !helper || !env->abi->policy.packet_mem_listed ||
		      helper->flags & HELPERF_PACKET_MEM;

	if (listed && !env->prog->type->packet_hidden &&
	    !(helper && helper->flags & HELPERF_CHANGES_PACKET))
		return 0;
	return reject(env, RULE_PACKET_HELPER);
}

static int packet_arg(struct env *env, struct memarg *m)
{
	const struct abi_helper *helper = env->notes[env->insn].proof.helper;

	TRY(check_packet_mem(env, helper));
	if (m->write && !env->prog->type->packet_writable)
		return reject(env, RULE_PACKET_WRITE);
	return check_region(env, &m->acc, m->acc.ptr.range, true);
}

static int mem_base_arg(struct env *env, struct memarg *m)
{
	const struct reg *ptr = &m->acc.ptr;

	if (ptr->flags & (F_UNTRUSTED | F_PERCPU | F_USER))
		return reject_kind(env, m->acc.regno, any_memory);
	if (m->write && ptr->flags & F_RDONLY)
		return reject(env, RULE_MEM_WRITE, m->acc.regno, reg_class_name(env, ptr));
	return check_region(env, &m->acc, ptr->mem_size, true);
}

/* G14: an object of the program's own, beside its special fields. */
static int check_own_bytes(struct env *env, const struct memarg *m)
{
	const struct reg *ptr = &m->acc.ptr;
	const struct record *rec;
	const struct field *field;

	TRY(own_record(env, ptr->btf, ptr->type, &rec));
	field = m->acc.size ? record_overlap(rec, (u32)ptr->off, m->acc.size) : NULL;
	if (!field)
		return 0;
	if (field->kind > FIELD_UPTR)
		return reject(env, RULE_FIELD_DIRECT, field_kind_name(field->kind));
	return reject(env, RULE_SLOT_INDIRECT, (s64)ptr->off, m->acc.size);
}

static const char *callee_name(const struct env *env)
{
	const struct abi_helper *helper = env->notes[env->insn].proof.helper;

	return helper ? helper->name : "the function";
}

/* A host object as bytes shows its pointers; only where leaks are allowed (B30). */
static int btf_arg(struct env *env, struct memarg *m)
{
	const struct reg *ptr = &m->acc.ptr;
	bool own = object_lives(ptr) && !env->abi->policy.local_mem_612;
	const char *why = "";
	struct btf_at at;
	u32 size = 0;

	if (!own && (!env->abi->policy.ptr_leaks || ptr->flags != F_TRUSTED))
		return reject_kind(env, m->acc.regno, any_memory);
	if (!own && m->write)
		return reject(env, RULE_ARG_MAY_WRITE, callee_name(env), m->acc.regno,
			      reg_class_name(env, ptr));
	TRY(check_btf_offset(env, m->acc.regno, ptr));
	if (own)
		TRY(check_own_bytes(env, m));
	btf_size(ptr->btf, ptr->type, &size);
	if (!add_fits((u32)ptr->off, m->acc.size, size))
		return reject(env, RULE_BTF_BEYOND, btf_type_name(ptr->btf, ptr->type),
			      (s64)ptr->off, m->acc.size);
	/* Members are not read together. */
	if (!own && m->acc.size && !btf_walk(ptr->btf, ptr->type, (u32)ptr->off, m->acc.size,
					     true, &at, &why))
		return reject_walk(env, ptr->btf, ptr->type, (u32)ptr->off, m->acc.size, &at,
				   why);
	return 0;
}

/* A context that is plain memory, for the kernel's own functions. */
static int ctx_arg(struct env *env, struct memarg *m)
{
	const struct abi_prog_type *type = env->prog->type;
	s64 last = (s64)m->acc.size - 1;

	if (!type->ctx_is_plain || env->notes[env->insn].proof.helper)
		return reject_kind(env, m->acc.regno, any_memory);
	TRY(check_ctx_pointer(env, m->acc.regno, &m->acc.ptr));
	if (m->acc.size && !abi_field(type->fields, type->nfields, m->write, last, 1))
		return reject(env, RULE_CTX_ACCESS, (s32)last, 1);
	return 0;
}

static int (*const by_base[NR_REG_BASES])(struct env *env, struct memarg *m) = {
	[REG_STACK] = stack_arg,
	[REG_MAP_VALUE] = map_value_arg,
	[REG_MAP_KEY] = map_key_arg,
	[REG_PACKET] = packet_arg,
	[REG_PACKET_META] = packet_arg,
	[REG_MEM] = mem_base_arg,
	[REG_BTF] = btf_arg,
	[REG_CTX] = ctx_arg,
};

int mem_arg_kind(struct env *env, u32 regno, bool null_ok)
{
	const struct reg *reg = cur_reg(env, regno);

	if (null_ok && reg_is_null(reg))
		return 0;
	if (!by_base[reg->base] || (reg->flags & F_NULL && !null_ok))
		return reject_kind(env, regno, any_memory);
	return 0;
}

static int check_memory(struct env *env, struct memarg *m, bool null_ok)
{
	const struct reg *reg = cur_reg(env, m->acc.regno);

	TRY(check_readable(env, m->acc.regno));
	TRY(mem_arg_kind(env, m->acc.regno, null_ok));
	if (!by_base[reg->base]) /* NULL, with a size */
		return reject_kind(env, m->acc.regno, any_memory);
	m->acc.ptr = *reg;
	m->acc.value_regno = -1;
	return by_base[reg->base](env, m);
}

int mem_arg(struct env *env, u32 regno, u32 size, bool write, bool uninit, bool null_ok)
{
	struct memarg m = {
		.acc = {.regno = regno, .size = size},
		.read = !uninit,
		.write = write || uninit,
	};

	if (null_ok && reg_is_null(cur_reg(env, regno)))
		return mark_precise(env, regno);
	return check_memory(env, &m, null_ok);
}

/* ---- memory with a size argument ---- */

static int check_size(struct env *env, u32 regno, bool zero_ok)
{
	const struct reg *reg = cur_reg(env, regno);

	TRY(check_readable(env, regno));
	if (reg->base != REG_SCALAR)
		return reject_kind(env, regno, "scalar");
	TRY(check_number_arg(env, regno));
	if (reg->num.smin < 0)
		return reject(env, RULE_MEM_SIZE_NEG, regno);
	if (!reg->num.umin && !zero_ok)
		return reject(env, RULE_MEM_SIZE_ZERO, regno, reg->num.umin, reg->num.umax);
	if (reg->num.umax >= MAX_VAR_SIZE)
		return reject(env, RULE_MEM_SIZE_MAX, regno);
	return mark_precise(env, regno);
}

static int check_sized(struct env *env, struct memarg *m, u32 size_regno, bool null_ok,
		       bool zero_ok)
{
	const struct reg *size = cur_reg(env, size_regno);
	u32 regno = m->acc.regno;

	TRY(check_size(env, size_regno, zero_ok));
	m->acc.size = (u32)size->num.umax;
	m->size_varies = !scalar_is_const(size->num);
	if (reg_is_null(cur_reg(env, regno)) && !m->acc.size)
		return mark_precise(env, regno);
	return check_memory(env, m, null_ok);
}

int mem_arg_sized(struct env *env, u32 regno, u32 size_regno, bool write, bool uninit,
		  bool null_ok, bool zero_ok)
{
	struct memarg m = {
		.acc = {.regno = regno},
		.read = !uninit,
		.write = write || uninit,
	};

	return check_sized(env, &m, size_regno, null_ok, zero_ok);
}

int mem_arg_printed(struct env *env, u32 regno, u32 size_regno)
{
	struct memarg m = {.acc = {.regno = regno}, .read = true, .printed = true};

	return check_sized(env, &m, size_regno, true, true);
}
