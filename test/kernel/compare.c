/* SPDX-License-Identifier: MIT
 *
 * compare.c: what src/abi/linux says of helpers and contexts, before the running kernel:
 * every helper that a program type may call, with one argument after the other replaced by
 * everything a register can hold; and every access of every context, and of the sockets in
 * them, by offset and size.
 *
 *	kcompare [-v] [SECTION...]
 *
 * A program that Pintle accepts and the kernel refuses fails, and the other way round;
 * -v prints words that differ, too. What depends on how that kernel was built is left out:
 * helpers that it does not have. The last line is "N passed, N failed, N skipped"; exit 77
 * where bpf(2) is not permitted or the kernel's types are not to be had.
 */
#include "abi/linux/linux.h"
#include "base/log.h"
#include "isa/isa.h"
#include "live.h"
#include "load/image.h"
#include "verify/verify.h"

#include <stdio.h>
#include <unistd.h>

/* ---- maps: one of every kind that can be made alone ---- */

static const struct live_map maps[] = {
	{MAP_ARRAY, 4, 64, 4},	       {MAP_HASH, 8, 64, 4},
	{MAP_PROG_ARRAY, 4, 4, 4},     {MAP_PERF_EVENT_ARRAY, 4, 4, 4},
	{MAP_PERCPU_ARRAY, 4, 64, 4},  {MAP_STACK_TRACE, 4, 64, 4},
	{MAP_CGROUP_ARRAY, 4, 4, 4},   {MAP_LPM_TRIE, 8, 8, 4, MAPF_NO_PREALLOC},
	{MAP_SOCKMAP, 4, 4, 4},	       {MAP_CPUMAP, 4, 4, 4},
	{MAP_XSKMAP, 4, 4, 4},	       {MAP_SOCKHASH, 4, 4, 4},
	{MAP_CGROUP_STORAGE, 16, 8, 0}, {MAP_REUSEPORT_SOCKARRAY, 4, 8, 4},
	{MAP_QUEUE, 0, 8, 4},	       {MAP_STACK, 0, 8, 4},
	{MAP_RINGBUF, 0, 0, 4096},     {MAP_USER_RINGBUF, 0, 0, 4096},
	{MAP_BLOOM_FILTER, 0, 8, 4},   {MAP_DEVMAP_HASH, 4, 4, 4},
	{MAP_LRU_HASH, 8, 8, 4},       {MAP_PERCPU_HASH, 8, 8, 4},
	{MAP_SK_STORAGE, 4, 8, 0, MAPF_NO_PREALLOC, true},
	{MAP_TASK_STORAGE, 4, 8, 0, MAPF_NO_PREALLOC, true},
	{MAP_INODE_STORAGE, 4, 8, 0, MAPF_NO_PREALLOC, true},
	{MAP_CGRP_STORAGE, 4, 8, 0, MAPF_NO_PREALLOC, true},
};
enum { NMAPS = ARRAY_SIZE(maps) };

/* ---- what registers can hold ---- */

enum holds { H_NONE, H_CTX, H_ZERO, H_UNKNOWN, H_BOUNDED, H_EIGHT, H_STACK, H_UNWRITTEN,
	     H_VALUE, H_PACKET, H_SOCK, H_TASK, H_MAP };

static const char *const hold_names[] = {
	[H_CTX] = "ctx", [H_ZERO] = "0", [H_UNKNOWN] = "any", [H_BOUNDED] = "0..63",
	[H_EIGHT] = "8", [H_STACK] = "fp", [H_UNWRITTEN] = "fp unwritten",
	[H_VALUE] = "map_value", [H_PACKET] = "pkt", [H_SOCK] = "sock", [H_TASK] = "task",
	[H_MAP] = "map",
};

struct held { u8 kind, map; };
struct args { struct held at[5]; };

/* ---- where programs run ---- */

