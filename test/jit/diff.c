/* SPDX-License-Identifier: MIT
 *
 * diff.c: runs generated code both ways, compares, and makes what differs small.
 */
#include "jit/diff.h"
#include "jit/make.h"
#include "jit/jit.h"

#include <inttypes.h>
#include <stdarg.h>

struct outcome {
	u64 result, faults;
	u32 budget, tails, ending;
	u8 mem[MEM_SIZE], edges[2][ARENA_EDGE]; /* of the arena's page */
};

struct both {
	struct pintle_host *host;
	struct slot_ctx *slot;
	struct code code, target;
	struct code compiled; /* `code`, or that with its constants hidden */
	u32 entry[MAX_SUBS];  /* of the latter */
	struct gen *gen;
	u64 seed;
	bool blind;
	struct outcome interp, native;
};

static u64 run_native(struct both *b, u8 *at)
{
	return code_call_native(&b->compiled, (uintptr_t)at, b->slot);
}

static void fill(u8 *mem, u64 seed)
{
	struct gen numbers = {.random = seed};

	for (u32 i = 0; i < MEM_SIZE; i += 8)
		memcpy(mem + i, &(u64){make_number(&numbers)}, 8);
}

static u8 *edge(u32 i)
{
	return make_arena + ARENA_AT + i * (ARENA_PAGE - ARENA_EDGE);
}

static void run_way(struct both *b, bool native, struct outcome *out)
{
	u64 faults = b->slot->faults;

	fill(make_memory, b->seed);
	for (u32 i = 0; make_arena && i < 2; i++)
		memcpy(edge(i), make_memory, ARENA_EDGE);
	atomic_store_explicit(&b->slot->space, b->seed % 3 ? 5 : 0, memory_order_relaxed);
	b->slot->goto_budget = b->seed % 4 ? 1000 : (u32)(b->seed / 4 % 6);
	b->slot->ending = ENDING_NONE;
	b->slot->tail_calls = b->seed % 5 ? 0 : MAX_TAIL_CALLS - 1;
	if (b->gen->metered)
		out->result = meter_run(native ? &b->compiled : &b->code,
					(uintptr_t)make_memory + MEM_SIZE / 2, 0, b->slot);
	else
		out->result = native ? run_native(b, make_memory + MEM_SIZE / 2)
				     : interp_tail(&b->code, (uintptr_t)make_memory + MEM_SIZE / 2,
						   b->slot);
	out->faults = b->slot->faults - faults;
	out->budget = b->slot->goto_budget;
	out->tails = b->slot->tail_calls;
	out->ending = b->slot->ending;
	memcpy(out->mem, make_memory, MEM_SIZE);
	for (u32 i = 0; make_arena && i < 2; i++)
		memcpy(out->edges[i], edge(i), ARENA_EDGE);
}

/* Native code of the program, as it is or with its constants hidden. */
static struct jit *compile(struct both *b)
{
	struct code *code = &b->compiled;

	*code = b->code;
	if (b->blind) {
		memcpy(b->entry, b->code.entry, sizeof(b->entry));
		code->entry = b->entry;
		code->arena = arena_new();
		if (!code->arena || jit_blind(NULL, code))
			return NULL;
	}
	return native_compile_one(b->host, NULL, code);
}

/* Whether both ways agree, as far as there is native code. */
static bool agree(struct both *b, bool *compiled)
{
	struct jit *jit;
	bool same = true;

	for (u32 i = 0; i < b->code.nsubprogs; i++)
		b->gen->funcs[i] = (struct code_func){&b->code, b->code.entry[i], NULL};
	run_way(b, false, &b->interp);
	jit = compile(b);
	*compiled = jit != NULL;
	if (jit) {
		run_way(b, true, &b->native);
		same = !memcmp(&b->interp, &b->native, sizeof(b->interp));
	}
	jit_free(jit);
	arena_free(b->compiled.arena);
	return same;
}

/* Addresses must be made as they are; jumps back and calls may go. */
static bool is_kept(const struct gen *g, u32 i)
{
	u32 op = g->v[i].op;

	if (op == OP_JA || op == CODE_HOLD || op == CODE_DROP)
		return true;
	return g->keep[i] && (op < NR_OPS ? isa_info((enum isa_op)op)->kind != KIND_JMP &&
						    op != OP_CALL_SUBPROG && op != OP_MAY_GOTO
					  : op >= CODE_SAFE_LDX8 && op <= CODE_SAFE_LDXS32);
}

