/* SPDX-License-Identifier: MIT
 *
 * exec_jmp.c: jumps, and what the taken and the other branch each learn: ranges of
 * numbers, NULL or not, how much of a packet is there.
 *
 * A branch that is decided by what is known makes the deciding numbers precise: pruning
 * must not join paths that would decide otherwise.
 */
#include "verify/walk.h"

enum { MAX_PACKET_OFF = 0xffff, MAX_LINKED = 6 };

struct cmp {
	enum isa_cond cond;
	bool wide;
	u32 dst;
	s32 src; /* register, or -1: an immediate */
	struct scalar imm;
};

static struct cmp cmp_of(struct env *env, const struct insn *insn)
{
	const struct isa_info *info = isa_info(env->notes[env->insn].op);
	u64 imm = info->wide ? (u64)(s64)insn->imm : (u32)insn->imm;

	return (struct cmp){(enum isa_cond)info->sub, info->wide, insn->dst,
			    info->src_reg ? (s32)insn->src : -1, scalar_const(imm)};
}

/* --- numbers linked by id --- */

struct links {
	u32 id[2]; /* of dst and src; 0: none */
	u32 n;
	u64 packed;
};

static bool in_links(const struct links *links, const struct reg *reg)
{
	return reg->base == REG_SCALAR && reg->id &&
	       (reg->id == links->id[0] || reg->id == links->id[1]);
}

/* A link too many cannot be recorded, so it is cut. */
static void note_link(struct links *links, struct reg *reg, u64 code)
{
	if (!in_links(links, reg))
		return;
	if (links->n < MAX_LINKED) {
		links->packed |= code << (10 * links->n++);
		return;
	}
	reg->id = 0;
	reg->off = 0;
}

/* The jump's own registers come first: their links must not be the ones cut. */
static void collect_links(struct env *env, const struct cmp *cmp, struct links *links)
{
	struct state *state = env->cur;
	u32 top = state->nframes - 1;

	note_link(links, cur_reg(env, cmp->dst), link_encode(top, false, cmp->dst));
	if (cmp->src >= 0 && (u32)cmp->src != cmp->dst)
		note_link(links, cur_reg(env, (u32)cmp->src),
			  link_encode(top, false, (u32)cmp->src));
	for (u32 f = 0; f < state->nframes; f++) {
		struct frame *frame = state->frames[f];

		for (u32 r = 0; r < R_FP; r++)
			if (f != top || (r != cmp->dst && (s32)r != cmp->src))
				note_link(links, &frame->regs[r],
					  link_encode(f, false, r));
		for (u32 i = 0; i < frame->nslots; i++)
			if (slot_has_spill(&frame->stack[i]))
				note_link(links, &frame->stack[i].spilled,
					  link_encode(f, true, i));
	}
}

static void record_links(struct env *env, const struct cmp *cmp)
{
	struct links links = {0};
	const struct reg *dst = cur_reg(env, cmp->dst);

	if (dst->base == REG_SCALAR)
		links.id[0] = dst->id;
	if (cmp->src >= 0 && cur_reg(env, (u32)cmp->src)->base == REG_SCALAR)
		links.id[1] = cur_reg(env, (u32)cmp->src)->id;
	if (!links.id[0] && !links.id[1])
		return;
	collect_links(env, cmp, &links);
	cur_step(env)->linked = links.packed;
}

/* What is known to be one number tells nothing more: it is no address now. */
static void set_number(struct reg *reg, struct scalar num)
{
	reg->num = num;
	if (scalar_is_const(num))
		reg->flags &= (u16)~(F_ADDRESS | F_PART);
}

static void learn_linked(struct reg *reg, void *data)
{
	const struct reg *known = data;
	struct scalar num = known->num;

	if (reg == known || reg->base != REG_SCALAR || reg->id != known->id)
		return;
	if (reg->off != known->off) {
		num = scalar_alu(ALU_ADD, true, num,
				 scalar_const((u64)((s64)reg->off - known->off)));
		if (scalar_within(num, reg->num))
			return; /* the sum wrapped: what was known is better */
	}
	set_number(reg, num);
}

