/* SPDX-License-Identifier: MIT
 *
 * maps.c: what an operation on a map costs a program, under Pintle and under the kernel
 * where bpf(2) is permitted: the same object, in turns, in this process. Some are compared
 * with the same loop in C, too. Then what has no counterpart, two threads against one, the
 * ring buffer between two threads, and memory.
 *
 * The column `want` is what docs/performance.md says is wanted. Where a terminal is there,
 * or when it takes long, standard error says how far it is.
 *
 *	bench-maps [-t MILLISECONDS] [-o WORDS] OBJECTS-DIRECTORY
 *
 * -o: only operations whose line has the words.
 */
#include "run/map/map.h"
#include "run/map/hash.h"
#include "work/kinds.h"

#include <linux/bpf.h>
#include <pintle/pintle.h>
#include <pthread.h>
#include <sched.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_LIBBPF
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#endif

enum { ROUNDS = 9, MAX_SLOTS = 8, RUNS = 256 /* between looks at the clock */ };

/* The native twin of an operation: STEPS of it, by the address of a seed. */
typedef u64 twin_fn(u64 *seed);
static twin_fn native_lookup, native_increment;

/* What there is to measure: a program, what it is called, and the time of its twin, or else
 * of the kernel, that is to be multiplied by at most. */
static const struct row {
	const char *prog, *words;
	double want;
	twin_fn *twin;
} rows[] = {
	{"lookup_array_1k", "array lookup", 1.3, native_lookup},
	{"increment_percpu_array_1k", "per-CPU array increment", 1.3, native_increment},
	{"lookup_hash_1k", "hash lookup, 1k", 0.6, NULL},
	{"lookup_hash_64k", "hash lookup, 64k", 0.6, NULL},
	{"lookup_hash_1m", "hash lookup, 1M", 0.6, NULL},
	{"update_hash_1k", "hash update, 1k", 0.3, NULL},
	{"update_hash_64k", "hash update, 64k", 0.3, NULL},
	{"update_hash_1m", "hash update, 1M", 0.3, NULL},
	{"update_wide_64k", "hash update, 64k of 64 bytes", 0.3, NULL},
	{"churn_hash_1k", "hash delete and insert, 1k", 0.5, NULL},
	{"churn_hash_64k", "hash delete and insert, 64k", 0.5, NULL},
	{"churn_hash_1m", "hash delete and insert, 1M", 0.5, NULL},
	{"lookup_percpu_64k", "per-CPU hash lookup, 64k", 1, NULL},
	{"update_percpu_64k", "per-CPU hash update, 64k", 1, NULL},
	{"lookup_lru_64k", "LRU hash lookup, 64k", 1, NULL},
	{"evict_lru_64k", "LRU hash update, half evicting", 1, NULL},
};

static const struct filled {
	const char *name;
	u32 n;
} maps[] = {{"hash_1k", 1 << 10}, {"hash_64k", 1 << 16}, {"hash_1m", 1 << 20},
	    {"percpu_64k", 1 << 16}, {"lru_64k", 1 << 16}, {"wide_64k", 1 << 16}};

static double round_ns = 5e6;
static const char *only;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "bench-maps: %s: %s\n", what, why);
	exit(1);
}

static double clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Of this thread: what others do on the machine meanwhile counts as little as in what the
 * kernel says of its own runs. A system call: not to be asked often. */
