/* SPDX-License-Identifier: MIT
 *
 * bench.c: runs each workload natively, compiled by Pintle, interpreted by Pintle, and by
 * the kernel where bpf(2) is permitted, all in this process and in turns, and prints
 * medians and ratios.
 *
 *	bench [-t MILLISECONDS] [-w WORKLOAD] OBJECTS-DIRECTORY
 *
 * MILLISECONDS (2) is how long one engine runs one workload in one of the ROUNDS.
 */
#include "jit/jit.h"
#include "run/run.h"
#include "work/typed.h"

#include <inttypes.h>
#include <linux/bpf.h>
#include <math.h>
#include <pintle/pintle.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_LIBBPF
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#endif

enum { ROUNDS = 11, STEPS = 32 };
enum engine { NATIVE, JIT, INTERP, KERNEL, NR_ENGINES };

typedef u32 native_fn(void *ctx);

/* Workloads by object; the first of an object fills its data. */
#define COMPUTE(W)                                                                       \
	W(sum) W(collatz) W(divide) W(decimal) W(hash_jenkins) W(hash_siphash) W(hash_fnv) \
	W(crc_table) W(random) W(copy) W(compare) W(checksum) W(packets) W(text) W(dispatch) \
	W(bits) W(search) W(minmax) W(matrix) W(calls)
#define MAPS(W) W(array_map) W(array_constant) W(percpu_map) W(hash_map) W(balancer)

#define DECLARE(name) native_fn native_##name;
COMPUTE(DECLARE)
MAPS(DECLARE)
native_fn native_compute_fill, native_maps_fill;

struct work {
	const char *name;
	native_fn *native;
	bool compute;
	struct pintle_prog *prog[NR_ENGINES]; /* JIT, INTERP */
	int fd; /* KERNEL; -1: none */
	u64 per_batch[NR_ENGINES];
	double ns[NR_ENGINES]; /* median; 0: not measured */
	double spread[NR_ENGINES];
	u32 bytes[NR_ENGINES]; /* of native code: JIT, KERNEL; 0: not known */
};

static struct work works[] = {
#define ROW_COMPUTE(name) {#name, native_##name, true, .fd = -1},
#define ROW_MAPS(name) {#name, native_##name, false, .fd = -1},
	COMPUTE(ROW_COMPUTE) MAPS(ROW_MAPS)
};

static const char *only;
static double batch_ns = 2e6;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(1);
}

/* ------------------------------------------------------------------ Pintle */

/* Its type in our BTF is what programs see. */
struct xdp_md as_programs_see_it;

struct xdp_context {
	u8 *data, *data_end;
};

static const struct pintle_ctx_field xdp_fields[] = {
	{"data", PINTLE_CTX_PACKET, .real_off = offsetof(struct xdp_context, data), .real_size = 8},
	{"data_end", PINTLE_CTX_PACKET_END, .real_off = offsetof(struct xdp_context, data_end),
	 .real_size = 8},
};

static struct pintle_host *make_host(enum pintle_jit jit)
{
	struct pintle_host *host = pintle_host_new(PINTLE_OPTS(pintle_host_opts, .jit = jit));
	static const struct pintle_prog_type xdp = {
		.size = sizeof(xdp), .name = "xdp", .section = "xdp", .ctx = "xdp_md",
		.fields = xdp_fields, .nfields = ARRAY_SIZE(xdp_fields),
	};

	if (!host || pintle_host_add_self(host) || pintle_prog_type_add(host, &xdp))
		die("host", pintle_host_error(host));
	return host;
}

static struct pintle_object *load(struct pintle_host *host, const char *dir, const char *name)
{
	struct pintle_object *object;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir, name);
	object = pintle_open(host, path, NULL);
	if (!object || pintle_load(object))
		die(path, pintle_host_error(host));
	return object;
}

static u64 run_prog_once(struct pintle_prog *prog)
{
	static u8 packet[64];
	struct xdp_context ctx = {packet, packet + sizeof(packet)};
	u64 result = 0;

	if (pintle_prog_run(prog, &ctx, &result))
		die("run", pintle_prog_name(prog));
	return result;
}

