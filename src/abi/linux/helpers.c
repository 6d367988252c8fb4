/* SPDX-License-Identifier: MIT
 *
 * helpers.c: which helpers the kernel's programs may call (helper_sets.def), and those
 * that some of them call in a way of their own (helper_rows.def).
 */
#include "abi/linux/linux.h"
#include "abi/proto.h"

enum { LINUX_AT_ANY = NR_LINUX_ATTACH };

/* ---- sets ---- */

enum set_id {
	SET_NONE,
#define SET(name, ...) SET_##name,
#define PROG(...)
#include "abi/linux/helper_sets.def"
#undef SET
#undef PROG
	NR_SETS,
};

#define FROM(...) {FROM_(__VA_ARGS__, NONE, NONE)}
#define FROM_(a, b, ...) SET_##a, SET_##b
#define H(name)	  HELPER_##name,

struct set {
	u8 type, attach; /* PROG rows */
	u8 from[2];	 /* enum set_id */
	u8 ids[64];	 /* enum helper_id; ended by 0 */
};

static const struct set sets[NR_SETS] = {
#define SET(name, from_, ...) [SET_##name] = {.from = from_, .ids = {__VA_ARGS__}},
#define PROG(...)
#include "abi/linux/helper_sets.def"
#undef SET
#undef PROG
};

static const struct set progs[] = {
#define SET(...)
#define PROG(type_, attach_, from_, ...)                                                 \
	{LINUX_##type_, LINUX_AT_##attach_, from_, {__VA_ARGS__}},
#include "abi/linux/helper_sets.def"
#undef SET
#undef PROG
};

static void add_set(struct helper_set *to, const struct set *set)
{
	for (u32 i = 0; i < ARRAY_SIZE(set->ids) && set->ids[i]; i++)
		helper_set_add(to, set->ids[i]);
	/* Sets include only sets above them. */
	for (u32 i = 0; i < ARRAY_SIZE(set->from); i++)
		if (set->from[i] != SET_NONE)
			add_set(to, &sets[set->from[i]]);
}

static bool fits(u8 type, u8 attach, const struct abi_prog_type *of)
{
	return type == of->bit && (attach == of->attach || attach == LINUX_AT_ANY);
}

/* ---- rows ---- */

static const struct row {
	u8 type, attach;
	struct abi_helper helper;
} rows[] = {
#define ROW(type_, attach_, number, name_, ...)                                          \
	{LINUX_##type_, LINUX_AT_##attach_,                                              \
	 {.id = number, .name = "bpf_" #name_, __VA_ARGS__}},
#include "abi/linux/helper_rows.def"
#undef ROW
};

static const struct abi_helper *row_of(const struct abi_prog_type *type, u32 id)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].helper.id == id && fits(rows[i].type, rows[i].attach, type))
			return &rows[i].helper;
	return NULL;
}

/* ---- maps of sockets ---- */

/* Who may change them, beside what is attached to sockets as they are opened. */
static const struct {
	u8 type, attach;
	bool update, delete;
} sockmaps[] = {
	{LINUX_TRACING, LINUX_AT_TRACE_ITER, true, true},
	{LINUX_SOCKET_FILTER, LINUX_AT_ANY, true, true},
	{LINUX_SCHED_CLS, LINUX_AT_ANY, true, true},
	{LINUX_SCHED_ACT, LINUX_AT_ANY, true, true},
	{LINUX_XDP, LINUX_AT_ANY, true, true},
	{LINUX_SK_REUSEPORT, LINUX_AT_ANY, true, true},
	{LINUX_FLOW_DISSECTOR, LINUX_AT_ANY, true, true},
	{LINUX_SK_LOOKUP, LINUX_AT_ANY, true, true},
	{LINUX_SOCK_OPS, LINUX_AT_ANY, false, true},
};

static void set_sockmaps(struct abi_prog_type *type)
{
	for (u32 i = 0; i < ARRAY_SIZE(sockmaps); i++)
		if (fits(sockmaps[i].type, sockmaps[i].attach, type)) {
			type->sockmap_update = sockmaps[i].update;
			type->sockmap_delete = sockmaps[i].delete;
		}
}

/* Iterators over sockets hold their locks, so that programs may set options. */
static bool is_sock_iter(const char *target)
{
	return !strcmp(target, "tcp") || !strcmp(target, "udp") || !strcmp(target, "unix");
}

int linux_helpers(struct arena *arena, const char *target, struct abi_prog_type *type)
{
	struct helper_set *set = arena_new_of(arena, struct helper_set);

	if (!set)
		return -ENOMEM;
	for (u32 i = 0; i < ARRAY_SIZE(progs); i++)
		if (fits(progs[i].type, progs[i].attach, type))
			add_set(set, &progs[i]);
	if (type->bit == LINUX_TRACING && type->attach == LINUX_AT_TRACE_ITER &&
	    is_sock_iter(target)) {
		helper_set_add(set, HELPER_setsockopt);
		helper_set_add(set, HELPER_getsockopt);
	}
	type->helpers = set;
	type->helper = row_of;
	set_sockmaps(type);
	return 0;
}
