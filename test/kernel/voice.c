/* SPDX-License-Identifier: MIT
 *
 * jit-voice: a third voice beside the interpreter and native code: the running kernel's
 *JIT runs the same generated programs (test/jit/diff.h) by BPF_PROG_TEST_RUN, and must
 *leave the same result and memory.
 *
 *	jit-voice [PROGRAMS [SEED]]	1000 programs from seed 1 on
 *
 * Programs that the kernel's verifier refuses are counted; when they are more than every
 * fifth, that is a failure: nothing would be compared. Exit code 77 where bpf(2) is not
 *permitted.
 */
#include "isa/table.h"
#include "jit/diff.h"
#include "kernel/live_run.h"
#include "run/memory/fault.h"

#include <inttypes.h>

enum { MAX_INSNS = 16384, RESULT_AT = DIFF_MEM / 2 };

struct voice {
	struct insn insns[MAX_INSNS];
	u32 where[MAX_INSNS], n;
	u64 agreed, refused;
};

static void put(struct voice *v, struct insn insn)
{
	v->insns[v->n++] = insn;
}

/* The memory is the value of a map; r1 pointed to the middle of it. */
static void put_memory(struct voice *v, u8 reg, int map)
{
	put(v, (struct insn){0x18, reg, 2 /* BPF_PSEUDO_MAP_VALUE */, 0, map});
	put(v, (struct insn){0, 0, 0, 0, DIFF_MEM / 2});
}

static struct insn plain_insn(const struct code_insn *code)
{
	const struct isa_row *row = &isa_rows[code->op];
	struct insn insn = {row->info.code, code->dst & 15u, code->src & 15u,
			    (s16)code->off, (s32)code->imm};

	if (!(row->operands & HAS_DST))
		insn.dst = 0;
	if (!(row->operands & HAS_SRC))
		insn.src = 0;
	if (!(row->operands & HAS_OFF))
		insn.off = 0;
	if (!(row->operands & HAS_IMM))
		insn.imm = 0;
	if (row->select == SEL_SRC)
		insn.src = (u8)row->value & 15u;
	if (row->select == SEL_OFF)
		insn.off = row->value;
	if (row->select == SEL_IMM)
		insn.imm = row->value;
	return insn;
}

static void put_insn(struct voice *v, const struct code_insn *code, u8 hold, bool main)
{
	struct insn insn = plain_insn(code);

	if (code->op == OP_EXIT && main) /* all of r0, behind the memory */
		put(v, (struct insn){0x7b, hold, R0, RESULT_AT, 0});
	put(v, insn);
	if (code->op == OP_LD_IMM64)
		put(v, (struct insn){0, 0, 0, 0, (s32)(code->imm >> 32)});
}

static s32 distance(const struct voice *v, u32 from, s32 off)
{
	return (s32)v->where[from + 1 + (u32)off] - (s32)(v->where[from] + 1);
}

static void fix_jumps(struct voice *v, const struct diff_plain *p)
{
	for (u32 i = 0; i < p->n; i++) {
		enum isa_kind kind = isa_info((enum isa_op)p->insns[i].op)->kind;
		u32 at = v->where[i];

		if (p->insns[i].op == OP_CALL_SUBPROG)
			v->insns[at].imm = distance(v, i, p->insns[i].off);
		else if (kind == KIND_JMP || kind == KIND_JA)
			v->insns[at].off = (s16)distance(v, i, p->insns[i].off);
	}
}

/* Without a subprogram that nobody calls: kernels want every instruction reached. */
static u32 needed(const struct diff_plain *p)
{
	u32 end = 0;

	for (u32 i = 0; i < p->n; i++)
		if (p->insns[i].op == OP_CALL_SUBPROG)
			return p->n;
	while (p->insns[end].op != OP_EXIT)
		end++;
	return end + 1;
}

/* The first instruction is r`hold` = r1. */
static void translate(struct voice *v, const struct diff_plain *p, int map)
{
	bool main = true;

	v->n = 0;
	put_memory(v, p->insns[0].dst, map);
	v->where[0] = 0;
	for (u32 i = 1; i < p->n; i++) {
		v->where[i] = v->n;
		put_insn(v, &p->insns[i], p->insns[0].dst, main);
		main &= p->insns[i].op != OP_EXIT;
	}
	v->where[p->n] = v->n;
	fix_jumps(v, p);
}

/* 0: agrees; 1: differs; negative: the kernel did not take it. */
static int compare(struct voice *v, const struct diff_plain *p, u64 seed, int map,
		   char *log, size_t size)
{
	u8 memory[DIFF_MEM + 8];
	u64 result;
	int err;

	memcpy(memory, p->before, DIFF_MEM);
	memset(memory + DIFF_MEM, 0, 8);
	err = live_run(v->insns, v->n, map, memory, log, size);
	if (err < 0)
		return err;
	memcpy(&result, memory + DIFF_MEM, 8);
	if (result == p->result && !memcmp(memory, p->after, DIFF_MEM))
		return 0;
	printf("seed %" PRIu64 ": interpreter %" PRIx64 ", kernel %" PRIx64
	       "; memory %s\n",
	       seed, p->result, result,
	       memcmp(memory, p->after, DIFF_MEM) ? "differs" : "same");
	return 1;
}

static bool say(struct voice *v, struct pintle_host *host, u64 seed, int map)
{
	static char log[1 << 20];
	struct diff_plain p;
	int err;

	if (!diff_plain(host, seed, &p)) {
		printf("seed %" PRIu64 ": native code differs from the interpreter\n",
		       seed);
		return false;
	}
	p.n = needed(&p);
	translate(v, &p, map);
	err = compare(v, &p, seed, map, log, sizeof(log));
	if (err < 0 && !v->refused++)
		printf("first refused: seed %" PRIu64 ": %s\n", seed, strerror(-err));
	v->agreed += !err;
	return err <= 0;
}

static bool all(struct pintle_host *host, u64 n, u64 seed, int map)
{
	static struct voice v;
	bool same = true;

	printf("%" PRIu64 " programs from seed %" PRIu64 "\n", n, seed);
	for (u64 i = 0; i < n && same; i++)
		same = say(&v, host, seed + i, map);
	printf("%" PRIu64 " agree, %" PRIu64 " refused by the kernel's verifier\n",
	       v.agreed, v.refused);
	return same && v.refused * 5 <= n;
}

int main(int argc, char **argv)
{
	u64 n = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	struct pintle_host host = {.opts.max_slots = 2};
	int map = live_memory(DIFF_MEM + 8);
	bool good;

	if (map < 0) {
		printf("bpf(2): %s\n", strerror(-map));
		return 77;
	}
	if (fault_init(&host) || slots_init(&host) || defer_init(&host))
		return 2;
	good = all(&host, n, seed, map);
	printf("%d passed, %d failed, 0 skipped\n", good, !good);
	defer_free(&host);
	slots_free(&host);
	fault_free(&host);
	words_free(&host);
	return !good;
}
