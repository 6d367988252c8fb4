/* SPDX-License-Identifier: MIT
 *
 * kfunc.c: the kernel's functions that programs may call: kfuncs.def, and tables in text
 * (--kfuncs) for modules. Prototypes come from BTF; what BTF lacks is not there.
 *
 * A table has a header line and columns separated by tabs, found by name:
 *
 *	name				the function
 *	KF_flags			KF_ACQUIRE | KF_RET_NULL; - for none; (dtor only)
 *	registered_for_prog_types	SCHED_CLS,TRACING; UNSPEC: all; (fmod_ret targets)
 *	note				"dtor of struct NAME"; may be missing
 *
 * A flag or type that is not known is an error: a function half understood would be called
 * with unchecked arguments.
 */
#include "abi/linux/linux.h"

struct row {
	const char *name;
	u32 flags;
	u64 types;  /* bits of enum linux_prog; BIT64(0): all */
	u8 attach;  /* only programs of this attach type; 0: all */
};

/* ------------------------------------------------------------------ one function */

/* A registration for tracing programs is one for all that share their hook. */
static u64 widen(u64 types)
{
	static const u64 tracing = BIT64(LINUX_TRACING) | BIT64(LINUX_TRACEPOINT) |
				   BIT64(LINUX_PERF_EVENT) | BIT64(LINUX_LSM);
	static const u64 cgroup = BIT64(LINUX_CGROUP_SKB) | BIT64(LINUX_CGROUP_SOCK) |
				  BIT64(LINUX_CGROUP_DEVICE) |
				  BIT64(LINUX_CGROUP_SOCK_ADDR) |
				  BIT64(LINUX_CGROUP_SOCKOPT) | BIT64(LINUX_CGROUP_SYSCTL);
	static const u64 lwt = BIT64(LINUX_LWT_IN) | BIT64(LINUX_LWT_OUT) |
			       BIT64(LINUX_LWT_XMIT) | BIT64(LINUX_LWT_SEG6LOCAL);

	if (types & BIT64(LINUX_UNSPEC))
		return ~0ull;
	types |= types & BIT64(LINUX_TRACING) ? tracing : 0;
	types |= types & cgroup ? cgroup : 0;
	types |= types & lwt ? lwt : 0;
	return types;
}

static u32 find_func(const struct abi *abi, const char *name, const struct btf **btf)
{
	for (u32 i = 0; i < abi->btfs.n; i++) {
		u32 id = btf_find(abi->btfs.v[i], name, BTF_FUNC);

		if (id) {
			*btf = abi->btfs.v[i];
			return id;
		}
	}
	return 0;
}

/* Registered twice: for more program types, or (the same function in several sets) again. */
static void merge(struct abi_kfunc *old, const struct abi_kfunc *more)
{
	old->prog_types |= more->prog_types;
	old->flags |= more->flags;
}

static int add(struct abi *abi, const struct row *row)
{
	struct abi_kfunc kfunc = {.name = row->name, .flags = row->flags,
				  .prog_types = widen(row->types), .attach = row->attach,
				  .special = abi_special_by_name(row->name)};
	u32 i;

	kfunc.func = find_func(abi, row->name, &kfunc.btf);
	if (!kfunc.func)
		return 0;
	kfunc.proto = btf_type(kfunc.btf, kfunc.func)->type;
	if (strmap_get(&abi->kfunc_names, row->name, &i)) {
		merge(&abi->kfuncs.v[i], &kfunc);
		return 0;
	}
	if (!strmap_set(&abi->kfunc_names, row->name, abi->kfuncs.n) ||
	    !vec_push(&abi->kfuncs, kfunc))
		return -ENOMEM;
	return 0;
}

/* Types whose objects live until the end of any read section that saw them (B5). */
static const char *const rcu_types[] = {"task_struct", "cgroup", "bpf_cpumask",
					"bpf_crypto_ctx", "prog_test_ref_kfunc"};

