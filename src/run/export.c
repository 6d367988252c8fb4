/* SPDX-License-Identifier: MIT
 *
 * export.c: the registry of functions, storable types and classes of members. Whatever
 * does not fit together is refused here, when it is registered, with words.
 *
 * Rows of abi.kfuncs are pointed at by open objects, so the vector must not move while
 * there are any: it then takes what fits, and refuses more with -EBUSY.
 */
#include "run/run.h"

enum { FIRST_KFUNCS = 256 };

static const u32 all_flags = PINTLE_ACQUIRE | PINTLE_RELEASE | PINTLE_RET_NULL |
			     PINTLE_TRUSTED | PINTLE_RCU | PINTLE_SLEEPABLE |
			     PINTLE_KPTR_GET | PINTLE_CONSUME | PINTLE_ANY_ARGS |
			     PINTLE_DESTRUCTIVE | PINTLE_ITER_NEW | PINTLE_ITER_NEXT |
			     PINTLE_ITER_DESTROY | PINTLE_RCU_PROTECTED | PINTLE_SIGNAL_SAFE;

/* ------------------------------------------------------------------ prototypes */

/* pahole writes floating-point types as integers unless told otherwise. */
static bool is_float_name(const char *name)
{
	return !strcmp(name, "float") || !strcmp(name, "double") ||
	       !strcmp(name, "long double") || !strncmp(name, "_Float", 6) ||
	       !strncmp(name, "__bf16", 6);
}

/* What calling conventions pass as one 64-bit number. */
static const char *value_wrong(const struct btf *btf, u32 id)
{
	const struct btf_type *t = btf_type(btf, btf_skip_mods(btf, id));

	switch (btf_kind(t)) {
	case BTF_PTR:
	case BTF_ENUM:
	case BTF_ENUM64:
		return NULL;
	case BTF_INT:
		if (is_float_name(btf_str(btf, t->name_off)))
			return "is a floating-point number";
		return t->size <= 8 ? NULL : "is an integer of more than 64 bits";
	case BTF_FLOAT:
		return "is a floating-point number";
	case BTF_STRUCT:
	case BTF_UNION:
		return "is a struct or union passed by value: pass a pointer";
	default:
		return "is neither an integer nor a pointer";
	}
}

int proto_check(struct pintle_host *host, const char *what, const struct btf *btf, u32 proto)
{
	const struct btf_type *t = btf_type(btf, proto);
	const struct btf_param *params = btf_params(t);
	const char *wrong;

	if (btf_vlen(t) > 5)
		return host_fail(host, -EINVAL, "%s has %u parameters; programs pass 5 at most",
				 what, btf_vlen(t));
	for (u32 i = 0; i < btf_vlen(t); i++) {
		if (!params[i].type)
			return host_fail(host, -EINVAL,
					 "%s takes a variable number of arguments", what);
		wrong = value_wrong(btf, params[i].type);
		if (wrong)
			return host_fail(host, -EINVAL, "%s: parameter %u ('%s') %s", what,
					 i + 1, btf_str(btf, params[i].name_off), wrong);
	}
	wrong = t->type ? value_wrong(btf, t->type) : NULL;
	if (wrong)
		return host_fail(host, -EINVAL, "%s: what it returns %s", what, wrong);
	return 0;
}

/* The struct that a pointer type points at, or 0. */
static u32 struct_behind(const struct btf *btf, u32 id)
{
	u32 pointee = btf_pointee(btf, id);

	return pointee && btf_kind(btf_type(btf, pointee)) == BTF_STRUCT ? pointee : 0;
}

/* A function while it is being looked at. */
struct candidate {
	struct pintle_host *host;
	const char *name;
	const struct btf *btf;
	u32 func, proto, flags;
	const struct btf_type *t; /* of proto */
};

/* How many parameters are pointers to structs; the last one's struct in *type. */
static u32 count_structs(const struct candidate *c, u32 *type)
{
	u32 n = 0;

	for (u32 i = 0; i < btf_vlen(c->t); i++) {
		u32 s = struct_behind(c->btf, btf_params(c->t)[i].type);

		if (s) {
			*type = s;
			n++;
		}
	}
	return n;
}

static int bad_flag(const struct candidate *c, const char *flag, const char *why)
{
	return host_fail(c->host, -EINVAL, "%s: %s: %s", c->name, flag, why);
}