static double cpu_time(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static int by_value(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

static bool asked(const char *words)
{
	return !only || strstr(words, only);
}

/* Says that the measurement called @words begins. */
static void progress(const char *words)
{
	static double begin, told;
	static u32 n;
	double t = now();

	n++;
	if (!begin)
		begin = told = t;
	if (isatty(2))
		fprintf(stderr, "\r%-60s\r[%u] %s\r", "", n, words);
	else if (t - told > 30e9) {
		fprintf(stderr, "bench-maps: %.0f s, now: %s\n", (t - begin) / 1e9, words);
		told = t;
	}
}

/* ------------------------------------------------------------------ native twins */

static u64 cells[CELLS], own_cells[CELLS];

static inline u64 next(u64 at)
{
	return at * 6364136223846793005ull + 1442695040888963407ull;
}

/* As a program would be told: the key may be anything. */
static u64 *cell(u64 *of, u32 key)
{
	__asm__ volatile("" : "+r"(key));
	return key < CELLS ? &of[key] : NULL;
}

static __attribute__((noinline)) u64 native_lookup(u64 *seed)
{
	u64 at = *seed;
	u32 done = 0;

	for (u32 i = 0; i < STEPS; i++) {
		u64 *v = cell(cells, (u32)((at = next(at)) >> 33) & (CELLS - 1));

		if (v)
			done += *v;
	}
	*seed = at;
	return done;
}

static __attribute__((noinline)) u64 native_increment(u64 *seed)
{
	u64 at = *seed;
	u32 done = 0;

	for (u32 i = 0; i < STEPS; i++) {
		u64 *v = cell(own_cells, (u32)((at = next(at)) >> 33) & (CELLS - 1));

		if (v)
			done += ++*v;
	}
	*seed = at;
	return done;
}

static double time_native(twin_fn *twin, double ns)
{
	static u64 seed, sum;
	double start = cpu_time(), t;
	u64 runs = 0;

	do {
		for (u32 i = 0; i < RUNS; i++, runs++)
			sum += twin(&seed);
		t = cpu_time() - start;
	} while (t < ns);
	__atomic_store_n(&cells[0], sum & 1, __ATOMIC_RELAXED); /* it is needed */
	return t / (double)(runs * STEPS);
}

/* ------------------------------------------------------------------ Pintle */

struct xdp_md as_programs_see_it; /* its type in our BTF */

static struct pintle_host *host;
static struct pintle_object *object, *objects;

static struct pintle_object *load_one(const char *dir, const char *name)
{
	struct pintle_object *o;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir, name);
	o = pintle_open(host, path, NULL);
	if (!o || pintle_load(o))
		die(path, pintle_host_error(host));
	return o;
}

static void load(const char *dir)
{
	static const struct pintle_prog_type xdp = {
		.size = sizeof(xdp), .name = "xdp", .section = "xdp", .ctx = "xdp_md"};

	host = pintle_host_new(PINTLE_OPTS(pintle_host_opts, .max_slots = MAX_SLOTS));
	if (!host || pintle_host_add_self(host) || pintle_prog_type_add(host, &xdp))
		die("host", pintle_host_error(host));
	object = load_one(dir, "kinds");
	objects = load_one(dir, "objects");
}

static struct pintle_map *map_named(const char *name)
{
	struct pintle_map *map = pintle_map_find(object, name);

	return map ? map : (die(name, "no such map"), NULL);
}

static void fill(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(maps); i++) {
		struct pintle_map *map = map_named(maps[i].name);
		u64 values[MAX_SLOTS] = {1}; /* or eight words */

		for (u32 key = 0; key < maps[i].n; key++)
			if (pintle_map_update(map, &key, values, 0))
				die(maps[i].name, "cannot be filled");
	}
}

static struct pintle_prog *prog_named(const char *name)
{
	struct pintle_prog *prog = pintle_prog_find(object, name);

	if (!prog)
		prog = pintle_prog_find(objects, name);
	return prog ? prog : (die(name, "no such program"), NULL);
}

/* ns a step, over about @ns. */
static double time_pintle(const char *name, double ns)
{
	struct pintle_prog *prog = prog_named(name);
	struct xdp_md ctx = {0};
	double start = cpu_time(), t;
	u64 result, runs = 0;

	do {
		for (u32 i = 0; i < RUNS; i++, runs++)
			if (pintle_prog_run(prog, &ctx, &result))
				die(name, "does not run");
		t = cpu_time() - start;
	} while (t < ns);
	return t / (double)(runs * STEPS);
}

