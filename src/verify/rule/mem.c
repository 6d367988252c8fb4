/* SPDX-License-Identifier: MIT
 *
 * rule/mem.c: accesses of plain memory of known size (REG_MEM), and what all kinds of
 * memory have in common: no address is written where others can read it (B10).
 */
#include "verify/rule/rule.h"

bool leaks_address(const struct env *env, const struct reg *reg)
{
	return reg_shows_address(reg) && !env->abi->policy.ptr_leaks;
}

int check_number_arg(struct env *env, u32 regno)
{
	return leaks_address(env, cur_reg(env, regno)) ? reject(env, RULE_ARG_LEAK, regno) : 0;
}

int check_no_leak(struct env *env, const struct access *acc, const char *where)
{
	if (!access_writes(acc))
		return 0;
	if (leaks_address(env, &acc->value))
		return reject(env, RULE_LEAK, acc->value_regno, where);
	/* A compare-and-exchange also tells whether r0's address was there. */
	if (acc->kind == ACC_CMPXCHG && leaks_address(env, cur_reg(env, R0)))
		return reject(env, RULE_LEAK, R0, where);
	return 0;
}

const char *var_off_str(struct env *env, const struct reg *reg)
{
	char buf[64];
	const char *text;

	tnum_print(buf, sizeof(buf), reg->num.bits);
	text = arena_strdup(env->arena, buf);
	return text ? text : "?";
}

int reject_kind(struct env *env, u32 regno, const char *expected)
{
	return reject(env, RULE_ARG_KIND, regno, reg_class_name(env, cur_reg(env, regno)),
		      expected);
}

/* Memory that is opened by helpers of its own only. */
static int check_opened(struct env *env, const struct access *acc)
{
	if (acc->ptr.flags & F_PERCPU)
		return reject(env, RULE_BTF_PERCPU, acc->regno, "mem", (s64)acc->off);
	if (acc->ptr.flags & F_USER)
		return reject(env, RULE_BTF_USER, acc->regno, "mem", (s64)acc->off);
	if (acc->ptr.flags & F_UNTRUSTED)
		return reject(env, RULE_UNSUPPORTED, "untrusted plain memory");
	return 0;
}

/* Attachment compares the greatest offset: so it must be known. */
static int check_buffer(struct env *env, const struct access *acc)
{
	const char *name = acc->ptr.flags & F_RDONLY ? "rdonly" : "rdwr";

	if (has_var_off(&acc->ptr))
		return reject(env, RULE_BUF_VAR_OFF, acc->regno, name, acc->off,
			      var_off_str(env, &acc->ptr));
	if ((s64)acc->ptr.off + acc->off < 0)
		return reject(env, RULE_BUF_NEG, acc->regno, name, acc->off, acc->size);
	return 0;
}

int access_mem(struct env *env, struct access *acc)
{
	TRY(check_not_null(env, acc->regno, &acc->ptr));
	TRY(check_opened(env, acc));
	if (access_writes(acc) && acc->ptr.flags & F_RDONLY)
		return reject(env, RULE_MEM_WRITE, acc->regno, reg_class_name(env, &acc->ptr));
	TRY(check_no_leak(env, acc, "mem"));
	if (acc->ptr.flags & F_BUF)
		TRY(check_buffer(env, acc));
	return check_region(env, acc, acc->ptr.mem_size, false);
}