static int check_kptr_get(const struct candidate *c)
{
	const struct btf_param *params = btf_params(c->t);
	u32 inner = btf_vlen(c->t) ? btf_pointee(c->btf, params[0].type) : 0;

	if (!inner || !struct_behind(c->btf, inner))
		return bad_flag(c, "PINTLE_KPTR_GET",
				"the first parameter must be a pointer to a pointer to a "
				"struct: T **slot");
	if (struct_behind(c->btf, inner) != struct_behind(c->btf, c->t->type))
		return bad_flag(c, "PINTLE_KPTR_GET", "it must return what the slot holds");
	if (~c->flags & (PINTLE_ACQUIRE | PINTLE_RET_NULL))
		return bad_flag(c, "PINTLE_KPTR_GET",
				"needs PINTLE_ACQUIRE and PINTLE_RET_NULL");
	return 0;
}

/* A put that the engine postpones (J9) is called with the object and nothing else, and
 * nobody is there to take what it returns. */
static int check_deferred_put(const struct candidate *c, u32 type)
{
	const struct abi_storable *s;

	if (!(c->flags & PINTLE_RELEASE) || c->flags & PINTLE_CONSUME)
		return 0;
	s = abi_find_storable(&c->host->abi, c->btf, type);
	if (!s || s->rcu != RCU_DEFERRED_PUT || (btf_vlen(c->t) == 1 && !c->t->type))
		return 0;
	return host_fail(c->host, -EINVAL,
			 "%s: struct %s is PINTLE_DEFERRED_PUT, so the engine postpones this "
			 "call: it must be void %s(struct %s *). Give it PINTLE_CONSUME if it "
			 "hands the object to the host, or choose another class",
			 c->name, btf_type_name(c->btf, type), c->name,
			 btf_type_name(c->btf, type));
}

static int check_release(const struct candidate *c)
{
	u32 type = 0, n = count_structs(c, &type);

	if (n != 1)
		return bad_flag(c, "PINTLE_RELEASE",
				n ? "more than one parameter could be what it releases"
				  : "no parameter is a pointer to a struct");
	if (c->flags & PINTLE_ACQUIRE)
		return bad_flag(c, "PINTLE_RELEASE", "it cannot be PINTLE_ACQUIRE, too");
	return check_deferred_put(c, type);
}

enum { MAX_ITER_SIZE = 256 };

static const struct {
	u32 flag;
	const char *name, *suffix;
} iter_parts[] = {
	{PINTLE_ITER_NEW, "PINTLE_ITER_NEW", "_new"},
	{PINTLE_ITER_NEXT, "PINTLE_ITER_NEXT", "_next"},
	{PINTLE_ITER_DESTROY, "PINTLE_ITER_DESTROY", "_destroy"},
};

/* The struct behind the first parameter is bpf_iter_K, whole words, and the function's name
 * is that and @suffix. */
static int check_iter_struct(const struct candidate *c, u32 part)
{
	u32 it = btf_vlen(c->t) ? struct_behind(c->btf, btf_params(c->t)[0].type) : 0, size;
	const char *name = it ? btf_type_name(c->btf, it) : "", *flag = iter_parts[part].name;
	size_t len = strlen(name);

	if (strncmp(name, "bpf_iter_", 9))
		return bad_flag(c, flag, "the first parameter must be a pointer to a struct "
				"bpf_iter_...: the iterator");
	if (!btf_size(c->btf, it, &size) || !size || size % 8 || size > MAX_ITER_SIZE)
		return bad_flag(c, flag, "the iterator must be of whole words of 8 bytes, 256 "
				"bytes at most: it lies on programs' stacks");
	if (strncmp(c->name, name, len) || strcmp(c->name + len, iter_parts[part].suffix))
		return bad_flag(c, flag, "the function must be named after the iterator's "
				"struct: bpf_iter_K_new, _next or _destroy");
	return 0;
}

static int check_iter(const struct candidate *c, u32 part)
{
	const char *flag = iter_parts[part].name;
	u32 ret = btf_skip_mods(c->btf, c->t->type);
	bool pointer = btf_kind(btf_type(c->btf, ret)) == BTF_PTR;

	TRY(check_iter_struct(c, part));
	if (part && btf_vlen(c->t) != 1)
		return bad_flag(c, flag, "it takes the iterator and nothing else");
	if (part == 0 && (!ret || pointer))
		return bad_flag(c, flag, "it must return an int: 0, or a negative errno");
	if (part == 1 && (!pointer || !(c->flags & PINTLE_RET_NULL)))
		return bad_flag(c, flag, "it must return a pointer, and have PINTLE_RET_NULL: "
				"NULL is the end");
	if (part == 2 && ret)
		return bad_flag(c, flag, "it must return nothing");
	return 0;
}

