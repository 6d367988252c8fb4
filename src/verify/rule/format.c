/* SPDX-License-Identifier: MIT
 *
 * rule/format.c: what is printed. Where the format is known (it lies in memory that never
 * changes), each argument is checked against its conversion: addresses are for %p, which
 * hides them, and for texts, which may be read as far as the memory that they are proved to
 * be in goes. A number is no address of a text (J12): it could be forged. What was proved
 * goes to the run time (struct format_proof). Otherwise all arguments are numbers, and no
 * text is read.
 *
 * By kernels' rules (policy ptr_leaks) addresses may be shown, and formats are looked at
 * only where kernels do.
 */
#include "abi/format.h"
#include "verify/rule/hcall.h"
#include "verify/walk.h"

/* Registers of those that print: the format and its size, the arguments or where they are
 * and their size; 0: none. */
static const struct printer {
	u8 helper, fmt, fmt_size, first, data, data_size;
} printers[] = {
	{HELPER_trace_printk, R1, R2, R3, 0, 0},
	{HELPER_trace_vprintk, R1, R2, 0, R3, R4},
	{HELPER_snprintf, R3, 0, 0, R4, R5},
};

static const struct printer *printer_of(const struct abi_helper *helper)
{
	for (u32 i = 0; i < ARRAY_SIZE(printers); i++)
		if (printers[i].helper == helper->id)
			return &printers[i];
	return NULL;
}

bool format_data(const struct env *env, const struct abi_helper *helper, u32 regno)
{
	const struct printer *p = printer_of(helper);

	return p && p->data == regno && !env->abi->policy.ptr_leaks;
}

bool format_value(const struct env *env, const struct abi_helper *helper, u32 regno)
{
	const struct printer *p = printer_of(helper);

	return p && p->first && regno >= p->first && !env->abi->policy.ptr_leaks;
}

/* ---- the format ---- */

/* Text at @format that never changes, or NULL. */
static const char *constant(const struct reg *format, u64 size)
{
	const struct image_map *map = format->map;
	s64 off = (s64)format->off + (s64)format->num.bits.value, room;

	if (format->base != REG_MAP_VALUE || format->flags & F_NULL || !map->frozen ||
	    !scalar_is_const(format->num) || off < 0 || off >= map->value_size)
		return NULL;
	room = map->value_size - off;
	if (!map->data)
		return "";
	return memchr((const char *)map->data + off, 0, size < (u64)room ? size : (u64)room)
		       ? (const char *)map->data + off
		       : NULL;
}

/* How many arguments the call has; -1: varies, or too many. */
static s32 count_args(struct env *env, const struct printer *p)
{
	const struct reg *size = cur_reg(env, p->data_size);

	if (p->first)
		return R5 + 1 - p->first;
	if (!scalar_is_const(size->num) || size->num.bits.value % 8 ||
	    size->num.bits.value > 8 * FORMAT_ARGS)
		return -1;
	return (s32)(size->num.bits.value / 8);
}

/* The format, when it is known and there is an argument for each of its conversions. */
static const char *known_format(struct env *env, const struct printer *p)
{
	const struct reg *size = cur_reg(env, p->fmt_size);
	u64 most = UINT64_MAX;
	const char *text;
	s32 n;

	if (p->fmt_size && !scalar_is_const(size->num))
		return NULL;
	if (p->fmt_size)
		most = size->num.bits.value;
	text = constant(cur_reg(env, p->fmt), most);
	n = text ? format_count(text) : -1;
	return n >= 0 && n <= count_args(env, p) ? text : NULL;
}

/* ---- its arguments ---- */

struct argument {
	const struct printer *printer;
	u32 nth;
	struct reg reg;		/* the value, a number or a pointer */
	bool unset;
};

/* What is where on the stack is known; elsewhere there are no addresses. */
static bool is_fixed(const struct reg *data)
{
	return data->base == REG_STACK && scalar_is_const(data->num);
}

