/* SPDX-License-Identifier: MIT
 *
 * run.c: `pintle run`: loads one xdp program into a host of its own, and runs it on a
 * packet given as a file or in hexadecimal. What programs print goes to standard error.
 */
#include "cli/cli.h"
#include "cli/ctx.h"

#include <ctype.h>
#include <time.h>

enum { MAX_DATA = 1 << 20, HEADROOM = 256 };

struct options {
	const char *object, *prog, *data_file, *hex;
	unsigned long repeat;
	u64 turns, ns; /* of the budget */
	enum pintle_jit jit;
	bool perf_map, perf_dump, gdb, blind;
};

static int parse_repeat(const char *text, unsigned long *repeat)
{
	char *end;

	errno = 0;
	*repeat = strtoul(text, &end, 10);
	if (errno || *end || !*text || *text == '-' || !*repeat || *repeat > 1000000000)
		return usage_error("run: --repeat takes a number from 1 to 1000000000");
	return 0;
}

/* "1000" turns, or a time: "500us". */
static int parse_budget(const char *text, struct options *o)
{
	static const struct {
		const char *name;
		u64 ns;
	} units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
	char *end;
	u64 n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || !n || n > 1000000000000 || !isdigit((unsigned char)*text))
		return usage_error("run: --budget takes a number of turns, or a time as 500us");
	if (!*end) {
		o->turns = n;
		return 0;
	}
	for (u32 i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(end, units[i].name)) {
			return __builtin_mul_overflow(n, units[i].ns, &o->ns)
				       ? usage_error("run: --budget: %s is too long a time", text)
				       : 0;
		}
	return usage_error("run: --budget: '%s' is not ns, us, ms or s", end);
}

/* Options without a value. */
static bool parse_flag(const char *name, struct options *o)
{
	if (!strcmp(name, "--jit"))
		o->jit = PINTLE_JIT_REQUIRE;
	else if (!strcmp(name, "--interp"))
		o->jit = PINTLE_JIT_OFF;
	else if (!strcmp(name, "--perf"))
		o->perf_map = true;
	else if (!strcmp(name, "--perf-dump"))
		o->perf_dump = true;
	else if (!strcmp(name, "--blind"))
		o->blind = true;
	else if (!strcmp(name, "--gdb"))
		o->gdb = true;
	else
		return false;
	return true;
}

static int parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (*name != '-') {
			if (o->object)
				return usage_error("run: one object only");
			o->object = name;
			continue;
		}
		if (parse_flag(name, o))
			continue;
		if (!value)
			return usage_error("run: '%s' is unknown or needs a value", name);
		i++;
		if (!strcmp(name, "--prog"))
			o->prog = value;
		else if (!strcmp(name, "--data"))
			o->data_file = value;
		else if (!strcmp(name, "--hex"))
			o->hex = value;
		else if (!strcmp(name, "--budget")) {
			if (parse_budget(value, o))
				return EXIT_USAGE;
		} else if (strcmp(name, "--repeat"))
			return usage_error("run: unknown option '%s'", name);
		else if (parse_repeat(value, &o->repeat))
			return EXIT_USAGE;
	}
	if (!o->object || !o->prog)
		return usage_error("run: an object and --prog NAME are needed");
	if (o->data_file && o->hex)
		return usage_error("run: --data or --hex, not both");
	return 0;
}

static int read_hex(const char *text, u8 *data, u32 *len)
{
	for (*len = 0; *text;) {
		unsigned int byte;

		if (isspace((unsigned char)*text) || *text == ':') {
			text++;
			continue;
		}
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
			return usage_error("run: --hex: '%.8s' is not two hexadecimal digits",
					   text);
		if (*len == MAX_DATA)
			return usage_error("run: more than %d bytes of data", MAX_DATA);
		sscanf(text, "%2x", &byte);
		data[(*len)++] = (u8)byte;
		text += 2;
	}
	return 0;
}

static int read_file(const char *path, u8 *data, u32 *len)
{
	FILE *f = fopen(path, "rbe");
	size_t n;

	if (!f)
		return usage_error("run: %s: %s", path, strerror(errno));
	n = fread(data, 1, MAX_DATA, f);
	*len = (u32)n;
	if (ferror(f) || (n == MAX_DATA && fgetc(f) != EOF)) {
		fclose(f);
		return usage_error("run: %s: unreadable, or over %d bytes", path, MAX_DATA);
	}
	fclose(f);
	return 0;
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static int run_loop(struct pintle_host *host, const struct pintle_prog *prog,
		    const struct options *o, u8 *data, u32 len)
{
	u64 result = 0, start = now_ns(), ns;
	unsigned long n = o->repeat ? o->repeat : 1, cut = 0;

	for (unsigned long i = 0; i < n; i++) {
		struct cli_xdp ctx = {.data = data, .data_end = data + len,
				      .data_meta = data, .ifindex = 1};
		int err = pintle_prog_run(prog, &ctx, &result);

		if (err == -ETIME)
			cut++;
		else if (err)
			return usage_error("run: %s", strerror(-err));
	}
	ns = now_ns() - start;
	printf("result %llu (0x%llx)\n", (unsigned long long)result,
	       (unsigned long long)result);
	if (cut)
		printf("%lu of %lu runs used up their budget\n", cut, n);
	if (n > 1)
		printf("%lu runs, %.1f ns each\n", n, (double)ns / (double)n);
	return EXIT_DONE;
}

static int run_object(struct pintle_host *host, const struct options *o, u8 *data, u32 len)
{
	struct pintle_object *object = pintle_open(host, o->object, NULL);
	const struct pintle_prog *prog;

	if (!object)
		return usage_error("%s", pintle_host_error(host));
	prog = pintle_prog_find(object, o->prog);
	if (!prog)
		return usage_error("%s has no program '%s'", o->object, o->prog);
	if (prog->image->type && strcmp(prog->image->type->name, "xdp"))
		return usage_error("'%s' is of type %s; only xdp programs run without their "
				   "host", o->prog, prog->image->type->name);
	if (pintle_load_with(object, PINTLE_OPTS(pintle_load_opts, .only = o->prog, .budget_turns = o->turns,
						 .budget_ns = o->ns))) {
		fprintf(stderr, "%s\n", pintle_host_error(host));
		return EXIT_REFUSED;
	}
	return run_loop(host, prog, o, data, len);
}

static void print_line(void *data, enum pintle_log_level level, const char *line)
{
	if (level == PINTLE_LOG_PROGRAM)
		fprintf(stderr, "%s\n", line);
}

int cmd_run(int argc, char **argv)
{
	struct options o = {0};
	struct pintle_host *host;
	u8 *data;
	u32 len = 64;
	int err;

	if (parse(argc, argv, &o))
		return EXIT_USAGE;
	data = calloc(1, HEADROOM + MAX_DATA);
	if (!data)
		return usage_error("run: out of memory");
	err = o.hex ? read_hex(o.hex, data + HEADROOM, &len)
		    : o.data_file ? read_file(o.data_file, data + HEADROOM, &len) : 0;
	host = err ? NULL : cli_host(NULL, 0);
	if (host) {
		host->opts.log = print_line;
		host->opts.jit = o.jit;
		host->opts.perf_map = o.perf_map;
		host->opts.gdb = o.gdb;
		host->opts.blind_constants = o.blind;
		host->opts.perf_dump = o.perf_dump;
		err = run_object(host, &o, data + HEADROOM, len);
	} else {
		err = EXIT_USAGE;
	}
	pintle_host_free(host);
	free(data);
	return err;
}
