/* SPDX-License-Identifier: MIT
 *
 * ctx.c: accesses of a program's context.
 *
 * A PROG_CTX context is a table of members; what a member is to programs (a number, a
 * packet pointer, a host object) and where it really is are in its row. PROG_ARGS
 * contexts are in ctxarg.c.
 *
 * Offsets are constants, so that lowering can translate each access once. Atomic
 * operations never come here (mem.c).
 */
#include "verify/rule/rule.h"

static int reject_access(struct env *env, const struct access *acc)
{
	return reject(env, RULE_CTX_ACCESS, acc->off, acc->size);
}

/* The pointer is the context's own, not one moved. */
int check_ctx_pointer(struct env *env, u32 regno, const struct reg *reg)
{
	if (reg->off < 0)
		return reject(env, RULE_CTX_NEGATIVE, regno, reg->off);
	if (reg->off)
		return reject(env, RULE_CTX_MODIFIED, regno, reg->off);
	if (has_var_off(reg))
		return reject(env, RULE_CTX_VAR_OFF, var_off_str(env, reg));
	return 0;
}

/* ---- members ---- */

static struct reg table_value(struct env *env, const struct abi_ctx_field *f)
{
	struct reg reg = reg_pointer(REG_TABLE, f->kind == CTX_TABLE_OR_NULL ? F_NULL : 0);

	reg.table = abi_table(f->table);
	reg.id = id_new(env);
	return reg;
}

static struct reg field_value(struct env *env, const struct abi_ctx_field *f)
{
	struct reg reg;

	switch (f->kind) {
	case CTX_PACKET:
		return reg_pointer(REG_PACKET, 0);
	case CTX_PACKET_META:
		return reg_pointer(REG_PACKET_META, 0);
	case CTX_PACKET_END:
		return reg_pointer(REG_PACKET_END, 0);
	case CTX_POINTER:
		return reg_btf(f->btf, f->type, F_TRUSTED);
	case CTX_POINTER_OR_NULL:
		reg = reg_btf(f->btf, f->type, F_TRUSTED | F_NULL);
		reg.id = id_new(env);
		return reg;
	case CTX_TABLE:
	case CTX_TABLE_OR_NULL:
		return table_value(env, f);
	default:
		return reg_unknown();
	}
}

static int access_fields(struct env *env, struct access *acc)
{
	const struct abi_prog_type *type = env->prog->type;
	const struct abi_ctx_field *f = abi_field(type->fields, type->nfields,
						  acc->kind == ACC_WRITE, acc->off, acc->size);

	if (!f)
		return reject_access(env, acc);
	acc->class_ = ACCESS_CTX;
	acc->ctx_field = f;
	if (acc->kind == ACC_WRITE)
		return check_no_leak(env, acc, "ctx");
	if (f->kind == CTX_SCALAR)
		return 0;
	if (acc->sign || ((f->kind == CTX_POINTER || f->kind == CTX_POINTER_OR_NULL) && !f->btf))
		return reject_access(env, acc);
	acc->result = field_value(env, f);
	acc->result_set = true;
	return 0;
}

/* ---- objects that are tables of members ---- */

int access_table(struct env *env, struct access *acc)
{
	const struct abi_table *table = acc->ptr.table;
	s64 off = (s64)acc->ptr.off + acc->off;
	bool write = access_writes(acc);

	TRY(check_not_null(env, acc->regno, &acc->ptr));
	if (write && table->socket)
		return reject(env, RULE_TABLE_WRITE, acc->regno, table->name);
	if (has_var_off(&acc->ptr) ||
	    !abi_field(table->fields, table->nfields, write, off, acc->size))
		return reject(env, RULE_TABLE_ACCESS, acc->regno, table->name, off, acc->size);
	return check_no_leak(env, acc, table->name);
}

int access_ctx(struct env *env, struct access *acc)
{
	const struct abi_prog_type *type = env->prog->type;

	if (!type)
		return reject_access(env, acc);
	TRY(check_not_null(env, acc->regno, &acc->ptr));
	TRY(check_ctx_pointer(env, acc->regno, &acc->ptr));
	return type->kind == PROG_ARGS ? access_ctx_args(env, acc) : access_fields(env, acc);
}
