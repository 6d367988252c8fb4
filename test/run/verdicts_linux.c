/* SPDX-License-Identifier: MIT
 *
 * verdicts_linux.c: verifies every program of test/verdict/linux as the kernel does, and
 * compares with the expectation beside the source. Needs the BTF of a kernel.
 */
#include "abi/linux/linux.h"
#include "run/expect.h"
#include "test.h"

#include <dirent.h>
#include <unistd.h>

#define VMLINUX "/sys/kernel/btf/vmlinux"

struct kernel {
	struct abi abi;
	struct log log;
	int programs, bad;
};

static void check_program(struct kernel *k, const struct image *image,
			  const struct image_prog *prog, const char *object)
{
	struct expectation e = expectation_of(image->btf, prog->subprogs[0].func);
	char words[600] = "";
	bool ok;

	k->programs++;
	if (e.accept == e.reject)
		ok = !snprintf(words, sizeof(words), "needs ACCEPT or REJECT");
	else if (prog->wrong || !prog->type)
		ok = !snprintf(words, sizeof(words), "%s",
			       prog->wrong ? prog->wrong : "has no type");
	else
		ok = expect_verdict(&e, image, prog, words, sizeof(words));
	if (ok)
		return;
	k->bad++;
	printf("%s: %s: %s\n", object, prog->name, words);
}

static void *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	void *data = malloc(1 << 20);

	CHECK(f && data);
	*size = fread(data, 1, 1 << 20, f);
	CHECK(feof(f));
	fclose(f);
	return data;
}

static void check_object(struct kernel *k, const char *name)
{
	struct image_opts opts = {.name = name};
	struct image *image = NULL;
	char path[600];
	size_t size;
	void *data;

	snprintf(path, sizeof(path), "%s/%s", test_object("verdict/linux"), name);
	data = read_file(path, &size);
	if (image_open(&k->log, &k->abi, data, size, &opts, &image)) {
		k->bad++;
		printf("%s: does not open: %s\n", name, k->log.error);
	}
	for (u32 i = 0; image && i < image->nprogs; i++)
		check_program(k, image, &image->progs[i], name);
	image_free(image);
	free(data);
}

static int is_object(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 6 && !strcmp(d->d_name + len - 6, ".bpf.o");
}

TEST(verdicts_as_the_kernel_gives_them)
{
	struct linux_opts opts = {0};
	struct kernel k = {0};
	struct dirent **list;
	int n, bad, programs;

	if (access(VMLINUX, R_OK))
		test_skip("no " VMLINUX);
	n = scandir(test_object("verdict/linux"), &list, is_object, alphasort);
	CHECK(n > 0);
	CHECK_EQ(linux_abi(&k.log, &opts, &k.abi), 0);
	for (int i = 0; i < n; i++) {
		check_object(&k, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	linux_abi_free(&k.abi);
	log_free(&k.log);
	bad = k.bad;
	programs = k.programs;
	if (bad)
		test_fail(__FILE__, __LINE__, "%d of %d programs", bad, programs);
}
