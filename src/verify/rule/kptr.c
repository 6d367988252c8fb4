/* SPDX-License-Identifier: MIT
 *
 * kptr.c: pointer fields ("slots") of map values: loads, stores, exchanges (rule book B1-
 * B17, seed form B11; per-CPU kinds D, user kinds E). Those of objects are only exchanged
 * (G6).
 *
 * Invariants: a slot holds NULL or a pointer to exactly the struct it is declared with; a
 * slot that owns (REF, and PERCPU of the program's own types) has one reference of what it
 * holds, which moves in and out by exchanges only; what a load gives is never owned, and
 * may be NULL.
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

	if (!in_read_section(env) || env->abi->policy.ldx_untrusted)
		return false;
	if (field->local)
		return true;
	s = abi_find_storable(env->abi, field->btf, field->type);
	return s && s->rcu != RCU_NONE;
}

/* An object that can be in a container may be in one, whose lock another program holds. */
static int object_loaded(struct env *env, const struct field *field, u16 *flags)
{
	const struct record *rec;

	*flags = F_RCU;
	if (!field->local)
		return 0;
	TRY(own_record(env, field->btf, field->type, &rec));
	*flags |= F_ALLOC | (record_has_node(rec) ? F_NONOWN : 0);
	return 0;
}

/* E6: memory that the host pinned, of the pointee's size. */
static struct reg pinned(struct env *env, const struct field *field)
{
	struct reg reg = reg_pointer(REG_MEM, F_NULL);

	btf_size(field->btf, field->type, &reg.mem_size);
	reg.id = id_new(env);
	return reg;
}

/* B5: the class a load gives, but for F_NULL, which is always there. */
static int loaded_flags(struct env *env, const struct field *field, u16 *flags)
{
	*flags = F_UNTRUSTED;
	if (field->kind == FIELD_USER) /* E4 */
		*flags = F_USER;
	else if (field->kind == FIELD_PERCPU && !field->local) /* D8 */
		*flags = F_PERCPU;
	else if (field->kind == FIELD_PERCPU && rcu_protected(env, field))
		*flags = F_PERCPU | F_RCU;
	else if (field->kind == FIELD_REF && rcu_protected(env, field))
		return object_loaded(env, field, flags);
	return 0;
}

static int slot_loaded(struct env *env, const struct field *field, struct reg *out)
{
	u16 flags;

	if (field->kind == FIELD_UPTR) {
		*out = pinned(env, field);
		return 0;
	}
	TRY(loaded_flags(env, field, &flags));
	*out = maybe_null(env, field, flags);
	return 0;
}

bool slot_owns(const struct field *field)
{
	return field->kind == FIELD_REF || (field->kind == FIELD_PERCPU && field->local);
}

struct reg slot_taken(struct env *env, const struct field *field, u32 ref)
{
	u16 flags = field->kind == FIELD_PERCPU ? F_PERCPU : 0;
	struct reg reg;

	if (!slot_owns(field))
		return maybe_null(env, field,
				  field->kind == FIELD_USER ? F_USER
				  : flags		    ? flags
							    : F_UNTRUSTED);
	reg = reg_btf(field->btf, field->type, flags | (field->local ? F_ALLOC : 0) | F_NULL);
	/* B18: one id for both, so that the NULL branch discards the reference. */
	reg.id = reg.ref = ref;
	return reg;
}

/* ---- what a slot takes ---- */

struct taken {
	u16 may, must; /* enum reg_flag */
};

/* Flags that @field accepts on a pointer, and those it wants (B14, D8, E4). */
static struct taken flags_taken(const struct env *env, const struct field *field)
{
	const u16 trust = F_TRUSTED | F_RCU;

	switch (field->kind) {
	case FIELD_UNREF:
		if (!field->local)
			return (struct taken){F_NULL | trust | F_UNTRUSTED, 0};
		/* B7: what was loaded may be remembered, too; it is untrusted anyway. */
		return (struct taken){F_NULL | F_ALLOC |
				      (env->abi->policy.local_unref_612
					       ? 0 : F_UNTRUSTED | F_RCU | F_NONOWN), 0};
	case FIELD_PERCPU:
		return field->local ? (struct taken){F_NULL | F_ALLOC | F_PERCPU, F_PERCPU}
				    : (struct taken){F_NULL | F_PERCPU, F_PERCPU}; /* of a variable */
	case FIELD_USER:
		return (struct taken){F_NULL | F_USER, F_USER};
	default:
		return (struct taken){F_NULL | (field->local ? F_ALLOC : trust), 0};
	}
}

static const char *expected_class(const struct env *env, const struct field *field)
{
	if (env->abi->policy.kernel_names)
		return "ptr_";
	return field->kind == FIELD_PERCPU ? "percpu_ptr_"
	       : field->kind == FIELD_USER ? "user_ptr_"
					   : "ptr_";
}

static int reject_type(struct env *env, const struct field *field, u32 regno,
		       const struct reg *value)
{
	const char *name = btf_type_name(field->btf, field->type);
	const char *also = field->kind != FIELD_UNREF
				   ? "" : arena_printf(env->arena, " or untrusted_ptr_%s", name);
	const char *want = arena_printf(env->arena, "%s%s", expected_class(env, field), name);
	const char *is = arena_printf(env->arena, "%s%s", reg_class_name(env, value),
				      value->base == REG_BTF
					      ? btf_type_name(value->btf, value->type) : "");

	return reject(env, RULE_SLOT_TYPE, regno, is ? is : "?", want ? want : "ptr_",
		      also ? also : "");
}

/* A reference moves: it must be there, whole, and known not to be NULL. */
static int check_moves(struct env *env, u32 regno, const struct reg *value)
{
	if (value->flags & F_NULL)
		return reject(env, RULE_ARG_MAYBE_NULL, regno);
	return check_releasable(env, regno, value);
}

