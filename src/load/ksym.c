/* SPDX-License-Identifier: MIT
 *
 * ksym.c: `extern ... __ksym`: functions and variables of the host. They are found by
 * name in the host's contract, and their declaration must agree with the host's own.
 */
#include "load/load.h"

#include <elf.h>

/* The extern's declaration in program BTF: a FUNC or VAR, and the section it is tagged
 * with (".ksyms", ".kconfig"). */
static u32 declaration(struct loader *ld, const char *name, const char **section)
{
	static const char *const secs[] = {".ksyms", ".kconfig"};
	const struct btf *btf = ld->image->btf;

	for (u32 s = 0; btf && s < ARRAY_SIZE(secs); s++) {
		u32 id = btf_find(btf, secs[s], BTF_DATASEC);
		u32 n = id ? btf_vlen(btf_type(btf, id)) : 0;

		for (u32 i = 0; i < n; i++) {
			u32 var = btf_secinfos(btf_type(btf, id))[i].type;

			if (!strcmp(btf_type_name(btf, var), name)) {
				*section = secs[s];
				return var;
			}
		}
	}
	return 0;
}

/* Two parameter or result types agree: both the same sort of thing, and pointers to
 * structs of the same name (flavours aside). Deliberately no more: CO-RE exists because
 * layouts differ. */
static bool types_agree(const struct btf *a, u32 ia, const struct btf *b, u32 ib, u32 depth)
{
	const struct btf_type *ta = btf_type(a, ia = btf_skip_mods(a, ia));
	const struct btf_type *tb = btf_type(b, ib = btf_skip_mods(b, ib));
	bool int_a = btf_kind(ta) == BTF_INT || btf_kind(ta) == BTF_ENUM ||
		     btf_kind(ta) == BTF_ENUM64;
	bool int_b = btf_kind(tb) == BTF_INT || btf_kind(tb) == BTF_ENUM ||
		     btf_kind(tb) == BTF_ENUM64;
	const char *name_a = btf_type_name(a, ia), *flavour = strstr(name_a, "___");
	const char *name_b = btf_type_name(b, ib);
	size_t len = flavour ? (size_t)(flavour - name_a) : strlen(name_a);

	if (int_a && int_b)
		return depth || ta->size == tb->size;
	if (!ia || !ib) /* void: a pointee may be left untyped by either side */
		return depth ? true : ia == ib;
	if (btf_kind(ta) == BTF_PTR && btf_kind(tb) == BTF_PTR)
		return depth > 4 || types_agree(a, ta->type, b, tb->type, depth + 1);
	if ((btf_is_composite(ta) || btf_kind(ta) == BTF_FWD) &&
	    (btf_is_composite(tb) || btf_kind(tb) == BTF_FWD))
		return strlen(name_b) == len && !strncmp(name_a, name_b, len);
	return btf_kind(ta) == btf_kind(tb);
}

static bool protos_agree(const struct btf *a, u32 ia, const struct btf *b, u32 ib)
{
	const struct btf_type *ta = btf_type(a, ia), *tb = btf_type(b, ib);

	if (btf_vlen(ta) != btf_vlen(tb) || !types_agree(a, ta->type, b, tb->type, 0))
		return false;
	for (u32 i = 0; i < btf_vlen(ta); i++)
		if (!types_agree(a, btf_params(ta)[i].type, b, btf_params(tb)[i].type, 0))
			return false;
	return true;
}

/* Structs of the interface that functions of the engine write into. */
static const struct {
	char letter;
	const char *name;
	u32 size;
} known_structs[] = {{'I', "bpf_iter_num", 8}, {'D', "bpf_dynptr", 16},
		     {'U', "bpf_dynptr", 16}, {'W', "bpf_wq", 16},
		     {'B', "bpf_iter_bits", 16}, {'E', "bpf_iter_map_elem", 72}};

