/* SPDX-License-Identifier: MIT
 *
 * verify.c: `pintle verify`: the verdict on each program of each object.
 */
#include "cli/bench.h"
#include "cli/cli.h"

struct verify_options {
	const char *hosts[MAX_FILES];
	u32 nhosts;
	bool json, colour;
	enum log_level level;
	struct kernel_options kernel;
	struct bench *bench; /* NULL, or where times are collected */
};

struct verdict {
	const char *program, *section;
	int err;
	bool unsupported;
	struct rejection why;
	struct verify_stats stats;
	struct log log;
};

/* An option with a value: into one of the places for it. */
static int take_value(struct verify_options *o, const char *name, const char *value)
{
	const struct {
		const char *name, **list;
		u32 *n; /* NULL: at most one; the last counts */
	} places[] = {
		{"--host", o->hosts, &o->nhosts},
		{"--kernel", &o->kernel.version, NULL},
		{"--btf", &o->kernel.btf, NULL},
		{"--module-btf", o->kernel.module_btfs, &o->kernel.nmodule_btfs},
		{"--kfuncs", o->kernel.kfuncs, &o->kernel.nkfuncs},
	};

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		if (strcmp(places[i].name, name))
			continue;
		if (!value)
			return usage_error("verify: %s needs a value", name);
		if (places[i].n && *places[i].n == MAX_FILES)
			return usage_error("verify: more than %d times %s", MAX_FILES, name);
		places[i].list[places[i].n ? (*places[i].n)++ : 0] = value;
		return 0;
	}
	return usage_error("verify: unknown option '%s'", name);
}

static int check_options(const struct verify_options *o)
{
	const struct kernel_options *k = &o->kernel;

	if (k->version && o->nhosts)
		return usage_error("verify: either --host or --kernel");
	if (!k->version && (k->btf || k->nmodule_btfs || k->nkfuncs))
		return usage_error("verify: --btf, --module-btf and --kfuncs go with --kernel");
	return 0;
}

static int parse(int argc, char **argv, struct verify_options *o, int *first)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "-v"))
			o->level = LOG_INSN;
		else if (!strcmp(argv[i], "-vv"))
			o->level = LOG_STATE;
		else if (take_value(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
			return EXIT_USAGE;
		else
			i++;
	}
	*first = i;
	return i < argc ? check_options(o) : usage_error("verify: no object given");
}

static const char *verdict_word(const struct verdict *v)
{
	if (!v->err)
		return "accept";
	if (v->err == -ENOMEM)
		return "error";
	return v->unsupported || v->why.rule == RULE_UNSUPPORTED ? "unsupported" : "reject";
}

static void print_json(const struct verdict *v)
{
	const char *const text[][2] = {
		{"program", v->program}, {"section", v->section},
		{"verdict", verdict_word(v)},
		{"rule", v->why.rule ? rule_info(v->why.rule)->id : ""},
		{"message", v->err ? v->log.error : ""}, {"log", log_text(&v->log)},
	};

	putchar('{');
	for (u32 i = 0; i < ARRAY_SIZE(text); i++) {
		json_string(stdout, text[i][0]);
		putchar(':');
		json_string(stdout, text[i][1]);
		putchar(',');
	}
	printf("\"insns\":%u,\"states\":%u,\"time_us\":%llu}\n", v->stats.insns,
	       v->stats.states, (unsigned long long)(v->stats.time_ns / 1000));
}

static void print_text(const struct verify_options *o, const char *object, const struct verdict *v)
{
	const char *on = !o->colour ? "" : v->err ? "\033[1;31m" : "\033[1;32m";
	const char *words = v->why.explanation ? v->why.explanation : v->log.error;

	if (o->level > LOG_ERROR)
		fputs(log_text(&v->log), stdout);
	printf("%s%s%s  %s: %s (%s): %u instructions, %u states, %llu us\n", on,
	       v->err ? "refused " : "accepted", o->colour ? "\033[0m" : "", object, v->program,
	       v->section, v->stats.insns, v->stats.states,
	       (unsigned long long)(v->stats.time_ns / 1000));
	if (!v->err)
		return;
	printf("%s%s\n", words, *words && words[strlen(words) - 1] == '\n' ? "" : "\n");
}

static int no_type(struct verdict *v, const struct image_prog *prog)
{
	if (prog->wrong) {
		v->unsupported = !strncmp(prog->wrong, ABI_UNSUPPORTED, strlen(ABI_UNSUPPORTED));
		return log_fail(&v->log, -EINVAL, "%s", prog->wrong);
	}
	if (!prog->type)
		return log_fail(&v->log, -EINVAL, "no program type or hook of this host claims "
				"section '%s'", prog->section);
	if (prog->sleepable && !prog->type->may_sleep)
		return log_fail(&v->log, -EINVAL, "programs of type %s may not sleep",
				prog->type->name);
	return 0;
}

