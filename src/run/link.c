/* SPDX-License-Identifier: MIT
 *
 * link.c: attachments: which program is on which hook, in which order, with which cookie.
 *
 * One thread configures a host, so nothing here is locked: what runs see are lists
 * (hook.c), made anew from the links with each change and published by one store. Detaching
 * and closing need memory for that, and cannot fail: without it the place is emptied.
 */
#include "run/hook.h"

/* ------------------------------------------------------------------ what fits */

struct hook *hook_of(const struct pintle_prog *prog)
{
	const struct pintle_host *host = prog->object->host;
	const struct abi_prog_type *type = prog->image->type;

	for (u32 i = 0; type && i < host->hooks.n; i++)
		if (!strncmp(type->name, "hook/", 5) &&
		    !strcmp(type->name + 5, host->hooks.v[i]->at->name))
			return host->hooks.v[i];
	return NULL;
}

static const struct abi_prog_type *type_of(const struct hook *hook)
{
	const struct pintle_host *host = hook->host;

	for (u32 i = 0; i < host->abi.prog_types.n; i++) {
		const struct abi_prog_type *type = &host->abi.prog_types.v[i];

		if (!strncmp(type->name, "hook/", 5) &&
		    !strcmp(type->name + 5, hook->at->name))
			return type;
	}
	return NULL;
}

/* Argument by argument: what was proved of the one is true of the other. */
static bool same_args(const struct abi_prog_type *a, const struct abi_prog_type *b)
{
	const struct btf_type *x = btf_type(a->btf, a->proto), *y = btf_type(b->btf, b->proto);
	const struct btf_param *p = btf_params(x), *q = btf_params(y);

	if (a->btf != b->btf || btf_vlen(x) != btf_vlen(y) || x->type != y->type)
		return false;
	for (u32 i = 0; i < btf_vlen(x); i++) {
		const char *m = strstr(btf_str(a->btf, p[i].name_off), "__");
		const char *n = strstr(btf_str(b->btf, q[i].name_off), "__");

		/* what is behind "__" may mean something (arg__nullable) */
		if (p[i].type != q[i].type || !m != !n || (m && strcmp(m, n)))
			return false;
	}
	return true;
}

static bool same_results(const struct abi_prog_type *a, const struct abi_prog_type *b)
{
	if (!b->has_ret_range)
		return true;
	return a->has_ret_range && a->ret_min >= b->ret_min && a->ret_max <= b->ret_max &&
	       a->ret_32bit == b->ret_32bit;
}

/* Functions and helpers that only programs of one of the two types have. */
static bool same_functions(const struct pintle_host *host, const struct abi_prog_type *a,
			   const struct abi_prog_type *b)
{
	u64 bit_a = BIT64(a->bit), bit_b = BIT64(b->bit);

	for (u32 i = 0; i < host->abi.kfuncs.n; i++) {
		u64 types = host->abi.kfuncs.v[i].prog_types;

		if (!(types & bit_a) != !(types & bit_b))
			return false;
	}
	for (u32 i = 0; i < host->helpers.n; i++)
		if (!strcmp(host->helpers.v[i].prog_type, a->name) ||
		    !strcmp(host->helpers.v[i].prog_type, b->name))
			return false;
	return true;
}

int link_fits(const struct pintle_prog *prog, const struct hook *hook)
{
	struct pintle_host *host = prog->object->host;
	const struct abi_prog_type *a = prog->image->type, *b = type_of(hook);
	const char *why = NULL;

	if (hook->host != host)
		return host_fail(host, -EINVAL, "hook %s is another host's", hook->at->name);
	if (hook == hook_of(prog))
		return 0;
	if (!a || strncmp(a->name, "hook/", 5) || !b)
		why = "it is no program for hooks";
	else if (!same_args(a, b))
		why = "the prototypes differ";
	else if (!same_results(a, b))
		why = "it may give results that the hook does not take";
	else if (prog->image->sleepable && !hook->sleepable)
		why = "it may sleep";
	else if (b->in_signals && !a->in_signals)
		why = "it was not proved fit for signal handlers";
	else if (!same_functions(host, a, b))
		why = "programs of the two hooks may not call the same functions";
	return why ? host_fail(host, -EINVAL, "program '%s' does not fit hook %s: %s",
			       prog->image->name, hook->at->name, why)
		   : 0;
}

/* ------------------------------------------------------------------ lists of links */

void link_insert(struct pintle_link *link)
{
	struct pintle_link **at = &link->hook->links;

	while (*at && (*at)->priority <= link->priority)
		at = &(*at)->next;
	link->next = *at;
	*at = link;
	link->prog->nlinks++;
}

void link_remove(struct pintle_link *link)
{
	struct pintle_link **at = &link->hook->links;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	link->next = NULL;
	link->prog->nlinks--;
}

/* The place of @link in its hook's list; it was put there. */
static struct hook_entry *entry_of(const struct pintle_link *link)
{
	struct hook_entry *entry = link->hook->list->at;

	while (entry->link != link)
		entry++;
	return entry;
}

static void retire(struct hook *hook, struct hook_list *old)
{
	if (old)
		defer_call(hook->host, free, old);
}

static void take_off(struct pintle_link *link)
{
	struct hook *hook = link->hook;
	struct hook_entry *entry = entry_of(link);
	struct hook_list *list;

	link_remove(link);
	if (!hook_list_make(hook, false, &list))
		retire(hook, hook_publish(hook, list));
	else
		atomic_store_explicit(&entry->prog, NULL, memory_order_relaxed);
}

/* ------------------------------------------------------------------ attach, detach */

