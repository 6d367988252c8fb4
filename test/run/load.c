/* SPDX-License-Identifier: MIT
 *
 * load.c: what objects of real compilers may hold, and that each comes to the right place;
 * what cannot be is refused with words. The objects are in load/.
 */
#include "run/load/load.h"
#include "pintle/pintle.h"
#include "run/map/map.h"
#include "run/run.h"
#include "test.h"
#include "unit/elf_edit.h"

enum load_state { LOAD_IDLE = 3, LOAD_BUSY = 300 };

struct load_host {
	long before;
	int moved;
	unsigned char narrow;
	unsigned int lead : 3;
	unsigned int bits : 11;
	int negative : 5;
	int array[5];
	union {
		struct {
			short small;
			int deep;
		};
		long whole;
	};
	struct {
		char pad;
		int y, x;
	} inner;
	struct load_host *next;
	enum load_state state;
};

struct load_small {
	int a;
	long b;
};

struct load_small *keep_load_small; /* for BTF */

__attribute__((noinline, used)) int load_twice(int n);
__attribute__((noinline, used)) int load_maybe(int n);

int load_twice(int n)
{
	return 2 * n;
}

int load_maybe(int n)
{
	return n + 100;
}

PINTLE_HOOK(int, load_hook, struct load_host *, h, int, n)

static char notes[1024];

static void keep_note(void *data, enum pintle_log_level level, const char *line)
{
	if (level == PINTLE_LOG_NOTE)
		snprintf(notes, sizeof(notes), "%s", line);
}

static struct pintle_host *new_host(void)
{
	struct pintle_host *host =
		pintle_host_new(PINTLE_OPTS(pintle_host_opts, .log = keep_note));

	CHECK(host != NULL);
	notes[0] = 0;
	if (pintle_host_add_self(host) || pintle_export(host, load_twice, 0) ||
	    pintle_export(host, load_maybe, 0) || pintle_hook_add(host, load_hook))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return host;
}

static struct pintle_object *open_object(struct pintle_host *host, const char *name)
{
	struct pintle_object *o = pintle_open(host, test_object(name), NULL);

	if (!o)
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return o;
}

static struct pintle_object *load_object(struct pintle_host *host, const char *name)
{
	struct pintle_object *o = open_object(host, name);

	if (pintle_load(o))
		test_fail(__FILE__, __LINE__, "%s", pintle_host_error(host));
	return o;
}

static u64 run_on(struct pintle_object *o, const char *name, struct load_host *h, int n)
{
	u64 args[] = {(u64)(uintptr_t)h, (u64)n}, result = 0;

	CHECK(pintle_prog_find(o, name) != NULL);
	CHECK_EQ(pintle_prog_run(pintle_prog_find(o, name), args, &result), 0);
	return result;
}

/* The live bytes of a data section; it has at least @size of them. */
static void *data_of(struct pintle_object *o, const char *section, size_t size)
{
	struct pintle_map *map = pintle_map_find(o, section);
	size_t there = 0;
	void *p = map ? pintle_map_data(map, &there) : NULL;

	if (!p || there < size)
		test_fail(__FILE__, __LINE__, "%s: %zu bytes", section, there);
	return p;
}

/* ------------------------------------------------------------------ what works */

TEST(load_sections_subprograms_and_data)
{
	struct pintle_host *host = new_host();
	struct pintle_object *o = load_object(host, "run/load/object.bpf.o");
	struct load_answers *a = data_of(o, ".bss", sizeof(*a));
	struct load_host h = {0};
	int *counter = data_of(o, ".data", sizeof(int));
	long *custom = data_of(o, ".data.custom", sizeof(long));

	CHECK_EQ(*counter, 40);
	CHECK_EQ(*custom, 1000);
	CHECK_EQ(*(int *)data_of(o, ".rodata", sizeof(int)), 7);
	*counter = 50;
	CHECK_EQ(run_on(o, "first", &h, 6), 1);
	CHECK_EQ(a->from_rodata, 7);
	CHECK_EQ(a->from_data, 51);
	CHECK_EQ(*counter, 51);
	CHECK_EQ(a->from_custom, 1006);
	CHECK_EQ(*custom, 1006);
	CHECK_EQ(a->from_static, 6 + 2 + 51);
	CHECK_EQ(a->from_global, 6 + 2 + 51 + 1);
	CHECK_EQ(a->from_section, 18);
	CHECK_EQ(a->from_callback, 0 + 1 + 2 + 3 + 4);
	CHECK_EQ(run_on(o, "second", &h, 6), 12);
	CHECK_EQ(a->weak_there, 106);
	CHECK_EQ(a->weak_absent, -1);
	CHECK_EQ(a->weak_ptr_absent, -1);
	pintle_host_free(host);
}