/* Offsets in the context of a socket, of the packet and its end; -1: none. */
static const struct place {
	const char *section;
	s16 sock, data, end;
} places[] = {
	{"socket", 168, -1, -1},
	{"tc", 168, 76, 80},
	{"action", 168, 76, 80},
	{"xdp", -1, 0, 4},
	{"xdp/devmap", -1, 0, 4},
	{"tracepoint/a/b", -1, -1, -1},
	{"kprobe/a", -1, -1, -1},
	{"perf_event", -1, -1, -1},
	{"raw_tp/a", -1, -1, -1},
	{"raw_tp.w/a", -1, -1, -1},
	{"cgroup_skb/ingress", 168, 76, 80},
	{"cgroup/sock_create", -1, -1, -1},
	{"cgroup/post_bind4", -1, -1, -1},
	{"cgroup/post_bind6", -1, -1, -1},
	{"lwt_in", 168, 76, 80},
	{"lwt_out", 168, 76, 80},
	{"lwt_xmit", 168, 76, 80},
	{"lwt_seg6local", 168, 76, 80},
	{"sockops", 184, -1, -1},
	{"sk_skb/stream_verdict", 168, 76, 80},
	{"cgroup/dev", -1, -1, -1},
	{"sk_msg", 72, -1, -1},
	{"cgroup/bind4", 64, -1, -1},
	{"cgroup/bind6", 64, -1, -1},
	{"cgroup/connect4", 64, -1, -1},
	{"cgroup/connect6", 64, -1, -1},
	{"cgroup/sendmsg4", 64, -1, -1},
	{"cgroup/sendmsg6", 64, -1, -1},
	{"cgroup/recvmsg4", 64, -1, -1},
	{"cgroup/recvmsg6", 64, -1, -1},
	{"cgroup/getpeername6", 64, -1, -1},
	{"cgroup/sendmsg_unix", 64, -1, -1},
	{"sk_reuseport", 40, -1, -1},
	{"flow_dissector", -1, 76, 80},
	{"cgroup/sysctl", -1, -1, -1},
	{"cgroup/getsockopt", 0, -1, -1},
	{"cgroup/setsockopt", 0, -1, -1},
	{"sk_lookup", 0, -1, -1},
	{"syscall", -1, -1, -1},
	{"netfilter", -1, -1, -1},
	{"tp_btf/sched_switch", -1, -1, -1},
	{"iter/task", -1, -1, -1},
};

struct compare {
	struct abi abi;
	int map_fds[NMAPS];
	struct image_map image_maps[NMAPS];
	bool verbose;
	u32 passed, failed, skipped;
	/* the place at hand */
	const struct place *place;
	const struct abi_prog_type *type;
	struct live_prog live;
	s32 result; /* that the program type may return */
	char log[1 << 18];
};

/* ---- programs ---- */

struct code {
	struct insn insns[80];
	u32 n;
	u32 outs[8], nouts; /* jumps to the end */
	bool live;	    /* for the kernel: maps by descriptor */
};

static void emit(struct code *c, u8 op, u8 dst, u8 src, s32 off, s32 imm)
{
	c->insns[c->n++] = (struct insn){op, dst, src, (s16)off, imm};
}

static void mov(struct code *c, u8 dst, u8 src)
{
	emit(c, 0xbf, dst, src, 0, 0);
}

static void set(struct code *c, u8 dst, s32 imm)
{
	emit(c, 0xb7, dst, 0, 0, imm);
}

static void call(struct code *c, enum helper_id helper)
{
	emit(c, 0x85, 0, 0, 0, helper);
}

static void out_if(struct code *c, u8 op, u8 dst, u8 src, s32 imm)
{
	c->outs[c->nouts++] = c->n;
	emit(c, op, dst, src, 0, imm);
}

static void load_map(const struct compare *k, struct code *c, u8 dst, u32 map)
{
	emit(c, 0x18, dst, IMM_MAP, 0, c->live ? k->map_fds[map] : (s32)map);
	emit(c, 0, 0, 0, 0, 0);
}

static void stack(struct code *c, u8 dst, s32 off)
{
	mov(c, dst, R_FP);
	emit(c, 0x07, dst, 0, 0, off);
}

static void finish(struct code *c, s32 result)
{
	for (u32 i = 0; i < c->nouts; i++)
		c->insns[c->outs[i]].off = (s16)(c->n - c->outs[i] - 1);
	set(c, R0, result);
	emit(c, 0x95, 0, 0, 0, 0);
}

static bool needs(const struct args *args, enum holds kind)
{
	for (u32 i = 0; i < ARRAY_SIZE(args->at); i++)
		if (args->at[i].kind == kind)
			return true;
	return false;
}

/* r6 = ctx, r7 = a map value or packet bytes, r8 = a socket, r9 = the task; 64 zeroes and
 * a random number on the stack. False: there is no such thing here. */