static void sync_links(struct state *state, const struct reg *known)
{
	if (known->base == REG_SCALAR && known->id)
		state_each_reg(state, learn_linked, (void *)(uintptr_t)known);
}

/* --- numbers --- */

static struct reg *state_reg(struct state *state, u32 regno)
{
	return &state->frames[state->nframes - 1]->regs[regno];
}

/* Linux 6.12 learns of `x & mask` only when the mask has one bit. */
static bool learns_nothing(const struct env *env, const struct cmp *cmp, struct scalar mask)
{
	u64 bits = mask.bits.value;

	return env->abi->policy.jset_612 && cmp->cond == COND_SET &&
	       (!scalar_is_const(mask) || bits & (bits - 1));
}

static void refine(struct env *env, struct state *state, const struct cmp *cmp, bool taken)
{
	struct reg *dst = state_reg(state, cmp->dst);
	struct reg *src = cmp->src >= 0 ? state_reg(state, (u32)cmp->src) : NULL;
	struct scalar a = dst->num, b = src ? src->num : cmp->imm;

	if (taken && learns_nothing(env, cmp, b))
		return;
	branch_refine(cmp->cond, cmp->wide, taken, &a, &b);
	if (scalar_empty(a) || scalar_empty(b))
		return; /* cannot be; nothing is learnt, and that is sound */
	set_number(dst, a);
	sync_links(state, dst);
	if (!src || src == dst)
		return;
	set_number(src, b);
	sync_links(state, src);
}

/* --- pointers --- */

/* As far as the kernel knows: of the context and the stack it does not. */
static bool never_null(const struct reg *reg)
{
	static const u16 bases = BIT(REG_MAP) | BIT(REG_MAP_KEY) | BIT(REG_MAP_VALUE) |
				 BIT(REG_MEM) | BIT(REG_TABLE);

	if (reg->flags & (F_NULL | F_UNTRUSTED))
		return false;
	if (reg->base == REG_BTF)
		return reg->ref || reg->flags & (F_TRUSTED | F_ALLOC); /* what is read may be */
	return bases >> reg->base & 1;
}

static bool is_equality(const struct cmp *cmp)
{
	return cmp->wide && (cmp->cond == COND_EQ || cmp->cond == COND_NE);
}

static bool is_zero(const struct scalar *num)
{
	return scalar_is_const(*num) && !num->bits.value;
}

static int decide(struct env *env, const struct cmp *cmp)
{
	const struct reg *dst = cur_reg(env, cmp->dst);
	const struct reg *src = cmp->src >= 0 ? cur_reg(env, (u32)cmp->src) : NULL;
	const struct scalar *b = src ? &src->num : &cmp->imm;

	if (src && src->base != REG_SCALAR) {
		if (is_equality(cmp) && reg_is_null(dst) && never_null(src))
			return cmp->cond == COND_NE;
		return -1;
	}
	if (dst->base == REG_SCALAR)
		return branch_taken(cmp->cond, cmp->wide, dst->num, *b);
	if (is_equality(cmp) && is_zero(b) && never_null(dst))
		return cmp->cond == COND_NE;
	return -1;
}

static int make_precise(struct env *env, const struct cmp *cmp)
{
	if (cur_reg(env, cmp->dst)->base == REG_SCALAR)
		TRY(mark_precise(env, cmp->dst));
	if (cmp->src >= 0 && cur_reg(env, (u32)cmp->src)->base == REG_SCALAR)
		TRY(mark_precise(env, (u32)cmp->src));
	return 0;
}

/* A test against NULL, or against a pointer that is not: the register it tells of. */
static const struct reg *null_test(struct env *env, const struct cmp *cmp, bool *zero)
{
	const struct reg *dst = cur_reg(env, cmp->dst);
	const struct reg *src = cmp->src >= 0 ? cur_reg(env, (u32)cmp->src) : NULL;

	if (!is_equality(cmp))
		return NULL;
	*zero = true;
	if (dst->flags & F_NULL && (src ? reg_is_null(src) : is_zero(&cmp->imm)))
		return dst;
	if (src && src->flags & F_NULL && reg_is_null(dst))
		return src;
	*zero = false;
	if (dst->flags & F_NULL && src && never_null(src))
		return dst;
	if (src && src->flags & F_NULL && never_null(dst))
		return src;
	return NULL;
}

