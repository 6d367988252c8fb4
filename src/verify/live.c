/* SPDX-License-Identifier: MIT
 *
 * live.c: which registers and stack slots may still be read from each instruction on.
 * What is dead is not compared when pruning, so a missed read would be unsound; a read
 * too many only costs. Computed once, per subprogram, before the walk.
 *
 * Slots are read through r10 and through copies of it. Where those copies go is followed
 * by a small constant propagation: a register is a known number, a known map, the frame
 * pointer plus a known offset, or some stack pointer. A read through a pointer of which
 * only that is known reads every slot. A stack pointer that is spilled and loaded again
 * is some stack pointer (slots that ever hold one are collected first). Other memory
 * never gives back a stack pointer: loads from it are numbers to the verifier, and no
 * callee can store a stack pointer into a caller's frame (RULE_STACK_CALLER) or return
 * one.
 */
#include "verify/walk.h"

enum val_kind { VAL_UNSEEN, VAL_OTHER, VAL_CONST, VAL_MAP, VAL_FP, VAL_STACK };

struct val {
	u32 kind; /* enum val_kind */
	s32 n;	  /* the constant, the map, the offset from fp */
};

struct vals {
	struct val r[NR_REGS];
};

struct live {
	struct env *env;
	const struct image_subprog *sub;
	u32 *leader;	 /* by instruction: index into in[] plus 1 */
	struct vals *in; /* what is known where blocks begin */
	u32 *todo, ntodo;
	bool *queued;
	u64 *use, *def; /* slots, by instruction */
	u64 spilled;	/* slots that hold a stack pointer somewhere */
};

static bool is_stack(struct val v)
{
	return v.kind == VAL_FP || v.kind == VAL_STACK;
}

static struct val other(void)
{
	return (struct val){VAL_OTHER, 0};
}

/* --- slots --- */

static u64 slots_between(s64 lo, s64 hi) /* bytes [lo, hi), negative offsets */
{
	u64 mask = 0;

	if (lo < -STACK_SIZE)
		lo = -STACK_SIZE;
	if (hi > 0)
		hi = 0;
	for (s64 at = lo; at < hi; at = (at & ~7ll) + 8)
		mask |= BIT64((-at - 1) / 8);
	return mask;
}

static u64 slots_at(struct val base, s64 off, u64 size)
{
	if (base.kind == VAL_STACK)
		return ~0ull;
	if (base.kind != VAL_FP)
		return 0;
	return slots_between(base.n + off, base.n + off + (s64)size);
}

/* --- the propagation --- */

static struct val val_add(struct val a, struct val b, int sign)
{
	s64 n = (s64)a.n + (s64)sign * b.n;

	if (b.kind == VAL_CONST && (a.kind == VAL_FP || a.kind == VAL_CONST) &&
	    n == (s32)n)
		return (struct val){a.kind, (s32)n};
	if (a.kind == VAL_CONST && b.kind == VAL_FP && sign > 0 && n == (s32)n)
		return (struct val){VAL_FP, (s32)n};
	return is_stack(a) || is_stack(b) ? (struct val){VAL_STACK, 0} : other();
}

static void do_alu(struct vals *v, const struct insn *in, const struct isa_info *info)
{
	struct val *dst = &v->r[in->dst];
	struct val src = info->src_reg ? v->r[in->src] : (struct val){VAL_CONST, in->imm};

	if (info->sub == ALU_MOV && (info->wide || (src.kind == VAL_CONST && src.n >= 0)))
		*dst = src;
	else if (info->wide && (info->sub == ALU_ADD || info->sub == ALU_SUB))
		*dst = val_add(*dst, src, info->sub == ALU_ADD ? 1 : -1);
	else
		*dst = other();
}

