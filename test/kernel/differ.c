/* SPDX-License-Identifier: MIT
 *
 * differ.c: random programs before the live kernel and before Pintle with that kernel's
 * rules: prints those on which they differ, made small, with what each said. What is known
 * and why is in docs/kernel-differences.md.
 *
 *	differ [-s SEED] [-n PROGRAMS] [-v]	(-v: every program's verdicts)
 *
 * Exit 0: no difference in which Pintle accepts; 1: some; 77 where bpf(2) is not permitted.
 */
#include "abi/linux/linux.h"
#include "base/arena.h"
#include "base/log.h"
#include "soundness/gen.h"
#include "verify/verify.h"

#include <bpf/bpf.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

enum { LOG_BYTES = 1 << 16, NMAPS = 3, BUDGET = 20000, STATS_ONLY = 4,
       PATIENCE_US = 500000 };

struct differ {
	struct abi abi;
	struct arena *arena; /* of the program type */
	const struct abi_prog_type *xdp;
	int fds[NMAPS];
	bool verbose;
	char *log;
	u32 same, only_kernel, only_us;
};

/* The maps of unit/verify_fixture.h. */
static struct image_map maps[NMAPS] = {
	{.name = "array", .type = MAP_ARRAY, .key_size = 4, .value_size = 48,
	 .max_entries = 16, .inner = -1},
	{.name = "hash", .type = MAP_HASH, .key_size = 8, .value_size = 16,
	 .max_entries = 16, .inner = -1},
	{.name = "progs", .type = MAP_PROG_ARRAY, .key_size = 4, .value_size = 4,
	 .max_entries = 4, .inner = -1},
};

struct answer {
	bool accepted, undecided;
	char why[200];
};

/* --- the two --- */

/* The kernel stops verifying when a signal comes. */
static void enough(int sig)
{
}

static void last_line(char *to, size_t size, char *log)
{
	char *end = strstr(log, "\nverification time "), *line;

	if (end)
		*end = 0;
	while ((end = strrchr(log, '\n')) && !end[1])
		*end = 0;
	line = strrchr(log, '\n');
	snprintf(to, size, "%s", line ? line + 1 : log);
}

static struct answer ask_kernel(struct differ *d, const struct insn *insns, u32 n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = d->log, .log_size = LOG_BYTES,
		    .log_level = STATS_ONLY, .attempts = 1);
	static struct insn copy[GEN_MAX];
	struct answer a = {0};
	int fd;

	memcpy(copy, insns, n * sizeof(*insns));
	for (u32 i = 0; i + 1 < n; i++) {
		if (copy[i].code != 0x18)
			continue;
		if (copy[i].src == IMM_MAP && copy[i].imm >= 0 && copy[i].imm < NMAPS)
			copy[i].imm = d->fds[copy[i].imm];
		i++;
	}
	d->log[0] = 0;
	setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = PATIENCE_US}, NULL);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "differ", "GPL",
			   (const struct bpf_insn *)(const void *)copy, n, &opts);
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	a.accepted = fd >= 0;
	a.undecided = fd == -EAGAIN || fd == -EINTR;
	if (fd >= 0)
		close(fd);
	else
		last_line(a.why, sizeof(a.why), d->log);
	return a;
}

static struct answer ask_us(struct differ *d, const struct insn *insns, u32 n)
{
	struct arena *arena = arena_new();
	struct image *image = NULL;
	struct proof *proof = NULL;
	struct verify_opts opts = {.max_insns = BUDGET};
	struct rejection why = {0};
	struct log log = {0};
	struct answer a = {0};
	int err = arena ? 0 : -ENOMEM;

	if (!err)
		err = image_from_insns(&log, &d->abi, "differ", d->xdp, insns, n, &image);
	if (!err) {
		image->maps = maps;
		image->nmaps = NMAPS;
		err = verify(arena, &log, image, &image->progs[0], &opts, &proof, &why, NULL);
	}
	a.accepted = !err;
	a.undecided = why.rule == RULE_BUDGET || why.rule == RULE_TOO_COMPLEX;
	snprintf(a.why, sizeof(a.why), "%.*s", (int)sizeof(a.why) - 1, err ? log.error : "");
	proof_free(proof);
	image_free(image);
	log_free(&log);
	if (arena)
		arena_free(arena);
	return a;
}

/* 1: the kernel alone accepts it, -1: we alone do, 0: they agree. */
static int compare(struct differ *d, const struct insn *insns, u32 n, struct answer *kernel,
		   struct answer *us)
{
	*kernel = (struct answer){0};
	*us = ask_us(d, insns, n);
	if (us->undecided)
		return 0; /* what takes long to walk is not for here */
	*kernel = ask_kernel(d, insns, n);
	if (kernel->undecided)
		return 0;
	return (int)kernel->accepted - (int)us->accepted;
}

/* --- making it small --- */

/* Without instruction @i, of which others jump over; false: somebody jumps there. */
static u32 remove_insn(const struct insn *insns, u32 n, u32 i, struct insn *out)
{
	u32 slots = insns[i].code == 0x18 ? 2 : 1, m = 0;

	for (u32 k = 0; k < n; k++) {
		struct insn in = insns[k];
		bool jump = ((in.code & 7) == 5 || (in.code & 7) == 6) && in.code != 0x95 &&
			    in.code != 0x85;
		bool call = in.code == 0x85 && in.src == CALL_SUBPROG;
		s64 to = (s64)k + 1 + (jump ? in.off : call ? in.imm : 0);

		if (k >= i && k < i + slots)
			continue;
		if (jump || call) {
			s64 shift = (to > i ? (s64)slots : 0) - (k > i ? (s64)slots : 0);

			if (jump)
				in.off = (s16)(in.off - shift);
			else
				in.imm = (s32)(in.imm - shift);
		}
		out[m++] = in;
		if (in.code == 0x18)
			out[m++] = insns[++k];
	}
	return m;
}

