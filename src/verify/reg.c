/* SPDX-License-Identifier: MIT
 *
 * reg.c: making registers, and printing them as the kernel's log does.
 *
 * The names of classes are an interface: people search for them and tests match them.
 */
#include "verify/walk.h"

#include <stdarg.h>

struct reg reg_none(void)
{
	return (struct reg){.base = REG_NONE};
}

struct reg reg_num(struct scalar num)
{
	return (struct reg){.base = REG_SCALAR, .num = num};
}

struct reg reg_unknown(void)
{
	return reg_num(scalar_unknown());
}

struct reg reg_address(void)
{
	struct reg reg = reg_unknown();

	reg.flags = F_ADDRESS;
	return reg;
}

struct reg reg_const(u64 value)
{
	return reg_num(scalar_const(value));
}

struct reg reg_pointer(enum reg_base base, u16 flags)
{
	return (struct reg){.base = (u8)base, .flags = flags, .num = scalar_const(0)};
}

struct reg reg_btf(const struct btf *btf, u32 type, u16 flags)
{
	struct reg reg = reg_pointer(REG_BTF, flags);

	reg.btf = btf;
	reg.type = type;
	return reg;
}

static const char *const base_names[NR_REG_BASES] = {
	[REG_NONE] = "?",
	[REG_SCALAR] = "scalar",
	[REG_CTX] = "ctx",
	[REG_STACK] = "fp",
	[REG_MAP] = "map_ptr",
	[REG_MAP_KEY] = "map_key",
	[REG_MAP_VALUE] = "map_value",
	[REG_PACKET] = "pkt",
	[REG_PACKET_META] = "pkt_meta",
	[REG_PACKET_END] = "pkt_end",
	[REG_MEM] = "mem",
	[REG_BTF] = "ptr_",
	[REG_FUNC] = "func",
	[REG_TABLE] = "table",
	[REG_ARENA] = "arena",
	[REG_DYNPTR] = "dynptr_ptr",
	[REG_ITER] = "iter_",
};

/* In the order in which they are written. The kernel has no names for the last two, and
 * none that tells its objects from those of programs (rule book 0.3). */
static const struct {
	u16 flag;
	bool ours;
	const char *text;
} prefixes[] = {
	{F_RDONLY, false, "rdonly_"},	{F_RINGBUF, false, "ringbuf_"},
	{F_USER, false, "user_"},	{F_PERCPU, false, "percpu_"},
	{F_RCU, false, "rcu_"},		{F_UNTRUSTED, false, "untrusted_"},
	{F_TRUSTED, false, "trusted_"}, {F_NONOWN, true, "non_own_ref_"},
	{F_ALLOC, true, "local_"},
};

enum { NR_NAMES = 8 };

static char *name_buf(struct env *env)
{
	if (!env->names)
		env->names = arena_alloc(env->arena, NR_NAMES * sizeof(env->names[0]));
	if (!env->names)
		return NULL;
	return env->names[env->name_turn++ % NR_NAMES];
}

static const char *base_name(const struct reg *reg)
{
	if (reg->flags & F_BUF)
		return "buf";
	/* What a map of maps has may be no map at all. */
	if (reg->base == REG_MAP && reg->flags & F_NULL)
		return base_names[REG_MAP_VALUE];
	return reg->base == REG_TABLE ? reg->table->name : base_names[reg->base];
}

const char *reg_class_name(struct env *env, const struct reg *reg)
{
	const char *null = !(reg->flags & F_NULL) ? ""
			   : reg->base == REG_BTF ? "or_null_"
						  : "_or_null";
	char *buf;
	size_t n = 0;

	if (!reg->flags)
		return base_name(reg);
	buf = name_buf(env);
	if (!buf)
		return base_name(reg);
	buf[0] = 0;
	for (u32 i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (reg->flags & prefixes[i].flag &&
		    !(prefixes[i].ours && env->abi->policy.kernel_names))
			n += (size_t)snprintf(buf + n, sizeof(env->names[0]) - n, "%s",
					      prefixes[i].text);
	snprintf(buf + n, sizeof(env->names[0]) - n, "%s%s", base_name(reg), null);
	return buf;
}

/* --- printing --- */

struct text {
	char *buf;
	size_t size, n;
	const char *sep;
};

static void add(struct text *t, const char *fmt, ...) FORMAT(2, 3);
static void add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->n, t->size - t->n, fmt, args);
	va_end(args);
	if (n > 0)
		t->n = t->n + (size_t)n < t->size ? t->n + (size_t)n : t->size - 1;
}