static void find_progs(struct pintle_object *object, enum engine engine, bool compute)
{
	for (u32 i = 0; i < ARRAY_SIZE(works); i++)
		if (works[i].compute == compute) {
			works[i].prog[engine] = pintle_prog_find(object, works[i].name);
			works[i].bytes[engine] = works[i].prog[engine]->code->native_size;
		}
	run_prog_once(pintle_prog_find(object, "fill"));
}

/* ------------------------------------------------------------------ the kernel */

#ifdef HAVE_LIBBPF
static u8 kernel_packet[64];

/* What the kernel says of itself: the call has a large and unsteady price. */
static int run_kernel(int fd, u32 repeat, u32 *result, u32 *ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = kernel_packet,
		    .data_size_in = sizeof(kernel_packet), .repeat = (int)repeat);
	int err = bpf_prog_test_run_opts(fd, &opts);

	*result = opts.retval;
	*ns = opts.duration;
	return err;
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* 0 where it does not say. */
static u32 kernel_bytes(int fd)
{
	struct bpf_prog_info info = {0};
	u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.jited_prog_len;
}

static void load_kernel(const char *dir, const char *name, bool compute)
{
	struct bpf_program *fill;
	struct bpf_object *object;
	char path[4096];
	u32 result, ns;

	libbpf_set_print(quiet);
	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir, name);
	object = bpf_object__open(path);
	if (!object || bpf_object__load(object))
		return;
	fill = bpf_object__find_program_by_name(object, "fill");
	if (run_kernel(bpf_program__fd(fill), 1, &result, &ns))
		return;
	for (u32 i = 0; i < ARRAY_SIZE(works); i++)
		if (works[i].compute == compute) {
			works[i].fd = bpf_program__fd(bpf_object__find_program_by_name(
				object, works[i].name));
			works[i].bytes[KERNEL] = kernel_bytes(works[i].fd);
		}
}
#else
static int run_kernel(int fd, u32 repeat, u32 *result, u32 *ns)
{
	return -1;
}

static void load_kernel(const char *dir, const char *name, bool compute)
{
}
#endif

/* ------------------------------------------------------------------ measuring */

static u32 run_n(const struct work *w, enum engine engine, u64 n, u32 *ns)
{
	u32 result = 0;

	if (engine == KERNEL) {
		if (run_kernel(w->fd, (u32)n, &result, ns))
			die(w->name, "the kernel does not run it");
		return result;
	}
	for (u64 i = 0; i < n; i++)
		result = engine == NATIVE ? w->native(NULL)
					  : (u32)run_prog_once(w->prog[engine]);
	return result;
}

static bool has(const struct work *w, enum engine engine)
{
	return engine == NATIVE || (engine == KERNEL ? w->fd >= 0 : w->prog[engine] != NULL);
}

static double time_n(const struct work *w, enum engine engine, u64 n)
{
	double start = now();
	u32 ns = 0;

	run_n(w, engine, n, &ns);
	return engine == KERNEL ? ns : (now() - start) / (double)n;
}

static void choose_batch(struct work *w, enum engine engine)
{
	u64 n = 1;

	while (time_n(w, engine, n) * (double)n < batch_ns / 4 && n < 1u << 20)
		n *= 2;
	w->per_batch[engine] = n * 4;
}

static int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

static void measure(struct work *w)
{
	double ns[NR_ENGINES][ROUNDS];

	for (u32 e = 0; e < NR_ENGINES; e++)
		if (has(w, (enum engine)e))
			choose_batch(w, (enum engine)e);
	for (u32 i = 0; i < ROUNDS; i++)
		for (u32 e = 0; e < NR_ENGINES; e++)
			if (has(w, (enum engine)e))
				ns[e][i] = time_n(w, (enum engine)e, w->per_batch[e]);
	for (u32 e = 0; e < NR_ENGINES; e++) {
		if (!has(w, (enum engine)e))
			continue;
		qsort(ns[e], ROUNDS, sizeof(double), by_value);
		w->ns[e] = ns[e][ROUNDS / 2];
		w->spread[e] = (ns[e][ROUNDS * 3 / 4] - ns[e][ROUNDS / 4]) / w->ns[e];
	}
}

