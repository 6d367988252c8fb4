/* SPDX-License-Identifier: MIT
 *
 * btfptr.c: reading through struct pointers (rule book B35-B39), and whether a struct
 * pointer fits where a type is declared (B14-B17).
 *
 * Soundness rests on two things. What is read is one member of the struct, as BTF lays it
 * out, so that a pointer is read as a pointer and a number as a number. And a pointer that
 * is read is trusted no longer than its parent's promise: see member_flags().
 *
 * Objects of the host are never written (B38). Loads through pointers that may dangle are
 * lowered fault-safe (B45).
 */
#include "verify/rule/rule.h"

/* ---- types ---- */

bool host_struct(const struct env *env, const struct btf *btf, u32 id,
		 const struct btf **out, u32 *type)
{
	const struct btf_type *t;

	id = btf_skip_mods(btf, id);
	t = btf_type(btf, id);
	if (btf_kind(t) == BTF_STRUCT) {
		*out = btf;
		*type = id;
		return true;
	}
	if (btf_kind(t) != BTF_FWD || btf_kflag(t))
		return false;
	return abi_find_struct(env->abi, btf_type_name(btf, id), out, type);
}

/* "x" and "x___init" are one struct before and after its initialisation (B17). */
static bool differ_by_init(const char *a, const char *b)
{
	static const char suffix[] = "___init";
	size_t n = strlen(a), m = strlen(b);

	if (n > m)
		return differ_by_init(b, a);
	return m == n + strlen(suffix) && !strncmp(a, b, n) && !strcmp(b + n, suffix);
}

bool btf_reg_fits(const struct reg *reg, const struct btf *btf, u32 type, bool strict)
{
	if (reg->base != REG_BTF || has_var_off(reg) || reg->off < 0)
		return false;
	strict |= differ_by_init(btf_type_name(reg->btf, reg->type),
				 btf_type_name(btf, type));
	return btf_struct_at(reg->btf, reg->type, (u32)reg->off, btf, type, strict);
}

int check_btf_offset(struct env *env, u32 regno, const struct reg *reg)
{
	const char *name = btf_type_name(reg->btf, reg->type);

	if (has_var_off(reg))
		return reject(env, RULE_BTF_VAR_ARG, reg_class_name(env, reg),
			      var_off_str(env, reg));
	if (reg->off < 0)
		return reject(env, RULE_BTF_NEG, regno, name, (s64)reg->off);
	return 0;
}

/* ---- the class of what is read (B36) ---- */

/* What tags and annotations say of the member at @off of @parent's struct. */
static enum member_class member_class(struct env *env, const struct reg *parent,
				      const struct btf_at *at, u32 off, u32 ptr)
{
	const struct btf *btf = parent->btf;
	enum member_class class_ = abi_member_class(env->abi, btf, parent->type, off);

	if (class_ == MEMBER_PLAIN) {
		const struct btf_type *owner = btf_type(btf, at->owner);
		const struct btf_member *m = &btf_members(owner)[at->member];

		/* By the struct that has it; arrays of pointers as a whole. */
		class_ = abi_member_class(env->abi, btf, at->owner,
					  btf_member_bit(owner, m) / 8);
	}
	if (class_ != MEMBER_PLAIN)
		return class_;
	if (btf_ptr_has_tag(btf, ptr, "user"))
		return MEMBER_USER;
	if (btf_ptr_has_tag(btf, ptr, "percpu"))
		return MEMBER_PERCPU;
	return btf_ptr_has_tag(btf, ptr, "rcu") ? MEMBER_RCU_OR_NULL : MEMBER_PLAIN;
}

/*
 * A member "as valid as its parent" of a trusted parent is trusted. Of an owned parent it
 * is good until the reference is given back, and then (puts are deferred) until the read
 * section ends: trusted where the section is the whole run, RCU where it is explicit.
 */
static u16 trusted_member(struct env *env, const struct reg *parent)
{
	if (parent->flags & F_TRUSTED || env->abi->policy.legacy_walk)
		return F_TRUSTED;
	if (!in_read_section(env))
		return F_UNTRUSTED;
	return parent->ref && !env->cur->sleepable ? F_TRUSTED : F_RCU;
}

static u16 unlisted_member(const struct env *env)
{
	if (!env->abi->policy.legacy_walk)
		return F_UNTRUSTED | F_NULL; /* B37 */
	return in_read_section(env) ? 0 : F_UNTRUSTED;
}

