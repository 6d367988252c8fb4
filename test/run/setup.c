/* SPDX-License-Identifier: MIT
 *
 * setup.c: see setup.h.
 */
#include "setup.h"

struct pintle_object *setup_load(struct pintle_host *host, const char *file)
{
	struct pintle_object *object = pintle_open(host, test_object(file), NULL);

	if (object && !pintle_load(object))
		return object;
	pintle_close(object);
	return NULL;
}

struct setup setup_begin(const struct pintle_host_opts *opts,
			 int (*add)(struct pintle_host *host), const char *file)
{
	struct setup s = {pintle_host_new(opts)};
	static char words[2048];

	CHECK(s.host);
	if (!pintle_host_add_self(s.host) && !add(s.host))
		s.object = setup_load(s.host, file);
	if (!s.object) {
		snprintf(words, sizeof(words), "%s", pintle_host_error(s.host));
		pintle_host_free(s.host);
		test_fail(__FILE__, __LINE__, "%s", words);
	}
	return s;
}

void setup_end(struct setup s)
{
	pintle_close(s.object);
	pintle_host_free(s.host);
}

int setup_run(struct setup s, const char *name, int n)
{
	struct pintle_prog *prog = pintle_prog_find(s.object, name);
	uint64_t args[] = {(uint64_t)n}, result = 0;

	CHECK(prog);
	CHECK_EQ(pintle_prog_run(prog, args, &result), 0);
	return (int)result;
}

struct pintle_map *setup_map(struct setup s, const char *name)
{
	struct pintle_map *map = pintle_map_find(s.object, name);

	CHECK(map);
	return map;
}
