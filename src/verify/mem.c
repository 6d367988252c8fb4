/* SPDX-License-Identifier: MIT
 *
 * mem.c: every memory access of an instruction goes through mem_access(): what may be
 * dereferenced at all, alignment, atomics, the rule of the base, and one way of lowering
 * for all paths (B45). The rules decide about contents; this file about the rest.
 */
#include "verify/walk.h"

int check_readable(struct env *env, u32 regno)
{
	if (cur_reg(env, regno)->base == REG_NONE)
		return reject(env, RULE_NOT_READABLE, regno);
	return 0;
}

/* --- regions --- */

static const char *region_text(struct env *env, const struct access *acc, u64 limit,
			       s64 at, char *buf, size_t size)
{
	const struct reg *p = &acc->ptr;
	long long off = at, lim = (long long)limit;

	switch (p->base) {
	case REG_MAP_KEY:
		snprintf(buf, size,
			 "invalid access to map key, key_size=%lld off=%lld size=%u", lim,
			 off, acc->size);
		break;
	case REG_MAP_VALUE:
		snprintf(buf, size,
			 "invalid access to map value, value_size=%lld off=%lld size=%u",
			 lim, off, acc->size);
		break;
	case REG_PACKET:
	case REG_PACKET_META:
		snprintf(buf, size,
			 "invalid access to packet, off=%lld size=%u, "
			 "R%u(id=%u,off=%d,r=%u)",
			 off, acc->size, acc->regno, p->id, p->off, p->range);
		break;
	default:
		snprintf(buf, size,
			 "invalid access to memory, mem_size=%lld off=%lld size=%u", lim,
			 off, acc->size);
		break;
	}
	return buf;
}

static bool region_ok(s64 at, const struct access *acc, u64 limit, bool zero_ok)
{
	return at >= 0 && (acc->size || zero_ok) && add_fits((u64)at, acc->size, limit);
}

static int packet_region(struct env *env, const struct access *acc, u64 limit, s64 at,
			 bool zero_ok)
{
	char text[128];

	if (acc->ptr.num.smin < 0)
		return reject(env, RULE_REGION_NEGATIVE, acc->regno);
	if (region_ok(at, acc, limit, zero_ok))
		return 0;
	return reject(env, RULE_REGION_PACKET,
		      region_text(env, acc, limit, at, text, sizeof(text)), acc->regno);
}

int check_region(struct env *env, const struct access *acc, u64 limit, bool zero_ok)
{
	const struct reg *p = &acc->ptr;
	s64 fixed = (s64)p->off + acc->off, lo, hi;
	char text[128];

	if (p->base == REG_PACKET || p->base == REG_PACKET_META)
		return packet_region(env, acc, limit, fixed, zero_ok);
	if (p->num.smin <= -MAX_VAR_OFF || fixed + p->num.smin < 0) {
		if (!scalar_is_const(p->num))
			return reject(env, RULE_REGION_NEGATIVE, acc->regno);
	}
	lo = p->num.smin <= -MAX_VAR_OFF ? -MAX_VAR_OFF : fixed + p->num.smin;
	if (!region_ok(lo, acc, limit, zero_ok))
		return reject(env, RULE_REGION_MIN,
			      region_text(env, acc, limit, lo, text, sizeof(text)),
			      acc->regno);
	if (p->num.umax >= MAX_VAR_OFF)
		return reject(env, RULE_REGION_UNBOUNDED, acc->regno);
	hi = fixed + (s64)p->num.umax;
	if (!region_ok(hi, acc, limit, zero_ok))
		return reject(env, RULE_REGION_MAX,
			      region_text(env, acc, limit, hi, text, sizeof(text)),
			      acc->regno);
	return 0;
}

/* --- alignment --- */

static const char *const align_names[NR_REG_BASES] = {
	[REG_CTX] = "context ",	  [REG_STACK] = "stack ",
	[REG_MAP_KEY] = "key ",	  [REG_MAP_VALUE] = "value ",
	[REG_PACKET] = "packet ", [REG_PACKET_META] = "packet ",
};

/* Packets begin where their IP headers are aligned: behind 14 bytes of Ethernet. */
enum { PACKET_ALIGN = 2 };

static bool must_align(const struct env *env, const struct access *acc)
{
	if (env->opts->strict_alignment || acc->ptr.base == REG_STACK)
		return true;
	return acc->kind != ACC_READ && acc->kind != ACC_WRITE;
}

