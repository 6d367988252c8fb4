/* SPDX-License-Identifier: MIT
 *
 * plugin.c: who pins a plugin (rule book M19, J07): an object, map or type of a program's
 * own that uses what is the plugin's; nobody else.
 */
#include "run/stress_host.h"
#include "test.h"
#include "unit/btf_build.h"

#include "run/map/map.h"

static int plugs; /* destructor calls */

static void drop_plug(void *obj)
{
	plugs++;
}

/* Named otherwise in the plugin's BTF: it is none of this program's own. */
static int number_after(int n)
{
	return n + 1;
}

static struct pintle_hook plug_hook = {.name = "plug_hook"};

struct plugged {
	struct bb b;
	struct pintle_host *host;
	struct pintle_object *other; /* has nothing to do with the plugin */
};

static struct pintle_object *object(struct plugged *p, const char *name)
{
	char path[64];
	struct pintle_object *obj;

	snprintf(path, sizeof(path), "run/%s.bpf.o", name);
	obj = pintle_open(p->host, test_object(path), NULL);
	if (!obj || pintle_load(obj) || pintle_attach(obj))
		test_fail(__FILE__, __LINE__, "%s: %s", name, pintle_host_error(p->host));
	return obj;
}

static void plug_in(struct plugged *p)
{
	u32 i32;

	bb_init(&p->b, NULL);
	i32 = bb_int(&p->b, "int", 4);
	bb_struct(&p->b, "plug", 8, {"number", i32, 0}, {"refs", i32, 32});
	bb_func(&p->b, "plug_number", bb_proto(&p->b, i32, {"n", i32}));
	bb_func(&p->b, "pintle_hook__plug_hook", bb_proto(&p->b, i32, {"n", i32}));
	bb_blob(&p->b);
	CHECK_EQ(pintle_host_add_btf(p->host, "plugin", p->b.blob, p->b.size), 0);
	CHECK_EQ(pintle_storable_add(p->host, "plug",
				     PINTLE_OPTS(pintle_storable_opts, .dtor = drop_plug)), 0);
	CHECK_EQ(pintle_export_func(p->host, "plug_number", (void (*)(void))number_after, NULL),
		 0);
	CHECK_EQ(pintle_hook_register(p->host, &plug_hook, NULL), 0);
}

static void plugged_open(struct plugged *p)
{
	stress_host_reset();
	plugs = 0;
	p->host = stress_host_new(NULL);
	CHECK(p->host);
	plug_in(p);
	p->other = object(p, "stress");
}

static void plugged_close(struct plugged *p)
{
	stress_hook_p(1); /* what stayed open works */
	pintle_close(p->other);
	pintle_drain(p->host);
	pintle_host_free(p->host);
	CHECK_EQ(stress_counts.live, 0);
	bb_free(&p->b);
	stress_host_reset();
}

/* One that uses it pins it, by name, until it is closed. */
static void pins(const char *name, const char *words)
{
	struct pintle_object *obj;
	struct plugged p;

	plugged_open(&p);
	obj = object(&p, name);
	stress_hook_p(1);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), -EBUSY);
	CHECK_HAS(pintle_host_error(p.host), words);
	stress_hook_p(2);
	pintle_close(obj);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), 0);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), -ENOENT);
	plugged_close(&p);
}

TEST(M19_field_of_a_map_pins_the_plugin)
{
	pins("plugin_map", "object 'plugin_map.bpf.o' has a field for its objects, 'value.plug'");
}

TEST(J07_function_of_the_plugin_pins_it)
{
	pins("plugin_func", "object 'plugin_func.bpf.o' calls its function 'plug_number'");
}

TEST(M19_type_of_a_programs_own_pins_the_plugin)
{
	pins("plugin_local", "'plug_holder' has a field for its objects, 'plug_holder.plug'");
}

TEST(J07_program_of_the_plugins_hook_pins_it)
{
	pins("plugin_hook", "object 'plugin_hook.bpf.o' has a program of its 'hook/plug_hook'");
}

/* Objects that do not use it run on, and new ones come, after it went and came back. */
TEST(J07_plugin_goes_while_others_run)
{
	struct plugged p;
	struct pintle_object *obj;

	plugged_open(&p);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), 0);
	CHECK(!plug_hook.host);
	CHECK(!pintle_open(p.host, test_object("run/plugin_func.bpf.o"), NULL));
	CHECK_HAS(pintle_host_error(p.host), "plug_number");
	stress_hook_p(1);
	pintle_close(p.other);
	bb_free(&p.b);
	plug_in(&p);
	p.other = object(&p, "stress");
	obj = object(&p, "plugin_func");
	CHECK_EQ(stress_hook_p(41), 42);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), -EBUSY);
	pintle_close(obj);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), 0);
	plugged_close(&p);
}

/* A map that something else holds, after its object went: here a handle of the host's. */
TEST(M19_map_pins_the_plugin_after_its_object)
{
	struct pintle_object *obj;
	struct map *map;
	struct plugged p;

	plugged_open(&p);
	obj = object(&p, "plugin_map");
	map = pintle_map_find(obj, "kept")->map;
	map_get(map);
	pintle_close(obj);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), -EBUSY);
	CHECK_HAS(pintle_host_error(p.host), "map 'kept' has a field for its objects, 'value.plug'");
	map_put(map);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), 0);
	plugged_close(&p);
}

/* References that a map held, and calls for them, are gone when the plugin is. */
TEST(J07_deferred_calls_are_made_first)
{
	struct plugged p;
	int nothing;

	plugged_open(&p);
	for (int i = 0; i < 100; i++)
		defer_call(p.host, drop_plug, &nothing);
	pintle_read_lock(p.host);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), -EBUSY);
	CHECK_HAS(pintle_host_error(p.host), "deferred calls");
	pintle_read_unlock(p.host);
	CHECK_EQ(pintle_host_remove_btf(p.host, "plugin"), 0);
	CHECK_EQ(plugs, 100);
	plugged_close(&p);
}
