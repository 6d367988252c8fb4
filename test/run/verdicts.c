/* SPDX-License-Identifier: MIT
 *
 * verdicts.c: verifies every program of every object of test/verdict, runs those that say
 * what they return, and compares with the expectation beside the source (verdict.h).
 */
#include "fixture/host.h"
#include "run/expect.h"
#include "run/run.h"
#include "test.h"

#include <dirent.h>
#include <stdarg.h>

struct counts {
	int programs, bad;
};

struct where {
	struct counts *counts;
	struct pintle_host *host;
	const char *object, *prog;
	struct expectation e;
};

static void complain(const struct where *w, const char *fmt, ...) FORMAT(2, 3);
static void complain(const struct where *w, const char *fmt, ...)
{
	va_list args;

	w->counts->bad++;
	printf("%s: %s %s: ", w->object, w->prog, w->e.book);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

/* ------------------------------------------------------------------ verdicts */

static void check_verdict(const struct where *w, const struct image *image,
			  const struct image_prog *prog)
{
	char words[600];

	if (!expect_verdict(&w->e, image, prog, words, sizeof(words)))
		complain(w, "%s", words);
}

/* ------------------------------------------------------------------ runs */

static char packet[64];

static int run_hook(struct pintle_prog *prog, bool sleepable, s64 *result)
{
	int err = pintle_prog_attach(prog);

	if (err)
		return err;
	*result = sleepable ? test_hook_q(hook_t, 1) : test_hook_p(hook_t, 1);
	pintle_prog_detach(prog);
	return 0;
}

static int run_ctx(struct pintle_prog *prog, s64 *result)
{
	struct test_xdp xdp = {packet, packet + sizeof(packet), packet, 0, 0};
	struct test_ctx_real real = {packet, packet + sizeof(packet), 1, 0, hook_t, NULL};
	bool is_xdp = !strcmp(pintle_prog_section(prog), "xdp");
	u64 value = 0;
	int err = pintle_prog_run(prog, is_xdp ? (void *)&xdp : &real, &value);

	*result = (s32)value;
	return err;
}

static void check_run(const struct where *w, struct pintle_object *obj)
{
	struct pintle_load_opts opts = {.size = sizeof(opts), .only = w->prog};
	struct pintle_prog *prog = pintle_prog_find(obj, w->prog);
	const char *section = prog ? pintle_prog_section(prog) : "";
	s64 result = 0;
	int err = pintle_load_with(obj, &opts);

	if (!err && !strncmp(section, "hook", 4))
		err = run_hook(prog, !strncmp(section, "hook.s", 6), &result);
	else if (!err)
		err = run_ctx(prog, &result);
	if (err)
		complain(w, "does not run: %s", pintle_host_error(w->host));
	else if (result != w->e.retval)
		complain(w, "returned %lld, want %lld", (long long)result,
			 (long long)w->e.retval);
}

/* Each run is of a fresh object: what one program leaves in a map is not another's. */
static void check_fresh_run(const struct where *w, const char *path)
{
	struct pintle_object *obj = pintle_open(w->host, path, NULL);

	memset(packet, 0, sizeof(packet));
	if (obj)
		check_run(w, obj);
	else
		complain(w, "does not open again: %s", pintle_host_error(w->host));
	pintle_close(obj);
}

/* ------------------------------------------------------------------ objects */

/* "expect:object:PHRASE" on the variable object_reject. */
static void object_phrase(const char *path, char *buf, size_t size)
{
	struct log log = {0};
	struct btf *btf = NULL;
	const char *text;
	u32 id, n;

	*buf = 0;
	if (!btf_open_file(&log, path, NULL, &btf)) {
		id = btf_find(btf, "object_reject", BTF_VAR);
		text = id ? btf_decl_tag(btf, id, -1, "expect:object:", &n) : NULL;
		snprintf(buf, size, "%s", text ? text : "");
	}
	btf_close(btf);
	log_free(&log);
}

static void check_refused_object(struct where *w, const char *path, const char *phrase)
{
	struct pintle_object *obj = pintle_open(w->host, path, NULL);

	w->counts->programs++;
	if (obj && !pintle_load(obj))
		complain(w, "LOADED, want \"%s\"", phrase);
	else if (!strstr(pintle_host_error(w->host), phrase))
		complain(w, "no \"%s\" in: %s", phrase, pintle_host_error(w->host));
	pintle_close(obj);
}

static void check_programs(struct where *w, const char *path)
{
	struct pintle_object *obj = pintle_open(w->host, path, NULL);

	if (!obj)
		complain(w, "does not open: %s", pintle_host_error(w->host));
	for (u32 i = 0; obj && i < obj->image->nprogs; i++) {
		const struct image_prog *prog = &obj->image->progs[i];

		w->prog = prog->name;
		w->e = expectation_of(obj->image->btf, prog->subprogs[0].func);
		w->counts->programs++;
		if (w->e.accept == w->e.reject)
			complain(w, "needs ACCEPT or REJECT");
		else
			check_verdict(w, obj->image, prog);
		if (w->e.run)
			check_fresh_run(w, path);
	}
	pintle_close(obj);
}

static void check_object(struct counts *c, struct pintle_host *host, const char *name)
{
	struct where w = {.counts = c, .host = host, .object = name, .prog = "object"};
	char path[600], phrase[256];

	snprintf(path, sizeof(path), "%s/%s", test_object("verdict"), name);
	object_phrase(path, phrase, sizeof(phrase));
	if (*phrase)
		check_refused_object(&w, path, phrase);
	else
		check_programs(&w, path);
}

static int is_object(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 6 && !strcmp(d->d_name + len - 6, ".bpf.o");
}

/* What registration would refuse, for rules that only this can break. */
static void add_flag(struct pintle_host *host, const char *name, u32 flag)
{
	const struct abi_kfunc *kfunc = abi_find_kfunc(&host->abi, name);

	CHECK(kfunc != NULL);
	host->abi.kfuncs.v[kfunc - host->abi.kfuncs.v].flags |= flag;
}

/* Variables, which hosts cannot register yet; nothing here is run. */
static void add_var(struct pintle_host *host, const char *name, u32 type)
{
	struct abi_var var = {.name = name, .btf = host->abi.btfs.v[0], .type = type};

	CHECK(strmap_set(&host->abi.var_names, name, host->abi.vars.n));
	CHECK(vec_push(&host->abi.vars, var));
}

static void break_contract(struct pintle_host *host)
{
	const struct btf *btf = host->abi.btfs.v[0];

	add_flag(host, "t_merge", KF_RELEASE);
	add_flag(host, "t_seen", KF_RCU_PROTECTED);
	add_flag(host, "t_kget_one", KF_KPTR_GET);
	host->abi.policy.need_gpl = true;
	add_var(host, "host_number", btf_find(btf, "int", BTF_INT));
	add_var(host, "host_thing", btf_find(btf, "T", BTF_STRUCT));
	add_var(host, "host_void", 0);
}

TEST(verdicts_of_annotated_programs)
{
	struct pintle_host *host = test_host_new();
	struct counts c = {0};
	struct dirent **list;
	int n = scandir(test_object("verdict"), &list, is_object, alphasort);

	CHECK(n > 0);
	break_contract(host);
	for (int i = 0; i < n; i++) {
		check_object(&c, host, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	test_host_free(host);
	if (c.bad)
		test_fail(__FILE__, __LINE__, "%d of %d programs", c.bad, c.programs);
}
