/* SPDX-License-Identifier: MIT
 *
 * linux.c: puts the parts of the kernel's contract together.
 */
#include "abi/linux/linux.h"

#define DEFAULT_BTF "/sys/kernel/btf/vmlinux"

/* The kernel's answers where the rule book has a stricter default (its section I). */
const struct abi_policy linux_policy = {
	.lenient_decl = true,
	.max_fields = 11,
	.no_xchg_insn = true,
	.no_kptr_get = true,
	.unlock_612 = true,
	.legacy_walk = true,
	.iter_results_stay = true,
	.preempt_no_globals = true,
	.slice_stack_buffer = true,
	.kf_untrusted_default = true,
	.ptr_leaks = true,
	.no_xchg_lock = true,
	.name_capture = true,
	.maps_612 = true,
	.need_gpl = true,
	.throw_leaks = true,
	.lookups_may_fail = true,
	.no_div = true,
	.open_keys = true,
	.packet_mem_listed = true,
	.formats = true,
	.kernel_names = true,
	.local_unref_612 = true,
	.local_mem_612 = true,
	.percpu_612 = true,
	.percpu_nonnull = true,
	.casts = true,
	.jset_612 = true,
	.strict_tags = true,
	.kinds_off = BIT(FIELD_USER) | BIT(FIELD_UPTR) | BIT(FIELD_SEQ),
};

static const struct abi_setting settings[] = {
	{"LINUX_KERNEL_VERSION", 6 << 16 | 12 << 8},
	{"LINUX_HAS_SYSCALL_WRAPPER", 1},
	{"LINUX_HAS_BPF_COOKIE", 1},
	{"CONFIG_BPF_SYSCALL", .yes = true},
};

/* Settings that show in the kernel's types. */
static const struct {
	const char *name, *type;
} shown[] = {
	{"CONFIG_CGROUP_PIDS", "pids_cgroup"}, {"CONFIG_MEMCG", "mem_cgroup_per_node"},
};

/* A mask of CPUs has a bit for each there could be. */
static u32 count_cpus(const struct abi *abi)
{
	const struct btf *btf;
	u32 type, size = 0;

	if (abi_find_struct(abi, "cpumask", &btf, &type))
		btf_size(btf, type, &size);
	return size <= 1024 ? size * 8 : 0;
}

static int add_settings(struct abi *abi)
{
	u32 n = ARRAY_SIZE(settings);
	struct abi_setting *list = arena_array(linux_data(abi)->arena, n + ARRAY_SIZE(shown),
					       sizeof(*list));
	const struct btf *btf;
	u32 type;

	if (!list)
		return -ENOMEM;
	memcpy(list, settings, sizeof(settings));
	for (u32 i = 0; i < ARRAY_SIZE(shown); i++)
		list[n++] = (struct abi_setting){
			.name = shown[i].name,
			.yes = abi_find_struct(abi, shown[i].type, &btf, &type)};
	abi->settings = list;
	abi->nsettings = n;
	return 0;
}

static int add_btf(struct log *log, struct abi *abi, const char *path, const struct btf *base)
{
	struct btf *btf;

	if (!vec_reserve(&abi->btfs, 1) || !vec_reserve(&linux_data(abi)->btfs, 1))
		return log_fail(log, -ENOMEM, "%s: out of memory", path);
	TRY(btf_open_file(log, path, base, &btf));
	(void)vec_push(&linux_data(abi)->btfs, btf);
	(void)vec_push(&abi->btfs, btf);
	return 0;
}

static int add_btfs(struct log *log, const struct linux_opts *opts, struct abi *abi)
{
	TRY(add_btf(log, abi, opts->btf ? opts->btf : DEFAULT_BTF, NULL));
	for (u32 i = 0; i < opts->nmodule_btfs; i++)
		TRY(add_btf(log, abi, opts->module_btfs[i], abi->btfs.v[0]));
	return 0;
}

/* The variables of one section; those of ".data..percpu" are one for each CPU. */
static int add_section(struct abi *abi, const struct btf *btf, u32 datasec)
{
	const struct btf_type *t = btf_type(btf, datasec);
	bool percpu = !strcmp(btf_type_name(btf, datasec), ".data..percpu");

	for (u32 i = 0; i < btf_vlen(t); i++) {
		u32 var = btf_secinfos(t)[i].type;
		struct abi_var row = {.name = btf_type_name(btf, var), .btf = btf,
				      .type = btf_type(btf, var)->type, .percpu = percpu};

		if (!strmap_set(&abi->var_names, row.name, abi->vars.n) ||
		    !vec_push(&abi->vars, row))
			return -ENOMEM;
	}
	return 0;
}

static int add_vars(struct abi *abi)
{
	for (u32 b = 0; b < abi->btfs.n; b++) {
		const struct btf *btf = abi->btfs.v[b];

		for (u32 id = btf_start(btf); id < btf_end(btf); id++)
			if (btf_kind(btf_type(btf, id)) == BTF_DATASEC)
				TRY(add_section(abi, btf, id));
	}
	return 0;
}

/* A whole text file and a NUL, kept until the end; NULL after words. */
static char *read_text(struct log *log, struct abi *abi, const char *path)
{
	enum { MOST = 1 << 24 };
	FILE *f = fopen(path, "rbe");
	char *text = NULL;
	long size = -1;

	if (f && !fseek(f, 0, SEEK_END) && (size = ftell(f)) >= 0 && size < MOST &&
	    !fseek(f, 0, SEEK_SET))
		text = arena_alloc(linux_data(abi)->arena, (size_t)size + 1);
	if (text && fread(text, 1, (size_t)size, f) != (size_t)size)
		text = NULL;
	if (f)
		fclose(f);
	if (!text)
		log_fail(log, -EINVAL, "%s: cannot be read", path);
	return text;
}

int linux_abi(struct log *log, const struct linux_opts *opts, struct abi *abi)
{
	struct linux_data *data = calloc(1, sizeof(*data));

	*abi = (struct abi){.policy = linux_policy, .prog_type = linux_place,
			    .each_program = true, .untyped_vars = true,
			    .data = data};
	if (!data || !(data->arena = arena_new()))
		return log_fail(log, -ENOMEM, "out of memory");
	TRY(add_btfs(log, opts, abi));
	TRY(linux_kfuncs(log, abi));
	linux_maps(abi);
	for (u32 i = 0; i < opts->nkfuncs; i++) {
		char *text = read_text(log, abi, opts->kfuncs[i]);

		if (!text)
			return -EINVAL;
		TRY(linux_kfuncs_tsv(log, abi, opts->kfuncs[i], text));
	}
	abi->max_cpus = count_cpus(abi);
	if (linux_members(abi) || add_vars(abi) || add_settings(abi))
		return log_fail(log, -ENOMEM, "out of memory");
	return 0;
}

void linux_abi_free(struct abi *abi)
{
	struct linux_data *data = linux_data(abi);

	for (u32 i = data ? data->btfs.n : 0; i-- > 0;)
		btf_close(data->btfs.v[i]);
	if (data) {
		vec_free(&data->btfs);
		strmap_free(&data->fmod_ret);
		arena_free(data->arena);
		free(data);
	}
	abi_free(abi);
}
