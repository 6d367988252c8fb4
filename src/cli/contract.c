/* SPDX-License-Identifier: MIT
 *
 * contract.c: a host's contract as text, so that objects can be verified without running
 * the host. The pintle_export() family of macros leaves such lines in the section .pintle
 * of the host's binary, and pintle_host_describe() prints them from a live host:
 *
 *	export NAME FLAGS                   PINTLE_ACQUIRE | PINTLE_RET_NULL, or 0
 *	var NAME TYPE                       int, or a struct's name
 *	percpu NAME TYPE                    the same, once for every slot
 *	pool STRUCT
 *	owner STRUCT                        whose objects have address spaces
 *	storable STRUCT OPTIONS             .dtor = fn, .rcu = PINTLE_RCU_NATIVE
 *	member STRUCT MEMBER CLASS          PINTLE_MEMBER_RCU
 *	hook NAME OPTIONS                   .sleepable = true, .ret_min = 0, .ret_max = 1
 *	ops STRUCT OPTIONS                  .optional = "drop|stats", .sleepable = "init"
 *	type NAME SECTION CTX OPTIONS       .packet_writable = true, .sleepable, .ret_min...
 *	field TYPE MEMBER KIND OPTIONS      PINTLE_CTX_PACKET .writable = true, .real_off...
 *	helper TYPE NAME
 *
 * Lines end with a newline or NUL. A line that is not understood is an error: a contract
 * read only in part would give wrong verdicts.
 */
#include "cli/cli.h"

struct contract {
	struct pintle_host *host;
	const char *from;
	/* A type's row waits for its fields. */
	struct pintle_prog_type type;
	VEC(struct pintle_ctx_field) fields;
};

static void nothing_here(void)
{
}

static void no_dtor(void *obj)
{
}

struct name_value {
	const char *name;
	u32 value;
};

static const struct name_value func_flags[] = {
	{"PINTLE_ACQUIRE", PINTLE_ACQUIRE},   {"PINTLE_RELEASE", PINTLE_RELEASE},
	{"PINTLE_RET_NULL", PINTLE_RET_NULL}, {"PINTLE_TRUSTED", PINTLE_TRUSTED},
	{"PINTLE_RCU", PINTLE_RCU},	      {"PINTLE_SLEEPABLE", PINTLE_SLEEPABLE},
	{"PINTLE_KPTR_GET", PINTLE_KPTR_GET}, {"PINTLE_CONSUME", PINTLE_CONSUME},
	{"PINTLE_ANY_ARGS", PINTLE_ANY_ARGS}, {"PINTLE_DESTRUCTIVE", PINTLE_DESTRUCTIVE},
	{"PINTLE_ITER_NEW", PINTLE_ITER_NEW}, {"PINTLE_ITER_NEXT", PINTLE_ITER_NEXT},
	{"PINTLE_ITER_DESTROY", PINTLE_ITER_DESTROY},
	{"PINTLE_RCU_PROTECTED", PINTLE_RCU_PROTECTED},
	{"PINTLE_SIGNAL_SAFE", PINTLE_SIGNAL_SAFE},
	{NULL, 0},
};
static const struct name_value member_classes[] = {
	{"PINTLE_MEMBER_TRUSTED", PINTLE_MEMBER_TRUSTED},
	{"PINTLE_MEMBER_TRUSTED_OR_NULL", PINTLE_MEMBER_TRUSTED_OR_NULL},
	{"PINTLE_MEMBER_RCU", PINTLE_MEMBER_RCU},
	{"PINTLE_MEMBER_RCU_OR_NULL", PINTLE_MEMBER_RCU_OR_NULL},
	{"PINTLE_MEMBER_USER", PINTLE_MEMBER_USER},
	{"PINTLE_MEMBER_PERCPU", PINTLE_MEMBER_PERCPU},
	{NULL, 0},
};
static const struct name_value rcu_classes[] = {
	{"PINTLE_DEFERRED_PUT", PINTLE_DEFERRED_PUT},
	{"PINTLE_RCU_NATIVE", PINTLE_RCU_NATIVE},
	{"PINTLE_RCU_NONE", PINTLE_RCU_NONE},
	{NULL, 0},
};
static const struct name_value ctx_kinds[] = {
	{"PINTLE_CTX_SCALAR", PINTLE_CTX_SCALAR},
	{"PINTLE_CTX_PACKET", PINTLE_CTX_PACKET},
	{"PINTLE_CTX_PACKET_META", PINTLE_CTX_PACKET_META},
	{"PINTLE_CTX_PACKET_END", PINTLE_CTX_PACKET_END},
	{"PINTLE_CTX_POINTER", PINTLE_CTX_POINTER},
	{"PINTLE_CTX_POINTER_OR_NULL", PINTLE_CTX_POINTER_OR_NULL},
	{NULL, 0},
};

