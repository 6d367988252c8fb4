/* SPDX-License-Identifier: MIT
 *
 * programs.c: objects are opened, verified and attached; XDP programs found in them are
 * put in the order they were given in. Programs on hooks are attached by the library.
 */
#include "engine.h"

#include <string.h>

static bool is_xdp(const struct pintle_prog *prog)
{
	const char *section = pintle_prog_section(prog);

	return !strcmp(section, "xdp") || !strncmp(section, "xdp/", 4);
}

static int add(struct engine *engine, struct pintle_prog *prog)
{
	unsigned int n = engine->nprograms;

	if (n == MAX_PROGRAMS)
		return complain("more than %d XDP programs", MAX_PROGRAMS);
	engine->programs[n] = (struct program){.prog = prog, .bit = 1ull << n};
	engine->nprograms++;
	return 0;
}

/* The library's words say what is wrong, where and how to mend it; the log is what its
 * verifier saw on the way there. */
static int refused(const struct engine *engine, const struct pintle_object *object)
{
	if (engine->verbose && object)
		fputs(pintle_object_log(object), stderr);
	return complain("%s", pintle_host_error(engine->host));
}

int programs_load(struct engine *engine, const char *path)
{
	struct pintle_load_opts opts = {sizeof(opts), .log_level = engine->verbose};
	struct pintle_prog *prog = NULL;
	struct pintle_object *object;

	if (engine->nobjects == MAX_PROGRAMS)
		return complain("more than %d objects", MAX_PROGRAMS);
	object = pintle_open(engine->host, path, NULL);
	if (!object)
		return refused(engine, NULL);
	engine->paths[engine->nobjects] = path;
	engine->objects[engine->nobjects++] = object;
	if (pintle_load_with(object, &opts) || pintle_attach(object))
		return refused(engine, object);
	while ((prog = pintle_prog_next(object, prog)))
		if (is_xdp(prog) && add(engine, prog))
			return -1;
	return 0;
}