static bool prepare(const struct compare *k, struct code *c, const struct args *args)
{
	const struct place *p = k->place;

	mov(c, R6, R1);
	for (s32 i = 1; i <= 8; i++)
		emit(c, 0x7a, R_FP, 0, -8 * i, 0);
	call(c, HELPER_get_prandom_u32);
	emit(c, 0x7b, R_FP, R0, -512, 0);
	if (needs(args, H_VALUE) && needs(args, H_PACKET))
		return false;
	if (needs(args, H_VALUE)) {
		load_map(k, c, R1, 0);
		stack(c, R2, -8);
		call(c, HELPER_map_lookup_elem);
		out_if(c, 0x15, R0, 0, 0);
		mov(c, R7, R0);
	}
	if (needs(args, H_SOCK)) {
		emit(c, 0x79, R8, R6, p->sock, 0);
		out_if(c, 0x15, R8, 0, 0);
	}
	if (needs(args, H_TASK)) {
		call(c, HELPER_get_current_task_btf);
		mov(c, R9, R0);
	}
	if (needs(args, H_PACKET)) {
		emit(c, 0x61, R7, R6, p->data, 0);
		emit(c, 0x61, R2, R6, p->end, 0);
		mov(c, R3, R7);
		emit(c, 0x07, R3, 0, 0, 64);
		out_if(c, 0x2d, R3, R2, 0);
	}
	return (!needs(args, H_SOCK) || p->sock >= 0) &&
	       (!needs(args, H_PACKET) || p->data >= 0);
}

static void put(const struct compare *k, struct code *c, u8 reg, struct held what)
{
	static const u8 copies[] = {[H_CTX] = R6, [H_VALUE] = R7, [H_PACKET] = R7,
				    [H_SOCK] = R8, [H_TASK] = R9};

	switch (what.kind) {
	case H_NONE:
		return;
	case H_ZERO:
	case H_EIGHT:
		return set(c, reg, what.kind == H_EIGHT ? 8 : 0);
	case H_UNKNOWN:
	case H_BOUNDED:
		emit(c, 0x79, reg, R_FP, -512, 0);
		if (what.kind == H_BOUNDED)
			emit(c, 0x57, reg, 0, 0, 63);
		return;
	case H_STACK:
		return stack(c, reg, -64);
	case H_UNWRITTEN:
		return stack(c, reg, -256);
	case H_MAP:
		return load_map(k, c, reg, what.map);
	default:
		return mov(c, reg, copies[what.kind]);
	}
}

/* ---- the comparison ---- */

/* The last line that is no instruction, no state and no statistics. */
static void last_words(const char *log, char *words, size_t size)
{
	*words = 0;
	while (*log) {
		size_t len = strcspn(log, "\n");

		if (len && !strchr("0123456789;", *log) && strncmp(log, "processed ", 10) &&
		    strncmp(log, "from ", 5) && strncmp(log, "mark_precise", 12))
			snprintf(words, size, "%.*s", (int)len, log);
		log += len + (log[len] == '\n');
	}
}

static char license[] = "GPL";

static int ask_pintle(struct compare *k, const struct code *c, char *words, size_t size)
{
	struct arena *arena = arena_new();
	struct log log = {.level = LOG_ERROR};
	struct rejection why = {0};
	struct proof *proof = NULL;
	struct image *image = NULL;
	int err = image_from_insns(&log, &k->abi, "compare", k->type, c->insns, c->n, &image);

	if (!err) {
		image->maps = k->image_maps;
		image->nmaps = NMAPS;
		image->license = license;
		image->progs[0].sleepable = k->live.sleepable;
		err = verify(arena, &log, image, &image->progs[0], NULL, &proof, &why, NULL);
	}
	snprintf(words, size, "%s", log.error);
	proof_free(proof);
	image_free(image);
	log_free(&log);
	arena_free(arena);
	return err;
}

/* Not a matter of rules: the kernel was built without it, or says nothing. */
static bool is_of_its_build(const char *words)
{
	return !*words || strstr(words, "cannot use helper") || strstr(words, "verifier bug");
}

static void compare(struct compare *k, const struct code *live, const struct code *ours,
		    const char *what)
{
	char kernel[600], pintle[600];
	int want = live_load(&k->live, live->insns, live->n, k->log, sizeof(k->log));
	int got = ask_pintle(k, ours, pintle, sizeof(pintle));

	last_words(k->log, kernel, sizeof(kernel));
	if (want && is_of_its_build(kernel)) {
		k->skipped++;
		return;
	}
	if (!want == !got) {
		k->passed++;
		if (k->verbose && want && !strstr(pintle, kernel))
			printf("%s: %s: kernel: %s; here: %s\n", k->place->section, what,
			       kernel, pintle);
		return;
	}
	k->failed++;
	printf("%s: %s: %s: %s\n", k->place->section, what,
	       got ? "refused here only" : "ACCEPTED here only", got ? pintle : kernel);
}