static u32 shrink(struct differ *d, struct insn *insns, u32 n, int way)
{
	static struct insn less[GEN_MAX];
	struct answer kernel, us;
	bool changed = true;

	while (changed) {
		changed = false;
		for (u32 i = 0; i < n;) {
			u32 slots = insns[i].code == 0x18 ? 2 : 1;
			u32 m = remove_insn(insns, n, i, less);

			if (m && compare(d, less, m, &kernel, &us) == way) {
				memcpy(insns, less, m * sizeof(*insns));
				n = m;
				changed = true;
			} else {
				i += slots;
			}
		}
	}
	return n;
}

static void report(struct differ *d, unsigned long long seed, const struct gen *g, int way)
{
	static struct insn insns[GEN_MAX];
	struct answer kernel, us;
	char text[160];
	u32 n = g->n;

	memcpy(insns, g->insns, n * sizeof(*insns));
	n = shrink(d, insns, n, way);
	compare(d, insns, n, &kernel, &us);
	printf("seed %llu: %s\n  kernel: %s\n  pintle: %s\n", seed,
	       way > 0 ? "the kernel accepts, Pintle does not"
		       : "Pintle accepts, the kernel does not",
	       kernel.accepted ? "accepted" : kernel.why, us.accepted ? "accepted" : us.why);
	for (u32 i = 0; i < n; i++) {
		isa_disasm(insns + i, n - i, NULL, text, sizeof(text));
		printf("%4u: %s\n", i, text);
		i += insns[i].code == 0x18;
	}
}

/* One instruction becomes a slightly other one, which seldom makes sense. */
static void mutate(struct gen *g)
{
	struct insn *in = &g->insns[gen_roll(g, g->n)];

	switch (gen_roll(g, 6)) {
	case 0:
		in->dst = gen_roll(g, 11) & 15;
		break;
	case 1:
		in->src = gen_roll(g, 11) & 15;
		break;
	case 2:
		in->off = (s16)gen_edge(g);
		break;
	case 3:
		in->imm = gen_edge(g);
		break;
	case 4:
		in->code ^= (u8)(1 << gen_roll(g, 8));
		break;
	default:
		in->code = (u8)((in->code & 0xf) | gen_roll(g, 14) << 4);
		break;
	}
}

/* Every other program has a few mutations. */
static void check(struct differ *d, unsigned long long seed)
{
	static struct gen g;
	struct answer kernel, us;
	int way;

	gen_program(&g, seed);
	for (u32 i = seed & 1 ? 1 + gen_roll(&g, 2) : 0; i; i--)
		mutate(&g);
	way = compare(d, g.insns, g.n, &kernel, &us);
	if (d->verbose)
		printf("seed %llu: kernel %s, pintle %s\n", seed,
		       kernel.accepted ? "accepts" : kernel.why,
		       us.accepted ? "accepts" : us.why);
	d->same += !way;
	d->only_kernel += way > 0;
	d->only_us += way < 0;
	if (way)
		report(d, seed, &g, way);
	fflush(stdout);
}

/* --- the ground --- */

static int make_maps(struct differ *d)
{
	for (u32 i = 0; i < NMAPS; i++) {
		d->fds[i] = bpf_map_create((enum bpf_map_type)maps[i].type, maps[i].name,
					   maps[i].key_size, maps[i].value_size,
					   maps[i].max_entries, NULL);
		if (d->fds[i] < 0)
			return -errno;
	}
	return 0;
}

static int begin(struct differ *d)
{
	struct linux_opts opts = {0};
	struct log log = {0};
	struct abi_place place = {.section = "xdp", .name = "differ"};
	int err = make_maps(d);

	if (err) {
		printf("skipped: bpf(2) is not permitted here\n");
		return 77;
	}
	d->log = malloc(LOG_BYTES);
	err = d->log ? linux_abi(&log, &opts, &d->abi) : -ENOMEM;
	if (err)
		printf("%s\n", log.error);
	log_free(&log);
	place.arena = d->arena = arena_new();
	if (!err)
		err = d->arena ? abi_place_prog(&d->abi, &place) : -ENOMEM;
	d->xdp = place.type;
	return err ? 2 : 0;
}

int main(int argc, char **argv)
{
	static struct differ d;
	unsigned long long seed = 1, programs = 1000;
	int opt, err;

	while ((opt = getopt(argc, argv, "s:n:v")) != -1) {
		if (opt == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (opt == 'n')
			programs = strtoull(optarg, NULL, 0);
		else if (opt == 'v')
			d.verbose = true;
		else
			return 2;
	}
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = enough}, NULL);
	err = begin(&d);
	if (err)
		return err;
	for (unsigned long long i = 0; i < programs; i++)
		check(&d, seed + i);
	printf("%u alike, %u that only the kernel accepts, %u that only Pintle accepts\n",
	       d.same, d.only_kernel, d.only_us);
	linux_abi_free(&d.abi);
	arena_free(d.arena);
	free(d.log);
	return d.only_us != 0;
}