/* Takes out what can be taken out while the two still differ. */
static void minimise(struct both *b)
{
	bool compiled, again = true;

	while (again) {
		again = false;
		for (u32 i = 0; i < b->code.ninsns; i++) {
			struct code_insn before = b->code.insns[i];

			if (is_kept(b->gen, i) || (before.op == OP_JA && !before.off))
				continue;
			b->code.insns[i] = (struct code_insn){OP_JA};
			if (agree(b, &compiled))
				b->code.insns[i] = before;
			else
				again = true;
		}
	}
	agree(b, &compiled);
}

static void say(struct diff_result *r, const char *fmt, ...) FORMAT(2, 3);
static void say(struct diff_result *r, const char *fmt, ...)
{
	size_t n = strlen(r->words);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->words + n, sizeof(r->words) - n, fmt, ap);
	va_end(ap);
}

static void describe(const struct both *b, struct diff_result *r)
{
	const struct outcome *i = &b->interp, *n = &b->native;

	r->seed = b->seed;
	r->words[0] = 0;
	say(r, "seed %" PRIu64 ": interpreter %" PRIx64 ", native %" PRIx64 "; faults %" PRIu64
	    " %" PRIu64 "; budget %u %u; tail calls %u %u; memory %s\n", b->seed, i->result,
	    n->result, i->faults, n->faults, i->budget, n->budget, i->tails, n->tails,
	    memcmp(i->mem, n->mem, MEM_SIZE) ? "differs" : "same");
	if (memcmp(i->edges, n->edges, sizeof(i->edges)))
		say(r, "the arena differs\n");
	for (u32 k = 0; k < MEM_SIZE; k++)
		if (i->mem[k] != n->mem[k])
			say(r, "at %d: %02x %02x\n", (int)k - MEM_SIZE / 2, i->mem[k], n->mem[k]);
	for (u32 k = 0; k < b->code.ninsns; k++) {
		const struct code_insn *insn = &b->code.insns[k];

		if (insn->op == OP_JA && !insn->off)
			continue;
		say(r, "%4u: %-18s r%u r%u %+d 0x%" PRIx64 "\n", k, code_op_name(insn->op),
		    insn->dst, insn->src, insn->off, (u64)insn->imm);
	}
}

/* What tail calls lead to; native in every second run. */
static void make_target(struct code *target, struct code_insn *insns, u32 *zero,
			struct code_func *func)
{
	insns[0] = (struct code_insn){OP_MOV64_REG, R0, R1};
	insns[1] = (struct code_insn){OP_ADD64_IMM, R0, .imm = 77};
	insns[2] = (struct code_insn){OP_EXIT};
	*target = (struct code){.insns = insns, .ninsns = 3, .entry = zero, .frame = zero,
				.nsubprogs = 1, .funcs = func};
}

bool diff_run(struct pintle_host *host, bool blind, u64 seed, u64 n, u64 *skipped,
	      struct diff_result *result)
{
	struct both b = {.host = host, .blind = blind, .slot = slot_get(host), .gen = calloc(1, sizeof(*b.gen))};
	static struct code_insn insns[3];
	static struct code_func func;
	static u32 zero;
	struct jit *jit;
	bool same = true;

	make_pool_init();
	make_arena_init();
	make_target(&b.target, insns, &zero, &func);
	jit = native_compile_one(host, NULL, &b.target);
	make_tail_target = &b.target;
	slot_swap(b.slot);
	for (u64 i = 0; i < n && same && b.gen; i++) {
		code_native *native = b.target.native;
		bool compiled;

		b.seed = seed + i;
		if (b.seed % 2)
			b.target.native = b.target.direct = NULL;
		make_program(b.gen, b.seed, false, &b.code);
		same = agree(&b, &compiled);
		*skipped += !compiled;
		if (!same) {
			minimise(&b);
			describe(&b, result);
		}
		b.target.native = b.target.direct = native;
	}
	slot_swap(NULL);
	jit_free(jit);
	free(b.gen);
	return same;
}

bool diff_plain(struct pintle_host *host, u64 seed, struct diff_plain *out)
{
	static struct gen gen; /* out->insns points into it */
	struct both b = {.host = host, .slot = slot_get(host), .gen = &gen, .seed = seed};
	bool same;

	make_pool_init();
	make_arena_init();
	slot_swap(b.slot);
	make_program(&gen, seed, true, &b.code);
	same = agree(&b, &out->compiled);
	slot_swap(NULL);
	out->insns = gen.v;
	out->n = gen.n;
	out->result = b.interp.result;
	fill(out->before, seed);
	memcpy(out->after, b.interp.mem, MEM_SIZE);
	return same;
}