static void check_results(const struct work *w)
{
	u32 ns, want = run_n(w, NATIVE, 1, &ns);

	for (u32 e = JIT; e < NR_ENGINES; e++)
		if (w->compute && has(w, (enum engine)e) && run_n(w, (enum engine)e, 1, &ns) != want)
			die(w->name, "the engines do not agree");
}

/* ------------------------------------------------------------------ the table */

static void ratio(const struct work *w, enum engine engine)
{
	if (has(w, engine))
		printf(" %9.1f %6.2f", w->ns[engine], w->ns[engine] / w->ns[NATIVE]);
	else
		printf(" %9s %6s", "-", "-");
}

static void geomean(const char *name, bool compute)
{
	double sum[NR_ENGINES] = {0};
	u32 n[NR_ENGINES] = {0};

	for (u32 i = 0; i < ARRAY_SIZE(works); i++)
		for (u32 e = 0; e < NR_ENGINES; e++)
			if (works[i].compute == compute && works[i].ns[e] > 0) {
				sum[e] += log(works[i].ns[e] / works[i].ns[NATIVE]);
				n[e]++;
			}
	printf("%-16s %9s", name, "");
	for (u32 e = JIT; e < NR_ENGINES; e++)
		if (n[e])
			printf(" %9s %6.2f", "", exp(sum[e] / n[e]));
	printf("\n");
}

static void bytes(const char *name, u32 ours, u32 kernels)
{
	printf("%-16s %9u", name, ours);
	if (kernels)
		printf(" %9u %6.2f", kernels, (double)ours / kernels);
	printf("\n");
}

static void sizes(void)
{
	u32 ours = 0, kernels = 0;

	printf("\n%-16s %9s %9s %6s\n", "bytes of code", "pintle", "kernel", "ratio");
	for (u32 i = 0; i < ARRAY_SIZE(works); i++) {
		if (only && !strstr(works[i].name, only))
			continue;
		bytes(works[i].name, works[i].bytes[JIT], works[i].bytes[KERNEL]);
		ours += works[i].bytes[JIT];
		kernels += works[i].bytes[KERNEL];
	}
	bytes("all", ours, kernels);
}

static void table(void)
{
	printf("%-16s %9s %9s %6s %9s %6s %9s %6s %7s\n", "ns a run", "native", "pintle", "ratio",
	       "interp", "ratio", "kernel", "ratio", "spread");
	for (u32 i = 0; i < ARRAY_SIZE(works); i++) {
		struct work *w = &works[i];

		if (only && !strstr(w->name, only))
			continue;
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "%s ...\r", w->name);
		check_results(w);
		measure(w);
		printf("%-16s %9.1f", w->name, w->ns[NATIVE]);
		for (u32 e = JIT; e < NR_ENGINES; e++)
			ratio(w, (enum engine)e);
		printf(" %6.1f%%\n", 100 * w->spread[JIT]);
		fflush(stdout);
	}
	geomean("compute geomean", true);
	geomean("maps geomean", false);
}

/* ------------------------------------------------------------------ typed pointers */

struct thing *thing_get(struct thing *t)
{
	__atomic_add_fetch(&t->refs, 1, __ATOMIC_RELAXED);
	return t;
}

void thing_put(struct thing *t)
{
	__atomic_sub_fetch(&t->refs, 1, __ATOMIC_RELEASE);
}

unsigned long thing_value(struct thing *t)
{
	return t->value;
}

static void thing_dtor(void *t)
{
	thing_put(t);
}

PINTLE_HOOK(int, bench, struct thing *, t, struct ask *, a)

static double time_typed(struct pintle_object *object, const char *name)
{
	static struct thing thing = {.refs = 1, .value = 3};
	static struct ask ask;
	u64 args[] = {(uintptr_t)&thing, (uintptr_t)&ask}, result;
	struct pintle_prog *prog = pintle_prog_find(object, name);
	double ns[ROUNDS];
	enum { N = 20000 };

	for (u32 r = 0; r < ROUNDS; r++) {
		double start = now();

		for (u32 i = 0; i < N; i++)
			pintle_prog_run(prog, args, &result);
		ns[r] = (now() - start) / N;
	}
	qsort(ns, ROUNDS, sizeof(double), by_value);
	return ns[ROUNDS / 2];
}

