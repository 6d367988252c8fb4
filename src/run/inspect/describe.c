/* SPDX-License-Identifier: MIT
 *
 * describe.c: a live host's contract as text, one line for each registration, in the
 * language that src/cli/contract.c reads.
 */
#include "run/ops/ops.h"

#include <stdarg.h>

struct writer {
	void (*line)(void *data, const char *text);
	void *data;
	int err;
};

static void put(struct writer *w, const char *fmt, ...) FORMAT(2, 3);

static void put(struct writer *w, const char *fmt, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n >= (int)sizeof(text))
		w->err = -E2BIG;
	else
		w->line(w->data, text);
}

/* ", .ret_min = 0, .ret_max = 4" */
static const char *range(char *buf, size_t size, const struct abi_prog_type *t)
{
	*buf = 0;
	if (t->has_ret_range)
		snprintf(buf, size, " .ret_min = %lld, .ret_max = %lld", (long long)t->ret_min,
			 (long long)t->ret_max);
	return buf;
}

static void put_fields(struct writer *w, const struct abi_prog_type *t)
{
	for (u32 i = 0; i < t->nfields; i++) {
		const struct abi_ctx_field *f = &t->fields[i];

		put(w, "field %s %s %u .real_off = %u, .real_size = %u%s", t->name, f->name,
		    f->kind, f->real_off, f->real_size, f->writes ? ", .writable = true" : "");
	}
}

static void put_type(struct writer *w, const struct abi_prog_type *t)
{
	char text[96];

	if (prog_type_is_gone(t))
		return;
	if (t->kind == PROG_ARGS) {
		put(w, "hook %s .sleepable = %s,%s%s", t->name + strlen("hook/"),
		    t->may_sleep ? "true" : "false", range(text, sizeof(text), t),
		    t->in_signals ? ", .in_signals = true" : "");
		return;
	}
	put(w, "type %s %s %s .ctx_size = %u, .packet_writable = %s, .sleepable = %s,%s",
	    t->name, t->section, t->ctx_name ? t->ctx_name : "-", t->ctx_size,
	    t->packet_writable ? "true" : "false", t->may_sleep ? "true" : "false",
	    range(text, sizeof(text), t));
	put_fields(w, t);
}

static void put_ops(struct writer *w, const struct pintle_host *host)
{
	for (u32 i = 0; i < host->abi.ops.n; i++) {
		const struct abi_ops *ops = host->abi.ops.v[i];
		const struct ops_type *type = ops->data;

		put(w, "ops %s .optional = \"%s\", .sleepable = \"%s\", .many = %s", ops->name,
		    type->opts.optional ? type->opts.optional : "",
		    type->opts.sleepable ? type->opts.sleepable : "",
		    type->opts.many ? "true" : "false");
	}
}

static const char *member_name(const struct abi_member *m)
{
	const struct btf_type *t = btf_type(m->btf, m->type);

	for (u32 i = 0; i < btf_vlen(t); i++)
		if (btf_member_bit(t, &btf_members(t)[i]) == m->off * 8)
			return btf_str(m->btf, btf_members(t)[i].name_off);
	return "";
}

static void put_types(struct writer *w, const struct pintle_host *host)
{
	for (u32 i = 0; i < host->storables.n; i++) {
		const struct storable *s = host->storables.v[i];

		put(w, "storable %s .dtor = %s, .rcu = %u", s->name, s->dtor ? "yes" : "NULL",
		    s->rcu);
	}
	for (u32 i = 0; i < host->abi.members.n; i++) {
		const struct abi_member *m = &host->abi.members.v[i];

		put(w, "member %s %s %u", btf_type_name(m->btf, m->type), member_name(m),
		    m->class_);
	}
}

int pintle_host_describe(const struct pintle_host *host,
			 void (*line)(void *data, const char *text), void *data)
{
	struct writer w = {.line = line, .data = data};

	for (u32 i = 0; i < host->abi.prog_types.n; i++)
		if (strncmp(host->abi.prog_types.v[i].name, "struct_ops/", 11))
			put_type(&w, &host->abi.prog_types.v[i]);
	put_ops(&w, host);
	for (u32 i = 0; i < host->helpers.n; i++) {
		const struct abi_helper *h = abi_helper(host->helpers.v[i].id);

		put(&w, "helper %s %s", host->helpers.v[i].prog_type, h ? h->name : "");
	}
	for (u32 i = 0; i < host->abi.kfuncs.n; i++) {
		const struct abi_kfunc *k = &host->abi.kfuncs.v[i];

		if (k->btf) /* not the engine's own: every host has those */
			put(&w, "export %s %u", k->name, k->flags);
	}
	for (u32 i = 0; i < host->abi.vars.n; i++) {
		const struct abi_var *v = &host->abi.vars.v[i];

		if (v->btf) /* not one that is gone with its plugin */
			put(&w, "%s %s %s", v->percpu ? "percpu" : "var", v->name,
			    btf_type_name(v->btf, v->type));
	}
	for (u32 i = 0; i < host->abi.pools.n; i++)
		put(&w, "pool %s", btf_type_name(host->abi.pools.v[i].btf,
						 host->abi.pools.v[i].type));
	for (u32 i = 0; i < host->abi.owners.n; i++)
		if (host->abi.owners.v[i].btf)
			put(&w, "owner %s", btf_type_name(host->abi.owners.v[i].btf,
						  host->abi.owners.v[i].type));
	put_types(&w, host);
	return w.err;
}