/* Programs of "?" sections are there, and load when asked for. */
TEST(load_optional_programs_and_absent_functions)
{
	struct pintle_host *host = new_host();
	struct pintle_object *o = load_object(host, "run/load/object.bpf.o");
	struct pintle_prog *absent = pintle_prog_find(o, "calls_absent");
	u64 args[2] = {0}, result;

	CHECK(absent != NULL);
	CHECK_STR(pintle_prog_section(absent), "?hook/load_hook");
	CHECK_EQ(pintle_prog_run(absent, args, &result), -ENOENT);
	pintle_close(o);
	o = open_object(host, "run/load/object.bpf.o");
	CHECK(pintle_load_with(o, PINTLE_OPTS(pintle_load_opts, .only = "calls_absent")) < 0);
	CHECK_HAS(pintle_host_error(host), "the host exports no function 'load_absent'");
	CHECK_EQ(pintle_load_with(o, PINTLE_OPTS(pintle_load_opts, .only = "second")), 0);
	pintle_host_free(host);
}

static void check_core(const struct load_core *c)
{
	CHECK_EQ(c->moved, 11);
	CHECK_EQ(c->narrow, 200);
	CHECK_EQ(c->negative, -9);
	CHECK_EQ(c->bits, 1234);
	CHECK_EQ(c->array, 17);
	CHECK_EQ(c->inner, -5);
	CHECK_EQ(c->deep, 99);
	CHECK_EQ(c->next_moved, 22);
	CHECK_EQ(c->off_moved, offsetof(struct load_host, moved));
	CHECK_EQ(c->size_narrow, 1);
	CHECK_EQ(c->size_array, 5 * sizeof(int));
	CHECK_EQ(c->exists_moved, 1);
	CHECK_EQ(c->exists_gone, 0);
	CHECK_EQ(c->exists_flavour, 1);
	CHECK_EQ(c->signed_negative, 1);
	CHECK_EQ(c->signed_bits, 0);
	CHECK_EQ(c->rshift_bits, 64 - 11);
	CHECK_EQ(c->type_there, 1);
	CHECK_EQ(c->type_absent, 0);
	CHECK_EQ(c->size_host, sizeof(struct load_host));
	CHECK_EQ(c->matches, 1);
	CHECK_EQ(c->matches_not, 0);
	CHECK_EQ(c->enum_there, 1);
	CHECK_EQ(c->enum_absent, 0);
	CHECK_EQ(c->enum_value, LOAD_IDLE);
	CHECK_EQ(c->enum_busy, LOAD_BUSY);
}

TEST(load_core_relocations_of_every_kind)
{
	struct pintle_host *host = new_host();
	struct pintle_object *o = load_object(host, "run/load/core.bpf.o");
	struct load_core *c = data_of(o, ".bss", sizeof(*c));
	struct load_host next = {.moved = 22};
	struct load_host h = {.moved = 11, .narrow = 200, .lead = 5, .bits = 1234,
			      .negative = -9, .array = {16, 17, 18}, .deep = 99,
			      .inner = {.y = 4, .x = -5}, .next = &next};
	const struct btf *btf = host->abi.btfs.v[0];

	CHECK_EQ(run_on(o, "ask", &h, 3), 3);
	check_core(c);
	CHECK_EQ(c->id_host, btf_find(btf, "load_host", BTF_STRUCT));
	CHECK_EQ(c->id_local, btf_find(o->image->btf, "load_nowhere", BTF_STRUCT));
	pintle_close(o);
	o = open_object(host, "run/load/core.bpf.o");
	CHECK(pintle_load_with(o, PINTLE_OPTS(pintle_load_opts,
					      .only = "reads_what_is_gone")) < 0);
	CHECK_HAS(pintle_host_error(host), "CO-RE");
	pintle_host_free(host);
}