static bool is_known_struct(const struct btf *btf, u32 id, char letter)
{
	u32 size;

	id = btf_skip_mods(btf, id);
	for (u32 i = 0; i < ARRAY_SIZE(known_structs); i++)
		if (known_structs[i].letter == letter)
			return btf_kind(btf_type(btf, id)) == BTF_STRUCT &&
			       !strcmp(btf_type_name(btf, id), known_structs[i].name) &&
			       btf_size(btf, id, &size) && size == known_structs[i].size;
	return false;
}

/* A pointer to an integer of @size bytes. */
static bool is_number_ptr(const struct btf *btf, const struct btf_type *t, u32 size)
{
	const struct btf_type *to = btf_type(btf, btf_skip_mods(btf, t->type));

	return btf_kind(t) == BTF_PTR && btf_kind(to) == BTF_INT && to->size == size;
}

/* The type is of the sort that special.def's @letter stands for. */
static bool has_shape(const struct btf *btf, u32 id, char letter)
{
	const struct btf_type *t = btf_type(btf, id = btf_skip_mods(btf, id));
	enum btf_kind kind = btf_kind(t);

	switch (letter) {
	case '_':
		return true;
	case 'v':
		return !id;
	case 'i':
		return is_number_ptr(btf, t, 4);
	case 'n':
	case 's':
	case 'z':
		return kind == BTF_INT || kind == BTF_ENUM || kind == BTF_ENUM64;
	case 'p':
	case 'M':
	case 'm':
	case 'a':
		return kind == BTF_PTR;
	case 'C':
		return kind == BTF_PTR &&
		       btf_kind(btf_type(btf, btf_skip_mods(btf, t->type))) == BTF_FUNC_PROTO;
	default:
		return kind == BTF_PTR && is_known_struct(btf, t->type, letter);
	}
}

/* What the engine provides has no types to compare, but a known shape. */
static int check_special(struct loader *ld, const struct image_ksym *ksym, u32 proto)
{
	const struct abi_special *special = abi_special(ksym->kfunc->special);
	const struct btf *btf = ld->image->btf;
	const struct btf_type *t = btf_type(btf, proto);
	u32 n = btf_vlen(t);
	bool ok = n == strlen(special->args) && has_shape(btf, t->type, special->ret[0]);

	for (u32 i = 0; ok && i < n; i++)
		ok = has_shape(btf, btf_params(t)[i].type, special->args[i]);
	if (ok)
		return 0;
	return load_fail(ld, -EINVAL, "extern function '%s' is declared as '%s', which is not "
			 "what the engine provides under that name", ksym->name,
			 btf_decl(ld->tmp, btf, proto, ksym->name, false));
}

static bool host_has_func(const struct abi *abi, const char *name)
{
	for (u32 i = 0; i < abi->btfs.n; i++)
		if (btf_find(abi->btfs.v[i], name, BTF_FUNC))
			return true;
	return false;
}

static int resolve_func(struct loader *ld, struct image_ksym *ksym, u32 decl)
{
	const struct btf *btf = ld->image->btf;
	u32 proto = btf_type(btf, decl)->type;

	ksym->kfunc = abi_find_kfunc(ld->abi, ksym->name);
	ksym->found = ksym->kfunc != NULL;
	if (!ksym->found && ld->abi->untyped_vars) {
		/* Its address may be taken, though it may not be called. */
		ksym->found = host_has_func(ld->abi, ksym->name);
		return 0;
	}
	if (!ksym->found)
		return 0;
	ksym->btf = ksym->kfunc->btf ? ksym->kfunc->btf : btf;
	ksym->type = ksym->kfunc->btf ? ksym->kfunc->proto : proto;
	if (!ksym->kfunc->btf)
		return check_special(ld, ksym, proto);
	if (!protos_agree(btf, proto, ksym->kfunc->btf, ksym->kfunc->proto))
		return load_fail(ld, -EINVAL, "extern function '%s': declared here as '%s' but "
				 "the host has '%s'", ksym->name,
				 btf_decl(ld->tmp, btf, proto, ksym->name, false),
				 btf_decl(ld->tmp, ksym->kfunc->btf, ksym->kfunc->proto,
					  ksym->name, false));
	return 0;
}

