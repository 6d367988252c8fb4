/* SPDX-License-Identifier: MIT
 *
 * dump.c: `pintle dump`: what is in an object: maps with their special fields, programs as
 * instructions beside the source lines they came from.
 */
#include "cli/cli.h"


static void dump_field(const struct field *f)
{
	printf("    +%-5u %-16s %s", f->off, field_kind_name(f->kind), f->path);
	if (f->btf && f->type)
		printf("  -> struct %s%s", btf_type_name(f->btf, f->type),
		       f->local ? " (the program's own)" : "");
	putchar('\n');
}

static void dump_map(const struct image *image, const struct image_map *map)
{
	const char *type = abi_map_type(map->type)->name;

	printf("map '%s': %s, key %u bytes, value %u bytes, %u entries, flags 0x%x%s\n",
	       map->name, type ? type : "of an unknown type", map->key_size, map->value_size,
	       map->max_entries, map->flags, map->frozen ? ", constant" : "");
	if (map->inner >= 0)
		printf("    inner map: '%s'\n", image->maps[map->inner].name);
	for (u32 i = 0; map->record && i < map->record->n; i++)
		dump_field(&map->record->fields[i]);
}

static const char *helper_name(void *data, s32 id)
{
	return abi_helper_name((u32)id);
}

static const char *ksym_name(void *data, s32 index)
{
	const struct image *image = data;

	return index >= 0 && (u32)index < image->nksyms ? image->ksyms[index].name : NULL;
}

static const char *map_name(void *data, s32 index)
{
	const struct image *image = data;

	return index >= 0 && (u32)index < image->nmaps ? image->maps[index].name : NULL;
}

static void dump_insns(const struct image *image, const struct image_prog *prog,
		       const struct image_subprog *sub)
{
	const struct isa_names names = {helper_name, ksym_name, map_name,
					(void *)(uintptr_t)image};
	const struct image_line *last = NULL;
	char text[256];

	for (u32 i = sub->start; i < sub->end; i++) {
		const struct image_line *line = image_line_of(prog, i);

		if (line && line != last)
			printf("; %s @ %s:%u\n", line->text, line->file, line->line);
		last = line;
		isa_disasm(prog->insns + i, sub->end - i, &names, text, sizeof(text));
		printf("%5u: %s\n", i, text);
		i += prog->insns[i].code == 0x18;
	}
}

static void dump_prog(const struct image *image, const struct image_prog *prog)
{
	printf("\nprogram '%s' in section '%s': %u instructions, type %s%s\n", prog->name,
	       prog->section, prog->ninsns, prog->type ? prog->type->name : "unknown",
	       prog->sleepable ? ", sleepable" : "");
	for (u32 i = 0; i < prog->nsubprogs; i++) {
		const struct image_subprog *sub = &prog->subprogs[i];

		printf("%s%s:\n", sub->name, i ? sub->global ? " (global)" : " (static)" : "");
		dump_insns(image, prog, sub);
	}
}

static void dump_image(const struct image *image)
{
	for (u32 i = 0; i < image->nmaps; i++)
		dump_map(image, &image->maps[i]);
	for (u32 i = 0; i < image->nprogs; i++)
		dump_prog(image, &image->progs[i]);
}

static int dump_loaded(struct pintle_host *host, struct pintle_object *object)
{
	int err = pintle_load(object);

	if (err)
		fprintf(stderr, "%s\n", pintle_host_error(host));
	else
		dump_native(object);
	return err ? EXIT_REFUSED : EXIT_DONE;
}

static int dump_with_host(struct pintle_host *host, const char *path, bool native)
{
	int status = EXIT_DONE;
	struct pintle_object *object = pintle_open(host, path, NULL);

	if (!object)
		return usage_error("%s", pintle_host_error(host));
	if (native)
		status = dump_loaded(host, object);
	else
		dump_image(object->image);
	pintle_close(object);
	return status;
}

/* The object as it is, whatever host it is meant for. */
static int dump_alone(struct pintle_host *host, const char *path)
{
	const struct image_opts opts = {.name = path, .lenient_decl = true, .look_only = true};
	struct log log = {.level = LOG_NOTE};
	struct image *image = NULL;
	size_t len = 0;
	char *data = read_all(path, &len);
	int err = data ? image_open(&log, &host->abi, data, len, &opts, &image) : 0;

	if (image)
		dump_image(image);
	else
		usage_error("%s", data ? log.error : strerror(errno));
	image_free(image);
	log_free(&log);
	free(data);
	return err || !image ? EXIT_USAGE : EXIT_DONE;
}

int cmd_dump(int argc, char **argv)
{
	const char *hosts[MAX_FILES];
	struct pintle_host *host;
	u32 nhosts = 0;
	bool native = false;
	int i, err = 0;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--native")) {
			native = true;
			continue;
		}
		if (strcmp(argv[i], "--host") || i + 1 == argc || nhosts == MAX_FILES)
			return usage_error("dump: '%s' is unknown or needs a file", argv[i]);
		hosts[nhosts++] = argv[++i];
	}
	if (i == argc)
		return usage_error("dump: no object given");
	host = cli_host(hosts, nhosts);
	if (!host)
		return EXIT_USAGE;
	for (; i < argc && !err; i++)
		err = nhosts || native ? dump_with_host(host, argv[i], native)
				       : dump_alone(host, argv[i]);
	pintle_host_free(host);
	return err;
}