/* ---- helpers ---- */

/* What argument @arg of @helper takes for sure, as far as it can be had. */
static struct held fitting(const struct abi_helper *helper, u32 arg)
{
	static const u8 kinds[NR_ARG_KINDS] = {
		[ARG_CTX] = H_CTX,	     [ARG_ANYTHING] = H_ZERO, [ARG_SCALAR] = H_ZERO,
		[ARG_ZERO] = H_ZERO,	     [ARG_SIZE] = H_EIGHT,    [ARG_SIZE_OR_ZERO] = H_EIGHT,
		[ARG_CONST_SIZE] = H_EIGHT,  [ARG_SOCK] = H_SOCK,     [ARG_SOCK_BTF] = H_SOCK,
		[ARG_SOCKET] = H_SOCK,	     [ARG_BTF] = H_TASK,      [ARG_CONST_STR] = H_VALUE,
		[ARG_MAP] = H_MAP,	     [ARG_NONE] = H_NONE,
	};
	u8 kind = helper->args[arg].kind;
	struct held held = {.kind = kinds[kind]};

	if (kind != ARG_NONE && held.kind == H_NONE)
		held.kind = H_STACK;
	for (u32 m = 0; kind == ARG_MAP && m < NMAPS; m++)
		if (helper->map_types & BIT64(maps[m].type)) {
			held.map = (u8)m;
			break;
		}
	return held;
}

static void describe(const struct abi_helper *helper, const struct args *args, char *buf,
		     size_t size)
{
	int n = snprintf(buf, size, "%s(", helper->name);

	for (u32 i = 0; i < ARRAY_SIZE(args->at) && args->at[i].kind; i++) {
		n += snprintf(buf + n, size - (size_t)n, "%s%s", i ? ", " : "",
			      hold_names[args->at[i].kind]);
		if (args->at[i].kind == H_MAP)
			n += snprintf(buf + n, size - (size_t)n, " of type %u",
				      maps[args->at[i].map].type);
	}
	snprintf(buf + n, size - (size_t)n, ")");
}

static void try_call(struct compare *k, const struct abi_helper *helper,
		     const struct args *args)
{
	struct code codes[2] = {{.live = true}, {.live = false}};
	char what[200];

	for (u32 side = 0; side < 2; side++) {
		if (!prepare(k, &codes[side], args))
			return;
		for (u32 i = 0; i < ARRAY_SIZE(args->at); i++)
			put(k, &codes[side], (u8)(R1 + i), args->at[i]);
		call(&codes[side], (enum helper_id)helper->id);
		finish(&codes[side], k->result);
	}
	describe(helper, args, what, sizeof(what));
	compare(k, &codes[0], &codes[1], what);
}

static void try_helper(struct compare *k, const struct abi_helper *helper)
{
	struct args good, args;

	for (u32 i = 0; i < ARRAY_SIZE(good.at); i++)
		good.at[i] = fitting(helper, i);
	try_call(k, helper, &good);
	for (u32 i = 0; i < ARRAY_SIZE(good.at) && good.at[i].kind; i++) {
		u32 nmaps = good.at[i].kind == H_MAP ? NMAPS : 1;

		for (u8 kind = H_CTX; kind <= H_MAP; kind++)
			for (u8 m = 0; m < (kind == H_MAP ? nmaps : 1); m++) {
				args = good;
				args.at[i] = (struct held){kind, m};
				try_call(k, helper, &args);
			}
	}
}

static void try_helpers(struct compare *k)
{
	for (u32 id = 1; id < NR_HELPER_IDS; id++) {
		const struct abi_helper *helper = k->type->helper(k->type, id);

		helper = helper ? helper : abi_helper(id);
		if (!helper_set_has(k->type->helpers, id) || helper->callback ||
		    id == HELPER_tail_call)
			continue;
		try_helper(k, helper);
	}
}

/* ---- contexts ---- */

enum object { THE_CTX, ITS_SOCK, ITS_TCP_SOCK, NR_OBJECTS };