static bool is_bare(const struct reg *parent)
{
	return !parent->flags && !parent->ref;
}

static u16 member_flags(struct env *env, const struct reg *parent, enum member_class class_)
{
	bool untrusted = parent->flags & F_UNTRUSTED;

	if (class_ == MEMBER_USER)
		return F_USER;
	if (class_ == MEMBER_PERCPU && (untrusted || !in_read_section(env)))
		return F_PERCPU | F_UNTRUSTED;
	if (class_ == MEMBER_PERCPU) /* it goes with the object, and may be NULL */
		return F_PERCPU | (env->abi->policy.legacy_walk ? 0 : F_RCU | F_NULL);
	if (untrusted)
		return F_UNTRUSTED;
	if (is_bare(parent)) /* exists under policy legacy_walk only */
		return 0;
	switch (class_) {
	case MEMBER_TRUSTED:
		return trusted_member(env, parent);
	case MEMBER_TRUSTED_OR_NULL:
		return trusted_member(env, parent) | F_NULL;
	case MEMBER_RCU:
		return in_read_section(env) ? F_RCU : F_UNTRUSTED;
	case MEMBER_RCU_OR_NULL:
		return in_read_section(env) ? F_RCU | F_NULL : F_UNTRUSTED;
	default:
		return unlisted_member(env);
	}
}

/* Whether the struct is the program's own: pointers in it are mere numbers (B36.4). */
static bool is_local(const struct env *env, const struct reg *reg)
{
	return reg->flags & F_ALLOC || reg->btf == env->image->btf;
}

/*
 * What goes with the parent goes with its reference, unless the put waits for the section,
 * in which the parent is whole until then.
 */
static u32 owner_of_member(struct env *env, const struct reg *parent)
{
	const struct abi_storable *s;

	if (parent->owner || !parent->ref || env->abi->policy.legacy_walk)
		return parent->owner;
	s = abi_find_storable(env->abi, parent->btf, parent->type);
	return s && s->rcu == RCU_DEFERRED_PUT ? 0 : parent->ref;
}

struct reg btf_member_reg(struct env *env, const struct reg *parent, u32 member_off,
			  u32 ptr_type)
{
	u32 ptr = btf_skip_mods(parent->btf, ptr_type), type, size = 0;
	const struct btf *btf;
	const char *why;
	struct btf_at at;
	struct reg reg;

	if (is_local(env, parent) ||
	    !btf_walk(parent->btf, parent->type, member_off, 8, true, &at, &why) ||
	    !host_struct(env, parent->btf, btf_pointee(parent->btf, ptr), &btf, &type))
		return reg_unknown();
	reg = reg_btf(btf, type, 0);
	btf_size(parent->btf, parent->type, &size);
	/* B36.5; and whether a flexible array is that long nobody knows. */
	if (at.in_union || member_off >= size)
		reg.flags = F_UNTRUSTED;
	else
		reg.flags = member_flags(env, parent,
					 member_class(env, parent, &at, at.off, ptr));
	if (reg.flags & F_NULL)
		reg.id = id_new(env);
	if (reg.flags & (F_TRUSTED | F_PERCPU))
		reg.owner = owner_of_member(env, parent);
	return reg;
}

/* ---- objects as bytes ---- */

enum { MAX_DEPTH = 32 };

static u32 plain_of(const struct btf *btf, u32 id, u32 off, u32 depth);

static u32 plain_of_array(const struct btf *btf, const struct btf_array_info *array,
			  u32 off, u32 depth)
{
	u32 size = 0, at, plain;

	if (!btf_size(btf, array->type, &size) || !size || !array->nelems)
		return UINT32_MAX;
	at = off / size * size;
	plain = plain_of(btf, array->type, off - at, depth);
	if (plain != UINT32_MAX || off / size + 1 >= array->nelems)
		return plain;
	plain = plain_of(btf, array->type, 0, depth);
	return plain == UINT32_MAX ? plain : at + size - off + plain;
}

static u32 plain_of_members(const struct btf *btf, const struct btf_type *t, u32 off,
			    u32 depth)
{
	u32 least = UINT32_MAX;

	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		u32 at = btf_member_bit(t, m) / 8, before = at > off ? at - off : 0;
		u32 size = 0, plain;

		if (btf_size(btf, m->type, &size) && at + size <= off)
			continue;
		plain = plain_of(btf, m->type, off > at ? off - at : 0, depth + 1);
		if (plain != UINT32_MAX)
			least = min_u32(least, before + plain);
	}
	return least;
}

