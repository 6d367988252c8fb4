/* SPDX-License-Identifier: MIT
 *
 * section.c: what the section of a program says: its type, its attach type, whether it
 * sleeps, what it is attached to (progs.def, types.def).
 *
 * Names are matched whole, as libbpf does. A name of no row falls back to the row whose
 * name it begins with ("xdp_drop", "tc_vlan"), as tools before libbpf 1.0 did: such
 * objects exist, and whoever loads them says the type.
 */
#include "abi/linux/linux.h"

static const struct linux_section sections[] = {
#define T LINUX_TARGET
#define B LINUX_BTF
#define S LINUX_SLEEPS
#define F LINUX_FRAGS
#define SECTION(name_, type_, attach_, flags_) \
	{.name = name_, .type = LINUX_##type_, .attach = LINUX_AT_##attach_, .flags = flags_},
#include "abi/linux/progs.def"
#undef SECTION
#undef T
#undef B
#undef S
#undef F
};

static const struct {
	const char *upper, *name, *ctx;
} types[NR_LINUX_PROGS] = {
#define TYPE(id, name_, ctx_) [LINUX_##id] = {#id, #name_, ctx_},
#include "abi/linux/types.def"
};

enum { ANY_ATTACH = NR_LINUX_ATTACH, LINUX_AT_ANY = ANY_ATTACH };

static const struct {
	u8 type, attach;
	s32 min, max;
} ranges[] = {
#define RANGE(type_, attach_, min_, max_) {LINUX_##type_, LINUX_AT_##attach_, min_, max_},
#include "abi/linux/types.def"
};

const char *linux_prog_name(enum linux_prog type)
{
	return type < NR_LINUX_PROGS && types[type].name ? types[type].name : "unspec";
}

int linux_prog_by_name(const char *name, size_t len)
{
	for (u32 i = 1; i < NR_LINUX_PROGS; i++)
		if (strlen(types[i].upper) == len && !memcmp(types[i].upper, name, len))
			return (int)i;
	return -1;
}

bool linux_ret_range(u32 type, u32 attach, s64 *min, s64 *max)
{
	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++)
		if (ranges[i].type == type &&
		    (ranges[i].attach == attach || ranges[i].attach == ANY_ATTACH)) {
			*min = ranges[i].min;
			*max = ranges[i].max;
			return true;
		}
	return false;
}

static bool claims(const struct linux_section *row, const char *name, const char **target)
{
	size_t len = strlen(row->name);

	if (strncmp(name, row->name, len))
		return false;
	*target = name[len] == '/' ? name + len + 1 : "";
	return !name[len] || (name[len] == '/' && row->flags & LINUX_TARGET);
}

const struct linux_section *linux_section(const char *name, const char **target)
{
	const struct linux_section *best = NULL;
	size_t best_len = 0;

	name += *name == '?';
	for (u32 i = 0; i < ARRAY_SIZE(sections); i++)
		if (claims(&sections[i], name, target))
			return &sections[i];
	*target = "";
	for (u32 i = 0; i < ARRAY_SIZE(sections); i++) {
		size_t len = strlen(sections[i].name);

		if (len > best_len && !strncmp(name, sections[i].name, len) &&
		    !(sections[i].flags & LINUX_BTF)) {
			best = &sections[i];
			best_len = len;
		}
	}
	return best;
}

static int not_modelled(struct abi_place *place, const char *what)
{
	place->wrong = arena_printf(place->arena, ABI_UNSUPPORTED "%s '%s'", what,
				    place->section);
	return place->wrong ? 0 : -ENOMEM;
}