/* One "name=value" of a list in parentheses. */
#define ATTR(t, ...) (add(t, "%s", (t)->sep), (t)->sep = ",", add(t, __VA_ARGS__))

/* What scalar_print() puts between its parentheses. */
static void add_range(struct text *t, struct scalar num)
{
	char buf[256];
	size_t len;

	scalar_print(buf, sizeof(buf), num);
	len = strlen(buf);
	if (strncmp(buf, "scalar(", 7) || len < 8) {
		ATTR(t, "imm=%s", buf);
		return;
	}
	buf[len - 1] = 0;
	if (buf[7])
		ATTR(t, "%s", buf + 7);
}

static void print_scalar(struct text *t, const struct reg *reg)
{
	char buf[256];

	if (scalar_is_const(reg->num) || !reg->id) {
		scalar_print(buf, sizeof(buf), reg->num);
		add(t, "%s", buf);
		return;
	}
	add(t, "scalar(");
	ATTR(t, "id=%u%s", reg->id, reg->off ? "" : "");
	if (reg->off)
		add(t, "%+d", reg->off);
	add_range(t, reg->num);
	add(t, ")");
}

static void add_what(struct text *t, const struct reg *reg)
{
	switch (reg->base) {
	case REG_MAP:
	case REG_MAP_KEY:
	case REG_MAP_VALUE:
		if (reg->map)
			ATTR(t, "map=%s,ks=%u,vs=%u", reg->map->name, reg->map->key_size,
			     reg->map->value_size);
		break;
	case REG_PACKET:
	case REG_PACKET_META:
		ATTR(t, "r=%u", reg->range);
		break;
	case REG_MEM:
		ATTR(t, "sz=%u", reg->mem_size);
		break;
	default:
		break;
	}
}

static void print_pointer(struct env *env, struct text *t, const struct reg *reg)
{
	bool fixed = scalar_is_const(reg->num) && !reg->num.bits.value;

	add(t, "%s", reg_class_name(env, reg));
	if (reg->base == REG_STACK && fixed) {
		if (reg->frame != env->cur->nframes - 1)
			add(t, "[%u]", reg->frame);
		add(t, reg->off ? "%+d" : "0", reg->off);
		return;
	}
	if (reg->base == REG_BTF)
		add(t, "%s", btf_type_name(reg->btf, reg->type));
	add(t, "(");
	if (reg->id)
		ATTR(t, "id=%u", reg->id);
	if (reg->ref)
		ATTR(t, "ref_obj_id=%u", reg->ref);
	if (reg->flags & F_NONOWN && env->abi->policy.kernel_names)
		ATTR(t, "non_own_ref");
	if (reg->off)
		ATTR(t, "off=%d", reg->off);
	add_what(t, reg);
	if (!fixed)
		add_range(t, reg->num);
	add(t, ")");
}

void reg_print(struct env *env, const struct reg *reg, char *buf, size_t size)
{
	struct text t = {buf, size, 0, ""};

	buf[0] = 0;
	if (reg->precise)
		add(&t, "P");
	if (reg->base == REG_SCALAR)
		print_scalar(&t, reg);
	else
		print_pointer(env, &t, reg);
}

/* Of several slots the one that it is passed by. */
static void object_print(struct env *env, const struct slot *slot, u32 i, const char *marks,
			 enum log_level level)
{
	static const char *const kinds[] = {
		[DYNPTR_LOCAL] = "local", [DYNPTR_RINGBUF] = "ringbuf", [DYNPTR_SKB] = "skb",
		[DYNPTR_XDP] = "xdp", [DYNPTR_HOST] = "host"};
	const struct reg *object = &slot->spilled;
	const char *name;