static int check_iters(const struct candidate *c)
{
	u32 all = PINTLE_ITER_NEW | PINTLE_ITER_NEXT | PINTLE_ITER_DESTROY;
	u32 refs = PINTLE_ACQUIRE | PINTLE_RELEASE | PINTLE_KPTR_GET;

	if (!(c->flags & all))
		return 0;
	if (c->flags & all & ((c->flags & all) - 1) || c->flags & refs)
		return bad_flag(c, "PINTLE_ITER_...", "one of the three, and without "
				"PINTLE_ACQUIRE, PINTLE_RELEASE and PINTLE_KPTR_GET");
	for (u32 part = 0; part < ARRAY_SIZE(iter_parts); part++)
		if (c->flags & iter_parts[part].flag)
			return check_iter(c, part);
	return 0;
}

static int check_flags(const struct candidate *c)
{
	if (c->flags & ~all_flags)
		return host_fail(c->host, -EINVAL, "%s: unknown flags 0x%x", c->name,
				 c->flags & ~all_flags);
	if (c->flags & PINTLE_ACQUIRE && !struct_behind(c->btf, c->t->type))
		return bad_flag(c, "PINTLE_ACQUIRE", "it must return a pointer to a struct");
	if (c->flags & PINTLE_RET_NULL && !btf_pointee(c->btf, c->t->type) &&
	    btf_kind(btf_type(c->btf, btf_skip_mods(c->btf, c->t->type))) != BTF_PTR)
		return bad_flag(c, "PINTLE_RET_NULL", "it must return a pointer");
	if (c->flags & PINTLE_TRUSTED && c->flags & PINTLE_ANY_ARGS)
		return bad_flag(c, "PINTLE_ANY_ARGS", "contradicts PINTLE_TRUSTED");
	if (c->flags & PINTLE_SIGNAL_SAFE &&
	    c->flags & (PINTLE_ACQUIRE | PINTLE_RELEASE | PINTLE_CONSUME | PINTLE_SLEEPABLE))
		return bad_flag(c, "PINTLE_SIGNAL_SAFE",
				"it must move no references, and not sleep");
	if (c->flags & PINTLE_KPTR_GET)
		TRY(check_kptr_get(c));
	TRY(check_iters(c));
	return c->flags & PINTLE_RELEASE ? check_release(c) : 0;
}

/* ------------------------------------------------------------------ functions */

static int func_find(struct candidate *c)
{
	if (!c->host->abi.btfs.n)
		return host_fail(c->host, -EINVAL,
				 "%s: the host has no types yet: call pintle_host_add_self() "
				 "first", c->name);
	if (!host_find_func(c->host, c->name, &c->btf, &c->func))
		return host_fail(c->host, -ENOENT,
				 "%s is not in the host's BTF: a function must be global or "
				 "marked __attribute__((used, noinline)) to be there", c->name);
	c->proto = btf_type(c->btf, c->func)->type;
	c->t = btf_type(c->btf, c->proto);
	return 0;
}

static int type_bits(struct pintle_host *host, const char *name, const char *const *types,
		     u64 *bits)
{
	*bits = types ? 0 : ~0ull;
	for (; types && *types; types++) {
		int i = prog_type_find(host, *types);

		if (i < 0)
			return host_fail(host, -ENOENT, "%s: no program type '%s'", name,
					 *types);
		*bits |= BIT64(i);
	}
	return 0;
}

static bool kfuncs_room(struct pintle_host *host)
{
	u32 more = host->abi.kfuncs.n ? 1 : FIRST_KFUNCS;

	return vec_reserve(&host->abi.kfuncs, more) && vec_reserve(&host->exports, 1);
}

static int release_add(struct pintle_host *host, u32 kfunc);

