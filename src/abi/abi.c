/* SPDX-License-Identifier: MIT
 *
 * abi.c: looking things up in the contract between a host and its programs.
 */
#include "abi/abi.h"

static const struct abi_map_type map_types[NR_MAP_TYPES] = {
#define MAP(number, name_, slots_, lock_, timer_, roots_, ref_, uptr_, percpu_, direct_, key_, ok_) \
	[number] = {.name = name_, .slots = slots_, .lock = lock_, .timer = timer_,      \
		    .roots = roots_, .refcount = ref_, .uptr = uptr_, .percpu = percpu_, \
		    .value_direct = direct_, .any_key = key_, .supported = ok_},
#include "abi/maps.def"
#undef MAP
};

const struct abi_map_type *abi_map_type(u32 type)
{
	return &map_types[type < NR_MAP_TYPES ? type : MAP_UNSPEC];
}

bool abi_map_allows(const struct abi_map_type *type, enum field_kind kind)
{
	switch (kind) {
	case FIELD_LOCK: return type->lock;
	case FIELD_TIMER:
	case FIELD_WQ: return type->timer;
	case FIELD_UPTR: return type->uptr;
	case FIELD_REFCOUNT: return type->refcount;
	case FIELD_LIST_HEAD:
	case FIELD_RB_ROOT: return type->roots;
	default: return type->slots;
	}
}

int abi_check_fields(struct log *log, const struct abi_policy *policy, const char *name,
		     u32 type, u32 flags, u32 value_size, const struct record *rec)
{
	const struct abi_map_type *t = abi_map_type(type);
	bool no_trie = policy && policy->maps_612 && type == MAP_LPM_TRIE; /* I5 */

	if (!rec || !rec->n)
		return 0;
	if (flags & (MAPF_RDONLY_PROG | MAPF_WRONLY_PROG))
		return log_fail(log, -EACCES,
				"map '%s': D_MAPFLAG: its values have special fields, so "
				"programs must be allowed to read and to write it", name);
	for (u32 i = 0; i < rec->n; i++) {
		const struct field *f = &rec->fields[i];

		if (!abi_map_allows(t, f->kind) || no_trie)
			return log_fail(log, -EOPNOTSUPP,
					"map '%s': D_MAPTYPE: %s: a map of type %s cannot "
					"hold a field of kind %s", name,
					f->path ? f->path : "?", t->name,
					field_kind_name(f->kind));
		if (!add_fits(f->off, f->size, value_size))
			return log_fail(log, -EINVAL,
					"map '%s': %s: lies outside of the value's %u bytes",
					name, f->path ? f->path : "?", value_size);
	}
	return 0;
}

const struct abi_kfunc *abi_find_kfunc(const struct abi *abi, const char *name)
{
	u32 i;

	return strmap_get(&abi->kfunc_names, name, &i) ? &abi->kfuncs.v[i] : NULL;
}

static const struct abi_special specials[NR_KS] = {
#define SPECIAL(id, name, flags, ret, args) [KS_##id] = {name, flags, ret, args},
#include "abi/special.def"
#undef SPECIAL
};

const struct abi_special *abi_special(u32 special)
{
	BUG_ON(special >= NR_KS);
	return &specials[special];
}

u32 abi_special_by_name(const char *name)
{
	for (u32 i = KS_NONE + 1; i < NR_KS; i++)
		if (!strcmp(specials[i].name, name))
			return i;
	return KS_NONE;
}

const struct abi_var *abi_find_var(const struct abi *abi, const char *name)
{
	u32 i;

	return strmap_get(&abi->var_names, name, &i) ? &abi->vars.v[i] : NULL;
}

const struct abi_storable *abi_find_storable(const struct abi *abi, const struct btf *btf,
					     u32 type)
{
	for (u32 i = 0; i < abi->storables.n; i++) {
		const struct abi_storable *s = &abi->storables.v[i];

		if (btf_same_type(s->btf, s->type, btf, type))
			return s;
	}
	return NULL;
}

enum member_class abi_member_class(const struct abi *abi, const struct btf *btf, u32 type,
				   u32 off)
{
	for (u32 i = 0; i < abi->members.n; i++) {
		const struct abi_member *m = &abi->members.v[i];

		if (m->off == off && btf_same_type(m->btf, m->type, btf, type))
			return m->class_;
	}
	return MEMBER_PLAIN;
}

/* Length of the claimed prefix when @type's section claims @name, else 0. "xdp" claims
 * "xdp" and "xdp/anything"; ".s" behind the first word marks a sleepable program. */
static size_t claims(const struct abi_prog_type *type, const char *name, bool *sleepable)
{
	const char *slash = strchr(type->section, '/');
	size_t len = strlen(type->section);
	size_t word = slash ? (size_t)(slash - type->section) : len;
	const char *at = name + word;

	if (strncmp(name, type->section, word))
		return 0;
	*sleepable = !strncmp(at, ".s", 2) && (at[2] == '/' || !at[2]);
	at += *sleepable ? 2 : 0;
	if (strncmp(at, type->section + word, len - word))
		return 0;
	at += len - word;
	return *at == '/' || !*at ? len : 0;
}