static int bad(const struct contract *c, const char *what, const char *word)
{
	return host_fail(c->host, -EINVAL, "%s: contract: %s '%s' is not understood", c->from,
			 what, word);
}

/* A number, or names of @table joined by '|'. */
static int value_of(const struct contract *c, const struct name_value *table,
		    const char *word, u32 *value)
{
	char *end;
	u32 i = 0;

	*value = (u32)strtoul(word, &end, 0);
	if (end != word && !*end)
		return 0;
	while (table[i].name && strcmp(table[i].name, word))
		i++;
	if (!table[i].name)
		return bad(c, "value", word);
	*value = table[i].value;
	return 0;
}

static int flags_of(const struct contract *c, char *text, u32 *flags)
{
	char *save = NULL;

	*flags = 0;
	for (char *w = strtok_r(text, " |()", &save); w; w = strtok_r(NULL, " |()", &save)) {
		u32 bit = 0;

		TRY(value_of(c, func_flags, w, &bit));
		*flags |= bit;
	}
	return 0;
}

/* The value of option ".name = value" in @text; false when it is not there. */
static bool option(const char *text, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);

	for (const char *p = strchr(text, '.'); p; p = strchr(p + 1, '.')) {
		if (strncmp(p + 1, name, len) || (p[len + 1] != ' ' && p[len + 1] != '='))
			continue;
		p += len + 1;
		p += strspn(p, " =");
		snprintf(value, size, "%.*s", (int)strcspn(p, ", "), p);
		return true;
	}
	return false;
}

static bool option_true(const char *text, const char *name)
{
	char value[64];

	return option(text, name, value, sizeof(value)) && strcmp(value, "false") &&
	       strcmp(value, "0");
}

static bool option_number(const char *text, const char *name, s64 *number)
{
	char value[64];

	if (!option(text, name, value, sizeof(value)))
		return false;
	*number = strtoll(value, NULL, 0);
	return true;
}

static int line_export(struct contract *c, char *name, char *rest)
{
	u32 flags = 0;

	TRY(flags_of(c, rest, &flags));
	return pintle_export_func(c->host, name, nothing_here,
				  PINTLE_OPTS(pintle_func_opts, .flags = flags));
}

static int line_storable(struct contract *c, char *name, char *rest)
{
	char value[64];
	u32 rcu = 0;
	bool dtor = option(rest, "dtor", value, sizeof(value)) && strcmp(value, "NULL");

	if (option(rest, "rcu", value, sizeof(value)))
		TRY(value_of(c, rcu_classes, value, &rcu));
	return pintle_storable_add(c->host, name,
				   PINTLE_OPTS(pintle_storable_opts,
					       .dtor = dtor ? no_dtor : NULL,
					       .rcu = (enum pintle_rcu_class)rcu));
}

/* Cuts the next word off @rest. */
static char *word(char **rest)
{
	char *w = *rest + strspn(*rest, " ");

	*rest = w + strcspn(w, " ");
	if (**rest)
		*(*rest)++ = 0;
	return w;
}

static int line_member(struct contract *c, char *name, char *rest)
{
	char *member = word(&rest);
	u32 class_ = 0;

	TRY(value_of(c, member_classes, word(&rest), &class_));
	return pintle_member_add(c->host, name, member, (enum pintle_member_class)class_);
}

static int line_hook(struct contract *c, char *name, char *rest)
{
	struct pintle_hook *hook = arena_new_of(c->host->arena, struct pintle_hook);
	struct pintle_hook_opts o = {.size = sizeof(o),
				     .sleepable = option_true(rest, "sleepable"),
				     .in_signals = option_true(rest, "in_signals")};

	if (!hook || !(hook->name = arena_strdup(c->host->arena, name)))
		return host_oom(c->host);
	o.has_ret_range = option_number(rest, "ret_min", &o.ret_min);
	o.has_ret_range |= option_number(rest, "ret_max", &o.ret_max);
	return pintle_hook_register(c->host, hook, &o);
}

/* A list of names, which stands in quotes; NULL: it is not given. */
static char *option_names(struct contract *c, const char *text, const char *name)
{
	char value[256];
	size_t n;

	if (!option(text, name, value, sizeof(value)))
		return NULL;
	if (*value != '"')
		return NULL;
	n = strcspn(value + 1, "\"");
	return arena_strndup(c->host->arena, value + 1, n);
}

static int line_ops(struct contract *c, char *name, char *rest)
{
	struct pintle_ops *ops = arena_new_of(c->host->arena, struct pintle_ops);

	if (!ops || !(ops->name = arena_strdup(c->host->arena, name)))
		return host_oom(c->host);
	return pintle_ops_register(c->host, ops,
				   PINTLE_OPTS(pintle_ops_opts,
					       .optional = option_names(c, rest, "optional"),
					       .sleepable = option_names(c, rest, "sleepable"),
					       .many = option_true(rest, "many")));
}