static int func_add(const struct candidate *c, void (*fn)(void), u64 types)
{
	struct pintle_host *host = c->host;
	char *name;

	if (host->objects && host->abi.kfuncs.n == host->abi.kfuncs.cap)
		return host_fail(host, -EBUSY,
				 "%s: no room for more functions while objects are open",
				 c->name);
	name = host_strdup(host, c->name);
	if (!name || !kfuncs_room(host) ||
	    !strmap_set(&host->abi.kfunc_names, name, host->abi.kfuncs.n))
		return host_oom(host);
	(void)vec_push(&host->exports, (struct export){name, fn, c->flags});
	(void)vec_push(&host->abi.kfuncs,
		       (struct abi_kfunc){.name = name, .btf = c->btf, .func = c->func,
					  .proto = c->proto, .flags = c->flags,
					  .prog_types = types});
	return release_add(host, host->abi.kfuncs.n - 1) ? host_oom(host) : 0;
}

int export_row(struct pintle_host *host, const struct abi_kfunc *row, void (*fn)(void))
{
	if (!kfuncs_room(host) ||
	    !strmap_set(&host->abi.kfunc_names, row->name, host->abi.kfuncs.n))
		return -ENOMEM;
	(void)vec_push(&host->exports, (struct export){row->name, fn, 0});
	(void)vec_push(&host->abi.kfuncs, *row);
	host->abi.kfuncs.v[host->abi.kfuncs.n - 1].flags = abi_special(row->special)->flags;
	return 0;
}

int export_special(struct pintle_host *host, u32 special, void (*fn)(void))
{
	struct abi_kfunc row = {.name = abi_special(special)->name, .prog_types = ~0ull,
				.special = special};

	return export_row(host, &row, fn);
}

int pintle_export_func(struct pintle_host *host, const char *name, void (*fn)(void),
		       const struct pintle_func_opts *opts)
{
	struct candidate c = {.host = host, .name = name};
	struct pintle_func_opts o;
	u64 types;

	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	if (!name || !fn)
		return host_fail(host, -EINVAL, "export: no %s given",
				 name ? "function" : "name");
	/* handing a reference over is one way of giving it up */
	c.flags = o.flags | (o.flags & PINTLE_CONSUME ? PINTLE_RELEASE : 0);
	if (abi_find_kfunc(&host->abi, name))
		return host_fail(host, -EEXIST, "%s is exported already", name);
	TRY(func_find(&c));
	TRY(proto_check(host, name, c.btf, c.proto));
	TRY(check_flags(&c));
	TRY(type_bits(host, name, o.prog_types, &types));
	return func_add(&c, fn, types);
}

void *export_find(struct pintle_host *host, const struct abi_kfunc *kfunc)
{
	const struct abi_kfunc *row = abi_find_kfunc(&host->abi, kfunc->name);

	return row ? (void *)host->exports.v[row - host->abi.kfuncs.v].fn : NULL;
}

/* ------------------------------------------------------------------ variables */

/* pahole describes no variables of a process, so the type is given by name. */
static bool type_find(struct pintle_host *host, const char *name, struct abi_var *var)
{
	static const enum btf_kind kinds[] = {BTF_STRUCT, BTF_INT, BTF_TYPEDEF, BTF_ENUM};

	for (u32 i = 0; i < host->abi.btfs.n; i++)
		for (u32 k = 0; k < ARRAY_SIZE(kinds); k++) {
			var->btf = host->abi.btfs.v[i];
			var->type = btf_find(var->btf, name, kinds[k]);
			if (var->type)
				return true;
		}
	return false;
}

static int var_push(struct pintle_host *host, const struct abi_var *var, const void *at)
{
	if (!var->name || !vec_reserve(&host->vars, 1) || !vec_reserve(&host->abi.vars, 1) ||
	    !strmap_set(&host->abi.var_names, var->name, host->abi.vars.n))
		return host_oom(host);
	(void)vec_push(&host->vars, at);
	(void)vec_push(&host->abi.vars, *var);
	return 0;
}

static int var_add(struct pintle_host *host, const char *name, const char *type,
		   const void *var, bool percpu)
{
	struct abi_var row = {.percpu = percpu};
	u32 size;

	if (!name || !type || !var)
		return host_fail(host, -EINVAL, "variable: a name, a type and an address needed");
	if (host->objects)
		return host_fail(host, -EBUSY, "variable %s: objects are open", name);
	if (abi_find_var(&host->abi, name))
		return host_fail(host, -EEXIST, "variable %s is exported already", name);
	if (!type_find(host, type, &row))
		return host_fail(host, -ENOENT, "variable %s: type '%s' is not in the host's BTF",
				 name, type);
	if (!btf_size(row.btf, row.type, &size) || !size)
		return host_fail(host, -EINVAL, "variable %s: type '%s' has no size", name, type);
	row.name = host_strdup(host, name);
	return var_push(host, &row, var);
}