/* How far from @off it is to the next byte of a pointer; UINT32_MAX: there is none. */
static u32 plain_of(const struct btf *btf, u32 id, u32 off, u32 depth)
{
	const struct btf_type *t = btf_type(btf, btf_skip_mods(btf, id));

	switch (btf_kind(t)) {
	case BTF_PTR:
		return 0;
	case BTF_ARRAY:
		return plain_of_array(btf, btf_array(t), off, depth);
	case BTF_STRUCT:
	case BTF_UNION:
		return depth < MAX_DEPTH ? plain_of_members(btf, t, off, depth) : 0;
	default:
		return UINT32_MAX;
	}
}

u32 object_plain_room(const struct reg *reg)
{
	u32 size = 0, off = (u32)reg->off;

	btf_size(reg->btf, reg->type, &size);
	if (off >= size)
		return 0;
	return min_u32(size - off, plain_of(reg->btf, reg->type, off, 0));
}

/* ---- the access ---- */

static const char *type_of(const struct access *acc)
{
	return btf_type_name(acc->ptr.btf, acc->ptr.type);
}

static bool may_dangle(const struct reg *reg)
{
	return reg->flags & F_UNTRUSTED || is_bare(reg) ||
	       (reg->flags & F_ALLOC && !object_lives(reg));
}

static int check_class(struct env *env, const struct access *acc)
{
	const struct reg *ptr = &acc->ptr;
	s64 off = (s64)ptr->off + acc->off;

	TRY(check_not_null(env, acc->regno, ptr));
	if (ptr->flags & F_PERCPU)
		return reject(env, RULE_BTF_PERCPU, acc->regno, type_of(acc), off);
	if (ptr->flags & F_USER)
		return reject(env, RULE_BTF_USER, acc->regno, type_of(acc), off);
	if (env->abi->policy.need_gpl && !is_local(env, ptr) && !licence_is_gpl(env->image))
		return reject(env, RULE_BTF_GPL, type_of(acc));
	return 0;
}

static int check_offset(struct env *env, const struct access *acc)
{
	const struct reg *ptr = &acc->ptr;
	s64 off = (s64)ptr->off + acc->off;

	if (has_var_off(ptr))
		return reject(env, RULE_BTF_VAR_OFF, acc->regno, type_of(acc), off,
			      var_off_str(env, ptr));
	if (off < 0)
		return reject(env, RULE_BTF_NEG, acc->regno, type_of(acc), off);
	return 0;
}

/* ---- the program's own objects ---- */

/* All but the special fields may be used (B38, G6). */
static int check_own_object(struct env *env, const struct access *acc, u32 off)
{
	const struct record *rec;
	const struct field *field;

	TRY(own_record(env, acc->ptr.btf, acc->ptr.type, &rec));
	field = record_overlap(rec, off, acc->size);
	if (field)
		return reject(env, RULE_BTF_SPECIAL, field_kind_name(field->kind));
	return check_no_leak(env, acc, "object");
}

/* A member that programs of this type may write, of an object that is sure to exist. */
static bool may_write_member(const struct env *env, const struct access *acc)
{
	const struct abi_prog_type *type = env->prog->type;
	const struct reg *ptr = &acc->ptr;
	s64 off = (s64)ptr->off + acc->off;

	if (!type || may_dangle(ptr))
		return false;
	for (u32 i = 0; i < type->nwrites; i++) {
		const struct abi_write *w = &type->writes[i];

		if (btf_same_type(w->btf, w->type, ptr->btf, ptr->type) && off >= w->off &&
		    off + acc->size <= (s64)w->off + w->size)
			return true;
	}
	return false;
}

static int check_write(struct env *env, const struct access *acc)
{
	if (!access_writes(acc))
		return 0;
	if (object_lives(&acc->ptr))
		return 0;
	if (acc->kind == ACC_WRITE && may_write_member(env, acc))
		return check_no_leak(env, acc, "object");
	return reject(env, RULE_BTF_RDONLY, acc->regno, reg_class_name(env, &acc->ptr));
}