static const char *const object_names[] = {"ctx", "sock", "tcp_sock"};

static bool has_object(const struct compare *k, enum object object)
{
	return object == THE_CTX ||
	       (k->place->sock >= 0 && (object == ITS_SOCK ||
					helper_set_has(k->type->helpers, HELPER_tcp_sock)));
}

static void try_access(struct compare *k, enum object object, s32 off, u32 size, bool write)
{
	static const u8 sizes[] = {[1] = 0x10, [2] = 0x08, [4] = 0x00, [8] = 0x18};
	struct code c = {.live = false};
	char what[100];

	if (object != THE_CTX) {
		emit(&c, 0x79, R1, R1, k->place->sock, 0);
		out_if(&c, 0x15, R1, 0, 0);
	}
	if (object == ITS_TCP_SOCK) {
		call(&c, HELPER_tcp_sock);
		out_if(&c, 0x15, R0, 0, 0);
		mov(&c, R1, R0);
	}
	set(&c, R2, 0);
	if (write)
		emit(&c, 0x63 | sizes[size], R1, R2, off, 0);
	else
		emit(&c, 0x61 | sizes[size], R2, R1, off, 0);
	finish(&c, k->result);
	snprintf(what, sizeof(what), "%s %u bytes of %s at %d", write ? "write" : "read", size,
		 object_names[object], off);
	compare(k, &c, &c, what);
}

static void try_contexts(struct compare *k)
{
	for (u32 object = 0; object < NR_OBJECTS; object++) {
		s32 most = object == THE_CTX ? 260 : 120;

		for (s32 off = 0; off < most && has_object(k, object); off++)
			for (u32 size = 1; size <= 8; size *= 2) {
				try_access(k, object, off, size, false);
				try_access(k, object, off, size, true);
			}
	}
}

/* ---- places ---- */

/* What the type may return: 0 or 1. False: the kernel does not have it. */
static bool find_result(struct compare *k)
{
	for (k->result = 0; k->result < 2; k->result++) {
		struct code c = {.live = true};

		finish(&c, k->result);
		if (!live_load(&k->live, c.insns, c.n, k->log, sizeof(k->log)))
			return true;
	}
	return false;
}

static void try_place(struct compare *k, const struct place *place)
{
	struct arena *arena = arena_new();
	struct abi_place at = {.section = place->section, .name = "compare", .arena = arena,
			       .license = "GPL"};

	k->place = place;
	if (linux_place(&k->abi, &at) || !at.type || at.wrong) {
		k->failed++;
		printf("%s: %s\n", place->section, at.wrong ? at.wrong : "no program type");
		goto out;
	}
	k->type = at.type;
	k->live = (struct live_prog){at.type->bit, at.type->attach,
				     at.type->kind == PROG_ARGS ? strchr(place->section, '/') + 1
								: NULL, at.sleepable};
	if (!find_result(k)) {
		k->skipped++;
		goto out;
	}
	try_helpers(k);
	if (k->type->kind == PROG_CTX)
		try_contexts(k);
out:
	arena_free(arena);
}

static bool is_wanted(char **names, int n, const char *section)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], section))
			return true;
	return !n;
}

static int make_maps(struct compare *k)
{
	for (u32 i = 0; i < NMAPS; i++) {
		const struct live_map *m = &maps[i];

		k->map_fds[i] = live_map_create(m);
		if (k->map_fds[i] == -EPERM)
			return -EPERM;
		k->image_maps[i] = (struct image_map){
			.name = "compare", .type = m->type, .key_size = m->key_size,
			.value_size = m->value_size, .max_entries = m->max_entries,
			.flags = m->flags, .inner = -1};
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct compare k;
	struct linux_opts opts = {0};
	struct log log = {0};
	int first = argc > 1 && !strcmp(argv[1], "-v") ? 2 : 1;

	k.verbose = first == 2;
	if (linux_abi(&log, &opts, &k.abi) || make_maps(&k)) {
		printf("0 passed, 0 failed, 1 skipped: no types of the kernel, or no bpf(2)\n");
		return 77;
	}
	for (u32 i = 0; i < ARRAY_SIZE(places); i++)
		if (is_wanted(argv + first, argc - first, places[i].section))
			try_place(&k, &places[i]);
	linux_abi_free(&k.abi);
	log_free(&log);
	printf("%u passed, %u failed, %u skipped\n", k.passed, k.failed, k.skipped);
	return k.failed ? 1 : 0;
}