int pintle_export_var(struct pintle_host *host, const char *name, const char *type,
		      const void *var)
{
	return var_add(host, name, type, var, false);
}

int pintle_export_percpu(struct pintle_host *host, const char *name, const char *type,
			 const struct pintle_percpu *var)
{
	if (var && !var->base && !var->at)
		return host_fail(host, -EINVAL, "variable %s: neither base nor at", name);
	if (var && var->count < slot_count(host))
		return host_fail(host, -EINVAL,
				 "variable %s: %llu copies, but %u execution slots", name,
				 (unsigned long long)var->count, slot_count(host));
	return var_add(host, name, type, var, true);
}

void *export_var(struct pintle_host *host, const struct abi_var *var)
{
	const struct abi_var *row = abi_find_var(&host->abi, var->name);

	return row ? (void *)(uintptr_t)host->vars.v[row - host->abi.vars.v] : NULL;
}

/* ------------------------------------------------------------------ storable types */

struct storable *storable_find(struct pintle_host *host, const struct btf *btf, u32 type)
{
	for (u32 i = 0; i < host->storables.n; i++) {
		struct storable *s = host->storables.v[i];

		if (s->btf == btf ? s->type == type
				  : btf_same_type(s->btf, s->type, btf, type))
			return s;
	}
	return NULL;
}

/* Functions that were exported before the type was registered. */
static int check_exports(struct pintle_host *host)
{
	for (u32 i = 0; i < host->abi.kfuncs.n; i++) {
		const struct abi_kfunc *k = &host->abi.kfuncs.v[i];
		struct candidate c = {host, k->name, k->btf, k->func, k->proto, k->flags};

		if (!k->btf) /* the engine's own */
			continue;
		c.t = btf_type(k->btf, k->proto);
		TRY(check_flags(&c));
	}
	return 0;
}

static int storable_push(struct pintle_host *host, const struct storable *from)
{
	struct storable *s = arena_memdup(host->arena, from, sizeof(*from));

	if (!s || !s->name || !vec_reserve(&host->storables, 1) ||
	    !vec_push(&host->abi.storables,
		      (struct abi_storable){s->btf, s->type, s->dtor != NULL, s->rcu}))
		return host_oom(host);
	(void)vec_push(&host->storables, s);
	if (!check_exports(host))
		return 0;
	host->storables.n--;
	host->abi.storables.n--;
	return -EINVAL;
}

/* What @kfunc gives back, when that is all it does; its executor is then the type's (J23),
 * and what it frees is one of these. */
static const struct storable *released_by(struct pintle_host *host,
					  const struct abi_kfunc *kfunc)
{
	const struct candidate c = {.host = host, .btf = kfunc->btf,
				    .t = btf_type(kfunc->btf, kfunc->proto)};
	u32 type = 0;

	if (!(kfunc->flags & KF_RELEASE) || count_structs(&c, &type) != 1)
		return NULL;
	return storable_find(host, kfunc->btf, type);
}

static int release_add(struct pintle_host *host, u32 kfunc)
{
	const struct storable *s = released_by(host, &host->abi.kfuncs.v[kfunc]);
	void (*fn)(void *) = (void (*)(void *))host->exports.v[kfunc].fn;
	const struct pintle_executor *executor;

	if (!s || !s->dtor)
		return 0;
	TRY(weight_add(host, fn, s->bytes));
	executor = executor_of(host, s->dtor);
	if (!executor || executor_of(host, fn))
		return 0;
	return executor_add(host, fn, executor);
}

/* Of a type with a destructor: what is known of that, and of what was exported to release
 * it before. */
static int calls_add(struct pintle_host *host, const struct pintle_storable_opts *o, u64 bytes)
{
	if (weight_add(host, o->dtor, bytes) ||
	    (o->executor && executor_add(host, o->dtor, o->executor)))
		return host_oom(host);
	for (u32 i = 0; i < host->abi.kfuncs.n; i++)
		if (host->abi.kfuncs.v[i].btf && release_add(host, i))
			return host_oom(host);
	return 0;
}

enum { MAX_DTORS = 255 }; /* F4: of each BTF object */