static void learn_nulls(struct env *env, struct state *taken, const struct cmp *cmp)
{
	bool zero, equal_taken = cmp->cond == COND_EQ;
	const struct reg *reg = null_test(env, cmp, &zero);
	u32 id, ref;

	if (!reg || !reg->id)
		return;
	id = reg->id;
	ref = reg->ref;
	if (zero) {
		null_learn(env, taken, id, ref, equal_taken);
		null_learn(env, env->cur, id, ref, !equal_taken);
		return;
	}
	/* Equal to what is not NULL; the other branch learns nothing. */
	null_learn(env, equal_taken ? taken : env->cur, id, ref, false);
}

/* --- packets --- */

struct packet_test {
	u8 base;
	u32 id, range;
};

static void grow_range(struct reg *reg, void *data)
{
	const struct packet_test *test = data;

	if (reg->base == test->base && reg->id == test->id && reg->range < test->range)
		reg->range = test->range;
}

/* In @state @ptr <= end holds (@strict: <): that many bytes are there. */
static void learn_packet(struct state *state, struct reg ptr, bool strict)
{
	struct packet_test test = {ptr.base, ptr.id, 0};

	if (ptr.off < 0 || ptr.num.smin < 0 || ptr.num.umax > MAX_PACKET_OFF ||
	    ptr.num.umax + (u32)ptr.off > MAX_PACKET_OFF)
		return;
	test.range = (u32)ptr.off + strict;
	if (test.range)
		state_each_reg(state, grow_range, &test);
}

static bool ends_packet(const struct reg *ptr, const struct reg *end)
{
	bool start = end->base == REG_PACKET && !end->off && is_zero(&end->num);

	return (ptr->base == REG_PACKET && end->base == REG_PACKET_END) ||
	       (ptr->base == REG_PACKET_META && start);
}

/* The eight forms: pointer against end, end against pointer, four conditions each. */
static void learn_packets(struct env *env, struct state *taken, const struct cmp *cmp)
{
	struct reg dst, src;
	/* By condition: the branch of `ptr cond end` in which ptr <= end or ptr < end. */
	static const struct {
		bool any, in_taken, strict;
	} forms[NR_COND] = {
		[COND_GT] = {true, false, false}, /* not taken: ptr <= end */
		[COND_GE] = {true, false, true},  /* not taken: ptr < end */
		[COND_LT] = {true, true, true},
		[COND_LE] = {true, true, false},
	};
	static const u8 mirrored[NR_COND] = {[COND_GT] = COND_LT,
					     [COND_GE] = COND_LE,
					     [COND_LT] = COND_GT,
					     [COND_LE] = COND_GE};
	u32 cond = cmp->cond;

	if (cmp->src < 0 || !cmp->wide || !forms[cond].any)
		return;
	dst = *cur_reg(env, cmp->dst);
	src = *cur_reg(env, (u32)cmp->src);
	if (ends_packet(&src, &dst)) {
		struct reg swap = dst;

		dst = src;
		src = swap;
		cond = mirrored[cond];
	} else if (!ends_packet(&dst, &src)) {
		return;
	}
	learn_packet(forms[cond].in_taken ? taken : env->cur, dst, forms[cond].strict);
}

/* --- the jumps --- */

static int fork_branch(struct env *env, const struct cmp *cmp, u32 target)
{
	struct state *taken;
	int err;

	record_links(env, cmp);
	taken = push_branch(env, target, &err);
	if (!taken)
		return err;
	if (cur_reg(env, cmp->dst)->base == REG_SCALAR &&
	    (cmp->src < 0 || cur_reg(env, (u32)cmp->src)->base == REG_SCALAR)) {
		refine(env, taken, cmp, true);
		refine(env, env->cur, cmp, false);
		return 0;
	}
	learn_nulls(env, taken, cmp);
	learn_packets(env, taken, cmp);
	return 0;
}