static int add_dtor(struct abi *abi, const char *name)
{
	struct abi_storable row = {.dtor = true, .rcu = RCU_NONE};

	if (!abi_find_struct(abi, name, &row.btf, &row.type))
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(rcu_types); i++)
		if (!strcmp(rcu_types[i], name))
			row.rcu = RCU_NATIVE;
	return vec_push(&abi->storables, row) ? 0 : -ENOMEM;
}

static int add_fmod_ret(struct abi *abi, const char *name, u32 flags)
{
	return strmap_set(&linux_data(abi)->fmod_ret, name, flags) ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------ the kernel's own */

enum {
#define GROUP(name, ...) GROUP_##name,
#include "abi/linux/kfuncs.def"
};

static const struct {
	u8 attach;
	u64 types;
} groups[] = {
#define B(type) BIT64(LINUX_##type)
#define GROUP(name, attach_, types_) {LINUX_AT_##attach_, types_},
#include "abi/linux/kfuncs.def"
#undef B
};

/* Flags by their short names, in the only place where these are seen. */
enum {
	ACQUIRE = KF_ACQUIRE, RELEASE = KF_RELEASE, RET_NULL = KF_RET_NULL,
	TRUSTED_ARGS = KF_TRUSTED_ARGS, RCU = KF_RCU, SLEEPABLE = KF_SLEEPABLE,
	DESTRUCTIVE = KF_DESTRUCTIVE, ITER_NEW = KF_ITER_NEW, ITER_NEXT = KF_ITER_NEXT,
	ITER_DESTROY = KF_ITER_DESTROY, RCU_PROTECTED = KF_RCU_PROTECTED,
};

static const struct {
	const char *name;
	u8 group;
	u32 flags;
} builtin[] = {
#define KFUNC(group_, name_, flags_) {#name_, GROUP_##group_, flags_},
#include "abi/linux/kfuncs.def"
};

static const char *const dtors[] = {
#define DTOR(fn, name) #name,
#include "abi/linux/kfuncs.def"
};

static const struct {
	const char *name;
	u32 flags;
} fmod_rets[] = {
#define FMOD_RET(name_, flags_) {#name_, flags_},
#include "abi/linux/kfuncs.def"
};

int linux_kfuncs(struct log *log, struct abi *abi)
{
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(builtin) && !err; i++)
		err = add(abi, &(struct row){builtin[i].name, builtin[i].flags,
					     groups[builtin[i].group].types,
					     groups[builtin[i].group].attach});
	for (u32 i = 0; i < ARRAY_SIZE(dtors) && !err; i++)
		err = add_dtor(abi, dtors[i]);
	for (u32 i = 0; i < ARRAY_SIZE(fmod_rets) && !err; i++)
		err = add_fmod_ret(abi, fmod_rets[i].name, fmod_rets[i].flags);
	return err ? log_fail(log, err, "out of memory") : 0;
}

/* ------------------------------------------------------------------ tables in text */

enum column { COL_NAME, COL_FLAGS, COL_TYPES, COL_NOTE, NR_COLUMNS };

struct table {
	struct log *log;
	struct abi *abi;
	const char *from;
	u32 line;
	int at[NR_COLUMNS]; /* position of each column; -1 */
	const char *cell[NR_COLUMNS];
};

static const char *const column_names[] = {"name", "KF_flags", "registered_for_prog_types",
					   "note"};

static const struct {
	const char *name;
	u32 flag;
} flag_names[] = {
	{"KF_ACQUIRE", KF_ACQUIRE}, {"KF_RELEASE", KF_RELEASE}, {"KF_RET_NULL", KF_RET_NULL},
	{"KF_TRUSTED_ARGS", KF_TRUSTED_ARGS}, {"KF_RCU", KF_RCU},
	{"KF_SLEEPABLE", KF_SLEEPABLE}, {"KF_DESTRUCTIVE", KF_DESTRUCTIVE},
	{"KF_ITER_NEW", KF_ITER_NEW}, {"KF_ITER_NEXT", KF_ITER_NEXT},
	{"KF_ITER_DESTROY", KF_ITER_DESTROY}, {"KF_RCU_PROTECTED", KF_RCU_PROTECTED},
};

static int bad(const struct table *t, const char *what, const char *word, size_t len)
{
	return log_fail(t->log, -EINVAL, "%s:%u: %s '%.*s'", t->from, t->line, what, (int)len,
			word);
}