/* ------------------------------------------------------------------ the kernel */

#ifdef HAVE_LIBBPF
static struct bpf_object *kernel;

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

static void load_kernel(const char *dir)
{
	char path[4096];

	libbpf_set_print(quiet);
	snprintf(path, sizeof(path), "%s/kinds.bpf.o", dir);
	kernel = bpf_object__open(path);
	if (!kernel || bpf_object__load(kernel)) {
		kernel = NULL;
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(maps); i++) {
		int fd = bpf_object__find_map_fd_by_name(kernel, maps[i].name);
		u64 *values = calloc((size_t)libbpf_num_possible_cpus(), sizeof(struct wide));

		for (u32 key = 0; values && key < maps[i].n; key++)
			bpf_map_update_elem(fd, &key, values, 0);
		free(values);
	}
}

static double time_kernel(const char *name, double ns)
{
	static u8 packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 16);
	int fd;

	if (!kernel)
		return 0;
	fd = bpf_program__fd(bpf_object__find_program_by_name(kernel, name));
	if (bpf_prog_test_run_opts(fd, &opts))
		return 0;
	opts.repeat = (int)(ns / (opts.duration ? opts.duration : 1)) + 1;
	return bpf_prog_test_run_opts(fd, &opts) ? 0 : (double)opts.duration / STEPS;
}

/* Bytes the kernel charges for a map. */
static double kernel_bytes(const char *name)
{
	char path[64], line[256];
	unsigned long long bytes = 0;
	FILE *f;

	if (!kernel)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
		 bpf_object__find_map_fd_by_name(kernel, name));
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return (double)bytes;
}
#else
static void load_kernel(const char *dir)
{
}

static double time_kernel(const char *name, double ns)
{
	return 0;
}

static double kernel_bytes(const char *name)
{
	return 0;
}
#endif

/* ------------------------------------------------------------------ rows */

static double median(double *ns, double *spread)
{
	qsort(ns, ROUNDS, sizeof(*ns), by_value);
	*spread = ns[ROUNDS / 2] > 0
			  ? (ns[ROUNDS * 3 / 4] - ns[ROUNDS / 4]) / ns[ROUNDS / 2] : 0;
	return ns[ROUNDS / 2];
}

struct times {
	double ours[ROUNDS], kernel[ROUNDS], twin[ROUNDS];
};

static void measure(const struct row *row, struct times *t)
{
	time_pintle(row->prog, round_ns); /* warm */
	for (u32 r = 0; r < ROUNDS; r++) {
		t->ours[r] = time_pintle(row->prog, round_ns);
		t->kernel[r] = time_kernel(row->prog, round_ns);
		t->twin[r] = row->twin ? time_native(row->twin, round_ns) : 0;
	}
}

/* A time, and what it is of ours; "-" where there is none. */
static void print_peer(double ns, double ours)
{
	if (ns > 0)
		printf("%8.1f %7.2f ", ns, ours / ns);
	else
		printf("%8s %7s ", "-", "-");
}

static void operations(void)
{
	printf("%-32s %8s %8s %7s %8s %7s %6s %7s\n", "ns an operation", "pintle", "native",
	       "ratio", "kernel", "ratio", "want", "spread");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		double spread, unused, ours;
		struct times t;

		if (!asked(rows[i].words))
			continue;
		progress(rows[i].words);
		measure(&rows[i], &t);
		ours = median(t.ours, &spread);
		printf("%-32s %8.1f ", rows[i].words, ours);
		print_peer(median(t.twin, &unused), ours);
		print_peer(median(t.kernel, &unused), ours);
		printf("%6.2f %6.1f%%\n", rows[i].want, 100 * spread);
		fflush(stdout);
	}
}

/* ------------------------------------------------------------------ ours alone */

