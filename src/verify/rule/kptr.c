/* SPDX-License-Identifier: MIT
 *
 * kptr.c: pointer fields ("slots") of map values: loads, stores, exchanges (rule book B1-
 * B17, seed form B11).
 *
 * Invariants: a slot holds NULL or a pointer to exactly the struct it is declared with; a
 * REF slot owns one reference of what it holds, which moves in and out by exchanges only;
 * what a load gives is never owned, and may be NULL.
 *
 * Order of checks (B2): direct, constant offset, alignment, size, then mode and kind.
 */
#include "verify/rule/rule.h"

static bool is_slot(const struct field *field)
{
	return field->kind <= FIELD_UPTR;
}

/* ---- what a slot gives ---- */

static struct reg maybe_null(struct env *env, const struct field *field, u16 flags)
{
	struct reg reg = reg_btf(field->btf, field->type, flags | F_NULL);

	reg.id = id_new(env);
	return reg;
}

/* The pointee is sure to stay until the read section ends (B5, J9). */
static bool rcu_protected(struct env *env, const struct field *field)
{
	const struct abi_storable *s;

	if (field->kind != FIELD_REF || env->abi->policy.ldx_untrusted)
		return false;
	if (field->local)
		return true;
	s = abi_find_storable(env->abi, field->btf, field->type);
	return s && s->rcu != RCU_NONE;
}

struct reg slot_loaded(struct env *env, const struct field *field)
{
	if (!in_read_section(env) || !rcu_protected(env, field))
		return maybe_null(env, field, F_UNTRUSTED);
	return maybe_null(env, field, field->local ? F_ALLOC | F_RCU : F_RCU);
}

struct reg slot_taken(struct env *env, const struct field *field, u32 ref)
{
	struct reg reg;

	if (field->kind != FIELD_REF)
		return maybe_null(env, field, F_UNTRUSTED);
	reg = reg_btf(field->btf, field->type, (field->local ? F_ALLOC : 0) | F_NULL);
	/* B18: one id for both, so that the NULL branch discards the reference. */
	reg.id = reg.ref = ref;
	return reg;
}

/* ---- what a slot takes ---- */

/* Flags that @field accepts on a pointer (B14; for local UNREF fields B7's extension). */
static u16 flags_taken(const struct field *field)
{
	if (field->kind == FIELD_UNREF)
		return field->local ? F_NULL | F_ALLOC | F_UNTRUSTED | F_RCU
				    : F_NULL | F_TRUSTED | F_RCU | F_UNTRUSTED;
	return field->local ? F_NULL | F_ALLOC : F_NULL | F_TRUSTED | F_RCU;
}

static int reject_type(struct env *env, const struct field *field, u32 regno,
		       const struct reg *value)
{
	const char *also = field->kind == FIELD_UNREF ? " or untrusted_ptr_" : "";
	const char *name = arena_printf(env->arena, "ptr_%s",
					btf_type_name(field->btf, field->type));

	return reject(env, RULE_SLOT_TYPE, regno, reg_class_name(env, value),
		      name ? name : "ptr_", also);
}

/* A reference moves: it must be there, whole, and known not to be NULL. */
static int check_moves(struct env *env, u32 regno, const struct reg *value)
{
	if (value->flags & F_NULL)
		return reject(env, RULE_ARG_MAYBE_NULL, regno);
	return check_releasable(env, regno, value);
}

int slot_takes(struct env *env, const struct field *field, u32 regno,
	       const struct reg *value, bool exchange)
{
	bool moves = exchange && field->kind == FIELD_REF;

	if (reg_is_null(value))
		return mark_precise(env, regno);
	if (value->base != REG_BTF || value->flags & ~flags_taken(field))
		return reject_type(env, field, regno, value);
	/* A program's own type is never a host's, whatever its name. */
	if (!field->local && value->flags & F_ALLOC)
		return reject_type(env, field, regno, value);
	if (!moves)
		TRY(check_btf_offset(env, regno, value));
	else
		TRY(check_moves(env, regno, value));
	if (!btf_reg_fits(value, field->btf, field->type, field->kind != FIELD_UNREF))
		return reject_type(env, field, regno, value);
	return 0;
}

/* ---- instructions ---- */

static int load(struct env *env, const struct field *field, struct access *acc)
{
	acc->class_ = ACCESS_SLOT_LOAD;
	acc->result = slot_loaded(env, field);
	acc->result_set = true;
	return 0;
}

static int store(struct env *env, const struct field *field, struct access *acc)
{
	if (field->kind == FIELD_REF)
		return reject(env, RULE_SLOT_STORE_REF);
	acc->class_ = ACCESS_SLOT_STORE;
	if (acc->value_regno >= 0)
		return slot_takes(env, field, acc->value_regno, &acc->value, false);
	return reg_is_null(&acc->value) ? 0 : reject(env, RULE_SLOT_IMM, field->off);
}