TEST(load_map_declarations)
{
	struct pintle_host *host = new_host();
	struct pintle_object *o = open_object(host, "run/load/maps.bpf.o");
	const struct image_map *outer = pintle_map_find(o, "outer")->image, *inner;

	CHECK_EQ(outer->type, MAP_ARRAY_OF_MAPS);
	CHECK(outer->inner >= 0);
	inner = &o->image->maps[outer->inner];
	CHECK_EQ(inner->type, MAP_HASH);
	CHECK_EQ(inner->key_size, 8);
	CHECK_EQ(inner->value_size, 4);
	CHECK_EQ(inner->max_entries, 9);
	CHECK_EQ(pintle_map_find(o, "pinned")->image->flags, MAPF_NO_PREALLOC);
	CHECK_HAS(notes, "maps.bpf.o: map 'pinned': pinning is ignored");
	pintle_host_free(host);
}

TEST(load_without_debug_information)
{
	struct pintle_host *host = new_host();
	struct pintle_object *o = load_object(host, "run/load/plain.bpf.o");

	CHECK(!o->image->btf);
	CHECK_EQ(run_on(o, "answer", NULL, 0), 42);
	pintle_host_free(host);
}

TEST(load_objects_of_gcc)
{
	struct pintle_host *host = new_host();
	struct pintle_object *o;
	FILE *there = fopen(test_object("run/load/gcc.bpf.o"), "r");
	long value = 3;
	u32 key = 1;

	if (!there) {
		pintle_host_free(host);
		SKIP("no bpf-gcc here");
	}
	fclose(there);
	o = load_object(host, "run/load/gcc.bpf.o");
	CHECK_EQ(pintle_map_update(pintle_map_find(o, "table"), &key, &value, 0), 0);
	CHECK_EQ(run_on(o, "count", NULL, 0), 10);
	CHECK_EQ(*(long *)data_of(o, ".data", sizeof(long)), 10);
	pintle_host_free(host);
}

/* ------------------------------------------------------------------ what is refused */

static void refused(const char *name, bool at_load, const char *words)
{
	struct pintle_host *host = new_host();
	struct pintle_object *o = pintle_open(host, test_object(name), NULL);

	if (at_load && !o)
		test_fail(__FILE__, __LINE__, "%s: %s", name, pintle_host_error(host));
	if (at_load ? !pintle_load(o) : o != NULL)
		test_fail(__FILE__, __LINE__, "%s: accepted", name);
	CHECK_HAS(pintle_host_error(host), words);
	pintle_host_free(host);
}

TEST(load_refusals_name_what_is_wrong)
{
	refused("run/load/missing.bpf.o", false, "missing.bpf.o: extern function 'load_no_such'");
	refused("run/load/mismatch.bpf.o", false, "'long load_twice(struct load_host *, int)' "
		"but the host has 'int load_twice(int n)'");
	refused("run/load/kconfig.bpf.o", false, "'CONFIG_HZ': .kconfig");
	refused("run/load/legacy.bpf.o", false, "legacy map definitions in section 'maps'");
	refused("run/load/member.bpf.o", false, "map 'painted': unknown member 'colour'");
	refused("run/load/plain_maps.bpf.o", false, "compile with -g");
	refused("run/load/bigendian.bpf.o", false, "big-endian");
	refused("run/load/unknown.bpf.o", true, "section 'submarine'");
}

/* Opens an edited object: it must be refused with @words. */
static void edit_refused(struct elf_edit *e, const char *words)
{
	struct pintle_host *host = new_host();

	CHECK(!pintle_open_mem(host, e->data, e->size, NULL));
	CHECK_HAS(pintle_host_error(host), words);
	pintle_host_free(host);
	elf_edit_free(e);
}

TEST(load_refuses_stripped_objects)
{
	struct elf_edit e = elf_edit_open("run/load/object.bpf.o");

	elf_edit_shdr(&e, ".symtab")->sh_type = SHT_PROGBITS;
	edit_refused(&e, "stripped");
	e = elf_edit_open("run/load/object.bpf.o");
	elf_edit_replace(&e, ".strtab", ".BTF", ".XTF"); /* .BTF and .BTF.ext */
	edit_refused(&e, "__ksym");
}

TEST(load_refuses_a_map_member_given_twice)
{
	struct elf_edit e = elf_edit_open("run/load/maps.bpf.o");

	elf_edit_replace(&e, ".BTF", "numa_node", "map_flags");
	edit_refused(&e, "map 'pinned': member 'map_flags' is given twice");
}