static bool class_fits(const struct env *env, const struct field *field,
		       const struct reg *value)
{
	struct taken taken = flags_taken(env, field);

	return value->base == REG_BTF && !(value->flags & ~taken.may) &&
	       (value->flags & taken.must) == taken.must;
}

int slot_takes(struct env *env, const struct field *field, u32 regno,
	       const struct reg *value, bool exchange)
{
	if (reg_is_null(value))
		return mark_precise(env, regno);
	if (exchange && slot_owns(field) && object_lives(value) && !value->ref)
		return reject(env, RULE_RELEASE_UNREF, regno); /* of a container, or loaded */
	if (!class_fits(env, field, value))
		return reject_type(env, field, regno, value);
	if (env->notes[env->insn].proof.helper && value->off) /* a part of an object */
		return reject_type(env, field, regno, value);
	if (!exchange || !slot_owns(field))
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
	acc->result_set = true;
	return slot_loaded(env, field, &acc->result);
}

/* B9, D8: what owns is changed by exchange only; what the host pinned by the host. */
static int check_storable(struct env *env, const struct field *field)
{
	if (field->kind == FIELD_UPTR)
		return reject(env, RULE_SLOT_STORE_UPTR);
	if (slot_owns(field) ||
	    (field->kind == FIELD_PERCPU && env->abi->policy.percpu_612))
		return reject(env, RULE_SLOT_STORE_REF);
	return 0;
}

static int store(struct env *env, const struct field *field, struct access *acc)
{
	TRY(check_storable(env, field));
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
	if (env->abi->policy.no_xchg_lock && held_lock(env->cur))
		return reject(env, RULE_LOCK_CALL);
	TRY(check_in_signal(env, !slot_owns(field) && !field->seq, "the exchange of a field"));
	if (!slot_owns(field))
		TRY(check_storable(env, field));
	TRY(slot_takes(env, field, acc->value_regno, &acc->value, true));
	if (slot_owns(field)) {
		acc->release_ref = acc->value.ref;
		TRY(ref_take_or_null(env, &ref));
	}
	acc->class_ = ACCESS_SLOT_XCHG;
	acc->result = slot_taken(env, field, ref);
	acc->result_set = true;
	return 0;
}

static int on_slot(struct env *env, const struct field *field, struct access *acc)
{
	if (acc->kind != ACC_READ && acc->kind != ACC_WRITE && acc->kind != ACC_XCHG)
		return reject(env, RULE_SLOT_MODE);
	acc->field = field;
	if (acc->kind == ACC_READ)
		return load(env, field, acc);
	return acc->kind == ACC_WRITE ? store(env, field, acc) : exchange(env, field, acc);
}

/* H6: the slots' version is counted by the engine, and read by whoever likes. */
static bool reads_version(const struct field *field, const struct access *acc, s64 off)
{
	return field->kind == FIELD_SEQ && scalar_is_const(acc->ptr.num) &&
	       off == field->off && acc->size == 8 && !access_writes(acc);
}

/* The access touches @field: it is an exact one of a slot, or refused. */
static int check_touch(struct env *env, const struct field *field,
		       const struct access *acc, s64 off)
{
	if (!is_slot(field) && !reads_version(field, acc, off))
		return reject(env, RULE_FIELD_DIRECT, field_kind_name(field->kind));
	if (!is_slot(field))
		return 0;
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
	if (!is_slot(field))
		return 0;
	return on_slot(env, field, acc);
}

/* ---- slots as arguments ---- */

/* A field that the exchange helper or a function taking T ** could mean. */
static const struct field *slot_at(const struct record *rec, s64 off)
{
	const struct field *field = NULL;

	if (off >= 0 && off <= UINT32_MAX)
		field = record_at(rec, (u32)off);
	return field && is_slot(field) && field->kind != FIELD_UPTR ? field : NULL;
}

static bool has_slots(const struct record *rec)
{
	for (u32 i = 0; rec && i < rec->n; i++)
		if (is_slot(&rec->fields[i]))
			return true;
	return false;
}

/* The record of what the register points into: a map value, or an object (G6: only while
 * the program owns it). *what names it in words. */
static int record_of_arg(struct env *env, u32 regno, const struct record **rec,
			 const char **what)
{
	const struct reg *reg = cur_reg(env, regno);

	if (reg->base == REG_BTF && reg->flags == F_ALLOC && reg->ref) {
		*what = btf_type_name(reg->btf, reg->type);
		TRY(check_btf_offset(env, regno, reg));
		return own_record(env, reg->btf, reg->type, rec);
	}
	if (reg->base != REG_MAP_VALUE || reg->flags & F_NULL)
		return reject(env, RULE_XCHG_DST, regno, reg_class_name(env, reg));
	if (!scalar_is_const(reg->num))
		return reject(env, RULE_XCHG_CONST_OFF, regno);
	*what = reg->map->name;
	*rec = reg->map->record;
	return 0;
}

int slot_of_arg(struct env *env, u32 regno, const struct field **field)
{
	const struct reg *reg = cur_reg(env, regno);
	const struct record *rec = NULL;
	const char *what = "";
	s64 off;

	TRY(record_of_arg(env, regno, &rec, &what));
	off = (s64)reg->off + (s64)reg->num.bits.value;
	if (!has_slots(rec))
		return reject(env, RULE_XCHG_NO_SLOTS, what);
	*field = slot_at(rec, off);
	if (!*field)
		return reject(env, RULE_XCHG_NO_KPTR, off, what);
	return slot_owns(*field) ? 0 : reject(env, RULE_XCHG_NOT_REF, off);
}