static bool ends_beyond(const struct access *acc, u32 off)
{
	u32 size = 0;

	btf_size(acc->ptr.btf, acc->ptr.type, &size);
	return (u64)off + acc->size > size;
}

static const char *member_name(const struct btf *btf, const struct btf_at *at)
{
	return btf_str(btf, btf_members(btf_type(btf, at->owner))[at->member].name_off);
}

int reject_walk(struct env *env, const struct btf *btf, u32 type, u32 off, u32 size,
		const struct btf_at *at, const char *why)
{
	const struct btf_type *t = btf_type(btf, at->owner);
	const char *text;
	u32 member_size = 0;

	if (at->owner) { /* it goes on behind a member */
		btf_size(btf, btf_members(t)[at->member].type, &member_size);
		text = arena_printf(env->arena,
				    "access beyond the end of member %s (mend:%u) in struct %s "
				    "with off %u size %u", member_name(btf, at),
				    btf_member_bit(t, &btf_members(t)[at->member]) / 8 +
					    member_size,
				    btf_type_name(btf, at->owner), off - at->off, size);
	} else {
		text = arena_printf(env->arena, "struct %s doesn't have field at offset %u: %s",
				    btf_type_name(btf, type), off, why);
	}
	return reject(env, RULE_BTF_WALK, text ? text : why);
}

/* To the kernel a read that begins in a member ends there, bitfields behind it or not. */
static int reject_before_bits(struct env *env, const struct access *acc, u32 off,
			      struct btf_at at)
{
	const struct btf_type *t = btf_type(acc->ptr.btf, at.owner);

	at.off -= btf_member_bit(t, &btf_members(t)[at.member]) / 8;
	at.member = at.from - 1;
	return reject_walk(env, acc->ptr.btf, acc->ptr.type, off, acc->size, &at, "");
}

static const char *no_field(struct env *env, const struct access *acc, u32 off)
{
	const char *text = arena_printf(env->arena, "struct %s doesn't have field at offset %u",
					type_of(acc), off);

	return text ? text : "no such field";
}

/* Which member is read; the result of a pointer member. */
static int read_member(struct env *env, struct access *acc, u32 off)
{
	const struct reg *ptr = &acc->ptr;
	const char *why = "";
	struct btf_at at;

	if (!btf_walk(ptr->btf, ptr->type, off, acc->size, !is_local(env, ptr), &at, &why))
		return ends_beyond(acc, off)
			       ? reject(env, RULE_BTF_BEYOND, type_of(acc), (s64)off, acc->size)
			       : reject_walk(env, ptr->btf, ptr->type, off, acc->size, &at,
					     why);
	if (at.from && env->abi->policy.legacy_walk && !is_local(env, ptr))
		return reject_before_bits(env, acc, off, at);
	/* Inside unions they are not strict about it. */
	if (at.lenient && !at.in_union && env->abi->policy.legacy_walk && !is_local(env, ptr))
		return reject(env, RULE_BTF_WALK, no_field(env, acc, off));
	if (is_local(env, ptr) ||
	    btf_kind(btf_type(ptr->btf, btf_skip_mods(ptr->btf, at.type))) != BTF_PTR)
		return 0;
	if (acc->size != 8 || at.off != off)
		return reject(env, RULE_BTF_PARTIAL, member_name(ptr->btf, &at), at.off,
			      type_of(acc), off, acc->size);
	if (!access_reads(acc) || acc->sign)
		return 0;
	acc->result = btf_member_reg(env, ptr, off, at.type);
	/* Whatever it points to (B10). */
	if (acc->result.base != REG_BTF)
		acc->result = reg_address();
	acc->result_set = true;
	return 0;
}

int access_btf(struct env *env, struct access *acc)
{
	const struct reg *ptr = &acc->ptr;
	u32 off;

	TRY(check_class(env, acc));
	TRY(check_offset(env, acc));
	TRY(check_write(env, acc));
	off = (u32)(ptr->off + acc->off);
	if (is_local(env, ptr))
		TRY(check_own_object(env, acc, off));
	/* How long a flexible array at the end is, nobody knows. */
	if (may_dangle(ptr) || ends_beyond(acc, off))
		acc->class_ = ACCESS_FAULT_SAFE;
	acc->pooled = acc->class_ == ACCESS_FAULT_SAFE && !is_local(env, ptr) &&
		      abi_pooled(env->abi, ptr->btf, ptr->type);
	return read_member(env, acc, off);
}
