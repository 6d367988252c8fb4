/* SPDX-License-Identifier: MIT
 *
 * verify.c: `pintle verify`: the verdict on each program of each object.
 */
#include "cli/cli.h"

enum { MAX_FILES = 64 };

struct options {
	const char *hosts[MAX_FILES];
	u32 nhosts;
	bool json, colour;
	enum log_level level;
};

struct verdict {
	const char *program, *section;
	int err;
	struct rejection why;
	struct verify_stats stats;
	struct log log;
};

static int parse(int argc, char **argv, struct options *o, int *first)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "-v"))
			o->level = LOG_INSN;
		else if (!strcmp(argv[i], "-vv"))
			o->level = LOG_STATE;
		else if (strcmp(argv[i], "--host"))
			return usage_error("verify: unknown option '%s'", argv[i]);
		else if (i + 1 == argc)
			return usage_error("verify: --host needs a file");
		else if (o->nhosts == MAX_FILES)
			return usage_error("verify: more than %d hosts", MAX_FILES);
		else
			o->hosts[o->nhosts++] = argv[++i];
	}
	*first = i;
	return i < argc ? 0 : usage_error("verify: no object given");
}

static const char *verdict_word(const struct verdict *v)
{
	return !v->err ? "accept" : v->err == -ENOMEM ? "error" : "reject";
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

static void print_text(const struct options *o, const char *object, const struct verdict *v)
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
	if (!prog->type)
		return log_fail(&v->log, -EINVAL, "no program type or hook of this host claims "
				"section '%s'", prog->section);
	if (prog->sleepable && !prog->type->may_sleep)
		return log_fail(&v->log, -EINVAL, "programs of type %s may not sleep",
				prog->type->name);
	return 0;
}

/* 0, or EXIT_REFUSED. */
static int judge(const struct options *o, const struct image *image,
		 const struct image_prog *prog)
{
	struct verdict v = {.program = prog->name, .section = prog->section,
			    .log.level = o->level};
	struct verify_opts vo = {.log_level = o->level};
	struct arena *arena = arena_new();
	struct proof *proof = NULL;

	v.err = arena ? no_type(&v, prog) : -ENOMEM;
	if (!v.err)
		v.err = verify(arena, &v.log, image, prog, &vo, &proof, &v.why, &v.stats);
	if (o->json)
		print_json(&v);
	else
		print_text(o, image->name, &v);
	proof_free(proof);
	log_free(&v.log);
	arena_free(arena);
	return v.err ? EXIT_REFUSED : 0;
}

static int verify_object(const struct options *o, struct pintle_host *host, const char *path)
{
	struct pintle_object *object = pintle_open(host, path, NULL);
	int worst = 0;

	if (!object)
		return usage_error("%s", pintle_host_error(host));
	for (u32 i = 0; i < object->image->nprogs; i++) {
		int exit_code = judge(o, object->image, &object->image->progs[i]);

		worst = exit_code > worst ? exit_code : worst;
	}
	pintle_close(object);
	return worst;
}

int cmd_verify(int argc, char **argv)
{
	struct options o = {.colour = colour_wanted(stdout)};
	struct pintle_host *host;
	int first = 0, worst = 0;

	if (parse(argc, argv, &o, &first))
		return EXIT_USAGE;
	host = cli_host(o.hosts, o.nhosts);
	if (!host)
		return EXIT_USAGE;
	for (int i = first; i < argc; i++) {
		int exit_code = verify_object(&o, host, argv[i]);

		worst = exit_code > worst ? exit_code : worst;
	}
	pintle_host_free(host);
	return worst;
}
