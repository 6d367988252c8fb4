/* SPDX-License-Identifier: MIT
 *
 * lower_mem.c: memory accesses by what the verifier found behind their pointer: context
 * fields move to where they really are, untrusted loads become fault-safe, pointer fields
 * of maps are accessed as the rule book's table H10 says.
 */
#include "lower/code.h"

static struct code_insn plain(const struct insn *insn, enum isa_op op)
{
	return (struct code_insn){(u16)op, insn->dst, insn->src, insn->off,
				  .imm = insn->imm};
}

/* Ops by log2 of the size. */
static const u16 loads[] = {OP_LDX8, OP_LDX16, OP_LDX32, OP_LDX64};
static const u16 stores[] = {OP_STX8, OP_STX16, OP_STX32, OP_STX64};
static const u16 imm_stores[] = {OP_ST8, OP_ST16, OP_ST32, OP_ST64};
static const u16 safe_loads[] = {CODE_SAFE_LDX8, CODE_SAFE_LDX16, CODE_SAFE_LDX32,
				 CODE_SAFE_LDX64};
static const u16 safe_sign_loads[] = {CODE_SAFE_LDXS8, CODE_SAFE_LDXS16, CODE_SAFE_LDXS32,
				      CODE_SAFE_LDX64};

static u16 by_size(const u16 *ops, u32 size)
{
	return ops[__builtin_ctz(size)];
}

/* --- context --- */

static u32 real_size(const struct abi_ctx_field *field)
{
	return field->real_size ? field->real_size : field->size;
}

static u32 real_off(const struct abi_ctx_field *field)
{
	return field->real_size ? field->real_off : field->off;
}

static bool is_pointer(const struct abi_ctx_field *field)
{
	return field->kind != CTX_SCALAR;
}

/*
 * A load of @size bytes, @delta into the field as programs see it. The real field may be
 * narrower (the rest reads as 0) or wider (the low bytes count); both are powers of two
 * and the access is aligned to its size, so it lies inside the real bytes, covers all of
 * them, or touches none.
 */
static void ctx_load(struct lower *l, const struct insn *insn, enum isa_op op,
		     const struct abi_ctx_field *field)
{
	u32 delta = (u32)insn->off - field->off, real = real_size(field);
	struct code_insn load = plain(insn, op);

	load.off = (s32)(real_off(field) + delta);
	if (is_pointer(field))
		load.op = OP_LDX64, load.off = (s32)real_off(field);
	else if (delta >= real)
		load = (struct code_insn){OP_MOV64_IMM, insn->dst};
	else if (delta + isa_info(op)->size > real)
		load.op = by_size(loads, real);
	lower_emit(l, load);
}

/* Puts what a store would write, zero-extended, into the scratch register. */
static void ctx_widen(struct lower *l, const struct insn *insn, enum isa_op op)
{
	u64 mask = BIT64(8 * isa_info(op)->size) - 1; /* of less than 8 bytes */
	struct code_insn move = {OP_MOV64_REG, CODE_SCRATCH, insn->src};

	if (isa_info(op)->kind == KIND_ST)
		move = (struct code_insn){OP_MOV64_IMM, CODE_SCRATCH, .imm = insn->imm};
	lower_emit(l, move);
	lower_emit(l, (struct code_insn){OP_AND64_IMM, CODE_SCRATCH, .imm = (s64)mask});
}

/* A store of the whole field writes the whole real field: extended with zeros, or cut to
 * its size. Smaller ones write what they name. */
static void ctx_store(struct lower *l, const struct insn *insn, enum isa_op op,
		      const struct abi_ctx_field *field)
{
	bool imm = isa_info(op)->kind == KIND_ST;
	u32 size = isa_info(op)->size, real = real_size(field);
	u32 delta = (u32)insn->off - field->off;
	struct code_insn store = plain(insn, op);

	store.off = (s32)(real_off(field) + delta);
	if (size < real && size == field->size) {
		ctx_widen(l, insn, op);
		store.op = by_size(stores, real);
		store.src = CODE_SCRATCH;
	} else if (delta >= real) {
		return;
	} else if (size > real) {
		store.op = by_size(imm ? imm_stores : stores, real);
	}
	lower_emit(l, store);
}

static int ctx_access(struct lower *l, const struct insn *insn, enum isa_op op)
{
	const struct abi_ctx_field *field = l->proof->at[l->at].ctx_field;

	/* Arguments of hooks are numbers of 8 bytes where the program sees them. */
	if (!field) {
		lower_emit(l, plain(insn, op));
		return 0;
	}
	switch (isa_info(op)->kind) {
	case KIND_LDX:
		ctx_load(l, insn, op, field);
		return 0;
	case KIND_ST:
	case KIND_STX:
		ctx_store(l, insn, op, field);
		return 0;
	default:
		return lower_fail(l, -EINVAL, "atomic access to the context");
	}
}

/* --- pointer fields of maps --- */

static int slot_store(struct lower *l, const struct insn *insn, enum isa_op op)
{
	struct code_insn store = {OP_STORE_REL64, insn->dst, insn->src, insn->off};

	if (isa_info(op)->size != 8)
		return lower_fail(l, -EINVAL, "partial store to a pointer field");
	if (l->proof->at[l->at].field && l->proof->at[l->at].field->kind == FIELD_USER)
		store.op = CODE_STORE_USER;
	if (isa_info(op)->kind == KIND_ST) {
		lower_emit(l, (struct code_insn){OP_MOV64_IMM, CODE_SCRATCH,
						 .imm = insn->imm});
		store.src = CODE_SCRATCH;
	}
	lower_emit(l, store);
	return 0;
}

