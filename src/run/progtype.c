/* SPDX-License-Identifier: MIT
 *
 * progtype.c: program types: which sections, what context, and which helpers the host
 * brings for them.
 *
 * Rows of abi.prog_types are pointed at by objects and their numbers are bits of a mask:
 * room for all MOST_TYPES of them is taken at the first, so they never move.
 */
#include "run/run.h"

enum { MOST_TYPES = 64 };

int prog_type_find(const struct pintle_host *host, const char *name)
{
	for (u32 i = 0; i < host->abi.prog_types.n; i++)
		if (!strcmp(host->abi.prog_types.v[i].name, name))
			return (int)i;
	return -1;
}

static const char gone[] = "\1gone"; /* claims no section, has no name */

void prog_type_gone(struct pintle_host *host, struct abi_prog_type *type)
{
	u32 bit = type->bit;

	for (u32 i = 0; i < host->abi.kfuncs.n; i++)
		if (host->abi.kfuncs.v[i].prog_types != ~0ull)
			host->abi.kfuncs.v[i].prog_types &= ~BIT64(bit);
	free(type->fields);
	*type = (struct abi_prog_type){.name = gone, .section = gone, .bit = bit};
}

bool prog_type_is_gone(const struct abi_prog_type *type)
{
	return type->name == gone;
}

static bool push_in_gone(struct pintle_host *host, const struct abi_prog_type *type)
{
	for (u32 i = 0; i < host->abi.prog_types.n; i++)
		if (prog_type_is_gone(&host->abi.prog_types.v[i])) {
			host->abi.prog_types.v[i] = *type;
			host->abi.prog_types.v[i].bit = i;
			return true;
		}
	return false;
}

int prog_type_push(struct pintle_host *host, const struct abi_prog_type *type)
{
	u32 n = host->abi.prog_types.n;

	if (push_in_gone(host, type))
		return 0;
	if (n == MOST_TYPES)
		return host_fail(host, -E2BIG, "%s: more than %d program types and hooks",
				 type->name, MOST_TYPES);
	if (!vec_reserve(&host->abi.prog_types, MOST_TYPES - n) ||
	    !vec_push(&host->abi.prog_types, *type))
		return host_oom(host);
	host->abi.prog_types.v[n].bit = n;
	return 0;
}

/* ------------------------------------------------------------------ context fields */

/* A field while it is being added. */
struct adding {
	struct pintle_host *host;
	const struct pintle_prog_type *type;
	const struct btf *btf; /* of the context struct */
	u32 ctx;
};

static int field_wrong(const struct adding *a, const struct pintle_ctx_field *f, int err,
		       const char *why)
{
	return host_fail(a->host, err, "program type %s: field '%s' of struct %s: %s",
			 a->type->name, f->name, a->type->ctx, why);
}

static const struct btf_member *ctx_member(const struct adding *a, const char *name)
{
	const struct btf_type *t = btf_type(a->btf, a->ctx);
	const struct btf_member *m = btf_members(t);

	for (u32 i = 0; i < btf_vlen(t); i++)
		if (!strcmp(btf_str(a->btf, m[i].name_off), name))
			return &m[i];
	return NULL;
}

