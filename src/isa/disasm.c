/* SPDX-License-Identifier: MIT
 *
 * disasm.c: an instruction in the words of the kernel's log and bpftool.
 *
 * Also prints what isa_decode() refuses, as long as opcode and selector say which row it
 * was meant to be: a refusal is easier to read below the instruction.
 */
#include "isa/table.h"
#include "isa/text.h"

#include <inttypes.h>
#include <stdarg.h>

struct out { /* snprintf, in pieces */
	char *buf;
	size_t size;
	int len;
};

struct printing {
	struct out out;
	const struct insn *insn; /* two, where the row takes two slots */
	const struct isa_names *names;
};

FORMAT(2, 3) static void put(struct out *out, const char *fmt, ...)
{
	bool room = (size_t)out->len < out->size;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(room ? out->buf + out->len : NULL,
			room ? out->size - (size_t)out->len : 0, fmt, args);
	va_end(args);
	if (len > 0)
		out->len += len;
}

static void print_dst(struct printing *p)
{
	put(&p->out, "r%u", p->insn->dst);
}

static void print_dst32(struct printing *p)
{
	put(&p->out, "w%u", p->insn->dst);
}

static void print_src(struct printing *p)
{
	put(&p->out, "r%u", p->insn->src);
}

static void print_src32(struct printing *p)
{
	put(&p->out, "w%u", p->insn->src);
}

static void print_imm(struct printing *p)
{
	put(&p->out, "%" PRId32, p->insn->imm);
}

#define print_imm_any print_imm
#define print_imm_decimal print_imm

static void print_imm_hex(struct printing *p)
{
	put(&p->out, "0x%" PRIx32, (u32)p->insn->imm);
}

#define print_imm_hex_any print_imm_hex

static void print_spaces(struct printing *p)
{
	put(&p->out, "%u, %u", (u32)p->insn->imm >> 16, p->insn->imm & 0xffff);
}

static void print_off(struct printing *p)
{
	put(&p->out, " %+d", p->insn->off);
}

static void print_jump(struct printing *p)
{
	put(&p->out, "pc%+d", p->insn->off);
}

static void print_jump_long(struct printing *p)
{
	put(&p->out, "pc%+" PRId32, p->insn->imm);
}

static void print_subprog(struct printing *p)
{
	put(&p->out, "%+" PRId32, p->insn->imm);
}

static void print_imm64(struct printing *p)
{
	put(&p->out, "0x%" PRIx64, (u64)(u32)p->insn[1].imm << 32 | (u32)p->insn->imm);
}

static void print_imm2(struct printing *p)
{
	put(&p->out, "%" PRIu32, (u32)p->insn[1].imm);
}

static const char *name_of(const char *(*look_up)(void *, s32), const struct printing *p)
{
	return look_up ? look_up(p->names->data, p->insn->imm) : NULL;
}

static void print_name_or_id(struct printing *p, const char *name)
{
	if (name)
		put(&p->out, "name:%s", name);
	else
		put(&p->out, "id:%" PRId32, p->insn->imm);
}

static void print_map(struct printing *p)
{
	print_name_or_id(p, p->names ? name_of(p->names->map, p) : NULL);
}

static void print_ksym(struct printing *p)
{
	print_name_or_id(p, p->names ? name_of(p->names->ksym, p) : NULL);
}

static void print_callee(struct printing *p, const char *name)
{
	put(&p->out, "%s#%" PRId32, name, p->insn->imm);
}

static void print_helper(struct printing *p)
{
	const char *name = p->names ? name_of(p->names->helper, p) : NULL;

	print_callee(p, name ? name : "unknown");
}

static void print_kfunc(struct printing *p)
{
	const char *name = p->names ? name_of(p->names->ksym, p) : NULL;

	print_callee(p, name ? name : "kfunc");
}

static void print_operand(struct printing *p, char letter)
{
	switch (letter) {
#define PRINT(letter_, name)                                                             \
	case letter_:                                                                    \
		print_##name(p);                                                         \
		break;
		TEXT_OPERANDS(PRINT)
	case '%':
		put(&p->out, "%%");
		break;
	default:
		BUG_ON(true);
	}
}

static void print_text(struct printing *p, const char *text)
{
	size_t literal;

	for (;;) {
		literal = strcspn(text, "%");
		put(&p->out, "%.*s", (int)literal, text);
		text += literal;
		if (!*text)
			return;
		print_operand(p, text[1]);
		text += 2;
	}
}

int isa_disasm(const struct insn *insns, u32 left, const struct isa_names *names,
	       char *buf, size_t size)
{
	struct printing p = {{buf, size, 0}, insns, names};
	enum isa_op op;

	if (size)
		buf[0] = 0;
	if (!left)
		return 0;
	op = isa_find(insns);
	if (isa_slots(op) > left)
		op = OP_BAD;
	put(&p.out, "(%02x) ", insns->code);
	print_text(&p, isa_rows[op].text);
	return p.out.len;
}