static int check_alignment(struct env *env, const struct access *acc)
{
	bool packet = acc->ptr.base == REG_PACKET || acc->ptr.base == REG_PACKET_META;
	s64 fixed = (s64)acc->ptr.off + acc->off + (packet ? PACKET_ALIGN : 0);
	struct tnum sum = tnum_add(acc->ptr.num.bits, tnum_const((u64)fixed));
	const char *name = align_names[acc->ptr.base];
	char text[64], *at = text;

	if (!must_align(env, acc) || tnum_is_aligned(sum, acc->size))
		return 0;
	if (packet)
		at += snprintf(text, sizeof(text), "%d+", PACKET_ALIGN);
	if (scalar_is_const(acc->ptr.num))
		snprintf(at, sizeof(text) - (size_t)(at - text), "%lld",
			 (long long)acc->ptr.num.smin);
	else
		tnum_print(at, sizeof(text) - (size_t)(at - text), acc->ptr.num.bits);
	return reject(env, RULE_MISALIGNED, name ? name : "", text, acc->ptr.off,
		      acc->off, acc->size);
}

/* --- atomics: not everywhere --- */

static int check_atomic_base(struct env *env, const struct access *acc)
{
	bool load = acc->kind == ACC_ACQUIRE;

	if (acc->kind == ACC_READ || acc->kind == ACC_WRITE)
		return 0;
	if (acc->ptr.base != REG_CTX && acc->ptr.base != REG_PACKET &&
	    acc->ptr.base != REG_PACKET_META)
		return 0;
	return reject(env, load ? RULE_ATOMIC_LOAD : RULE_ATOMIC_STORE, acc->regno,
		      reg_class_name(env, &acc->ptr));
}

/* --- the base's rule --- */

static int (*const rules[NR_REG_BASES])(struct env *, struct access *) = {
	[REG_CTX] = access_ctx,
	[REG_STACK] = access_stack,
	[REG_MAP] = access_map,
	[REG_MAP_KEY] = access_map_key,
	[REG_MAP_VALUE] = access_map_value,
	[REG_PACKET] = access_packet,
	[REG_PACKET_META] = access_packet,
	[REG_MEM] = access_mem,
	[REG_BTF] = access_btf,
	[REG_ARENA] = access_arena,
	[REG_TABLE] = access_table,
};

/* An exchange steps the version that lies that far from the field (H6). */
static bool same_version(const struct proof_insn *a, const struct access *b)
{
	return b->class_ != ACCESS_SLOT_XCHG || a->field->seq == b->field->seq;
}

/* Which field a slot access is of makes no difference to its form; the note has one. */
static bool same_lowering(const struct proof_insn *a, const struct access *b)
{
	return a->access == b->class_ && a->ctx_field == b->ctx_field &&
	       a->ctx_arg == b->ctx_arg && same_version(a, b);
}

static bool needs_own_form(u8 class_, u8 base)
{
	return class_ == ACCESS_CTX || class_ == ACCESS_SLOT_LOAD ||
	       class_ == ACCESS_SLOT_STORE || class_ == ACCESS_ARENA || class_ == ACCESS_SLOT_XCHG ||
	       base == REG_BTF;
}

/*
 * B45: one instruction is lowered once. Plain accesses agree with one another whatever
 * their base; a plain and a fault-safe load of structs agree on the fault-safe form;
 * other mixtures have no common form.
 */
static int merge_lowering(struct env *env, const struct access *acc)
{
	struct insn_note *note = &env->notes[env->insn];
	struct proof_insn *proof = &note->proof;
	u8 base = acc->ptr.base;

	if (!note->access_seen) {
		note->access_seen = true;
		note->access_base = base;
		proof->access = acc->class_;
		proof->field = acc->field;
		proof->ctx_field = acc->ctx_field;
		proof->ctx_arg = acc->ctx_arg;
		proof->pool_btf = acc->pooled ? acc->ptr.btf : NULL;
		proof->pool_type = acc->pooled ? acc->ptr.type : 0;
		return 0;
	}
	if (proof->pool_btf != (acc->pooled ? acc->ptr.btf : NULL) ||
	    (acc->pooled && proof->pool_type != acc->ptr.type))
		return reject(env, RULE_MIXED_POINTERS);
	if (base != note->access_base &&
	    (needs_own_form(acc->class_, base) ||
	     needs_own_form(proof->access, note->access_base)))
		return reject(env, RULE_MIXED_POINTERS);
	if (same_lowering(proof, acc))
		return 0;
	if (needs_own_form(acc->class_, REG_NONE) ||
	    needs_own_form(proof->access, REG_NONE))
		return reject(env, RULE_MIXED_POINTERS);
	proof->access = ACCESS_FAULT_SAFE;
	return 0;
}

int mem_access(struct env *env, struct access *acc)
{
	const struct reg *p = &acc->ptr;

	acc->class_ = ACCESS_PLAIN;
	if (p->flags & F_NULL)
		return reject(env, RULE_NULL_DEREF, acc->regno, reg_class_name(env, p));
	if (!rules[p->base])
		return reject(env, RULE_MEM_ACCESS, acc->regno, reg_class_name(env, p));
	TRY(check_atomic_base(env, acc));
	TRY(check_alignment(env, acc));
	TRY(rules[p->base](env, acc));
	TRY(merge_lowering(env, acc));
	if (acc->kind != ACC_READ && p->base == REG_PACKET)
		env->packet_writes = true;
	if (acc->release_ref)
		ref_moved(env, acc->release_ref);
	return 0;
}

