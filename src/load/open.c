/* SPDX-License-Identifier: MIT
 *
 * open.c: reads an object: the order of the steps, and who owns what when one fails.
 */
#include "load/load.h"

#include <elf.h>

/* Offsets and sizes of variables in global data, which compilers leave to whoever has the
 * symbol table. @bytes is our own copy; nobody else has seen it yet. */
static int fix_datasec(struct loader *ld, u32 id, u32 sec)
{
	struct btf *btf = ld->image->btf;
	struct btf_type *t = (struct btf_type *)(uintptr_t)btf_type(btf, id);
	struct btf_secinfo *vars = (struct btf_secinfo *)(uintptr_t)btf_secinfos(t);
	struct strmap names = {0};
	int err = elf_symbols_of(ld, sec, &names);

	t->size = (u32)ld->secs[sec].size;
	for (u32 v = 0; v < btf_vlen(t); v++) {
		u32 sym;

		if (strmap_get(&names, btf_type_name(btf, vars[v].type), &sym))
			vars[v].offset = (u32)ld->syms[sym].value;
	}
	strmap_free(&names);
	return err;
}

static int by_offset(const void *a, const void *b)
{
	const struct btf_secinfo *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int read_datasec(struct loader *ld, u32 id)
{
	const struct btf *btf = ld->image->btf;
	const struct btf_type *t = btf_type(btf, id);
	struct btf_secinfo *vars = (struct btf_secinfo *)(uintptr_t)btf_secinfos(t);

	u32 sec = elf_find_sec(ld, btf_type_name(btf, id));

	if (!sec)
		return 0;
	if (ld->secs[sec].described)
		return load_fail(ld, -EINVAL, "section '%s' is described twice in .BTF",
				 ld->secs[sec].name);
	ld->secs[sec].described = true;
	TRY(fix_datasec(ld, id, sec));
	qsort(vars, btf_vlen(t), sizeof(*vars), by_offset);
	for (u32 v = 0; v < btf_vlen(t); v++)
		if (!add_fits(vars[v].offset, vars[v].size, t->size))
			return load_fail(ld, -EINVAL, "variable '%s' lies outside section '%s'",
					 btf_type_name(btf, vars[v].type),
					 btf_type_name(btf, id));
	return 0;
}

static int open_btf(struct loader *ld)
{
	struct image *image = ld->image;
	u32 sec = elf_find_sec(ld, ".BTF");
	u32 size = (u32)ld->secs[sec].size;

	if (!sec || !ld->secs[sec].data)
		return 0;
	image->btf_data = arena_memdup(ld->arena, ld->secs[sec].data, size);
	if (!image->btf_data)
		return load_nomem(ld);
	TRY(btf_open(ld->log, ld->name, image->btf_data, size, NULL, &image->btf));
	for (u32 id = 1; id < btf_end(image->btf); id++)
		if (btf_kind(btf_type(image->btf, id)) == BTF_DATASEC)
			TRY(read_datasec(ld, id));
	return 0;
}

static int read_license(struct loader *ld)
{
	const struct elf_sec *lic = &ld->secs[elf_find_sec(ld, "license")];
	const struct elf_sec *ver = &ld->secs[elf_find_sec(ld, "version")];

	ld->image->license = lic->data ? arena_strndup(ld->arena, (const char *)lic->data,
						       strnlen((const char *)lic->data,
							       (size_t)lic->size))
				       : arena_strdup(ld->arena, "");
	if (ver->data && ver->size == sizeof(u32))
		memcpy(&ld->image->version, ver->data, sizeof(u32));
	return ld->image->license ? 0 : load_nomem(ld);
}

static int by_place(const void *a, const void *b)
{
	const struct load_line *x = a, *y = b;

	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

static int keep_tables(struct loader *ld)
{
	struct image *image = ld->image;

	image->nmaps = ld->maps.n;
	image->nksyms = ld->ksyms.n;
	image->maps = arena_memdup(ld->arena, ld->maps.v, ld->maps.n * sizeof(*image->maps));
	image->ksyms = arena_memdup(ld->arena, ld->ksyms.v,
				    ld->ksyms.n * sizeof(*image->ksyms));
	return image->maps && image->ksyms ? 0 : load_nomem(ld);
}

int load_excuse(struct loader *ld, int err, const char **wrong)
{
	if (!err || err == -ENOMEM || !ld->abi->each_program)
		return err;
	if (!*wrong)
		*wrong = arena_printf(ld->arena, "%s%s", err == -ENOTSUP ? ABI_UNSUPPORTED : "",
				      ld->log ? ld->log->error : "cannot be loaded");
	log_take_back(ld->log);
	return *wrong ? 0 : load_nomem(ld);
}

static int read_parts(struct loader *ld)
{
	TRY(open_btf(ld));
	TRY(ext_read(ld));
	if (ld->lines.n)
		qsort(ld->lines.v, ld->lines.n, sizeof(ld->lines.v[0]), by_place);
	TRY(maps_collect(ld));
	TRY(kconfig_collect(ld));
	TRY(maps_records(ld));
	for (u32 i = 1; i < ld->nsecs; i++)
		if (ld->secs[i].insns)
			TRY(reloc_section(ld, i));
	return ops_collect(ld);
}

/* What is wrong with the object is wrong with each of its programs. */
static int excuse_all(struct loader *ld, int err)
{
	const char *why = NULL;

	if (!err)
		return 0;
	TRY(load_excuse(ld, err, &why));
	for (u32 i = 0; i < ld->funcs.n; i++)
		if (!ld->funcs.v[i].wrong)
			ld->funcs.v[i].wrong = why;
	return 0;
}

static int run_steps(struct loader *ld, const void *data, size_t size)
{
	int err;

	TRY(elf_read(ld, data, size));
	TRY(read_license(ld));
	TRY(funcs_collect(ld));
	err = read_parts(ld);
	TRY(excuse_all(ld, err));
	TRY(link_progs(ld));
	if (!err)
		TRY(values_collect(ld));
	return keep_tables(ld);
}

static void loader_free(struct loader *ld)
{
	vec_free(&ld->maps);
	vec_free(&ld->map_offs);
	vec_free(&ld->ksyms);
	vec_free(&ld->kconfigs);
	vec_free(&ld->funcs);
	vec_free(&ld->lines);
	vec_free(&ld->ops);
	strmap_free(&ld->sec_names);
	arena_free(ld->tmp);
}

static struct image *image_new(struct loader *ld, struct log *log, const struct abi *abi,
			       const struct image_opts *opts)
{
	struct arena *arena = arena_new();
	struct image *image = arena ? arena_new_of(arena, struct image) : NULL;
	const char *name = opts->name ? opts->name : "object";

	if (!image) {
		arena_free(arena);
		return NULL;
	}
	image->arena = arena;
	image->abi = abi;
	image->tags = opts->tags;
	image->lenient_decl = opts->lenient_decl;
	*ld = (struct loader){.log = log, .abi = abi, .opts = opts, .arena = arena,
			      .image = image, .tmp = arena_new()};
	image->name = ld->name = arena_strdup(arena, name);
	if (image->name && ld->tmp)
		return image;
	arena_free(ld->tmp);
	arena_free(arena);
	return NULL;
}

int image_open(struct log *log, const struct abi *abi, const void *data, size_t size,
	       const struct image_opts *opts, struct image **out)
{
	static const struct image_opts defaults;
	struct loader ld;
	struct image *image;
	int err;

	*out = NULL;
	if (!opts)
		opts = &defaults;
	image = image_new(&ld, log, abi, opts);
	if (!image)
		return log_fail(log, -ENOMEM, "%s: out of memory",
				opts->name ? opts->name : "object");
	err = run_steps(&ld, data, size);
	loader_free(&ld);
	if (err)
		image_free(image);
	else
		*out = image;
	return err;
}