/* The next word of @text between separators; its length, 0 at the end. */
static size_t next_word(const char **text, const char *separators)
{
	*text += strspn(*text, separators);
	return strcspn(*text, separators);
}

static int read_flags(const struct table *t, u32 *flags)
{
	const char *word = t->cell[COL_FLAGS];
	size_t len;
	u32 i;

	for (*flags = 0; (len = next_word(&word, " |")); word += len) {
		if (len == 1 && *word == '-')
			continue;
		for (i = 0; i < ARRAY_SIZE(flag_names); i++)
			if (strlen(flag_names[i].name) == len &&
			    !memcmp(flag_names[i].name, word, len))
				break;
		if (i == ARRAY_SIZE(flag_names))
			return bad(t, "unknown flag", word, len);
		*flags |= flag_names[i].flag;
	}
	return 0;
}

static int read_types(const struct table *t, u64 *types)
{
	const char *word = t->cell[COL_TYPES];
	size_t len;

	for (*types = 0; (len = next_word(&word, " ,")); word += len) {
		int type = linux_prog_by_name(word, len);

		if (type < 0 && (len != 6 || memcmp(word, "UNSPEC", 6)))
			return bad(t, "unknown program type", word, len);
		*types |= BIT64(type < 0 ? 0 : type);
	}
	return *types ? 0 : bad(t, "no program type for", t->cell[COL_NAME],
				strlen(t->cell[COL_NAME]));
}

static int read_row(struct table *t)
{
	static const char dtor[] = "dtor of struct ";
	struct row row = {.name = t->cell[COL_NAME]};
	const char *note = t->cell[COL_NOTE];

	if (!strncmp(note, dtor, strlen(dtor)) && add_dtor(t->abi, note + strlen(dtor)))
		return log_fail(t->log, -ENOMEM, "out of memory");
	if (!strcmp(t->cell[COL_FLAGS], "(dtor only)") ||
	    !strcmp(t->cell[COL_FLAGS], "(struct_ops)"))
		return 0;
	TRY(read_flags(t, &row.flags));
	if (!strcmp(t->cell[COL_TYPES], "(fmod_ret targets)"))
		return add_fmod_ret(t->abi, row.name, row.flags);
	TRY(read_types(t, &row.types));
	return add(t->abi, &row) ? log_fail(t->log, -ENOMEM, "out of memory") : 0;
}

static int split_header(struct table *t, char *line)
{
	int n = 0;

	for (u32 c = 0; c < NR_COLUMNS; c++)
		t->at[c] = -1;
	for (char *cell; (cell = strsep(&line, "\t")); n++)
		for (u32 c = 0; c < NR_COLUMNS; c++)
			if (!strcmp(cell, column_names[c]))
				t->at[c] = n;
	for (u32 c = 0; c < COL_NOTE; c++)
		if (t->at[c] < 0)
			return bad(t, "the header has no column", column_names[c],
				   strlen(column_names[c]));
	return 0;
}

static int split_row(struct table *t, char *line)
{
	int n = 0;

	for (u32 c = 0; c < NR_COLUMNS; c++)
		t->cell[c] = "";
	for (char *cell; (cell = strsep(&line, "\t")); n++)
		for (u32 c = 0; c < NR_COLUMNS; c++)
			if (t->at[c] == n)
				t->cell[c] = cell;
	for (u32 c = 0; c < COL_NOTE; c++)
		if (!*t->cell[c])
			return bad(t, "no value in column", column_names[c],
				   strlen(column_names[c]));
	return 0;
}

int linux_kfuncs_tsv(struct log *log, struct abi *abi, const char *name, char *text)
{
	struct table t = {.log = log, .abi = abi, .from = name};

	for (char *line; (line = strsep(&text, "\n"));) {
		t.line++;
		line[strcspn(line, "\r")] = 0;
		if (t.line == 1) {
			TRY(split_header(&t, line));
			continue;
		}
		if (!*line || *line == '#')
			continue;
		TRY(split_row(&t, line));
		TRY(read_row(&t));
	}
	return 0;
}