static bool is_whole(const struct slot *slot)
{
	return slot->kind[0] == SLOT_SPILL && slot->kind[7] == SLOT_SPILL;
}

/* An argument on the stack. */
static int fetch_slot(struct env *env, const struct reg *data, struct argument *arg)
{
	s64 at = data->off + (s64)data->num.bits.value + 8 * (s64)arg->nth;
	const struct frame *frame = env->cur->frames[data->frame];
	u32 first = (u32)(-at - 1) / 8;

	if (first < frame->nslots && is_whole(&frame->stack[first]) && at % 8 == 0) {
		arg->reg = frame->stack[first].spilled;
		return 0;
	}
	for (s64 b = at; b < at + 8; b++) {
		u32 i = (u32)(-b - 1) / 8;

		if (i < frame->nslots &&
		    slot_shows_address(&frame->stack[i], (u32)(b + STACK_SIZE) % 8))
			return reject(env, RULE_LEAK, arg->printer->data, "function argument");
	}
	return 0;
}

static int fetch(struct env *env, struct argument *arg)
{
	const struct printer *p = arg->printer;
	const struct reg *data = cur_reg(env, p->data);

	arg->reg = reg_num(scalar_unknown());
	if (p->first) {
		arg->reg = *cur_reg(env, p->first + arg->nth);
		arg->unset = arg->reg.base == REG_NONE;
		if (arg->unset)
			arg->reg = reg_const(0);
		return 0;
	}
	return is_fixed(data) ? fetch_slot(env, data, arg) : 0;
}

/* It is a number; and 0 on every path that is like this one. */
static bool is_nothing(struct env *env, const struct argument *arg)
{
	const struct reg *data = cur_reg(env, arg->printer->data);
	u64 value;

	if (arg->unset)
		return true;
	if (arg->printer->first)
		return reg_is_null(&arg->reg) &&
		       !mark_precise(env, arg->printer->first + arg->nth);
	return is_fixed(data) &&
	       stack_const(env, data->frame,
			   data->off + (s32)data->num.bits.value + 8 * (s32)arg->nth, 8,
			   &value) &&
	       !value;
}

static int refuse(struct env *env, const struct argument *arg, const char *why)
{
	return reject(env, RULE_FORMAT_ARG, arg->nth + 1, why);
}

static int check_number(struct env *env, const struct argument *arg)
{
	if (!reg_shows_address(&arg->reg))
		return 0;
	if (arg->printer->first)
		return reject(env, RULE_ARG_LEAK, arg->printer->first + arg->nth);
	return reject(env, RULE_LEAK, arg->printer->data, "function argument");
}

static void note_room(struct format_proof *proof, u32 nth, u32 room)
{
	if (!proof->room[nth] || room < proof->room[nth])
		proof->room[nth] = room;
}

/* A pointer to @least bytes or more. As if it were in r0, which the call will set. */
static int check_pointee(struct env *env, struct format_proof *proof,
			 const struct argument *arg, u32 least)
{
	struct reg *r0 = cur_reg(env, R0), was = *r0;
	u32 room = 0;
	int err;

	*r0 = arg->reg;
	r0->flags &= (u16)~F_NULL; /* then it is not read */
	err = text_room(env, R0, &room);
	*r0 = was;
	if (err) {
		log_print(env->log, LOG_ERROR, "(R0: argument %u of the format)\n", arg->nth + 1);
		return err;
	}
	if (room < least)
		return refuse(env, arg, "there are too few bytes for an IP address");
	if (arg->reg.base == REG_BTF && arg->reg.btf != env->image->btf)
		proof->objects |= (u16)BIT(arg->nth);
	note_room(proof, arg->nth, room);
	return 0;
}

static int check_text(struct env *env, struct format_proof *proof,
		      const struct argument *arg, u32 least)
{
	if (reg_is_pointer(&arg->reg))
		return check_pointee(env, proof, arg, least);
	TRY(check_number(env, arg));
	return is_nothing(env, arg) ? 0 : refuse(env, arg, "a number is no address to read from");
}