static void do_imm64(struct vals *v, const struct insn *in)
{
	bool small = !in[1].imm && in->imm >= 0;

	v->r[in->dst] = in->src == IMM_MAP		? (struct val){VAL_MAP, in->imm}
			: in->src == IMM_PLAIN && small ? (struct val){VAL_CONST, in->imm}
							: other();
}

static void do_load(struct live *l, struct vals *v, const struct insn *in,
		    const struct isa_info *info)
{
	bool stack = info->size == 8 && slots_at(v->r[in->src], in->off, 8) & l->spilled;

	v->r[in->dst] = stack ? (struct val){VAL_STACK, 0} : other();
}

static void do_store(struct live *l, const struct vals *v, const struct insn *in,
		     const struct isa_info *info)
{
	if (info->src_reg && is_stack(v->r[in->src]))
		l->spilled |= slots_at(v->r[in->dst], in->off, info->size);
}

static void transfer(struct live *l, struct vals *v, u32 insn)
{
	const struct insn *in = &l->env->prog->insns[insn];
	u32 op = l->env->notes[insn].op;
	const struct isa_info *info = isa_info(op);
	u16 writes = isa_writes(in, op);

	switch (info->kind) {
	case KIND_ALU:
		do_alu(v, in, info);
		return;
	case KIND_LD_IMM64:
		do_imm64(v, in);
		return;
	case KIND_LDX:
	case KIND_LOAD_ACQ:
		do_load(l, v, in, info);
		return;
	case KIND_STX:
	case KIND_STORE_REL:
	case KIND_ATOMIC:
		do_store(l, v, in, info);
		break;
	default:
		break;
	}
	for (u32 r = 0; writes >> r; r++)
		if (writes >> r & 1)
			v->r[r] = other();
}

static struct val val_join(struct val a, struct val b)
{
	if (a.kind == VAL_UNSEEN || (a.kind == b.kind && a.n == b.n))
		return b;
	if (b.kind == VAL_UNSEEN)
		return a;
	return is_stack(a) || is_stack(b) ? (struct val){VAL_STACK, 0} : other();
}

/* What flows into the block at @insn; a block that learns something new runs again. */
static void flow(struct live *l, u32 insn, const struct vals *v)
{
	u32 i = l->leader[insn] - 1;
	bool changed = false;

	for (u32 r = 0; r < NR_REGS; r++) {
		struct val *at = &l->in[i].r[r], was = *at;

		*at = val_join(*at, v->r[r]);
		changed |= at->kind != was.kind || at->n != was.n;
	}
	if (!changed || l->queued[i])
		return;
	l->queued[i] = true;
	l->todo[l->ntodo++] = insn;
}

static void run_block(struct live *l, u32 insn, struct vals v)
{
	for (;;) {
		u32 op = l->env->notes[insn].op;
		enum isa_kind kind = isa_info(op)->kind;

		transfer(l, &v, insn);
		if (kind == KIND_JMP || kind == KIND_JA || kind == KIND_MAY_GOTO)
			flow(l, jump_target(l->env, insn), &v);
		if (kind == KIND_JA || kind == KIND_EXIT)
			return;
		insn += isa_slots(op);
		if (l->leader[insn]) {
			flow(l, insn, &v);
			return;
		}
	}
}

static struct vals entry_vals(void)
{
	struct vals v;

	for (u32 r = 0; r < NR_REGS; r++)
		v.r[r] = other();
	v.r[R_FP] = (struct val){VAL_FP, 0};
	return v;
}

static void propagate(struct live *l, u32 nleaders)
{
	struct vals entry = entry_vals();
	u64 spilled;

	do { /* until no new slot is seen to hold a stack pointer */
		spilled = l->spilled;
		memset(l->in, 0, nleaders * sizeof(*l->in));
		memset(l->queued, 0, nleaders * sizeof(*l->queued));
		flow(l, l->sub->start, &entry);
		while (l->ntodo) {
			u32 insn = l->todo[--l->ntodo], i = l->leader[insn] - 1;

			l->queued[i] = false;
			run_block(l, insn, l->in[i]);
		}
	} while (spilled != l->spilled);
}