/*
 * H6, as seq_enter() and seq_leave() of the run time do it: whoever finds the version's
 * lowest bit 0 and sets it is the writer, and adds the other one when it has exchanged.
 */
static void slot_exchange(struct lower *l, const struct insn *insn, enum isa_op op)
{
	const struct field *field = l->proof->at[l->at].field;
	s32 version = insn->off + (field ? field->seq : 0);
	bool counted = field && field->seq;

	if (counted) {
		lower_emit(l, (struct code_insn){OP_MOV64_IMM, CODE_SCRATCH, .imm = 1});
		lower_emit(l, (struct code_insn){OP_ATOMIC_FETCH_OR64, insn->dst,
						 CODE_SCRATCH, version});
		lower_emit(l, (struct code_insn){OP_JSET64_IMM, CODE_SCRATCH, LOWER_LOCAL, -3,
						 .imm = 1});
	}
	lower_emit(l, plain(insn, op));
	if (!counted)
		return;
	lower_emit(l, (struct code_insn){OP_MOV64_IMM, CODE_SCRATCH, .imm = 1});
	lower_emit(l, (struct code_insn){OP_ATOMIC_FETCH_ADD64, insn->dst, CODE_SCRATCH,
					 version});
}

/* --- arenas --- */

static int arena_access(struct lower *l, const struct insn *insn, enum isa_op op)
{
	const struct isa_info *info = isa_info(op);
	struct code_insn out = {0, insn->dst, insn->src, insn->off};
	u16 log = (u16)__builtin_ctz(info->size);

	if (!l->code->window)
		return lower_fail(l, -ENOENT, "no arena is there");
	switch (info->kind) {
	case KIND_LDX:
	case KIND_LOAD_ACQ:
		out.op = (u16)(CODE_ARENA_LDX8 + log);
		break;
	case KIND_ST:
		lower_emit(l, (struct code_insn){OP_MOV64_IMM, CODE_SCRATCH, .imm = insn->imm});
		out.src = CODE_SCRATCH;
		out.op = (u16)(CODE_ARENA_STX8 + log);
		break;
	case KIND_STX:
	case KIND_STORE_REL:
		out.op = (u16)(CODE_ARENA_STX8 + log);
		break;
	default:
		out.op = CODE_ARENA_ATOMIC;
		out.imm = op;
	}
	lower_emit(l, out);
	return 0;
}

/* --- all --- */

void lower_user_address(struct lower *l, u8 reg)
{
	lower_emit(l, (struct code_insn){OP_LSH64_IMM, reg, .imm = 64 - USER_ADDR_BITS});
	lower_emit(l, (struct code_insn){OP_RSH64_IMM, reg, .imm = 64 - USER_ADDR_BITS});
}

/* Inside its pools only: the address, or 0, goes through the scratch register. */
static int pooled(struct lower *l, struct code_insn *load, u32 size)
{
	const struct proof_insn *at = &l->proof->at[l->at];
	void *pool = l->link->pool
			     ? l->link->pool(l->link->data, at->pool_btf, at->pool_type)
			     : NULL;

	if (!pool)
		return lower_fail(l, -ENOENT, "no pools of a struct that has some");
	lower_emit(l, (struct code_insn){OP_MOV64_REG, CODE_SCRATCH, load->src});
	lower_emit(l, (struct code_insn){OP_ADD64_IMM, CODE_SCRATCH, .imm = load->off});
	lower_emit(l, (struct code_insn){CODE_IN_REGION, CODE_SCRATCH, .off = (s32)size,
					 .ptr = pool});
	load->src = CODE_SCRATCH;
	load->off = 0;
	return 0;
}

static int safe_access(struct lower *l, const struct insn *insn, enum isa_op op)
{
	const struct isa_info *info = isa_info(op);
	struct code_insn load = plain(insn, op);

	/* An acquire through such a pointer orders nothing that could be relied on: the
	 * object may be gone. On this host loads acquire anyway (B48). */
	load.op = by_size(info->sign ? safe_sign_loads : safe_loads, info->size);
	if (l->proof->at[l->at].pool_btf)
		TRY(pooled(l, &load, info->size));
	lower_emit(l, load);
	return 0;
}

static int access(struct lower *l, const struct insn *insn, enum isa_op op)
{
	enum isa_kind kind = isa_info(op)->kind;
	bool load = kind == KIND_LDX || kind == KIND_LOAD_ACQ;

	switch ((enum access_class)l->proof->at[l->at].access) {
	case ACCESS_CTX:
		return ctx_access(l, insn, op);
	case ACCESS_FAULT_SAFE:
		if (!load)
			return lower_fail(l, -EINVAL, "store through an untrusted pointer");
		return safe_access(l, insn, op);
	case ACCESS_SLOT_LOAD:
		lower_emit(l, (struct code_insn){OP_LOAD_ACQ64, insn->dst, insn->src,
						 insn->off});
		return 0;
	case ACCESS_ARENA:
		return arena_access(l, insn, op);
	case ACCESS_SLOT_STORE:
		return slot_store(l, insn, op);
	case ACCESS_SLOT_XCHG:
		slot_exchange(l, insn, op);
		return 0;
	default:
		lower_emit(l, plain(insn, op));
		return 0;
	}
}

int lower_mem(struct lower *l, const struct insn *insn, enum isa_op op)
{
	TRY(access(l, insn, op));
	if (l->proof->at[l->at].user & USER_LOADED)
		lower_user_address(l, insn->dst);
	return 0;
}
