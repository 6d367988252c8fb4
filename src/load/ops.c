/* SPDX-License-Identifier: MIT
 *
 * ops.c: structs of functions (.struct_ops): which program is assigned to which member.
 * Each variable of such a section is a struct whose members are relocated to programs.
 */
#include "load/load.h"

static bool is_ops(const struct elf_sec *sec)
{
	const char *name = sec->name + (*sec->name == '?');

	return !strcmp(name, ".struct_ops") || !strcmp(name, ".struct_ops.link");
}

/* The variable of @datasec that byte @off lies in. */
static const struct btf_secinfo *var_at(const struct btf *btf, u32 datasec, u64 off)
{
	const struct btf_type *t = btf_type(btf, datasec);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_secinfo *var = &btf_secinfos(t)[i];

		if (off >= var->offset && off < (u64)var->offset + var->size)
			return var;
	}
	return NULL;
}

/* "name___flavour" is a version of struct "name". */
static const char *plain_name(struct loader *ld, const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour ? arena_strndup(ld->arena, name, (size_t)(flavour - name)) : name;
}

static int assign(struct loader *ld, u32 datasec, const struct elf_rel *rel)
{
	const struct btf *btf = ld->image->btf;
	const struct elf_sym *sym = &ld->syms[rel->sym];
	const struct btf_secinfo *var = var_at(btf, datasec, rel->off);
	struct load_func *func = NULL;
	const char *why;
	struct btf_at at;
	u32 type;

	if (sym->sec && sym->sec < ld->nsecs && ld->secs[sym->sec].insns)
		func = func_at(ld, sym->sec, (u32)(sym->value / sizeof(struct insn)));
	if (!var || !func)
		return 0;
	type = btf_skip_mods(btf, btf_type(btf, var->type)->type);
	if (btf_kind(btf_type(btf, type)) != BTF_STRUCT ||
	    !btf_walk(btf, type, (u32)rel->off - var->offset, 8, false, &at, &why))
		return 0;
	func->ops = plain_name(ld, btf_type_name(btf, type));
	func->member = btf_str(btf, btf_members(btf_type(btf, at.owner))[at.member].name_off);
	return func->ops ? 0 : load_nomem(ld);
}

int ops_collect(struct loader *ld)
{
	for (u32 s = 1; s < ld->nsecs && ld->image->btf; s++) {
		u32 datasec = is_ops(&ld->secs[s])
				      ? btf_find(ld->image->btf, ld->secs[s].name, BTF_DATASEC)
				      : 0;

		for (u32 i = 0; datasec && i < ld->secs[s].nrels; i++)
			TRY(assign(ld, datasec, &ld->secs[s].rels[i]));
	}
	return 0;
}