/* The type whose lines are complete is registered when another line begins. */
static int finish_type(struct contract *c)
{
	int err = 0;

	if (c->type.name) {
		c->type.fields = c->fields.v;
		c->type.nfields = c->fields.n;
		err = pintle_prog_type_add(c->host, &c->type);
	}
	c->type = (struct pintle_prog_type){0};
	c->fields.n = 0;
	return err;
}

static int line_type(struct contract *c, char *name, char *rest)
{
	struct pintle_prog_type *t = &c->type;
	s64 size = 0;

	t->size = sizeof(*t);
	t->section = host_strdup(c->host, word(&rest));
	t->ctx = host_strdup(c->host, word(&rest));
	t->name = host_strdup(c->host, name);
	if (!t->section || !t->ctx || !t->name)
		return host_oom(c->host);
	t->packet_writable = option_true(rest, "packet_writable");
	t->sleepable = option_true(rest, "sleepable");
	t->has_ret_range = option_number(rest, "ret_min", &t->ret_min);
	t->has_ret_range |= option_number(rest, "ret_max", &t->ret_max);
	if (option_number(rest, "ctx_size", &size))
		t->ctx_size = (u32)size;
	return 0;
}

static int line_field(struct contract *c, char *name, char *rest)
{
	struct pintle_ctx_field f = {0};
	s64 off = 0, size = 0;
	u32 kind = 0;

	if (!c->type.name || strcmp(c->type.name, name))
		return bad(c, "field of another type", name);
	f.name = host_strdup(c->host, word(&rest));
	TRY(value_of(c, ctx_kinds, word(&rest), &kind));
	f.kind = (enum pintle_ctx_kind)kind;
	f.writable = option_true(rest, "writable");
	option_number(rest, "real_off", &off);
	option_number(rest, "real_size", &size);
	f.real_off = (u16)off;
	f.real_size = (u16)size;
	return f.name && vec_push(&c->fields, f) ? 0 : host_oom(c->host);
}

/* Programs are not run against it: any address does. */
static int line_var(struct contract *c, char *name, char *rest)
{
	static const u64 nothing;

	return pintle_export_var(c->host, name, rest + strspn(rest, " "), &nothing);
}

static int line_percpu(struct contract *c, char *name, char *rest)
{
	static u64 nothing;
	static const struct pintle_percpu var = {.base = &nothing, .count = UINT64_MAX};

	return pintle_export_percpu(c->host, name, rest + strspn(rest, " "), &var);
}

static int line_pool(struct contract *c, char *name, char *rest)
{
	static const u64 nothing;

	return pintle_pool_add(c->host, name, &nothing, sizeof(nothing));
}

static struct pintle_space *no_space(void *object)
{
	return NULL;
}

static int line_owner(struct contract *c, char *name, char *rest)
{
	return pintle_space_owner(c->host, name, no_space);
}

static int line_helper(struct contract *c, char *name, char *rest)
{
	return pintle_helper_add(c->host, name, word(&rest), nothing_here);
}

static const struct {
	const char *verb;
	int (*read)(struct contract *c, char *name, char *rest);
	bool of_type; /* goes with the type above it */
} verbs[] = {
	{"export", line_export},   {"storable", line_storable}, {"member", line_member},
	{"hook", line_hook},	   {"type", line_type},		{"field", line_field, true},
	{"helper", line_helper},   {"var", line_var},		{"percpu", line_percpu},
	{"pool", line_pool},	   {"ops", line_ops},		{"owner", line_owner},
};

static int read_line(struct contract *c, char *line)
{
	char *rest = line, *verb = word(&rest), *name;

	if (!*verb || *verb == '#')
		return 0;
	name = word(&rest);
	for (u32 i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].verb, verb)) {
			if (!verbs[i].of_type)
				TRY(finish_type(c));
			return verbs[i].read(c, name, rest);
		}
	return bad(c, "line", verb);
}

/* Lines that make types come first: exports may name them; macros leave any order. */
static int read_pass(struct contract *c, const char *text, size_t len, bool types)
{
	char line[512];

	for (size_t i = 0; i < len; i++) {
		size_t n = 0;

		while (i + n < len && text[i + n] && text[i + n] != '\n')
			n++;
		if (n >= sizeof(line))
			return host_fail(c->host, -EINVAL, "%s: contract: a line is too long",
					 c->from);
		memcpy(line, text + i, n);
		line[n] = 0;
		i += n;
		if (types == (!strncmp(line, "type ", 5) || !strncmp(line, "field ", 6)))
			TRY(read_line(c, line));
	}
	return finish_type(c);
}

int contract_read(struct pintle_host *host, const char *from, const char *text, size_t len)
{
	struct contract c = {.host = host, .from = from};
	int err = read_pass(&c, text, len, true);

	if (!err)
		err = read_pass(&c, text, len, false);
	vec_free(&c.fields);
	return err;
}
