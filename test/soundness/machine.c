/* SPDX-License-Identifier: MIT
 *
 * machine.c: see machine.h.
 */
#include "soundness/machine.h"

enum { MAX_RUN = 100000 };

static u64 input(struct gen *g)
{
	return gen_roll(g, 2) ? (u64)(s64)gen_edge(g) : gen_roll(g, 2) ? gen_roll(g, 300) : g->seed;
}

static u8 *memory(struct machine *m, u64 addr, u32 size)
{
	u64 value = (u64)(uintptr_t)m->value, stack = (u64)(uintptr_t)m->stack;
	u64 packet = (u64)(uintptr_t)m->packet;

	if (addr >= value && addr + size <= value + MACHINE_VALUE)
		return m->value + (addr - value);
	if (addr >= packet && addr + size <= packet + m->packet_len)
		return m->packet + (addr - packet);
	if (addr >= stack && addr + size <= stack + (m->frame + 1) * STACK_SIZE)
		return &m->stack[0][0] + (addr - stack);
	return NULL;
}

static void enter(struct machine *m, u32 frame)
{
	for (u32 r = 0; r < R_FP; r++)
		m->regs[frame][r] = input(m->g);
	m->regs[frame][R_FP] = (u64)(uintptr_t)(m->stack[frame] + STACK_SIZE);
	m->frame = frame;
}

static const char *do_load(struct machine *m, const struct insn *in, u32 size)
{
	u64 *r = m->regs[m->frame], num = 0;
	u8 *at = memory(m, r[in->src] + (u64)(s64)in->off, size);

	if (r[in->src] == MACHINE_CTX) /* the context */
		num = m->ctx[in->off / 4];
	else if (!at)
		return "a load outside of memory";
	else
		memcpy(&num, at, size);
	r[in->dst] = num;
	return NULL;
}

static u64 atomic_result(enum isa_atomic op, u64 old, u64 src, u64 r0, u32 size)
{
	if (size == 4)
		r0 = (u32)r0;
	switch (op) {
	case ATOMIC_ADD:
	case ATOMIC_FETCH_ADD:
		return old + src;
	case ATOMIC_OR:
	case ATOMIC_FETCH_OR:
		return old | src;
	case ATOMIC_AND:
	case ATOMIC_FETCH_AND:
		return old & src;
	case ATOMIC_XOR:
	case ATOMIC_FETCH_XOR:
		return old ^ src;
	case ATOMIC_CMPXCHG:
		return old == r0 ? src : old;
	default:
		return src;
	}
}

static const char *do_atomic(struct machine *m, const struct insn *in,
			     const struct isa_info *info)
{
	u64 *r = m->regs[m->frame], old = 0, num;
	u8 *at = memory(m, r[in->dst] + (u64)(s64)in->off, info->size);

	if (!at)
		return "an atomic operation outside of memory";
	memcpy(&old, at, info->size);
	num = atomic_result((enum isa_atomic)info->sub, old, r[in->src], r[R0], info->size);
	memcpy(at, &num, info->size);
	if (info->sub == ATOMIC_CMPXCHG)
		r[R0] = old;
	else if (info->sub >= ATOMIC_FETCH_ADD)
		r[in->src] = old;
	return NULL;
}

static const char *do_store(struct machine *m, const struct insn *in, u32 size, u64 num)
{
	u8 *at = memory(m, m->regs[m->frame][in->dst] + (u64)(s64)in->off, size);

	if (!at)
		return "a store outside of memory";
	memcpy(at, &num, size);
	return NULL;
}

static void do_call(struct machine *m, const struct insn *in)
{
	u64 *r = m->regs[m->frame];

	if (in->src == CALL_SUBPROG) {
		m->back[m->frame] = m->pc;
		enter(m, m->frame + 1);
		memcpy(&m->regs[m->frame][R1], &r[R1], 5 * sizeof(*r));
		m->pc += (u32)in->imm;
		return;
	}
	for (u32 i = R1; i <= R5; i++)
		r[i] = input(m->g);
	r[R0] = in->imm == 1 ? (u64)(uintptr_t)m->value : (u32)input(m->g);
}

static const char *do_jump(struct machine *m, const struct insn *in,
			   const struct isa_info *info, u64 b, s8 proved)
{
	bool taken = isa_cond((enum isa_cond)info->sub, info->wide,
			      m->regs[m->frame][in->dst], b);

	if (proved >= 0 && proved != taken)
		return "a branch went the way it never goes";
	if (taken)
		m->pc += (u32)(s32)in->off;
	return NULL;
}

const char *machine_step(struct machine *m)
{
	u32 at = m->pc, op = isa_decode(&m->g->insns[at], m->g->n - at, NULL);
	const struct insn *in = &m->g->insns[at];
	const struct isa_info *info = isa_info(op);
	u64 *r = m->regs[m->frame];
	u64 b = info->src_reg ? r[in->src] : (u64)(s64)in->imm;

	if (!m->proof->at[at].reached)
		return "dead code was reached";
	m->pc += isa_slots(op);
	switch (info->kind) {
	case KIND_ALU:
		r[in->dst] = isa_alu((enum isa_alu)info->sub, info->wide, r[in->dst], b);
		return NULL;
	case KIND_LDX:
		return do_load(m, in, info->size);
	case KIND_ST:
	case KIND_STX:
		return do_store(m, in, info->size, b);
	case KIND_ATOMIC:
		return do_atomic(m, in, info);
	case KIND_JMP:
		return do_jump(m, in, info, b, m->proof->at[at].branch);
	case KIND_MAY_GOTO:
		m->pc += gen_roll(m->g, 20) ? 0 : (u32)(s32)in->off;
		return NULL;
	case KIND_JA:
		m->pc += (u32)(s32)in->off;
		return NULL;
	case KIND_CALL:
		do_call(m, in);
		return NULL;
	case KIND_EXIT:
		if (!m->frame)
			return "";
		m->pc = m->back[--m->frame];
		m->regs[m->frame][R0] = r[R0];
		return NULL;
	default:
		return NULL;
	}
}

void machine_begin(struct machine *m, struct gen *g, const struct proof *proof)
{
	*m = (struct machine){.g = g, .proof = proof, .packet_len = gen_roll(g, MACHINE_PACKET + 1)};
	m->ctx[0] = (u64)(uintptr_t)m->packet;
	m->ctx[1] = m->ctx[0] + m->packet_len;
	m->ctx[3] = (u32)input(g);
	m->ctx[4] = (u32)input(g);
	for (u32 i = 0; i < MACHINE_VALUE; i++)
		m->value[i] = (u8)input(g);
	for (u32 i = 0; i < sizeof(m->stack); i++)
		(&m->stack[0][0])[i] = (u8)g->seed + (u8)i;
	enter(m, 0);
	m->regs[0][R1] = MACHINE_CTX;
}

const char *machine_run(struct machine *m, struct gen *g, const struct proof *proof)
{
	machine_begin(m, g, proof);
	for (u32 i = 0; i < MAX_RUN; i++) {
		const char *wrong = machine_step(m);

		if (wrong)
			return wrong[0] ? wrong : NULL;
	}
	return "the program does not end";
}