static double two_exchanges(void)
{
	static u64 word = 1;
	double ns[ROUNDS];
	enum { N = 200000 };

	for (u32 r = 0; r < ROUNDS; r++) {
		double start = now();

		for (u32 i = 0; i < N; i++)
			__atomic_exchange_n(&word, __atomic_exchange_n(&word, 0, 5), 5);
		ns[r] = (now() - start) / N;
	}
	qsort(ns, ROUNDS, sizeof(double), by_value);
	return ns[ROUNDS / 2];
}

static void add_exports(struct pintle_host *host)
{
	if (pintle_export(host, thing_get, PINTLE_ACQUIRE) ||
	    pintle_export(host, thing_put, PINTLE_RELEASE) ||
	    pintle_export(host, thing_value, PINTLE_RCU) ||
	    pintle_storable(host, "thing", .dtor = thing_dtor, .rcu = PINTLE_RCU_NATIVE) || pintle_hook_add(host, bench))
		die("exports", pintle_host_error(host));
}

static void typed(struct pintle_host *host, const char *dir)
{
	static const char *const names[] = {"load_field", "exchange", "call_function", "acquire"};
	static const char *const words[] = {
		"field load under RCU and member read", "exchange out, read, exchange in",
		"call of a host function", "acquire, read, release",
	};
	struct pintle_object *object;
	double empty;

	object = load(host, dir, "typed");
	time_typed(object, "store");
	empty = time_typed(object, "empty");
	printf("\nns                                       a step\n");
	printf("%-40s %6.2f\n", "empty run, read section included", empty);
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		printf("%-40s %6.2f\n", words[i],
		       (time_typed(object, names[i]) - empty) / STEPS);
	printf("%-40s %6.2f\n", "two locked exchanges in C", two_exchanges());
}

/* ------------------------------------------------------------------ budgets */

static double time_compute(struct pintle_prog *prog)
{
	double ns[ROUNDS];
	enum { N = 2000 };

	for (u32 r = 0; r < ROUNDS; r++) {
		double start = now();

		for (u32 i = 0; i < N; i++)
			run_prog_once(prog);
		ns[r] = (now() - start) / N;
	}
	qsort(ns, ROUNDS, sizeof(double), by_value);
	return ns[ROUNDS / 2];
}

/* What a budget costs that is never used up: of turns, and of time. */
static void budgets(struct pintle_host *host, const char *dir)
{
	static const char *const names[] = {"sum", "hash_fnv", "text", "search", "calls"};
	struct pintle_object *object[3];
	char path[4096];

	snprintf(path, sizeof(path), "%s/compute.bpf.o", dir);
	for (u32 i = 0; i < ARRAY_SIZE(object); i++) {
		object[i] = pintle_open(host, path, NULL);
		if (!object[i] ||
		    pintle_load_with(object[i], PINTLE_OPTS(pintle_load_opts,
				     .budget_turns = i == 1 ? 1ull << 40 : 0,
				     .budget_ns = i == 2 ? 1ull << 40 : 0)))
			die(path, pintle_host_error(host));
		run_prog_once(pintle_prog_find(object[i], "fill"));
	}
	printf("\nns a run with a budget      none   turns  ratio    time  ratio\n");
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		double ns[3];

		for (u32 k = 0; k < 3; k++)
			ns[k] = time_compute(pintle_prog_find(object[k], names[i]));
		printf("%-20s %11.1f %7.1f %6.2f %7.1f %6.2f\n", names[i], ns[0], ns[1],
		       ns[1] / ns[0], ns[2], ns[2] / ns[0]);
	}
}

/* ------------------------------------------------------------------ statistics */

static double time_hook(void)
{
	static struct thing thing = {.refs = 1, .value = 3};
	static struct ask ask;
	double ns[ROUNDS];
	enum { N = 20000 };

	for (u32 r = 0; r < ROUNDS; r++) {
		double start = now();

		for (u32 i = 0; i < N; i++)
			bench(&thing, &ask);
		ns[r] = (now() - start) / N;
	}
	qsort(ns, ROUNDS, sizeof(double), by_value);
	return ns[ROUNDS / 2];
}