static int run_verify(const struct verify_options *o, struct verdict *v,
		      const struct image *image, const struct image_prog *prog,
		      struct arena *arena, enum log_level level)
{
	struct verify_opts vo = {.log_level = level};
	struct proof *proof = NULL;
	int err;

	if (o->kernel.version)
		kernel_flags(image, prog, &vo);
	err = verify(arena, &v->log, image, prog, &vo, &proof, &v->why, &v->stats);

	proof_free(proof);
	return err;
}

/*
 * The log for programs to read: what -v and then what -vv prints, of programs that are not
 * too long. The verification that counts has been made, and timed, without it.
 */
static void log_again(const struct verify_options *o, struct verdict *v,
		      const struct image *image, const struct image_prog *prog,
		      struct arena *arena)
{
	enum { MOST_INSNS = 20000, MOST_TEXT = 4 << 20 };
	struct verdict again = {.log.level = LOG_INSN, .log.limit = MOST_TEXT};

	if (v->log.level >= LOG_STATE || v->stats.insns > MOST_INSNS)
		return;
	run_verify(o, &again, image, prog, arena, LOG_INSN);
	again.log.level = LOG_STATE;
	again.err = run_verify(o, &again, image, prog, arena, LOG_STATE);
	log_free(&v->log);
	v->log = again.log;
}

/* 0, or EXIT_REFUSED. */
static int judge(const struct verify_options *o, const struct image *image,
		 const struct image_prog *prog)
{
	struct verdict v = {.program = prog->name, .section = prog->section,
			    .log.level = o->level};
	struct arena *arena = arena_new();

	v.err = arena ? no_type(&v, prog) : -ENOMEM;
	if (!v.err) {
		v.err = run_verify(o, &v, image, prog, arena, o->level);
		if (o->json && v.err != -ENOMEM)
			log_again(o, &v, image, prog, arena);
	}
	if (o->json)
		print_json(&v);
	else
		print_text(o, image->name, &v);
	log_free(&v.log);
	arena_free(arena);
	return v.err ? EXIT_REFUSED : 0;
}

/* A few times when that is quick: the shortest is what it takes. */
static void judge_time(const struct verify_options *o, const char *path,
		       const struct image *image, const struct image_prog *prog)
{
	enum { TIMES = 3, LONG_NS = 50000000 };
	struct bench_row row = {.object = image->name, .program = prog->name};

	for (int i = 0; i < TIMES; i++) {
		struct verdict v = {.program = prog->name};
		struct arena *arena = arena_new();

		row.err = arena ? no_type(&v, prog) : -ENOMEM;
		if (!row.err)
			row.err = run_verify(o, &v, image, prog, arena, LOG_ERROR);
		if (!i || v.stats.time_ns < row.stats.time_ns)
			row.stats = v.stats;
		log_free(&v.log);
		arena_free(arena);
		if (v.stats.time_ns > LONG_NS)
			break;
	}
	bench_add(o->bench, path, &row);
}

int verify_image(const struct verify_options *o, const char *path, const struct image *image)
{
	int worst = 0;

	for (u32 i = 0; o->bench && i < image->nprogs; i++)
		judge_time(o, path, image, &image->progs[i]);
	if (o->bench)
		return 0;

	for (u32 i = 0; i < image->nprogs; i++) {
		int exit_code = judge(o, image, &image->progs[i]);

		worst = exit_code > worst ? exit_code : worst;
	}
	return worst;
}

static int verify_object(const struct verify_options *o, struct pintle_host *host, const char *path)
{
	struct pintle_object *object = pintle_open(host, path, NULL);
	int worst;

	if (!object)
		return usage_error("%s", pintle_host_error(host));
	worst = verify_image(o, path, object->image);
	pintle_close(object);
	return worst;
}

static int verify_all(const struct verify_options *o, char **paths, int n)
{
	struct pintle_host *host;
	int worst = 0;

	if (o->kernel.version)
		return kernel_verify(&o->kernel, o, paths, n);
	host = cli_host(o->hosts, o->nhosts);
	if (!host)
		return EXIT_USAGE;
	for (int i = 0; i < n; i++) {
		int exit_code = verify_object(o, host, paths[i]);

		worst = exit_code > worst ? exit_code : worst;
	}
	pintle_host_free(host);
	return worst;
}

int cmd_verify(int argc, char **argv)
{
	struct verify_options o = {.colour = colour_wanted(stdout)};
	int first = 0;

	if (parse(argc, argv, &o, &first))
		return EXIT_USAGE;
	return verify_all(&o, argv + first, argc - first);
}

int cmd_bench(int argc, char **argv)
{
	struct bench bench;
	struct verify_options o = {.bench = &bench};
	int first = 0, exit_code;

	if (argc < 2 || strcmp(argv[1], "verify"))
		return usage_error("bench: known is: bench verify OBJECT...");
	if (parse(argc - 1, argv + 1, &o, &first))
		return EXIT_USAGE;
	bench_begin(&bench);
	exit_code = verify_all(&o, argv + 1 + first, argc - 1 - first);
	bench_end(&bench);
	return exit_code;
}