	if (object->base == REG_DYNPTR && object->first)
		log_print(env->log, level, " fp-%u%s=dynptr_%s(id=%u,ref_id=%u)", 8 * (i + 1),
			  marks, kinds[object->dynptr], object->id, object->ref);
	if (object->base != REG_ITER || !object->ref)
		return;
	name = btf_type_name(object->btf, object->type);
	log_print(env->log, level, " fp-%u%s=%s(ref_id=%u,state=%s,depth=%u)", 8 * (i + 1),
		  marks, strncmp(name, "bpf_", 4) ? name : name + 4, object->ref,
		  object->drained ? "drained" : "active", object->depth);
}

static void slot_print(struct env *env, const struct slot *slot, u32 i, const char *marks,
		       enum log_level level)
{
	static const char letters[] = {
		[SLOT_INVALID] = '?', [SLOT_SPILL] = 'r',  [SLOT_MISC] = 'm',
		[SLOT_ZERO] = '0',    [SLOT_DYNPTR] = 'd', [SLOT_ITER] = 'i',
		[SLOT_ADDRESS] = 'a'};
	char text[300], kinds[9] = "";
	u32 n = 0;

	if (slot->kind[0] == SLOT_DYNPTR || slot->kind[0] == SLOT_ITER) {
		object_print(env, slot, i, marks, level);
		return;
	}
	if (slot_is_spill(slot)) {
		reg_print(env, &slot->spilled, text, sizeof(text));
		log_print(env->log, level, " fp-%u%s=%s", 8 * (i + 1), marks, text);
		return;
	}
	for (u32 b = 8; b-- > 0;) {
		if (slot->kind[b] == SLOT_SPILL)
			break;
		kinds[n++] = letters[slot->kind[b]];
	}
	text[0] = 0;
	if (n < 8)
		reg_print(env, &slot->spilled, text, sizeof(text));
	log_print(env->log, level, " fp-%u%s=%s%s", 8 * (i + 1), marks, kinds, text);
}

static bool slot_empty(const struct slot *slot)
{
	static const u8 none[8];

	return !memcmp(slot->kind, none, sizeof(none));
}

/* "_w": written since the last stored state; in stored ones "r": to be read. */
static const char *marks(bool read, bool written)
{
	static const char *const text[] = {"", "_w", "_r", "_rw"};

	return text[2 * read + written];
}

void frame_print(struct env *env, const struct state *state, u32 frameno, u16 regs,
		 u64 slots, enum log_level level)
{
	const struct frame *frame = state->frames[frameno];
	bool stored = state != env->cur;
	u16 reads = stored ? live_regs_of(env, state, frameno, state->insn) & 0x3ff : 0;
	u64 loads = stored ? live_slots_of(env, state, frameno, state->insn) : 0;
	char text[300];

	if (!log_wants(env->log, level))
		return;
	if (frameno)
		log_print(env->log, level, " frame%u:", frameno);
	for (u32 i = 0; i < NR_REGS; i++) {
		if (!(regs & BIT(i)) || frame->regs[i].base == REG_NONE)
			continue;
		reg_print(env, &frame->regs[i], text, sizeof(text));
		log_print(env->log, level, " R%u%s=%s", i,
			  marks(reads >> i & 1, frame->written >> i & 1), text);
	}
	for (u32 i = 0; i < frame->nslots; i++)
		if (slots & BIT64(i) && !slot_empty(&frame->stack[i]))
			slot_print(env, &frame->stack[i], i,
				   marks(loads >> i & 1, frame->written_slots >> i & 1),
				   level);
	if (state->nheld && frameno + 1 == state->nframes) {
		log_print(env->log, level, " refs=");
		for (u32 i = 0; i < state->nheld; i++)
			log_print(env->log, level, "%s%u", i ? "," : "",
				  state->held[i].id);
	}
}

void state_print(struct env *env, const struct state *state, enum log_level level)
{
	frame_print(env, state, state->nframes - 1, 0x7ff, ~0ull, level);
	log_print(env->log, level, "\n");
}