/* --- what instructions read and write of the stack --- */

/* Bytes a helper reads through argument @i; UINT32_MAX: not known. */
static u32 arg_bytes(const struct live *l, const struct abi_helper *helper,
		     const struct vals *v, u32 i)
{
	const struct abi_arg *arg = &helper->args[i];
	const struct image_map *map = NULL;

	for (u32 k = 0; k < 5; k++)
		if (helper->args[k].kind == ARG_MAP && v->r[R1 + k].kind == VAL_MAP)
			map = &l->env->image->maps[v->r[R1 + k].n];
	switch (arg->kind) {
	case ARG_MAP_KEY:
		return map ? map->key_size : UINT32_MAX;
	case ARG_MAP_VALUE:
		return map ? map->value_size : UINT32_MAX;
	case ARG_DYNPTR:
		return 16;
	case ARG_LONG:
		return 8;
	case ARG_INT:
		return 4;
	case ARG_MEM:
		if (arg->size)
			return arg->size;
		if (i < 4 && v->r[R1 + i + 1].kind == VAL_CONST &&
		    v->r[R1 + i + 1].n >= 0)
			return (u32)v->r[R1 + i + 1].n;
		return UINT32_MAX;
	default:
		return UINT32_MAX;
	}
}

static u64 helper_use(const struct live *l, const struct abi_helper *helper,
		      const struct vals *v)
{
	u64 use = 0;

	for (u32 i = 0; i < 5; i++) {
		struct val arg = v->r[R1 + i];
		u32 bytes = arg_bytes(l, helper, v, i);

		if (!is_stack(arg) || helper->args[i].kind == ARG_NONE)
			continue;
		if (helper->callback)
			return ~0ull; /* the callback may go anywhere */
		if (l->spilled && (helper->id == HELPER_snprintf ||
				   helper->id == HELPER_trace_vprintk))
			return ~0ull; /* texts lie where what is printed points to */
		if (helper->args[i].flags & ARGF_UNINIT)
			continue;
		use |= slots_at(arg, 0, bytes == UINT32_MAX ? STACK_SIZE : bytes);
	}
	return use;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* As many as constant argument @i says; UINT32_MAX: it is none. */
static u32 bytes_of_arg(const struct vals *v, u32 i)
{
	struct val bytes = i < 5 ? v->r[R1 + i] : other();

	return bytes.kind == VAL_CONST && bytes.n >= 0 ? (u32)bytes.n : UINT32_MAX;
}

/* The same of the engine's own functions: programs declare them, so names mean nothing, and
 * structs are those that the loader compared. */
static u32 own_param_bytes(const struct image_ksym *ksym, const struct vals *v, u32 i)
{
	const struct btf_type *proto = btf_type(ksym->btf, ksym->type);
	char letter = abi_special(ksym->kfunc->special)->args[i];
	u32 size = 0;

	if (letter == 'U' || (!i && ksym->kfunc->flags & KF_ITER_NEW))
		return 0;
	if (letter == 'm')
		return bytes_of_arg(v, i + 1);
	if (strchr("DIBE", letter))
		btf_size(ksym->btf, btf_pointee(ksym->btf, btf_skip_mods(ksym->btf,
			 btf_params(proto)[i].type)), &size);
	return size ? size : UINT32_MAX;
}

/* Bytes a host function reads through parameter @i; UINT32_MAX: not known. */
static u32 param_bytes(const struct image_ksym *ksym, const struct vals *v, u32 i)
{
	const struct btf_type *proto = btf_type(ksym->btf, ksym->type);
	const struct btf_param *params = btf_params(proto);
	const char *name = btf_str(ksym->btf, params[i].name_off);
	const char *next = i + 1 < btf_vlen(proto)
				   ? btf_str(ksym->btf, params[i + 1].name_off)
				   : "";
	u32 size = 0;

	if (!ksym->kfunc->btf)
		return own_param_bytes(ksym, v, i);
	if (ends_with(name, "__ign") || ends_with(name, "__uninit") ||
	    (!i && ksym->kfunc->flags & KF_ITER_NEW))
		return 0;
	if (ends_with(next, "__sz") || ends_with(next, "__szk"))
		return bytes_of_arg(v, i + 1);
	btf_size(ksym->btf, btf_pointee(ksym->btf, btf_skip_mods(ksym->btf, params[i].type)),
		 &size);
	return size ? size : UINT32_MAX;
}

static u64 kfunc_use(const struct live *l, const struct image_ksym *ksym,
		     const struct vals *v)
{
	u32 n = ksym->kfunc && ksym->btf ? btf_vlen(btf_type(ksym->btf, ksym->type)) : 0;
	u64 use = 0;

	for (u32 i = 0; i < n && i < 5; i++) {
		u32 bytes = param_bytes(ksym, v, i);

		use |= slots_at(v->r[R1 + i], 0, bytes == UINT32_MAX ? STACK_SIZE : bytes);
	}
	return use;
}

static u64 call_use(const struct live *l, const struct insn *in, const struct vals *v)
{
	const struct abi_helper *helper =
		in->src == CALL_HELPER ? abi_helper((u32)in->imm) : NULL;

	if (helper)
		return helper_use(l, helper, v);
	if (in->src == CALL_KFUNC)
		return kfunc_use(l, &l->env->image->ksyms[in->imm], v);
	for (u32 r = R1; r <= R5; r++)
		if (is_stack(v->r[r]))
			return ~0ull;
	return 0;
}

static void note_slots(struct live *l, const struct vals *v, u32 insn)
{
	const struct insn *in = &l->env->prog->insns[insn];
	const struct isa_info *info = isa_info(l->env->notes[insn].op);
	struct val dst = v->r[in->dst];

	switch (info->kind) {
	case KIND_LDX:
	case KIND_LOAD_ACQ:
		l->use[insn] = slots_at(v->r[in->src], in->off, info->size);
		break;
	case KIND_ATOMIC:
		l->use[insn] = slots_at(dst, in->off, info->size);
		break;
	case KIND_ST:
	case KIND_STX:
	case KIND_STORE_REL:
		if (dst.kind == VAL_FP && info->size == 8 && !((dst.n + in->off) & 7))
			l->def[insn] = slots_at(dst, in->off, 8);
		break;
	case KIND_CALL:
		l->use[insn] = call_use(l, in, v);
		break;
	default:
		break;
	}
}

static void note_all_slots(struct live *l)
{
	struct vals v = entry_vals();

	for (u32 i = l->sub->start; i < l->sub->end;
	     i += isa_slots(l->env->notes[i].op)) {
		if (l->leader[i])
			v = l->in[l->leader[i] - 1];
		note_slots(l, &v, i);
		transfer(l, &v, i);
	}
}

/* --- backwards --- */

static u16 call_reads(const struct insn *in)
{
	const struct abi_helper *helper =
		in->src == CALL_HELPER ? abi_helper((u32)in->imm) : NULL;
	u16 mask = 0;

	if (!helper)
		return 0x3e;
	for (u32 i = 0; i < 5; i++)
		if (helper->args[i].kind != ARG_NONE)
			mask |= (u16)BIT(R1 + i);
	return mask;
}

static bool step_back(struct live *l, u32 insn)
{
	const struct insn *in = &l->env->prog->insns[insn];
	struct insn_note *note = &l->env->notes[insn];
	enum isa_kind kind = isa_info(note->op)->kind;
	u32 next = insn + isa_slots(note->op);
	u16 regs = 0, reads;
	u64 slots = 0;

	if (kind != KIND_JA && kind != KIND_EXIT) {
		regs = l->env->notes[next].live_regs;
		slots = l->env->notes[next].live_slots;
	}
	if (kind == KIND_JMP || kind == KIND_JA || kind == KIND_MAY_GOTO) {
		regs |= l->env->notes[jump_target(l->env, insn)].live_regs;
		slots |= l->env->notes[jump_target(l->env, insn)].live_slots;
	}
	reads = kind == KIND_CALL ? call_reads(in) : isa_reads(in, note->op);
	regs = (u16)((regs & ~isa_writes(in, note->op)) | reads);
	slots = (slots & ~l->def[insn]) | l->use[insn];
	if (regs == note->live_regs && slots == note->live_slots)
		return false;
	note->live_regs = regs;
	note->live_slots = slots;
	return true;
}

static void backwards(struct live *l)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (u32 i = l->sub->end; i-- > l->sub->start;)
			if (l->env->notes[i].op != OP_BAD)
				changed |= step_back(l, i);
	}
}

