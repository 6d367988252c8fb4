/* SPDX-License-Identifier: MIT
 *
 * kernel.c: `pintle verify --kernel`: what a Linux kernel would say of an object. Needs
 * that kernel's BTF and nothing else of it: no privilege, no bpf(2).
 */
#include "cli/cli.h"

#include "abi/linux/linux.h"

static const char *const versions[] = {"linux-6.12"};

static int check_version(const char *version)
{
	for (u32 i = 0; i < ARRAY_SIZE(versions); i++)
		if (!strcmp(versions[i], version))
			return 0;
	return usage_error("verify: --kernel %s: known is %s", version, versions[0]);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int verify_path(const struct verify_options *o, const struct abi *abi,
		       const char *path)
{
	struct image_opts opts = {.name = base_name(path)};
	struct image *image = NULL;
	struct log log = {.level = LOG_NOTE};
	size_t len = 0;
	char *data = read_all(path, &len);
	int exit_code = EXIT_USAGE;

	if (!data)
		usage_error("%s: %s", path, strerror(errno));
	else if (image_open(&log, abi, data, len, &opts, &image))
		usage_error("%s", log.error);
	else
		exit_code = verify_image(o, path, image);
	if (image)
		fputs(log_text(&log), stderr); /* notes */
	image_free(image);
	log_free(&log);
	free(data);
	return exit_code;
}

/* As the kernel's own tests are annotated: a declaration tag for each flag of bpf(2). */
void kernel_flags(const struct image *image, const struct image_prog *prog,
		  struct verify_opts *opts)
{
	static const char tag[] = "comment:test_prog_flags=";
	u32 func = prog->subprogs[0].func, count;
	struct {
		const char *name;
		bool *set;
	} flags[] = {
		{"BPF_F_STRICT_ALIGNMENT", &opts->strict_alignment},
		{"BPF_F_TEST_STATE_FREQ", &opts->test_state_freq},
	};
	const char *flag = image->btf && func
				   ? btf_decl_tag(image->btf, func, -1, tag, &count) : NULL;

	for (u32 i = 0; flag && i < ARRAY_SIZE(flags); i++)
		if (!strcmp(flags[i].name, flag))
			*flags[i].set = true;
}

int kernel_verify(const struct kernel_options *k, const struct verify_options *o,
		  char *const *paths, int n)
{
	struct linux_opts opts = {.btf = k->btf, .module_btfs = k->module_btfs,
				  .nmodule_btfs = k->nmodule_btfs, .kfuncs = k->kfuncs,
				  .nkfuncs = k->nkfuncs};
	struct log log = {0};
	struct abi abi;
	int worst = 0, err;

	TRY(check_version(k->version));
	err = linux_abi(&log, &opts, &abi);
	if (err)
		worst = usage_error("%s", log.error);
	for (int i = 0; i < n && !err; i++) {
		int exit_code = verify_path(o, &abi, paths[i]);

		worst = exit_code > worst ? exit_code : worst;
	}
	linux_abi_free(&abi);
	log_free(&log);
	return worst;
}