/* A variable may be declared `extern const void x`: then the host's type alone counts. */
static int resolve_var(struct loader *ld, struct image_ksym *ksym, u32 decl)
{
	const struct btf *btf = ld->image->btf;
	u32 type = btf_type(btf, decl)->type;

	ksym->var = abi_find_var(ld->abi, ksym->name);
	ksym->found = ksym->var != NULL;
	if (ld->abi->untyped_vars && !btf_skip_mods(btf, type)) {
		/* An address, even of what has a type; the host must have it, or it is weak. */
		ksym->found |= !ksym->weak || host_has_func(ld->abi, ksym->name);
		ksym->var = NULL;
		return 0;
	}
	if (!ksym->found)
		return 0;
	ksym->btf = ksym->var->btf;
	ksym->type = ksym->var->type;
	if (btf_skip_mods(btf, type) && !types_agree(btf, type, ksym->btf, ksym->type, 0))
		return load_fail(ld, -EINVAL, "extern variable '%s': declared here as '%s' but "
				 "the host has '%s'", ksym->name,
				 btf_decl(ld->tmp, btf, type, ksym->name, false),
				 btf_decl(ld->tmp, ksym->btf, ksym->type, ksym->name, false));
	return 0;
}

/* "name___flavour" declares another version of "name". */
static const char *plain_name(struct loader *ld, const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour > name
		       ? arena_strndup(ld->arena, name, (size_t)(flavour - name)) : name;
}

/* Neither the engine's nor the host's. */
static int missing(struct loader *ld, const struct image_ksym *ksym)
{
	const char *what = ksym->is_func ? "function" : "variable";
	const struct abi_gone *gone = ksym->is_func && ld->abi->helper_there
					      ? abi_kfunc_gone(ksym->name) : NULL;

	if (gone)
		return load_fail(ld, -ENOENT, "extern %s '%s': the host exports nothing of that "
				 "name: %s; instead: %s", what, ksym->name, gone->why,
				 gone->instead);
	return load_fail(ld, -ENOENT, "extern %s '%s': the host exports nothing of that name "
			 "(declare it __weak if it may be missing)", what, ksym->symbol);
}

static int resolve(struct loader *ld, const struct elf_sym *sym, struct image_ksym *ksym)
{
	const char *section = NULL;
	u32 decl = declaration(ld, sym->name, &section);

	ksym->name = plain_name(ld, sym->name);
	if (!ksym->name)
		return load_nomem(ld);
	ksym->symbol = sym->name;
	ksym->weak = sym->bind == STB_WEAK;
	if (!decl)
		return load_fail(ld, -ENOENT, "'%s' is neither defined in the object nor declared "
				 "with __ksym", sym->name);
	if (!strcmp(section, ".kconfig"))
		return load_fail(ld, -ENOTSUP, "'%s': .kconfig variables have no meaning outside "
				 "a kernel", sym->name);
	ksym->is_func = btf_kind(btf_type(ld->image->btf, decl)) == BTF_FUNC;
	TRY(ksym->is_func ? resolve_func(ld, ksym, decl) : resolve_var(ld, ksym, decl));
	if (!ksym->found && !ksym->weak && !ld->opts->look_only)
		return missing(ld, ksym);
	return 0;
}

int ksym_of(struct loader *ld, const struct elf_sym *sym, bool call, u32 *index)
{
	struct image_ksym ksym = {0};

	for (u32 i = 0; i < ld->ksyms.n; i++)
		if (!strcmp(ld->ksyms.v[i].symbol, sym->name)) {
			*index = i;
			goto found;
		}
	TRY(resolve(ld, sym, &ksym));
	*index = ld->ksyms.n;
	if (!vec_push(&ld->ksyms, ksym))
		return load_nomem(ld);
found:
	if (call && !ld->ksyms.v[*index].is_func)
		return load_fail(ld, -EINVAL, "call of '%s', which is a variable", sym->name);
	return 0;
}