static u32 count_dtors(const struct pintle_host *host, const struct btf *btf)
{
	u32 n = 0;

	for (u32 i = 0; i < host->storables.n; i++)
		n += host->storables.v[i]->btf == btf && host->storables.v[i]->dtor;
	return n;
}

int pintle_storable_add(struct pintle_host *host, const char *type,
			const struct pintle_storable_opts *opts)
{
	struct pintle_storable_opts o;
	struct storable s = {0};

	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	if (!type)
		return host_fail(host, -EINVAL, "storable: no type given");
	if ((unsigned int)o.rcu > PINTLE_RCU_NONE)
		return host_fail(host, -EINVAL, "storable %s: unknown class %d", type, o.rcu);
	if (host->objects)
		return host_fail(host, -EBUSY, "storable %s: objects are open", type);
	if (!abi_find_struct(&host->abi, type, &s.btf, &s.type))
		return host_fail(host, -ENOENT, "struct %s is not in the host's BTF", type);
	if (storable_find(host, s.btf, s.type))
		return host_fail(host, -EEXIST, "struct %s is registered already", type);
	s.name = host_strdup(host, type);
	s.dtor = o.dtor;
	s.get = o.get;
	s.rcu = (enum rcu_class)o.rcu;
	s.bytes = o.bytes ? o.bytes : btf_type(s.btf, s.type)->size;
	if (o.executor && (!o.dtor || !o.executor->submit))
		return host_fail(host, -EINVAL, "storable %s: an executor without %s", type,
				 o.dtor ? "submit" : "a destructor");
	if (o.get && (!o.dtor || o.rcu != PINTLE_DEFERRED_PUT))
		return host_fail(host, -EINVAL, "storable %s: .get is for PINTLE_DEFERRED_PUT, and "
				 "needs a destructor", type);
	if (o.dtor && count_dtors(host, s.btf) >= MAX_DTORS)
		return host_fail(host, -E2BIG, "storable %s: its BTF has %d types with destructors "
				 "already; more go into BTF of their own", type, MAX_DTORS);
	TRY(storable_push(host, &s));
	return o.dtor ? calls_add(host, &o, s.bytes) : 0;
}

/* ------------------------------------------------------------------ members */

/* Finds @name in a struct, also in its anonymous members; *off in bytes. */
static const struct btf_member *member_find(const struct btf *btf, u32 type,
					    const char *name, u32 depth, u32 *off)
{
	const struct btf_type *t = btf_type(btf, type);
	const struct btf_member *m = btf_members(t);

	for (u32 i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *inner = NULL;
		u32 id = btf_skip_mods(btf, m[i].type), inside = 0;

		if (!strcmp(btf_str(btf, m[i].name_off), name)) {
			*off = btf_member_bit(t, &m[i]) / 8;
			return &m[i];
		}
		if (!m[i].name_off && btf_is_composite(btf_type(btf, id)) && depth < 8)
			inner = member_find(btf, id, name, depth + 1, &inside);
		if (inner) {
			*off = btf_member_bit(t, &m[i]) / 8 + inside;
			return inner;
		}
	}
	return NULL;
}

int pintle_member_add(struct pintle_host *host, const char *type, const char *member,
		      enum pintle_member_class class_)
{
	struct abi_member row = {.class_ = (enum member_class)class_};
	const struct btf_member *m;

	if (!type || !member || class_ < PINTLE_MEMBER_TRUSTED ||
	    class_ > PINTLE_MEMBER_PERCPU)
		return host_fail(host, -EINVAL, "member: a type, a member and a class needed");
	if (!abi_find_struct(&host->abi, type, &row.btf, &row.type))
		return host_fail(host, -ENOENT, "struct %s is not in the host's BTF", type);
	m = member_find(row.btf, row.type, member, 0, &row.off);
	if (!m)
		return host_fail(host, -ENOENT, "struct %s has no member '%s'", type, member);
	if (btf_kind(btf_type(row.btf, btf_skip_mods(row.btf, m->type))) != BTF_PTR)
		return host_fail(host, -EINVAL, "member '%s' of struct %s is not a pointer",
				 member, type);
	if (abi_member_class(&host->abi, row.btf, row.type, row.off) != MEMBER_PLAIN)
		return host_fail(host, -EEXIST, "member '%s' of struct %s has a class already",
				 member, type);
	return vec_push(&host->abi.members, row) ? 0 : host_oom(host);
}
