/* SPDX-License-Identifier: MIT
 *
 * maps.c: what an operation on a map costs a program, under Pintle and under the kernel
 * where bpf(2) is permitted: the same object, in turns, in this process. Then two threads
 * against one, the ring buffer between two threads, and memory.
 *
 *	bench-maps [-t MILLISECONDS] [-o WORDS] OBJECTS-DIRECTORY
 *
 * -o: only operations whose line has the words.
 */
#include "run/map.h"
#include "run/map/hash.h"
#include "work/kinds.h"

#include <linux/bpf.h>
#include <pintle/pintle.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_LIBBPF
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#endif

enum { ROUNDS = 9, MAX_SLOTS = 8 };

/* What there is to measure: a program, what it is called, the time the kernel's is to be
 * multiplied by at most. */
static const struct row {
	const char *prog, *words;
	double want;
} rows[] = {
	{"lookup_hash_1k", "hash lookup, 1k", 0.6},
	{"lookup_hash_64k", "hash lookup, 64k", 0.6},
	{"lookup_hash_1m", "hash lookup, 1M", 0.6},
	{"update_hash_1k", "hash update, 1k", 0.3},
	{"update_hash_64k", "hash update, 64k", 0.3},
	{"update_hash_1m", "hash update, 1M", 0.3},
	{"churn_hash_1k", "hash delete and insert, 1k", 0.5},
	{"churn_hash_64k", "hash delete and insert, 64k", 0.5},
	{"churn_hash_1m", "hash delete and insert, 1M", 0.5},
	{"lookup_percpu_64k", "per-CPU hash lookup, 64k", 1},
	{"update_percpu_64k", "per-CPU hash update, 64k", 1},
	{"lookup_lru_64k", "LRU hash lookup, 64k", 1},
	{"evict_lru_64k", "LRU hash update, half evicting", 1},
};

static const struct filled {
	const char *name;
	u32 n;
} maps[] = {{"hash_1k", 1 << 10}, {"hash_64k", 1 << 16}, {"hash_1m", 1 << 20},
	    {"percpu_64k", 1 << 16}, {"lru_64k", 1 << 16}};

static double round_ns = 5e6;
static const char *only;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "bench-maps: %s: %s\n", what, why);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
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

/* ------------------------------------------------------------------ Pintle */

struct xdp_md as_programs_see_it; /* its type in our BTF */

static struct pintle_host *host;
static struct pintle_object *object;

static void load(const char *dir)
{
	static const struct pintle_prog_type xdp = {
		.size = sizeof(xdp), .name = "xdp", .section = "xdp", .ctx = "xdp_md"};
	char path[4096];

	host = pintle_host_new(PINTLE_OPTS(pintle_host_opts, .max_slots = MAX_SLOTS));
	if (!host || pintle_host_add_self(host) || pintle_prog_type_add(host, &xdp))
		die("host", pintle_host_error(host));
	snprintf(path, sizeof(path), "%s/kinds.bpf.o", dir);
	object = pintle_open(host, path, NULL);
	if (!object || pintle_load(object))
		die(path, pintle_host_error(host));
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
		u64 values[MAX_SLOTS] = {1};

		for (u32 key = 0; key < maps[i].n; key++)
			if (pintle_map_update(map, &key, values, 0))
				die(maps[i].name, "cannot be filled");
	}
}

static struct pintle_prog *prog_named(const char *name)
{
	struct pintle_prog *prog = pintle_prog_find(object, name);

	return prog ? prog : (die(name, "no such program"), NULL);
}

/* ns a step, over about @ns. */
static double time_pintle(const char *name, double ns)
{
	struct pintle_prog *prog = prog_named(name);
	struct xdp_md ctx = {0};
	double start = now(), t;
	u64 result, runs = 0;

	do {
		for (u32 i = 0; i < 16; i++, runs++)
			if (pintle_prog_run(prog, &ctx, &result))
				die(name, "does not run");
		t = now() - start;
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
		u64 *values = calloc((size_t)libbpf_num_possible_cpus(), sizeof(u64));

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

static void operations(void)
{
	printf("%-32s %8s %8s %8s %7s %7s\n", "ns an operation", "pintle", "kernel", "ratio",
	       "want", "spread");
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		double ours[ROUNDS], theirs[ROUNDS], spread, unused, a, b;

		if (!asked(rows[i].words))
			continue;
		time_pintle(rows[i].prog, round_ns); /* warm */
		for (u32 r = 0; r < ROUNDS; r++) {
			ours[r] = time_pintle(rows[i].prog, round_ns);
			theirs[r] = time_kernel(rows[i].prog, round_ns);
		}
		a = median(ours, &spread);
		b = median(theirs, &unused);
		printf("%-32s %8.1f ", rows[i].words, a);
		if (b > 0)
			printf("%8.1f %8.2f %7.2f %6.1f%%\n", b, a / b, rows[i].want,
			       100 * spread);
		else
			printf("%8s %8s %7.2f %6.1f%%\n", "-", "-", rows[i].want, 100 * spread);
		fflush(stdout);
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

static void scaling(void)
{
	static const char *const progs[] = {"lookup_hash_64k", "update_hash_64k",
					    "churn_hash_64k", "evict_lru_64k"};

	printf("\n%-32s %8s %8s %8s\n", "operations a us", "one", "two", "ratio");
	for (u32 i = 0; i < ARRAY_SIZE(progs); i++) {
		atomic(u32) go = 0;
		struct second s[2] = {{.prog = progs[i], .go = &go},
				      {.prog = progs[i], .go = &go}};
		double one = 1e3 / time_pintle(progs[i], round_ns * 10), two = 0;

		for (u32 t = 0; t < 2; t++)
			pthread_create(&s[t].thread, NULL, run_second, &s[t]);
		for (u32 t = 0; t < 2; t++) {
			pthread_join(s[t].thread, NULL);
			two += 1e3 / s[t].per_step;
		}
		printf("%-32s %8.1f %8.1f %8.2f\n", progs[i], one, two, two / one);
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

static double cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

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
	printf("\n%-32s %8.1f million a second; ns of processor time each: %.1f to make, "
	       "%.1f to take\n", "ring buffer, records of 64 bytes",
	       (double)c.records * 1e3 / t, cpu / (double)c.records,
	       c.cpu / (double)c.records);
}

/* ------------------------------------------------------------------ memory */

static void memory(void)
{
	printf("\n%-32s %8s %8s\n", "bytes an entry", "pintle", "kernel");
	for (u32 i = 0; i < ARRAY_SIZE(maps); i++) {
		struct hash *h = hash_of(map_named(maps[i].name)->map);
		double values = (double)h->pool.slots * h->map.value_stride;
		double bytes = h->pool.elem_size + values +
			       8.0 * (h->mask + 1.0) / maps[i].n;

		printf("%-32s %8.0f ", maps[i].name, bytes);
		if (kernel_bytes(maps[i].name) > 0)
			printf("%8.0f\n", kernel_bytes(maps[i].name) / maps[i].n);
		else
			printf("%8s\n", "-");
	}
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
	load(argv[optind]);
	load_kernel(argv[optind]);
	fill();
	operations();
	if (asked("two threads"))
		scaling();
	if (asked("ring buffer"))
		ring();
	if (asked("memory"))
		memory();
	pintle_host_free(host);
	return 0;
}
