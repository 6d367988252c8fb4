/* SPDX-License-Identifier: MIT
 *
 * expect.c: the expectations of annotated programs.
 */
#include "run/expect.h"
#include "base/log.h"
#include "verify/verify.h"

/* "RULE:phrase" */
static void read_reject(struct expectation *e, const char *text)
{
	const char *colon = strchr(text, ':');

	if (!colon)
		return;
	e->reject = true;
	snprintf(e->rule, sizeof(e->rule), "%.*s", (int)(colon - text), text);
	snprintf(e->phrase, sizeof(e->phrase), "%s", colon + 1);
}

/* "policy:accept:" or "policy:reject:phrase" */
static void read_policy(struct expectation *e, const char *text)
{
	const char *verdict = strchr(text, ':');
	const char *phrase = verdict ? strchr(verdict + 1, ':') : NULL;
	struct policy_case *c = &e->policies[e->npolicies];

	if (!phrase || e->npolicies == MAX_POLICIES)
		return;
	snprintf(c->policy, sizeof(c->policy), "%.*s", (int)(verdict - text), text);
	c->accept = !strncmp(verdict + 1, "accept:", 7);
	snprintf(c->phrase, sizeof(c->phrase), "%s", phrase + 1);
	e->npolicies++;
}

static void read_says(struct expectation *e, const char *text, bool not)
{
	if (e->nsays == MAX_SAYS)
		return;
	e->says[e->nsays].not = not;
	snprintf(e->says[e->nsays++].text, sizeof(e->says[0].text), "%s", text);
}

/* Fills @e in from one tag's text (behind "expect:"). */
static void read_tag(struct expectation *e, const char *tag)
{
	if (!strcmp(tag, "accept"))
		e->accept = true;
	else if (!strncmp(tag, "retval:", 7)) {
		e->run = true;
		e->retval = strtoll(tag + 7, NULL, 0);
	} else if (!strncmp(tag, "book:", 5) && e->nbooks < MAX_BOOKS)
		snprintf(e->books[e->nbooks++], sizeof(e->books[0]), "%s", tag + 5);
	else if (!strncmp(tag, "reject:", 7))
		read_reject(e, tag + 7);
	else if (!strncmp(tag, "policy:", 7))
		read_policy(e, tag + 7);
	else if (!strncmp(tag, "says:", 5))
		read_says(e, tag + 5, false);
	else if (!strncmp(tag, "says_not:", 9))
		read_says(e, tag + 9, true);
	else if (!strncmp(tag, "object:", 7))
		snprintf(e->phrase, sizeof(e->phrase), "%s", tag + 7);
}

struct expectation expectation_of(const struct btf *btf, u32 id)
{
	struct expectation e = {0};

	for (u32 t = 1; t < btf_end(btf); t++) {
		const struct btf_type *type = btf_type(btf, t);
		const char *text = btf_type_name(btf, t);

		if (btf_kind(type) == BTF_DECL_TAG && type->type == id &&
		    btf_decl_tag_index(type) == -1 && !strncmp(text, "expect:", 7))
			read_tag(&e, text + 7);
	}
	return e;
}

static bool says_so(const struct expectation *e, const char *explanation, char *words,
		    size_t size)
{
	for (u32 i = 0; i < e->nsays; i++) {
		const struct says *says = &e->says[i];

		if (!strstr(explanation, says->text) != says->not)
			return !snprintf(words, size, "%s \"%s\" in: %s", says->not ? "" : "no",
					 says->text, explanation);
	}
	return true;
}

static bool words_fit(const struct expectation *e, const struct rejection *why,
		      const struct log *log, char *words, size_t size)
{
	const char *rule = rule_info(why->rule) ? rule_info(why->rule)->id : "no rule";

	if (strcmp(rule, e->rule))
		snprintf(words, size, "refused by another rule: %s (%s)", rule, log->error);
	else if (!strstr(log_text(log), e->phrase))
		snprintf(words, size, "no \"%s\" in: %s", e->phrase, log->error);
	else if (!why->message || !why->explanation)
		snprintf(words, size, "refused without an explanation");
	else
		return says_so(e, why->explanation, words, size);
	return false;
}

/* A wrong acceptance is worst: it is said first. */
bool expect_verdict(const struct expectation *e, const struct image *image,
		    const struct image_prog *prog, char *words, size_t size)
{
	struct arena *arena = arena_new();
	struct log log = {.level = LOG_ERROR};
	struct rejection why = {0};
	struct proof *proof = NULL;
	int err = verify(arena, &log, image, prog, NULL, &proof, &why, NULL);
	bool ok = true;

	if (e->reject && !err)
		ok = !snprintf(words, size, "ACCEPTED, want %s", e->rule);
	else if (e->accept && err)
		ok = !snprintf(words, size, "refused: %s", log.error);
	else if (e->reject)
		ok = words_fit(e, &why, &log, words, size);
	proof_free(proof);
	log_free(&log);
	arena_free(arena);
	return ok;
}

bool expect_policy(const struct policy_case *c, const struct image *image,
		   const struct image_prog *prog, char *words, size_t size)
{
	struct arena *arena = arena_new();
	struct log log = {.level = LOG_ERROR};
	struct rejection why = {0};
	struct proof *proof = NULL;
	int err = verify(arena, &log, image, prog, NULL, &proof, &why, NULL);
	bool ok = true;

	if (c->accept && err)
		ok = !snprintf(words, size, "refused: %s", log.error);
	else if (!c->accept && !err)
		ok = !snprintf(words, size, "ACCEPTED, want \"%s\"", c->phrase);
	else if (!c->accept && !strstr(log_text(&log), c->phrase))
		ok = !snprintf(words, size, "no \"%s\" in: %s", c->phrase, log.error);
	proof_free(proof);
	log_free(&log);
	arena_free(arena);
	return ok;
}
