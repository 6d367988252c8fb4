/* SPDX-License-Identifier: MIT
 *
 * copy.c: what compilers make of memcpy() and of the assignment of structs, a row of
 *
 *	t = *(u64 *)(s + o); *(u64 *)(d + p) = t;
 *
 * with o and p rising or falling by the size of the words, which may be bytes, is copied
 * 32 bytes at a time.
 *
 * The two ways differ only where something that was written is read again within the same
 * 32 bytes: where the destination lies less than that in front of the source, seen in the
 * direction of the copy. That is tested first, and then the row is done as it stands.
 */
#include "jit/x64/gen.h"

enum { CHUNK = 32, FEWEST = 2 * CHUNK /* bytes worth it */ };

struct row {
	const struct code_insn *load, *store; /* the first pair */
	u32 words, size;
	s32 step; /* size or -size */
};

static bool is_copy(const struct code_insn *load, const struct code_insn *store)
{
	const struct isa_info *a, *b;

	if (load->op >= NR_OPS || store->op >= NR_OPS)
		return false;
	a = isa_info((enum isa_op)load->op);
	b = isa_info((enum isa_op)store->op);
	return a->kind == KIND_LDX && !a->sign && b->kind == KIND_STX && a->size == b->size &&
	       store->src == load->dst && load->dst != load->src && load->dst != store->dst;
}

static bool is_pair(const struct gen *g, u32 at, const struct row *r)
{
	const struct code_insn *load = &g->code->insns[at], *store = load + 1;

	if (at + 1 >= g->sub->end || plan_is_target(g->plan, at) ||
	    plan_is_target(g->plan, at + 1))
		return false;
	return load->op == r->load->op && store->op == r->store->op &&
	       load->dst == r->load->dst && store->src == r->load->dst &&
	       load->src == r->load->src && store->dst == r->store->dst;
}

static bool match(const struct gen *g, struct row *r)
{
	s64 step;

	if (g->at + 4 > g->sub->end)
		return false;
	r->load = &g->code->insns[g->at];
	r->store = r->load + 1;
	r->words = 1;
	if (plan_is_target(g->plan, g->at + 1) || !is_copy(r->load, r->store))
		return false;
	r->size = isa_info((enum isa_op)r->load->op)->size;
	step = (s64)r->load[2].off - r->load->off;
	if (step != r->size && step != -(s64)r->size)
		return false;
	r->step = (s32)step;
	while (is_pair(g, g->at + 2 * r->words, r) &&
	       r->load[2 * r->words].off == r->load->off + (s32)r->words * r->step &&
	       r->store[2 * r->words].off == r->store->off + (s32)r->words * r->step)
		r->words++;
	r->words -= r->words % (CHUNK / r->size);
	return r->words * r->size >= FEWEST &&
	       !(plan_live(g->plan, g->at + 2 * r->words - 1) & BIT(r->load->dst));
}

/* Jumps where the row must be done word by word. */
static u8 *test_overlap(struct gen *g, const struct row *r)
{
	u8 src = gen_reg(r->load->src), dst = gen_reg(r->store->dst);
	s32 more = r->store->off - r->load->off;

	if (r->step < 0)
		more = -more;
	if (r->step > 0) { /* T0 = destination - source */
		gen_mov_reg(g, true, T0, dst);
		x64_rr(&g->x, X64_SUB_RM, true, T0, src);
	} else {
		gen_mov_reg(g, true, T0, src);
		x64_rr(&g->x, X64_SUB_RM, true, T0, dst);
	}
	x64_alu_imm(&g->x, X64_ADD_RM, true, T0, more - 1);
	x64_alu_imm(&g->x, X64_CMP_RM, true, T0, CHUNK - 1);
	return x64_jcc(&g->x, CC_B, true);
}

static void copy_chunks(struct gen *g, const struct row *r)
{
	u8 src = gen_reg(r->load->src), dst = gen_reg(r->store->dst);
	s32 low = r->step > 0 ? 0 : -(s32)(CHUNK - r->size); /* of a chunk, from its first word */

	for (u32 i = 0; i < r->words; i += CHUNK / r->size) {
		s32 at = (s32)i * r->step + low;

		x64_vex_mem(&g->x, X64_VMOVDQU_RM, false, 0, 0, x64_at(src, r->load->off + at));
		x64_vex_mem(&g->x, X64_VMOVDQU_MR, false, 0, 0, x64_at(dst, r->store->off + at));
	}
	x64_vzeroupper(&g->x);
}

/* In a loop, as this hardly ever happens. */
static void copy_words(struct gen *g, const struct row *r)
{
	struct x64_mem from = {gen_reg(r->load->src), T0, 0, r->load->off};
	struct x64_mem to = {gen_reg(r->store->dst), T0, 0, r->store->off};
	const u8 *again;

	x64_mov_imm(&g->x, T0, 0);
	again = g->x.at;
	gen_load_from(g, gen_reg(r->load->dst), from, r->size, false);
	gen_store_to(g, r->store, to, r->size, false);
	x64_alu_imm(&g->x, X64_ADD_RM, true, T0, r->step);
	x64_alu_imm(&g->x, X64_CMP_RM, true, T0, (s32)r->words * r->step);
	x64_jcc_to(&g->x, CC_NE, again);
}

u32 gen_copy(struct gen *g)
{
	struct row r;
	u8 *slow, *done;

	if (!g->avx || !match(g, &r))
		return 0;
	g->next = g->at + 2 * r.words;
	slow = test_overlap(g, &r);
	copy_chunks(g, &r);
	done = x64_jmp(&g->x, true);
	x64_patch(slow, true, g->x.at);
	copy_words(g, &r);
	x64_patch(done, true, g->x.at);
	return 2 * r.words;
}