static double time_section(double ns)
{
	double start = cpu_time(), t;
	u64 n = 0;

	do {
		for (u32 i = 0; i < 64 * RUNS; i++, n++) {
			pintle_read_lock(host);
			pintle_read_unlock(host);
		}
		t = cpu_time() - start;
	} while (t < ns);
	return t / (double)n;
}

static double time_objects(double ns)
{
	return time_pintle("allocate_drop", ns);
}

static double time_holders(double ns)
{
	return time_pintle("churn_holders", ns);
}

static const struct own {
	const char *words;
	double (*time)(double ns);
	double want;
} owns[] = {
	{"read section, entry and exit", time_section, 3},
	{"object allocated and dropped", time_objects, 30},
	{"delete and insert, with a field", time_holders, 0},
};

static void own_times(void)
{
	printf("\n%-32s %8s %6s %7s\n", "ns", "pintle", "want", "spread");
	for (u32 i = 0; i < ARRAY_SIZE(owns); i++) {
		double ns[ROUNDS], spread, mid;

		if (!asked(owns[i].words))
			continue;
		progress(owns[i].words);
		owns[i].time(round_ns);
		for (u32 r = 0; r < ROUNDS; r++)
			ns[r] = owns[i].time(round_ns);
		mid = median(ns, &spread);
		printf("%-32s %8.1f ", owns[i].words, mid);
		if (owns[i].want > 0)
			printf("%6.0f ", owns[i].want);
		else
			printf("%6s ", "-");
		printf("%6.1f%%\n", 100 * spread);
	}
}

/* ------------------------------------------------------------------ two threads */

struct second {
	pthread_t thread;
	const char *prog;
	double per_step;
	atomic(u32) *go;
};

static void *run_second(void *data)
{
	struct second *s = data;

	atomic_fetch_add(s->go, 1);
	while (atomic_load(s->go) < 2)
		;
	s->per_step = time_pintle(s->prog, round_ns * 10);
	pintle_thread_leave(host);
	return NULL;
}

/* Operations a us of two threads together, each while it has a processor. */
static double rate_of_two(const char *prog)
{
	atomic(u32) go = 0;
	struct second s[2] = {{.prog = prog, .go = &go}, {.prog = prog, .go = &go}};
	double rate = 0;

	for (u32 t = 0; t < 2; t++)
		if (pthread_create(&s[t].thread, NULL, run_second, &s[t]))
			die(prog, "no thread");
	for (u32 t = 0; t < 2; t++) {
		pthread_join(s[t].thread, NULL);
		rate += 1e3 / s[t].per_step;
	}
	return rate;
}

static void scaling(void)
{
	static const struct { const char *prog, *words; } progs[] = {
		{"own_lookup_hash_1k", "hash lookup, 1k"},
		{"own_lookup_hash_64k", "hash lookup, 64k"},
		{"own_update_hash_1k", "hash update, 1k"},
		{"own_update_hash_64k", "hash update, 64k"},
		{"own_churn_hash_1k", "hash delete and insert, 1k"},
		{"own_churn_hash_64k", "hash delete and insert, 64k"},
		{"own_churn_hash_1m", "hash delete and insert, 1M"},
		{"own_lookup_lru_64k", "LRU hash lookup, 64k"},
		{"own_update_lru_64k", "LRU hash update, half evicting"},
	};
	enum { TURNS = 3 };

	printf("\n%-32s %8s %8s %8s %6s\n", "operations a us of a processor", "one", "two", "ratio", "want");
	for (u32 i = 0; i < ARRAY_SIZE(progs); i++) {
		double one = 0, two = 0;

		progress(progs[i].words);
		for (u32 t = 0; t < TURNS; t++) {
			one += 1e3 / time_pintle(progs[i].prog, round_ns * 10) / TURNS;
			two += rate_of_two(progs[i].prog) / TURNS;
		}
		printf("%-32s %8.1f %8.1f %8.2f %6.2f\n", progs[i].words, one, two,
		       two / one, 1.8);
		fflush(stdout);
	}
}

/* ------------------------------------------------------------------ the ring buffer */