const struct abi_prog_type *abi_find_prog_type(const struct abi *abi, const char *section,
					       bool *sleepable)
{
	const struct abi_prog_type *best = NULL;
	size_t best_len = 0;

	section += *section == '?';
	for (u32 i = 0; i < abi->prog_types.n; i++) {
		bool sleeps = false;
		size_t len = claims(&abi->prog_types.v[i], section, &sleeps);

		if (len > best_len) {
			best = &abi->prog_types.v[i];
			best_len = len;
			*sleepable = sleeps;
		}
	}
	return best;
}

const struct abi_ops *abi_find_ops(const struct abi *abi, const char *name)
{
	for (u32 i = 0; i < abi->ops.n; i++)
		if (!strcmp(abi->ops.v[i]->name, name))
			return abi->ops.v[i];
	return NULL;
}

const struct abi_ops_member *abi_ops_member(const struct abi_ops *ops, const char *name)
{
	for (u32 i = 0; i < ops->nmembers; i++)
		if (!strcmp(ops->members[i].name, name))
			return &ops->members[i];
	return NULL;
}

/* "struct_ops", "struct_ops/anything", "struct_ops.s/anything". */
static bool is_ops_section(const char *section, bool *sleepable)
{
	section += *section == '?';
	if (strncmp(section, "struct_ops", 10))
		return false;
	section += 10;
	*sleepable = !strncmp(section, ".s", 2) && (section[2] == '/' || !section[2]);
	return *sleepable || *section == '/' || !*section;
}

/* What the program is assigned to, the loader has found to be there. */
static int place_ops(const struct abi *abi, struct abi_place *place)
{
	const struct abi_ops *ops = place->ops ? abi_find_ops(abi, place->ops) : NULL;
	const struct abi_ops_member *member = ops ? abi_ops_member(ops, place->member) : NULL;

	if (member)
		place->type = member->type;
	else
		place->wrong = "it is not assigned to a function of an operations struct: name it "
			       "in a variable in SEC(\".struct_ops\")";
	return 0;
}

int abi_place_prog(const struct abi *abi, struct abi_place *place)
{
	if (abi->prog_type)
		return abi->prog_type(abi, place);
	if (abi->ops.n && is_ops_section(place->section, &place->sleepable))
		return place_ops(abi, place);
	place->type = abi_find_prog_type(abi, place->section, &place->sleepable);
	return 0;
}

bool abi_pooled(const struct abi *abi, const struct btf *btf, u32 type)
{
	if (abi->policy.probe_region)
		return true;
	for (u32 i = 0; i < abi->pools.n; i++)
		if (btf_same_type(abi->pools.v[i].btf, abi->pools.v[i].type, btf, type))
			return true;
	return false;
}

s32 abi_space_owner(const struct abi *abi, const struct btf *btf, u32 type)
{
	for (u32 i = 0; i < abi->owners.n; i++)
		if (abi->owners.v[i].btf &&
		    btf_same_type(abi->owners.v[i].btf, abi->owners.v[i].type, btf, type))
			return (s32)i;
	return -1;
}

bool abi_find_struct(const struct abi *abi, const char *name, const struct btf **btf,
		     u32 *type)
{
	for (u32 i = 0; i < abi->btfs.n; i++) {
		u32 id = btf_find(abi->btfs.v[i], name, BTF_STRUCT);

		if (id) {
			*btf = abi->btfs.v[i];
			*type = id;
			return true;
		}
	}
	return false;
}

bool abi_license_is_gpl(const char *license)
{
	static const char *const gpl[] = {
		"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL",
		"Dual MIT/GPL", "Dual MPL/GPL",
	};

	for (u32 i = 0; license && i < ARRAY_SIZE(gpl); i++)
		if (!strcmp(license, gpl[i]))
			return true;
	return false;
}

static bool has_dtor(void *data, const struct btf *btf, u32 type)
{
	const struct abi_storable *s = abi_find_storable(data, btf, type);

	return s && s->dtor;
}

void abi_record_opts(const struct abi *abi, struct record_opts *opts)
{
	*opts = (struct record_opts){
		.era = abi->policy.tags,
		.lenient = abi->policy.lenient_decl,
		.no_local = abi->policy.no_local_types,
		.max_fields = abi->policy.max_fields,
		.strict_tags = abi->policy.strict_tags,
		.nest_519 = abi->policy.nest_519,
		.name_capture = abi->policy.name_capture,
		.kinds_off = abi->policy.kinds_off,
		.own_depth = abi->policy.own_depth,
		.host = abi->btfs.v,
		.nhost = abi->btfs.n,
		.has_dtor = has_dtor,
		.data = (void *)(uintptr_t)abi,
	};
}

void abi_free(struct abi *abi)
{
	for (u32 i = 0; i < abi->prog_types.n; i++)
		free(abi->prog_types.v[i].fields);
	vec_free(&abi->btfs);
	vec_free(&abi->kfuncs);
	vec_free(&abi->vars);
	vec_free(&abi->storables);
	vec_free(&abi->members);
	vec_free(&abi->pools);
	vec_free(&abi->ops);
	vec_free(&abi->owners);
	vec_free(&abi->prog_types);
	strmap_free(&abi->kfunc_names);
	strmap_free(&abi->var_names);
}