static void note_pointers(struct env *env, const struct cmp *cmp)
{
	if (reg_is_pointer(cur_reg(env, cmp->dst)))
		cur_step(env)->flags |= STEP_DST_PTR;
	if (cmp->src >= 0 && reg_is_pointer(cur_reg(env, (u32)cmp->src)))
		cur_step(env)->flags |= STEP_SRC_PTR;
}

static bool is_whole(const struct reg *reg)
{
	return reg->base == REG_SCALAR ? !(reg->flags & F_PART)
				       : scalar_is_const(reg->num);
}

/*
 * What is learnt of an address bit by bit could be kept, too (B10). One comparison of all
 * of it with a constant tells one number that it is not; of two pointers, whether they are
 * the same, and how those of one kind lie. Addresses in arenas are any numbers that the
 * program likes.
 */
static int check_comparison(struct env *env, const struct cmp *cmp)
{
	const struct reg *dst = cur_reg(env, cmp->dst), imm = reg_num(cmp->imm);
	const struct reg *src = cmp->src >= 0 ? cur_reg(env, (u32)cmp->src) : &imm;
	bool equality = cmp->wide && (cmp->cond == COND_EQ || cmp->cond == COND_NE);
	bool whole = is_whole(dst) && is_whole(src);
	bool shown = leaks_address(env, dst), by_shown = leaks_address(env, src);

	if (!shown && !by_shown)
		return 0;
	if (shown && by_shown) {
		if ((equality && whole) || pointers_related(dst, src))
			return 0;
		return reject(env, RULE_PTR_COMPARE, cmp->dst);
	}
	if (!equality || !whole || !scalar_is_const(shown ? src->num : dst->num))
		return reject(env, RULE_PTR_COMPARE, shown ? cmp->dst : (u32)cmp->src);
	if (shown && cmp->src < 0)
		return 0;
	return mark_precise(env, shown ? (u32)cmp->src : cmp->dst);
}

int exec_jmp(struct env *env, const struct insn *insn, u32 *next)
{
	struct cmp cmp = cmp_of(env, insn);
	u32 target = jump_target(env, env->insn);
	int taken;

	TRY(check_readable(env, cmp.dst));
	if (cmp.src >= 0)
		TRY(check_readable(env, (u32)cmp.src));
	TRY(check_comparison(env, &cmp));
	env->jumps_processed++;
	note_pointers(env, &cmp);
	taken = decide(env, &cmp);
	if (taken >= 0)
		TRY(make_precise(env, &cmp));
	if (taken != 0)
		env->notes[env->insn].went |= WENT_TAKEN;
	if (taken != 1)
		env->notes[env->insn].went |= WENT_ON;
	if (taken < 0) {
		bool zero;

		/* NULL-ness learnt from a register that holds 0 rests on that number. */
		if (cmp.src >= 0 && null_test(env, &cmp, &zero) && zero)
			TRY(make_precise(env, &cmp));
		return fork_branch(env, &cmp, target);
	}
	if (taken)
		*next = target;
	return 0;
}

int exec_ja(struct env *env, const struct insn *insn, u32 *next)
{
	env->jumps_processed++;
	*next = jump_target(env, env->insn);
	return 0;
}

/*
 * may_goto: leaves the loop whenever the engine has had enough. The way out is walked
 * first, so that what the code behind the loop needs of the numbers is known when the
 * loop is entered again; numbers nobody needs are widened, and the loop converges.
 */
int exec_may_goto(struct env *env, const struct insn *insn, u32 *next)
{
	u32 body = *next;
	struct state *again;
	int err;

	env->jumps_processed++;
	*next = jump_target(env, env->insn);
	again = push_branch(env, body, &err);
	if (!again)
		return err;
	again->loops++;
	/* The parent is this very visit: it is a place that always stores. */
	widen(env, env->insn, again, again->parent);
	return 0;
}