/* What they cost: of a program that does nothing, run by the host and called by its hook. */
static void statistics(struct pintle_host *host, const char *dir)
{
	static const enum pintle_stats modes[] = {PINTLE_STATS_OFF, PINTLE_STATS_SAMPLED,
						  PINTLE_STATS_FULL};
	struct pintle_object *object = load(host, dir, "typed");
	double run[ARRAY_SIZE(modes)], call[ARRAY_SIZE(modes)];

	if (pintle_prog_attach(pintle_prog_find(object, "empty")))
		die("attach", pintle_host_error(host));
	for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
		if (pintle_stats_enable(host, modes[i]))
			die("statistics", pintle_host_error(host));
		run[i] = time_typed(object, "empty");
		call[i] = time_hook();
	}
	pintle_stats_enable(host, PINTLE_STATS_OFF);
	pintle_close(object);
	printf("\nns, with statistics             off  sampled     full\n");
	printf("%-25s %8.2f %8.2f %8.2f\n", "an empty run", run[0], run[1], run[2]);
	printf("%-25s %8.2f %8.2f %8.2f\n", "a call of a hook with it", call[0], call[1], call[2]);
}

/* ------------------------------------------------------------------ compile time */

static double compile_time(struct pintle_object *object)
{
	double ns[ROUNDS];

	for (u32 r = 0; r < ROUNDS; r++) {
		double start;

		jit_free(object->jit);
		object->jit = NULL;
		start = now();
		if (native_compile(object))
			die("compile", pintle_host_error(object->host));
		ns[r] = now() - start;
	}
	qsort(ns, ROUNDS, sizeof(double), by_value);
	return ns[ROUNDS / 2];
}

static void compile_times(struct pintle_host *host, struct pintle_object *object,
			  const char *dir)
{
	u32 insns = 0, bytes = 0;
	struct pintle_object *one;
	double ns = compile_time(object);
	char path[4096];

	for (u32 i = 0; i < object->image->nprogs; i++) {
		insns += object->progs[i].code->ninsns;
		bytes += object->progs[i].code->native_size;
	}
	printf("\n%u instructions became %u bytes of code in %.1f us: %.1f ns an instruction\n",
	       insns, bytes, ns / 1e3, ns / insns);
	snprintf(path, sizeof(path), "%s/typed.bpf.o", dir);
	one = pintle_open(host, path, NULL);
	if (!one || pintle_load_with(one, PINTLE_OPTS(pintle_load_opts, .only = "empty")))
		die(path, pintle_host_error(host));
	printf("an object of one program of two instructions in %.1f us\n",
	       compile_time(one) / 1e3);
}

/* ------------------------------------------------------------------ */

static void parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "t:w:")) != -1) {
		if (option == 't')
			batch_ns = atof(optarg) * 1e6;
		else if (option == 'w')
			only = optarg;
		else
			exit(2);
	}
	if (optind + 1 != argc)
		die("usage", "bench [-t MILLISECONDS] [-w WORKLOAD] OBJECTS-DIRECTORY");
}

int main(int argc, char **argv)
{
	struct pintle_host *jit = make_host(PINTLE_JIT_AUTO), *interp = make_host(PINTLE_JIT_OFF);
	struct pintle_object *compute;
	const char *dir;

	parse(argc, argv);
	dir = argv[optind];
	add_exports(jit);
	compute = load(jit, dir, "compute");
	find_progs(compute, JIT, true);
	find_progs(load(jit, dir, "maps"), JIT, false);
	find_progs(load(interp, dir, "compute"), INTERP, true);
	find_progs(load(interp, dir, "maps"), INTERP, false);
	load_kernel(dir, "compute", true);
	load_kernel(dir, "maps", false);
	native_compute_fill(NULL);
	native_maps_fill(NULL);
	table();
	sizes();
	typed(jit, dir);
	budgets(jit, dir);
	statistics(jit, dir);
	compile_times(jit, compute, dir);
	pintle_host_free(interp);
	pintle_host_free(jit);
	return 0;
}