static int check(const struct pintle_prog *prog, const struct hook *hook)
{
	struct pintle_host *host = prog->object->host;

	if (!prog->code)
		return host_fail(host, -EINVAL, "program '%s' is not loaded",
				 prog->image->name);
	if (!hook)
		return host_fail(host, -ENOENT,
				 "program '%s': its section '%s' names no hook of this host",
				 prog->image->name, prog->image->section);
	return link_fits(prog, hook);
}

static int put_on(struct pintle_link *link)
{
	struct hook *hook = link->hook;
	struct hook_list *list;

	link_insert(link);
	if (hook_list_make(hook, false, &list)) {
		link_remove(link);
		return host_oom(hook->host);
	}
	retire(hook, hook_publish(hook, list));
	return 0;
}

static int attach(struct pintle_prog *prog, const struct pintle_link_opts *o, bool owned,
		  struct pintle_link **out)
{
	struct pintle_host *host = prog->object->host;
	struct hook *hook = o->hook ? o->hook->state : hook_of(prog);
	struct pintle_link *link;
	int err;

	*out = NULL;
	if (o->hook && !hook)
		return host_fail(host, -EINVAL, "the hook is not registered");
	TRY(check(prog, hook));
	link = calloc(1, sizeof(*link));
	if (!link)
		return host_oom(host);
	link->hook = hook;
	link->prog = prog;
	link->priority = o->priority;
	link->cookie = o->cookie;
	link->owned = owned;
	err = put_on(link);
	if (err)
		free(link);
	else
		*out = link;
	return err;
}

static struct pintle_link *owned_link(const struct pintle_prog *prog)
{
	const struct hook *hook = hook_of(prog);
	struct pintle_link *link = hook ? hook->links : NULL;

	while (link && !(link->owned && link->prog == prog))
		link = link->next;
	return link;
}

int prog_link(struct pintle_prog *prog)
{
	static const struct pintle_link_opts plain = {.size = sizeof(plain)};
	struct pintle_link *link;

	if (owned_link(prog))
		return host_fail(prog->object->host, -EEXIST,
				 "program '%s' is attached already", prog->image->name);
	return attach(prog, &plain, true, &link);
}

static struct pintle_link *any_link(const struct pintle_prog *prog)
{
	const struct pintle_host *host = prog->object->host;

	for (u32 i = 0; prog->nlinks && i < host->hooks.n; i++)
		for (struct pintle_link *l = host->hooks.v[i]->links; l; l = l->next)
			if (l->prog == prog)
				return l;
	return NULL;
}

void link_bury(struct pintle_link *link)
{
	struct pintle_host *host = link->hook->host;

	link->prog = NULL;
	if (link->owned) {
		free(link);
		return;
	}
	link->next = host->dead_links;
	host->dead_links = link;
}

void prog_unlink(struct pintle_prog *prog)
{
	struct pintle_link *link;

	while ((link = any_link(prog))) {
		take_off(link);
		link_bury(link);
	}
}

/* ------------------------------------------------------------------ for hosts */

struct pintle_link *pintle_link_attach(struct pintle_prog *prog,
				       const struct pintle_link_opts *opts)
{
	struct pintle_host *host = prog->object->host;
	struct pintle_link_opts o;
	struct pintle_link *link;
	int state;

	if (host_check(host))
		return NULL;
	opts_copy(&o, sizeof(o), opts, opts ? opts->size : 0);
	config_begin(host, &state);
	attach(prog, &o, false, &link);
	config_end(host, state);
	defer_safe_point(host);
	return link;
}

static void forget_dead(struct pintle_link *link)
{
	struct pintle_link **at = &link->hook->host->dead_links;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
}

void pintle_link_detach(struct pintle_link *link)
{
	struct pintle_host *host = link ? link->hook->host : NULL;
	int state;

	if (!link || host->torn)
		return;
	config_begin(host, &state);
	if (link->prog)
		take_off(link);
	else
		forget_dead(link);
	free(link);
	config_end(host, state);
	defer_safe_point(host);
}

static int update(struct pintle_link *link, struct pintle_prog *prog,
		  const struct pintle_prog *expected)
{
	struct hook *hook = link->hook;
	struct pintle_host *host = hook->host;
	struct hook_entry *entry;

	if (!link->prog)
		return host_fail(host, -ENOLINK, "hook %s: the link is dead: its program's "
				 "object was closed", hook->at->name);
	if (expected && expected != link->prog)
		return host_fail(host, -EPERM, "hook %s: the link is of program '%s', not of "
				 "the one expected", hook->at->name, link->prog->image->name);
	TRY(check(prog, hook));
	entry = entry_of(link);
	/* release: its code and data are there for who runs it */
	atomic_store_explicit(&entry->prog, prog, memory_order_release);
	link->prog->nlinks--;
	link->prog = prog;
	prog->nlinks++;
	link->owned = link->owned && hook_of(prog) == hook;
	return 0;
}

int pintle_link_update(struct pintle_link *link, struct pintle_prog *prog,
		       const struct pintle_prog *expected)
{
	struct pintle_host *host = link->hook->host;
	int err, state;

	TRY(host_check(host));
	config_begin(host, &state);
	err = update(link, prog, expected);
	config_end(host, state);
	return err;
}

struct pintle_prog *pintle_link_prog(const struct pintle_link *link)
{
	return link->prog;
}

struct pintle_link *pintle_link_next(const struct pintle_hook *hook,
				     const struct pintle_link *after)
{
	const struct hook *state = hook->state;

	return after ? after->next : state ? state->links : NULL;
}

int pintle_link_info(const struct pintle_link *link, struct pintle_link_info *info)
{
	struct pintle_link_info full = {.size = info->size, .hook = link->hook->at->name,
					.prog = link->prog, .priority = link->priority,
					.cookie = link->cookie};

	memcpy(info, &full, info->size < sizeof(full) ? info->size : sizeof(full));
	return 0;
}