/* --- the instructions --- */

static struct access access_of(struct env *env, u32 regno, enum access_kind kind)
{
	const struct isa_info *info = isa_info(env->notes[env->insn].op);

	return (struct access){.regno = regno,
			       .ptr = *cur_reg(env, regno),
			       .off = cur_insn(env)->off,
			       .size = info->size,
			       .kind = (u8)kind,
			       .sign = info->sign,
			       .value_regno = -1,
			       .result = reg_unknown()};
}

/* What a load leaves in its register. */
static struct reg loaded(const struct access *acc)
{
	struct reg reg = acc->result, extended;

	if (!acc->result_set)
		reg = reg_num(scalar_zext(scalar_unknown(), (u8)acc->size));
	if (!acc->sign || reg.base != REG_SCALAR)
		return reg;
	extended = reg_num(scalar_sext(reg.num, (u8)acc->size));
	extended.flags = part_marks(reg.flags);
	return extended;
}

/* What one instruction loads is an address that somebody else chose on all paths, or on
 * none: lower treats the two differently. */
static int note_user(struct env *env, const struct access *acc)
{
	bool user = (acc->ptr.base == REG_CTX || acc->ptr.base == REG_BTF) &&
		    acc->result_set && acc->result.base == REG_BTF &&
		    acc->result.flags & F_USER;
	u8 *note = &env->notes[env->insn].proof.user;

	*note |= user ? USER_LOADED : USER_UNLOADED;
	if ((*note & (USER_LOADED | USER_UNLOADED)) == (USER_LOADED | USER_UNLOADED))
		return reject(env, RULE_UNSUPPORTED,
			      "one instruction that loads user pointers and others");
	return 0;
}

static int load(struct env *env, const struct insn *insn, enum access_kind kind)
{
	struct access acc;

	TRY(check_readable(env, insn->src));
	acc = access_of(env, insn->src, kind);
	TRY(mem_access(env, &acc));
	TRY(note_user(env, &acc));
	set_reg(env, insn->dst, loaded(&acc));
	return 0;
}

static int store(struct env *env, const struct insn *insn, enum access_kind kind)
{
	struct access acc;

	TRY(check_readable(env, insn->src));
	TRY(check_readable(env, insn->dst));
	acc = access_of(env, insn->dst, kind);
	acc.value_regno = insn->src;
	acc.value = *cur_reg(env, insn->src);
	return mem_access(env, &acc);
}

int exec_ldx(struct env *env, const struct insn *insn, u32 *next)
{
	return load(env, insn, ACC_READ);
}

int exec_load_acq(struct env *env, const struct insn *insn, u32 *next)
{
	return load(env, insn, ACC_ACQUIRE);
}

int exec_stx(struct env *env, const struct insn *insn, u32 *next)
{
	return store(env, insn, ACC_WRITE);
}

int exec_store_rel(struct env *env, const struct insn *insn, u32 *next)
{
	return store(env, insn, ACC_STORE_RELEASE);
}

int exec_st(struct env *env, const struct insn *insn, u32 *next)
{
	struct access acc;

	TRY(check_readable(env, insn->dst));
	acc = access_of(env, insn->dst, ACC_WRITE);
	acc.value = reg_const((u64)(s64)insn->imm);
	return mem_access(env, &acc);
}

static enum access_kind atomic_kind(u8 atomic)
{
	return atomic == ATOMIC_XCHG	  ? ACC_XCHG
	       : atomic == ATOMIC_CMPXCHG ? ACC_CMPXCHG
					  : ACC_ATOMIC;
}

/* A read-modify-write of a number; only an exchange may move a pointer (B11). */
int exec_atomic(struct env *env, const struct insn *insn, u32 *next)
{
	const struct isa_info *info = isa_info(env->notes[env->insn].op);
	struct access acc;

	TRY(check_readable(env, insn->src));
	TRY(check_readable(env, insn->dst));
	if (info->sub == ATOMIC_CMPXCHG)
		TRY(check_readable(env, R0));
	acc = access_of(env, insn->dst, atomic_kind(info->sub));
	acc.value_regno = insn->src;
	acc.value = *cur_reg(env, insn->src);
	TRY(mem_access(env, &acc));
	if (info->sub == ATOMIC_CMPXCHG)
		set_reg(env, R0, loaded(&acc));
	else if (info->sub >= ATOMIC_FETCH_ADD)
		set_reg(env, insn->src, loaded(&acc));
	return 0;
}