/* B11: the old value comes back in the register of the new one. */
static int exchange(struct env *env, const struct field *field, struct access *acc)
{
	u32 ref = 0;

	if (env->abi->policy.no_xchg_insn)
		return reject(env, RULE_SLOT_MODE);
	TRY(slot_takes(env, field, acc->value_regno, &acc->value, true));
	if (field->kind == FIELD_REF) {
		acc->release_ref = acc->value.ref;
		TRY(ref_take(env, &ref));
	}
	acc->class_ = ACCESS_SLOT_XCHG;
	acc->result = slot_taken(env, field, ref);
	acc->result_set = true;
	return 0;
}

/* Kinds that this version does not model. */
static int check_kind(struct env *env, const struct field *field, const struct access *acc)
{
	if (field->kind == FIELD_UNREF || field->kind == FIELD_REF)
		return 0;
	if (field->kind == FIELD_UPTR && acc->kind != ACC_READ)
		return reject(env, RULE_SLOT_STORE_UPTR);
	if (field->kind == FIELD_PERCPU && field->local && acc->kind == ACC_WRITE)
		return reject(env, RULE_SLOT_STORE_REF);
	return reject(env, RULE_UNSUPPORTED,
		      field->kind == FIELD_PERCPU ? "per-CPU pointer fields"
						  : "user pointer fields");
}

static int on_slot(struct env *env, const struct field *field, struct access *acc)
{
	if (acc->kind != ACC_READ && acc->kind != ACC_WRITE && acc->kind != ACC_XCHG)
		return reject(env, RULE_SLOT_MODE);
	TRY(check_kind(env, field, acc));
	acc->field = field;
	if (acc->kind == ACC_READ)
		return load(env, field, acc);
	return acc->kind == ACC_WRITE ? store(env, field, acc) : exchange(env, field, acc);
}

/* The access touches @field: it is an exact one of a slot, or refused. */
static int check_touch(struct env *env, const struct field *field,
		       const struct access *acc, s64 off)
{
	if (!is_slot(field))
		return reject(env, RULE_FIELD_DIRECT, field_kind_name(field->kind));
	if (!scalar_is_const(acc->ptr.num))
		return reject(env, RULE_SLOT_VAR_OFF);
	if (off != field->off)
		return reject(env, RULE_SLOT_MISALIGN, field->off, off);
	if (acc->size != 8 || acc->sign)
		return reject(env, RULE_SLOT_SIZE);
	return 0;
}

/* The caller has checked that every byte in question is inside the value. */
int access_slot(struct env *env, struct access *acc, bool *handled)
{
	const struct reg *ptr = &acc->ptr;
	s64 lo = (s64)ptr->off + acc->off + (s64)ptr->num.umin;
	s64 hi = (s64)ptr->off + acc->off + (s64)ptr->num.umax;
	const struct field *field;

	*handled = false;
	if (!ptr->map->record)
		return 0;
	field = record_overlap(ptr->map->record, (u32)lo, (u32)(hi - lo) + acc->size);
	if (!field)
		return 0;
	TRY(check_touch(env, field, acc, lo));
	*handled = true;
	return on_slot(env, field, acc);
}

/* ---- slots as arguments ---- */

static const struct field *slot_at(const struct image_map *map, s64 off)
{
	const struct field *field = NULL;

	if (map->record && off >= 0 && off < map->value_size)
		field = record_at(map->record, (u32)off);
	return field && is_slot(field) && field->kind != FIELD_UPTR ? field : NULL;
}

int slot_of_arg(struct env *env, u32 regno, const struct field **field)
{
	const struct reg *reg = cur_reg(env, regno);
	s64 off = (s64)reg->off + (s64)reg->num.bits.value;

	if (reg->base == REG_BTF && reg->flags == F_ALLOC && reg->ref)
		return reject(env, RULE_UNSUPPORTED, "pointer fields of local objects");
	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject(env, RULE_XCHG_DST, regno, reg_class_name(env, reg));
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_XCHG_CONST_OFF, regno);
	*field = slot_at(reg->map, off);
	if (!*field)
		return reject(env, RULE_XCHG_NO_KPTR, reg->map->name, off);
	if ((*field)->kind == FIELD_PERCPU)
		return reject(env, RULE_UNSUPPORTED, "per-CPU pointer fields");
	if ((*field)->kind != FIELD_REF)
		return reject(env, RULE_XCHG_NOT_REF, off);
	return 0;
}
