/* SPDX-License-Identifier: MIT
 *
 * cfg.c: what can be refused without walking: instructions that are none, indexes that
 * point nowhere, jumps out of their subprogram, code nobody reaches, recursion. And where
 * the walk stores states: at every place two paths can meet, so that each cycle has one.
 *
 * After cfg_check(): notes[].op is a valid op for every first slot of an instruction, and
 * every index into maps, ksyms and subprograms is good.
 */
#include "verify/walk.h"

enum { STACK_LIMIT = STACK_SIZE, TAIL_STACK_LIMIT = 256, FRAME_ROUND = 16 };

u32 jump_target(const struct env *env, u32 insn)
{
	const struct insn *in = &env->prog->insns[insn];
	const struct isa_info *info = isa_info(env->notes[insn].op);
	bool far = info->kind == KIND_CALL || info->kind == KIND_LD_IMM64 ||
		   (info->kind == KIND_JA && !info->wide);

	return (u32)((s64)insn + 1 + (far ? in->imm : in->off));
}

/* Binary search: subprograms are sorted and tile the program. */
u32 subprog_of(const struct env *env, u32 insn)
{
	u32 lo = 0, hi = env->prog->nsubprogs;

	while (hi - lo > 1) {
		u32 mid = (lo + hi) / 2;

		if (env->prog->subprogs[mid].start <= insn)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

s32 subprog_at(const struct env *env, u32 insn)
{
	u32 i = subprog_of(env, insn);

	return env->prog->subprogs[i].start == insn ? (s32)i : -1;
}

static int check_tiling(struct env *env)
{
	const struct image_prog *prog = env->prog;
	u32 at = 0;

	for (u32 i = 0; i < prog->nsubprogs; i++) {
		const struct image_subprog *sub = &prog->subprogs[i];

		if (sub->start != at || sub->end <= at || sub->end > prog->ninsns)
			return log_fail(env->log, -EINVAL, "subprogram %u has no place",
					i);
		at = sub->end;
		env->subs[i].global = sub->global && i;
	}
	if (!prog->nsubprogs || at != prog->ninsns)
		return log_fail(env->log, -EINVAL, "program without instructions");
	return 0;
}

/* --- each instruction by itself --- */

enum { ARENA_PAGE = 4096 };

/* How far an address inside the map may lie. */
static u64 direct_size(const struct image_map *map)
{
	return map->type == MAP_ARENA ? (u64)map->max_entries * ARENA_PAGE : map->value_size;
}

static int check_imm64(struct env *env, const struct insn *insn)
{
	const struct image *image = env->image;
	u32 i = (u32)insn->imm;

	switch (insn->src) {
	case IMM_PLAIN:
		return 0;
	case IMM_MAP:
	case IMM_MAP_VALUE:
		if (i >= image->nmaps)
			return reject(env, RULE_BAD_INDEX, "map", i);
		if (insn->src == IMM_MAP_VALUE &&
		    (u32)insn[1].imm >= direct_size(&image->maps[i]))
			return reject(env, RULE_MAP_VALUE_OFF, insn[1].imm);
		return 0;
	case IMM_KSYM:
		return i < image->nksyms ? 0 : reject(env, RULE_BAD_INDEX, "ksym", i);
	case IMM_FUNC:
		return 0; /* check_callee() */
	default:
		return reject(env, RULE_BAD_INSN, "unrecognized bpf_ld_imm64 insn");
	}
}

static int check_callee(struct env *env, u32 insn, bool callback)
{
	u32 target = jump_target(env, insn);
	s32 sub = target < env->prog->ninsns ? subprog_at(env, target) : -1;

	if (sub < 0)
		return reject(env, RULE_CALL_TARGET, (int)target);
	if (callback && env->subs[sub].global)
		return reject(env, RULE_CALLBACK_GLOBAL);
	if (is_exception_cb(env, (u32)sub))
		return reject(env, RULE_THROW_CALL, insn);
	return 0;
}

/* What ends a function early leaves it with a number. */
static int check_returns_int(struct env *env, u32 insn, const char *what)
{
	const struct image_subprog *sub = &env->prog->subprogs[subprog_of(env, insn)];
	const struct btf *btf = env->image->btf;
	const struct btf_type *ret;

	if (!insn || sub == env->prog->subprogs || !btf || !sub->proto)
		return 0;
	ret = btf_type(btf, btf_skip_mods(btf, btf_type(btf, sub->proto)->type));
	if (btf_kind(ret) == BTF_INT || btf_kind(ret) == BTF_ENUM ||
	    btf_kind(ret) == BTF_ENUM64)
		return 0;
	return reject(env, RULE_RETURNS_INT, what);
}

static int check_call(struct env *env, u32 insn)
{
	const struct insn *in = &env->prog->insns[insn];

	if (in->src == CALL_SUBPROG)
		return check_callee(env, insn, false);
	if (in->src == CALL_HELPER && abi_helper((u32)in->imm) &&
	    abi_helper((u32)in->imm)->ret == RET_TAIL_CALL)
		return check_returns_int(env, insn, "tail_call");
	if (in->src == CALL_KFUNC && (u32)in->imm >= env->image->nksyms)
		return reject(env, RULE_BAD_INDEX, "ksym", (u32)in->imm);
	return 0;
}

static int check_insn(struct env *env, u32 insn)
{
	const struct insn *in = &env->prog->insns[insn];
	u32 op = env->notes[insn].op;

	switch (isa_info(op)->kind) {
	case KIND_LD_IMM64:
		if (in->src == IMM_FUNC)
			TRY(check_callee(env, insn, true));
		TRY(check_imm64(env, in));
		break;
	case KIND_CALL:
		TRY(check_call(env, insn));
		break;
	case KIND_LD_ABS:
		TRY(check_returns_int(env, insn, "LD_ABS"));
		break;
	case KIND_CALLX:
		return reject(env, RULE_BAD_INSN,
			      "unknown opcode 8d: callx is not supported");
	default:
		break;
	}
	env->notes[insn].writes_fp = isa_writes(in, op) & BIT(R_FP);
	return 0;
}

static int reject_insn(struct env *env, const char *why, u8 code)
{
	char text[64];

	if (strcmp(why, "unknown opcode"))
		return reject(env, RULE_BAD_INSN, why);
	snprintf(text, sizeof(text), "unknown opcode %02x", code);
	return reject(env, RULE_BAD_INSN, text);
}

static int decode_all(struct env *env)
{
	const struct image_prog *prog = env->prog;
	const char *why = NULL;

	for (env->insn = 0; env->insn < prog->ninsns;) {
		u32 i = env->insn,
		    op = isa_decode(&prog->insns[i], prog->ninsns - i, &why);

		if (op == OP_BAD)
			return reject_insn(env, why, prog->insns[i].code);
		env->notes[i].op = (u8)op;
		env->insn += isa_slots(op);
	}
	for (env->insn = 0; env->insn < prog->ninsns; env->insn++)
		if (env->notes[env->insn].op != OP_BAD)
			TRY(check_insn(env, env->insn));
	env->insn = 0;
	return 0;
}

/* --- control flow --- */

static bool falls_through(enum isa_kind kind)
{
	return kind != KIND_JA && kind != KIND_EXIT;
}

static bool jumps(enum isa_kind kind)
{
	return kind == KIND_JMP || kind == KIND_JA || kind == KIND_MAY_GOTO;
}

static int check_edges(struct env *env, u32 insn, const struct image_subprog *sub)
{
	enum isa_kind kind = isa_info(env->notes[insn].op)->kind;
	u32 target = jump_target(env, insn);

	env->insn = insn;
	if (jumps(kind)) {
		if (target < sub->start || target >= sub->end)
			return reject(env, RULE_JUMP_RANGE, insn, (int)target);
		if (env->notes[target].op == OP_BAD)
			return reject(env, RULE_JUMP_MIDDLE, (int)target);
		env->notes[target].prune_point = env->notes[target].jump_target = true;
	}
	if (falls_through(kind) && insn + isa_slots(env->notes[insn].op) >= sub->end)
		return reject(env, RULE_LAST_INSN);
	return 0;
}

static const struct abi_kfunc *kfunc_at(const struct env *env, const struct insn *in)
{
	return env->image->ksyms[in->imm].kfunc;
}

/* Calls that are executed again after what they started: callbacks, iterators. */
static bool call_loops(const struct env *env, const struct insn *in)
{
	const struct abi_kfunc *kfunc;

	if (in->src == CALL_HELPER) {
		const struct abi_helper *helper = abi_helper((u32)in->imm);

		return helper && helper->callback;
	}
	kfunc = kfunc_at(env, in);
	return kfunc && (kfunc->flags & KF_ITER_NEXT || kfunc->special == KS_RBTREE_ADD);
}

/* States are stored before forks, where paths join, and where calls come back to. */
static void mark_prune_point(struct env *env, u32 insn)
{
	const struct insn *in = &env->prog->insns[insn];
	struct insn_note *note = &env->notes[insn];

	switch (isa_info(note->op)->kind) {
	case KIND_JMP:
		note->prune_point = true;
		break;
	case KIND_MAY_GOTO:
		note->prune_point = note->force_state = true;
		break;
	case KIND_CALL:
		if (in->src == CALL_SUBPROG) {
			note->prune_point = env->notes[insn + 1].prune_point = true;
			break;
		}
		if (call_loops(env, in))
			note->prune_point = note->force_state = true;
		break;
	case KIND_LD_IMM64:
		if (in->src != IMM_FUNC)
			break;
		note = &env->notes[jump_target(env, insn)];
		note->prune_point = note->force_state = true;
		break;
	default:
		break;
	}
}

/* Marks what is reachable from @start; the stack of places to go is @todo. */
static int reach(struct env *env, const struct image_subprog *sub, u32 *todo)
{
	u32 n = 0;

	todo[n++] = sub->start;
	env->notes[sub->start].reachable = true;
	while (n) {
		u32 insn = todo[--n], op = env->notes[insn].op;
		enum isa_kind kind = isa_info(op)->kind;
		u32 to[2] = {insn + isa_slots(op), jump_target(env, insn)};
		bool go[2] = {falls_through(kind), jumps(kind)};

		TRY(check_edges(env, insn, sub));
		mark_prune_point(env, insn);
		for (u32 i = 0; i < 2; i++) {
			if (!go[i] || env->notes[to[i]].reachable)
				continue;
			env->notes[to[i]].reachable = true;
			todo[n++] = to[i];
		}
	}
	for (u32 i = sub->start; i < sub->end; i++)
		if (!env->notes[i].reachable && env->notes[i].op != OP_BAD) {
			env->insn = i;
			return reject(env, RULE_UNREACHABLE, i);
		}
	return 0;
}

/* --- calls: what a subprogram does counts for its callers --- */

static void note_call(struct env *env, u32 sub, const struct insn *in)
{
	struct subprog_note *note = &env->subs[sub];
	const struct abi_helper *helper;

	if (in->src == CALL_KFUNC) {
		const struct abi_kfunc *kfunc = kfunc_at(env, in);

		note->might_sleep |= kfunc && kfunc->flags & KF_SLEEPABLE;
		note->throws |= kfunc && kfunc->special == KS_THROW;
		return;
	}
	helper = abi_helper((u32)in->imm);
	if (!helper)
		return;
	note->changes_packet |= (helper->flags & HELPERF_CHANGES_PACKET) != 0;
	note->might_sleep |= (helper->flags & HELPERF_SLEEPABLE) != 0;
	if (helper->ret == RET_TAIL_CALL) /* the other program may do anything */
		note->tail_calls = note->has_tail_call = note->changes_packet = true;
}

struct chain {
	u32 sub, insn; /* where in it */
	u32 stack;     /* bytes of all below it and itself */
};

/* The subprogram that @insn calls, or (*ref) takes the address of; UINT32_MAX: none. */
static u32 callee_at(struct env *env, u32 insn, bool *ref)
{
	const struct insn *in = &env->prog->insns[insn];
	enum isa_kind kind = isa_info(env->notes[insn].op)->kind;

	if (env->notes[insn].op == OP_BAD)
		return UINT32_MAX;
	*ref = kind == KIND_LD_IMM64 && in->src == IMM_FUNC;
	if (*ref || (kind == KIND_CALL && in->src == CALL_SUBPROG))
		return (u32)subprog_at(env, jump_target(env, insn));
	if (kind == KIND_CALL)
		note_call(env, subprog_of(env, insn), in);
	return UINT32_MAX;
}

static void inherit(struct subprog_note *to, const struct subprog_note *from)
{
	to->changes_packet |= from->changes_packet;
	to->might_sleep |= from->might_sleep;
	to->has_tail_call |= from->has_tail_call;
	to->throws |= from->throws;
}

static const char *sub_name(const struct env *env, u32 sub)
{
	const char *name = env->prog->subprogs[sub].name;

	return name ? name : "subprogram";
}

/* The next call in the subprogram on top of the chain; UINT32_MAX: no more. */
static u32 next_callee(struct env *env, struct chain *top, bool *ref)
{
	u32 end = env->prog->subprogs[top->sub].end;

	while (top->insn < end) {
		u32 callee = callee_at(env, top->insn++, ref);

		if (callee != UINT32_MAX)
			return callee;
	}
	return UINT32_MAX;
}

static void enter(struct env *env, struct chain *top, u32 sub)
{
	*top = (struct chain){sub, env->prog->subprogs[sub].start, 0};
	env->subs[sub].in_call = true;
}

/*
 * Depth first over calls and references: no cycle of calls; facts flow to callers. A
 * callback may refer to itself (a timer that arms itself): whether it may run inside
 * itself is decided where it is called. A subprogram once done is not entered again.
 */
static int check_calls(struct env *env, u32 root, bool *done, struct chain *chain)
{
	u32 n = 1;

	enter(env, chain, root);
	while (n) {
		struct chain *top = &chain[n - 1];
		bool ref = false;
		u32 callee = next_callee(env, top, &ref);

		if (callee == UINT32_MAX) {
			env->subs[top->sub].in_call = false;
			done[top->sub] = true;
			if (--n)
				inherit(&env->subs[chain[n - 1].sub],
					&env->subs[top->sub]);
			continue;
		}
		env->insn = top->insn - 1;
		if (env->subs[callee].in_call) {
			if (ref)
				continue;
			return reject(env, RULE_RECURSION, sub_name(env, top->sub),
				      sub_name(env, callee));
		}
		if (done[callee])
			inherit(&env->subs[top->sub], &env->subs[callee]);
		else
			enter(env, &chain[n++], callee);
	}
	return 0;
}

static int check_all_calls(struct env *env)
{
	u32 n = env->prog->nsubprogs;
	struct chain *chain = arena_array(env->arena, n + 1, sizeof(*chain));
	bool *done = arena_array(env->arena, n, sizeof(*done));

	if (!chain || !done)
		return out_of_memory(env);
	for (u32 i = 0; i < n; i++)
		if (!done[i])
			TRY(check_calls(env, i, done, chain));
	return 0;
}

int cfg_check(struct env *env)
{
	u32 *todo;

	TRY(check_tiling(env));
	TRY(decode_all(env));
	todo = arena_array(env->arena, env->prog->ninsns + 2, sizeof(*todo));
	if (!todo)
		return out_of_memory(env);
	for (u32 i = 0; i < env->prog->nsubprogs; i++)
		TRY(reach(env, &env->prog->subprogs[i], todo));
	TRY(check_all_calls(env));
	env->insn = 0;
	return 0;
}

/* --- stack, after the walk has seen how much each subprogram uses --- */

static u32 frame_bytes(const struct env *env, u32 sub)
{
	u32 depth = env->subs[sub].stack_depth;

	return ROUND_UP(depth ? depth : 1, FRAME_ROUND);
}

struct depth {
	u32 bytes, frames; /* of the deepest chain from here on; 0: not yet known */
};

static void deepen(struct depth *at, const struct depth *callee)
{
	if (callee->bytes > at->bytes)
		at->bytes = callee->bytes;
	if (callee->frames > at->frames)
		at->frames = callee->frames;
}

struct measuring {
	struct depth *depths; /* by subprogram */
	bool *done;
	struct chain *chain;
	u32 *order, n;	      /* callees before their callers */
};

/* The next one measured from @top; what runs alone, later, does not add to its maker. */
static u32 next_measured(struct env *env, struct chain *top)
{
	for (;;) {
		bool ref = false;
		u32 callee = next_callee(env, top, &ref);

		if (callee == UINT32_MAX ||
		    !(env->subs[callee].in_call || (ref && env->subs[callee].async)))
			return callee;
	}
}

/* Fills in depths[] from @root down. */
static void measure(struct env *env, u32 root, struct measuring *m)
{
	u32 n = 1;

	enter(env, m->chain, root);
	while (n) {
		struct chain *top = &m->chain[n - 1];
		u32 callee = next_measured(env, top);
		struct depth *at = &m->depths[top->sub];

		if (callee == UINT32_MAX) {
			env->subs[top->sub].in_call = false;
			m->done[top->sub] = true;
			m->order[m->n++] = top->sub;
			at->bytes += frame_bytes(env, top->sub);
			at->frames++;
			if (--n)
				deepen(&m->depths[m->chain[n - 1].sub], at);
			continue;
		}
		if (m->done[callee])
			deepen(at, &m->depths[callee]);
		else
			enter(env, &m->chain[n++], callee);
	}
}

/* What is continued in by a tail call stands on the stacks of all callers. */
static int check_tail_stacks(struct env *env, const struct measuring *m)
{
	u32 *above = arena_array(env->arena, env->prog->nsubprogs, sizeof(*above));

	if (!above)
		return out_of_memory(env);
	for (u32 i = m->n; i-- > 0;) {
		struct chain at = {m->order[i], env->prog->subprogs[m->order[i]].start, 0};
		u32 sum = above[at.sub] + frame_bytes(env, at.sub), callee;

		while ((callee = next_measured(env, &at)) != UINT32_MAX) {
			above[callee] = max_u32(above[callee], sum);
			env->insn = at.insn - 1;
			if (env->subs[callee].tail_calls && sum >= TAIL_STACK_LIMIT)
				return reject(env, RULE_TAIL_STACK, sum);
		}
	}
	return 0;
}

static bool too_deep(const struct depth *depth, u32 bytes, u32 frames)
{
	return bytes + depth->bytes > STACK_LIMIT || frames + depth->frames > MAX_FRAMES;
}

/* Goes down the first chain that is too deep, to where it is one frame too much. */
static int check_depth(struct env *env, u32 root, const struct measuring *m)
{
	u32 bytes = frame_bytes(env, root), frames = 1;
	struct chain at = {root, env->prog->subprogs[root].start, 0};

	if (!too_deep(&m->depths[root], 0, 0))
		return 0;
	env->insn = at.insn;
	while (bytes <= STACK_LIMIT) {
		u32 callee = next_measured(env, &at);

		BUG_ON(callee == UINT32_MAX);
		if (!too_deep(&m->depths[callee], bytes, frames))
			continue;
		env->insn = at.insn - 1;
		if (frames == MAX_FRAMES)
			return reject(env, RULE_CALL_DEPTH, frames);
		frames++;
		bytes += frame_bytes(env, callee);
		at = (struct chain){callee, env->prog->subprogs[callee].start, 0};
	}
	return reject(env, RULE_STACK_TOO_BIG, frames, bytes);
}

static bool starts_alone(const struct env *env, u32 sub)
{
	return !sub || env->subs[sub].async || is_exception_cb(env, sub);
}

int cfg_stack(struct env *env, u16 *depths, u32 *max)
{
	u32 n = env->prog->nsubprogs;
	struct measuring m = {
		.chain = arena_array(env->arena, n + 1, sizeof(*m.chain)),
		.depths = arena_array(env->arena, n, sizeof(*m.depths)),
		.done = arena_array(env->arena, n, sizeof(*m.done)),
		.order = arena_array(env->arena, n, sizeof(*m.order)),
	};

	if (!m.chain || !m.depths || !m.done || !m.order)
		return out_of_memory(env);
	*max = 0;
	for (u32 i = 0; i < n; i++) {
		depths[i] = (u16)ROUND_UP(env->subs[i].stack_depth, 8);
		if (!starts_alone(env, i))
			continue;
		if (!m.done[i])
			measure(env, i, &m);
		TRY(check_depth(env, i, &m));
		*max = max_u32(*max, m.depths[i].bytes);
	}
	return check_tail_stacks(env, &m);
}