/* --- putting it together --- */

static u32 mark_leaders(struct live *l)
{
	u32 n = 0;

	for (u32 i = l->sub->start; i < l->sub->end; i++)
		if (l->env->notes[i].jump_target || i == l->sub->start)
			l->leader[i] = ++n;
	return n;
}

static int live_subprog(struct live *l)
{
	u32 n = mark_leaders(l);

	l->in = pool_get(l->env, n * sizeof(*l->in));
	l->todo = pool_get(l->env, n * sizeof(*l->todo));
	l->queued = pool_get(l->env, n * sizeof(*l->queued));
	if (!l->in || !l->todo || !l->queued)
		return out_of_memory(l->env);
	l->spilled = 0;
	l->ntodo = 0;
	propagate(l, n);
	note_all_slots(l);
	backwards(l);
	pool_put(l->env, l->in, n * sizeof(*l->in));
	pool_put(l->env, l->todo, n * sizeof(*l->todo));
	pool_put(l->env, l->queued, n * sizeof(*l->queued));
	return 0;
}

int live_compute(struct env *env)
{
	u32 n = env->prog->ninsns;
	struct live l = {.env = env};

	l.leader = pool_get(env, n * sizeof(*l.leader));
	l.use = pool_get(env, n * sizeof(*l.use));
	l.def = pool_get(env, n * sizeof(*l.def));
	if (!l.leader || !l.use || !l.def)
		return out_of_memory(env);
	memset(l.leader, 0, n * sizeof(*l.leader));
	memset(l.use, 0, n * sizeof(*l.use));
	memset(l.def, 0, n * sizeof(*l.def));
	for (u32 i = 0; i < env->prog->nsubprogs; i++) {
		l.sub = &env->prog->subprogs[i];
		TRY(live_subprog(&l));
	}
	pool_put(env, l.leader, n * sizeof(*l.leader));
	pool_put(env, l.use, n * sizeof(*l.use));
	pool_put(env, l.def, n * sizeof(*l.def));
	return 0;
}

/* --- what is live in a frame of a state at @insn --- */

/* A caller's frame is as live as behind the call; around a callback the call itself is
 * still to run again. */
u16 live_regs_of(const struct env *env, const struct state *state, u32 frame, u32 insn)
{
	const struct frame *callee;

	if (frame + 1 == state->nframes)
		return env->notes[insn].live_regs;
	callee = state->frames[frame + 1];
	if (callee->callback == FRAME_CALLBACK)
		return env->notes[callee->callsite].live_regs;
	return env->notes[callee->callsite + 1].live_regs & (u16)~0x3f;
}

/* What the callee itself may read through pointers counts as read by the call. */
u64 live_slots_of(const struct env *env, const struct state *state, u32 frame, u32 insn)
{
	if (frame + 1 == state->nframes)
		return env->notes[insn].live_slots;
	return env->notes[state->frames[frame + 1]->callsite].live_slots;
}