static bool is_size(u32 size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static bool is_packet(u8 kind)
{
	return kind == CTX_PACKET || kind == CTX_PACKET_META || kind == CTX_PACKET_END;
}

static int field_pointee(const struct adding *a, const struct pintle_ctx_field *f,
			 const struct btf_member *m, struct abi_ctx_field *out)
{
	out->btf = a->btf;
	out->type = btf_pointee(a->btf, m->type);
	if (out->real_size != 8)
		return field_wrong(a, f, -EINVAL, "a pointer has a real_size of 8");
	if (!out->type || btf_kind(btf_type(a->btf, out->type)) != BTF_STRUCT)
		return field_wrong(a, f, -EINVAL, "it is not a pointer to a struct");
	return 0;
}

static int field_place(const struct adding *a, const struct pintle_ctx_field *f,
		       const struct btf_member *m, struct abi_ctx_field *out)
{
	const struct btf_type *t = btf_type(a->btf, a->ctx);

	if (btf_member_bits(t, m))
		return field_wrong(a, f, -EINVAL, "bit fields cannot be read");
	out->off = btf_member_bit(t, m) / 8;
	if (!btf_size(a->btf, m->type, &out->size) || !is_size(out->size))
		return field_wrong(a, f, -EINVAL, "it is not of 1, 2, 4 or 8 bytes");
	out->real_off = f->real_size ? f->real_off : out->off;
	out->real_size = f->real_size ? f->real_size : out->size;
	if (!is_size(out->real_size))
		return field_wrong(a, f, -EINVAL, "real_size is not 1, 2, 4 or 8");
	return 0;
}

static int field_fill(const struct adding *a, const struct pintle_ctx_field *f,
		      struct abi_ctx_field *out)
{
	const struct btf_member *m = f->name ? ctx_member(a, f->name) : NULL;

	if (!m)
		return field_wrong(a, f, -ENOENT, "no such member");
	if ((unsigned int)f->kind > PINTLE_CTX_POINTER_OR_NULL)
		return field_wrong(a, f, -EINVAL, "unknown kind");
	out->kind = (u8)f->kind;
	TRY(field_place(a, f, m, out));
	/* Numbers may be read in part, and are written whole. */
	out->reads = (u8)(out->kind == CTX_SCALAR ? 2 * out->size - 1 : out->size);
	out->writes = (u8)(f->writable ? out->size : 0);
	if (out->kind != CTX_SCALAR && out->writes)
		return field_wrong(a, f, -EINVAL, "programs cannot set pointers");
	if (is_packet(out->kind) && (out->real_size != 8 || out->size < 4))
		return field_wrong(a, f, -EINVAL,
				   "a packet pointer has 4 or 8 bytes and a real_size of 8");
	if (out->kind == CTX_POINTER || out->kind == CTX_POINTER_OR_NULL)
		TRY(field_pointee(a, f, m, out));
	out->name = host_strdup(a->host, f->name);
	return out->name ? 0 : host_oom(a->host);
}

/* The fields are freed by abi_free() once the row is in. */
static int fields_fill(const struct adding *a, struct abi_prog_type *row)
{
	if (!a->type->nfields)
		return 0;
	row->fields = calloc(a->type->nfields, sizeof(row->fields[0]));
	if (!row->fields)
		return host_oom(a->host);
	row->nfields = a->type->nfields;
	for (u32 i = 0; i < row->nfields; i++)
		TRY(field_fill(a, &a->type->fields[i], &row->fields[i]));
	return 0;
}

/* ------------------------------------------------------------------ program types */

static int ctx_find(struct adding *a, struct abi_prog_type *row)
{
	const struct pintle_prog_type *t = a->type;

	if (t->ctx && abi_find_struct(&a->host->abi, t->ctx, &a->btf, &a->ctx)) {
		btf_size(a->btf, a->ctx, &row->ctx_size);
		return 0;
	}
	if (t->nfields)
		return host_fail(a->host, -ENOENT,
				 "program type %s: struct %s is not in the host's BTF, so its "
				 "fields are not known: have a variable or parameter of that "
				 "type in the host", t->name, t->ctx ? t->ctx : "(none)");
	row->ctx_size = t->ctx_size;
	return 0;
}

int prog_type_cut_result(struct pintle_host *host, struct abi_prog_type *type, s64 result)
{
	bool fits = !type->has_ret_range || (result >= type->ret_min && result <= type->ret_max);

	if (!fits && result)
		return host_fail(host, -EINVAL, "%s: cut_result is not in the range of results",
				 type->name);
	type->cut_result = fits ? result : type->ret_min;
	return 0;
}

static int type_check(struct pintle_host *host, const struct pintle_prog_type *t)
{
	if (!t->name || !*t->name)
		return host_fail(host, -EINVAL, "program type: no name given");
	if (t->nfields && !t->fields)
		return host_fail(host, -EINVAL, "program type %s: no fields given", t->name);
	if (t->has_ret_range && t->ret_min > t->ret_max)
		return host_fail(host, -EINVAL, "program type %s: ret_min is over ret_max",
				 t->name);
	if (prog_type_find(host, t->name) >= 0)
		return host_fail(host, -EEXIST, "program type %s exists already", t->name);
	return 0;
}

static int type_fill(struct adding *a, struct abi_prog_type *row)
{
	struct pintle_host *host = a->host;
	const struct pintle_prog_type *t = a->type;

	*row = (struct abi_prog_type){
		.name = host_strdup(host, t->name),
		.section = host_strdup(host, t->section ? t->section : t->name),
		.ctx_name = t->ctx ? host_strdup(host, t->ctx) : NULL,
		.kind = PROG_CTX,
		.packet_writable = t->packet_writable,
		.may_sleep = t->sleepable,
		.has_ret_range = t->has_ret_range,
		.ret_min = t->ret_min,
		.ret_max = t->ret_max,
	};
	if (!row->name || !row->section || (t->ctx && !row->ctx_name))
		return host_oom(host);
	TRY(prog_type_cut_result(host, row, t->cut_result));
	TRY(ctx_find(a, row));
	TRY(fields_fill(a, row));
	return prog_type_push(host, row);
}

int pintle_prog_type_add(struct pintle_host *host, const struct pintle_prog_type *type)
{
	struct pintle_prog_type t;
	struct abi_prog_type row = {0};
	struct adding a = {.host = host, .type = &t};
	int err;

	opts_copy(&t, sizeof(t), type, type ? type->size : 0);
	TRY(type_check(host, &t));
	err = type_fill(&a, &row);
	if (err)
		free(row.fields);
	return err;
}

/* ------------------------------------------------------------------ helpers */

int pintle_helper_add(struct pintle_host *host, const char *prog_type, const char *helper,
		      void (*fn)(void))
{
	const struct abi_helper *h = helper ? abi_helper_by_name(helper) : NULL;
	int type = prog_type ? prog_type_find(host, prog_type) : -1;
	struct host_helper row = {.fn = (void *)fn};

	if (!h || !fn)
		return host_fail(host, -ENOENT, "no helper is known as '%s'",
				 helper ? helper : "");
	if (type < 0)
		return host_fail(host, -ENOENT, "helper %s: no program type '%s'", helper,
				 prog_type ? prog_type : "");
	if (host->abi.prog_types.v[type].in_signals)
		return host_fail(host, -EINVAL,
				 "helper %s: %s runs in signal handlers: export a function that "
				 "is PINTLE_SIGNAL_SAFE", helper, prog_type);
	row.id = h->id;
	row.prog_type = (char *)(uintptr_t)host->abi.prog_types.v[type].name;
	for (u32 i = 0; i < host->helpers.n; i++)
		if (host->helpers.v[i].id == row.id &&
		    !strcmp(host->helpers.v[i].prog_type, row.prog_type))
			return host_fail(host, -EEXIST,
					 "helper %s is given already for program type %s",
					 helper, prog_type);
	return vec_push(&host->helpers, row) ? 0 : host_oom(host);
}