static int take(void *data, void *sample, size_t size)
{
	*(u64 *)data += ((u64 *)sample)[7];
	return 0;
}

struct consumer {
	pthread_t thread;
	atomic(u32) stop;
	u64 records, sum;
	double cpu; /* ns of this thread */
};

static void *consume(void *data)
{
	struct consumer *c = data;
	struct pintle_ringbuf *rb = pintle_ringbuf_open(map_named("ring"), take, &c->sum);

	while (rb && !atomic_load(&c->stop)) {
		s64 n = pintle_ringbuf_poll(rb, 10);

		c->records += n > 0 ? (u64)n : 0;
	}
	pintle_ringbuf_close(rb);
	c->cpu = cpu_time();
	return NULL;
}

static void ring(void)
{
	struct pintle_prog *prog = prog_named("report");
	struct consumer c = {0};
	struct xdp_md ctx = {0};
	double start, t, cpu;
	u64 result;

	progress("ring buffer");
	pthread_create(&c.thread, NULL, consume, &c);
	start = now();
	cpu = cpu_time();
	do {
		pintle_prog_run(prog, &ctx, &result);
		if (result < STEPS)
			sched_yield(); /* full */
		t = now() - start;
	} while (t < round_ns * 60);
	cpu = cpu_time() - cpu;
	atomic_store(&c.stop, 1);
	pthread_join(c.thread, NULL);
	printf("\n%-32s %8.1f million a second (wanted: 10); ns of processor time each: %.1f "
	       "to make, %.1f to take\n", "ring buffer, records of 64 bytes",
	       (double)c.records * 1e3 / t, cpu / (double)c.records,
	       c.cpu / (double)c.records);
}

/* ------------------------------------------------------------------ memory */

/* Per-CPU values: as many as the kernel has, one for each processor. */
static void memory(void)
{
	double cpus = (double)sysconf(_SC_NPROCESSORS_CONF);

	printf("\n%-32s %8s %8s\n", "bytes an entry", "pintle", "kernel");
	for (u32 i = 0; i < ARRAY_SIZE(maps); i++) {
		struct hash *h = hash_of(map_named(maps[i].name)->map);
		double bytes = h->pool.elem_size + 8.0 * (h->mask + 1.0) / maps[i].n;
		double theirs = kernel_bytes(maps[i].name);

		if (h->percpu)
			bytes += cpus * h->map.value_stride;
		printf("%-32s %8.0f ", maps[i].name, bytes);
		if (theirs > 0)
			printf("%8.0f\n", theirs / maps[i].n);
		else
			printf("%8s\n", "-");
	}
}

/* ------------------------------------------------------------------ */

static void machine(void)
{
	char line[256], *model = NULL;
	FILE *f = fopen("/proc/cpuinfo", "r");
	struct utsname u = {0};
	double load = 0;

	while (f && !model && fgets(line, sizeof(line), f))
		if (!strncmp(line, "model name", 10) && (model = strchr(line, ':')))
			model[strcspn(model, "\n")] = 0;
	if (f)
		fclose(f);
	uname(&u);
	getloadavg(&load, 1);
	printf("%ld processors%s, Linux %s, load %.1f\n\n", sysconf(_SC_NPROCESSORS_CONF),
	       model ? model : "", u.release, load);
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "t:o:")) != -1) {
		if (option == 't')
			round_ns = atof(optarg) * 1e6;
		else if (option == 'o')
			only = optarg;
		else
			return 2;
	}
	if (optind + 1 != argc)
		die("usage", "bench-maps [-t MILLISECONDS] [-o WORDS] OBJECTS-DIRECTORY");
	machine();
	load(argv[optind]);
	load_kernel(argv[optind]);
	fill();
	operations();
	own_times();
	if (asked("two threads"))
		scaling();
	if (asked("ring buffer"))
		ring();
	if (asked("memory"))
		memory();
	pintle_host_free(host);
	return 0;
}