/* What a context is a view of, as struct bpf_ctx_convert of the kernel's BTF has it. */
static const char *kern_ctx(const struct linux_section *row)
{
	static const struct {
		const char *ctx, *kern;
	} rows[] = {
		{"__sk_buff", "sk_buff"},
		{"xdp_md", "xdp_buff"},
		{"bpf_sock", "sock"},
		{"bpf_sock_addr", "bpf_sock_addr_kern"},
		{"bpf_sock_ops", "bpf_sock_ops_kern"},
		{"sk_msg_md", "sk_msg"},
		{"bpf_user_pt_regs_t", "pt_regs"},
		{"bpf_perf_event_data", "bpf_perf_event_data_kern"},
		{"bpf_cgroup_dev_ctx", "bpf_cgroup_dev_ctx"},
		{"bpf_sysctl", "bpf_sysctl_kern"},
		{"bpf_sockopt", "bpf_sockopt_kern"},
		{"sk_reuseport_md", "sk_reuseport_kern"},
		{"bpf_sk_lookup", "bpf_sk_lookup_kern"},
		{"bpf_nf_ctx", "bpf_nf_ctx"},
	};
	const char *ctx = types[row->type].ctx;

	if (row->type == LINUX_FLOW_DISSECTOR)
		return "bpf_flow_dissector";
	for (u32 i = 0; ctx && i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].ctx, ctx))
			return rows[i].kern;
	return NULL;
}

static u8 ctx_args(const struct linux_section *row)
{
	static const u8 of[NR_LINUX_PROGS] = {
		[LINUX_KPROBE] = CTX_ARG_REGS,
		[LINUX_PERF_EVENT] = CTX_ARG_REGS,
		[LINUX_RAW_TRACEPOINT] = CTX_ARG_U64,
		[LINUX_RAW_TRACEPOINT_WRITABLE] = CTX_ARG_U64,
		[LINUX_TRACING] = CTX_ARG_U64,
		[LINUX_LSM] = CTX_ARG_U64,
		[LINUX_STRUCT_OPS] = CTX_ARG_U64,
	};

	if (row->type == LINUX_TRACEPOINT || row->type == LINUX_SYSCALL)
		return 0;
	if (row->type == LINUX_TRACING && row->attach == LINUX_AT_TRACE_ITER)
		return CTX_ARG_ONLY | CTX_ARG_ITER;
	if (row->type == LINUX_TRACING && row->attach == LINUX_AT_TRACE_RAW_TP)
		return CTX_ARG_ONLY | CTX_ARG_U64 | CTX_ARG_RAW;
	return CTX_ARG_ONLY | of[row->type];
}

static void fill(const struct linux_section *row, struct abi_prog_type *type)
{
	*type = (struct abi_prog_type){
		.name = types[row->type].name,
		.section = row->name,
		.bit = row->type,
		.attach = row->attach,
		.ctx_name = types[row->type].ctx,
		.ctx_args = ctx_args(row),
		.ctx_kern = kern_ctx(row),
		.css_tasks = row->type == LINUX_LSM ||
			     (row->type == LINUX_TRACING && row->attach == LINUX_AT_TRACE_ITER),
		.may_sleep = true,
	};
	type->has_ret_range = linux_ret_range(row->type, row->attach, &type->ret_min,
					      &type->ret_max);
}

int linux_place(const struct abi *abi, struct abi_place *place)
{
	const char *target;
	const struct linux_section *row = linux_section(place->section, &target);
	struct abi_prog_type *type;

	if (!row)
		return not_modelled(place, "no program type is known for section");
	if (row->type == LINUX_EXT)
		return not_modelled(place, "programs that replace functions of another one:");
	type = arena_new_of(place->arena, struct abi_prog_type);
	if (!type)
		return -ENOMEM;
	fill(row, type);
	TRY(linux_helpers(place->arena, target, type));
	linux_map_uses(type);
	TRY(linux_writes(abi, place->arena, place->ops, type));
	place->sleepable = row->flags & LINUX_SLEEPS;
	place->type = type;
	return row->flags & LINUX_BTF ? linux_attach(abi, place, target, type)
				      : linux_ctx(abi, place->arena, type);
}