/* Of a client: a number, or an address that knows its space. */
static int check_user_text(struct env *env, const struct argument *arg)
{
	const struct reg *reg = &arg->reg;

	if (!reg_is_pointer(reg))
		return check_number(env, arg);
	if (reg->base == REG_BTF && (reg->flags & (F_PERCPU | F_USER)) == F_USER &&
	    reg->off >= 0 && !has_var_off(reg))
		return 0;
	return refuse(env, arg, "a user pointer or a number is needed");
}

static int check_arg(struct env *env, struct format_proof *proof, struct argument *arg,
		     enum format_conv conv)
{
	TRY(fetch(env, arg));
	if (reg_is_pointer(&arg->reg))
		proof->pointers |= (u16)BIT(arg->nth);
	else
		proof->numbers |= (u16)BIT(arg->nth);
	switch (conv) {
	case FORMAT_STR: return check_text(env, proof, arg, 1);
	case FORMAT_IP4: return check_text(env, proof, arg, 4);
	case FORMAT_IP6: return check_text(env, proof, arg, 16);
	case FORMAT_USER_STR: return check_user_text(env, arg);
	case FORMAT_PTR: return reg_is_pointer(&arg->reg) ? 0 : check_number(env, arg);
	default: return check_number(env, arg);
	}
}

/* What no conversion takes is not looked at; but what is handed over in registers... */
static int check_rest(struct env *env, const struct printer *p, u32 nth)
{
	for (u32 r = p->first + nth; p->first && r <= R5; r++)
		if (cur_reg(env, r)->base != REG_NONE)
			TRY(check_number_arg(env, r));
	return 0;
}

static int check_known(struct env *env, const struct printer *p, const char *fmt)
{
	struct format_proof *proof = env->notes[env->insn].proof.format;
	struct argument arg = {.printer = p};
	struct format_spec spec;

	while ((fmt = strchr(fmt, '%'))) {
		fmt++;
		BUG_ON(!format_next(&fmt, &spec));
		if (spec.conv == FORMAT_PERCENT)
			continue;
		TRY(check_arg(env, proof, &arg, spec.conv));
		arg = (struct argument){.printer = p, .nth = arg.nth + 1};
	}
	return check_rest(env, p, arg.nth);
}

static int check_unknown(struct env *env, const struct printer *p)
{
	if (p->first)
		return check_rest(env, p, 0);
	return mem_arg_sized(env, p->data, p->data_size, false, false, true, true);
}

/* One call prints by formats that are known, or by others. */
static int note_format(struct env *env, bool known)
{
	struct insn_note *note = &env->notes[env->insn];
	u8 is = known ? 1 : 2;

	if (note->format_seen && note->format_seen != is)
		return reject(env, RULE_UNSUPPORTED,
			      "one call that prints by a format that is known and one that is not");
	note->format_seen = is;
	if (!known || note->proof.format)
		return 0;
	note->proof.format = arena_new_of(env->arena, struct format_proof);
	return note->proof.format ? 0 : out_of_memory(env);
}

int check_printed(struct env *env, const struct abi_helper *helper)
{
	const struct printer *p = printer_of(helper);
	const char *fmt;

	if (!p || env->abi->policy.ptr_leaks)
		return 0;
	fmt = known_format(env, p);
	TRY(note_format(env, fmt));
	return fmt ? check_known(env, p, fmt) : check_unknown(env, p);
}

int check_format(struct env *env, const struct reg *format, const struct reg *size)
{
	const char *text = constant(format, UINT64_MAX);
	u64 bytes = size->num.bits.value;
	s32 n = text ? format_count(text) : -1;

	if (bytes % 8 || n < 0 || (u64)n > bytes / 8)
		return reject(env, RULE_FORMAT);
	return 0;
}
