/* SPDX-License-Identifier: MIT
 *
 * copy.c: what compilers make of memcpy() and of the assignment of structs, a row of
 *
 *	t = *(u64 *)(s + o); *(u64 *)(d + p) = t;
 *
 * with o and p rising or falling by 8, is copied 32 bytes at a time.
 *
 * The two ways differ only where a word that was written is read again within the same 32
 * bytes: where the destination lies less than that in front of the source, seen in the
 * direction of the copy. That is tested first, and then the row is done as it stands.
 */
#include "jit/x64/gen.h"

enum { CHUNK = 32, WORDS = CHUNK / 8, FEWEST = 2 * WORDS };

struct row {
	const struct code_insn *load, *store; /* the first pair */
	u32 words;
	s32 step; /* 8 or -8 */
};

static bool is_pair(const struct gen *g, u32 at, const struct row *r)
{
	const struct code_insn *load = &g->code->insns[at], *store = load + 1;

	if (at + 1 >= g->sub->end || plan_is_target(g->plan, at) ||
	    plan_is_target(g->plan, at + 1))
		return false;
	return load->op == OP_LDX64 && store->op == OP_STX64 && load->dst == r->load->dst &&
	       store->src == r->load->dst && load->src == r->load->src &&
	       store->dst == r->store->dst;
}

static bool match(const struct gen *g, struct row *r)
{
	s64 step;

	r->load = &g->code->insns[g->at];
	r->store = r->load + 1;
	r->words = 1;
	if (g->at + 2 * FEWEST > g->sub->end || plan_is_target(g->plan, g->at + 1) ||
	    r->store->op != OP_STX64 || r->store->src != r->load->dst ||
	    r->load->dst == r->load->src || r->load->dst == r->store->dst)
		return false;
	step = (s64)r->load[2].off - r->load->off;
	if (step != 8 && step != -8)
		return false;
	r->step = (s32)step;
	while (is_pair(g, g->at + 2 * r->words, r) &&
	       r->load[2 * r->words].off == r->load->off + (s32)r->words * r->step &&
	       r->store[2 * r->words].off == r->store->off + (s32)r->words * r->step)
		r->words++;
	r->words -= r->words % WORDS;
	return r->words >= FEWEST &&
	       !(plan_live(g->plan, g->at + 2 * r->words - 1) & BIT(r->load->dst));
}

/* Jumps where the row must be done word by word. */
static u8 *test_overlap(struct gen *g, const struct row *r)
{
	u8 src = gen_reg(r->load->src), dst = gen_reg(r->store->dst);
	s32 more = r->store->off - r->load->off;

	if (r->step > 0) { /* T0 = destination - source */
		gen_mov_reg(g, true, T0, dst);
		x64_rr(&g->x, X64_SUB_RM, true, T0, src);
	} else {
		gen_mov_reg(g, true, T0, src);
		x64_rr(&g->x, X64_SUB_RM, true, T0, dst);
		more = -more;
	}
	x64_alu_imm(&g->x, X64_ADD_RM, true, T0, more - 1);
	x64_alu_imm(&g->x, X64_CMP_RM, true, T0, CHUNK - 1);
	return x64_jcc(&g->x, CC_B, true);
}

static void copy_chunks(struct gen *g, const struct row *r)
{
	u8 src = gen_reg(r->load->src), dst = gen_reg(r->store->dst);
	s32 low = r->step > 0 ? 0 : -(CHUNK - 8); /* of a chunk, from its first word */

	for (u32 i = 0; i < r->words; i += WORDS) {
		s32 at = (s32)i * r->step + low;

		x64_vex_mem(&g->x, X64_VMOVDQU_RM, false, 0, 0, x64_at(src, r->load->off + at));
		x64_vex_mem(&g->x, X64_VMOVDQU_MR, false, 0, 0, x64_at(dst, r->store->off + at));
	}
	x64_vzeroupper(&g->x);
}

static void copy_words(struct gen *g, const struct row *r)
{
	for (u32 i = 0; i < r->words; i++) {
		gen_load(g, &r->load[2 * i], 8, false);
		gen_store(g, &r->store[2 * i], 8, false);
	}
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
