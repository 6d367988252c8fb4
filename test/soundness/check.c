/* SPDX-License-Identifier: MIT
 *
 * check.c: see check.h.
 */
#include "soundness/check.h"

#include "base/log.h"
#include "soundness/claims.h"
#include "unit/verify_fixture.h"

enum { RUNS = 12, BUDGET = 10000 };

static bool wrong(struct finding *f, u32 insn, const char *what, const char *more)
{
	snprintf(f->what, sizeof(f->what), "%s%s", what, more);
	f->insn = insn;
	return false;
}

/* Undecided is what the budget ended. */
static bool decided(const struct verified *v)
{
	return v->why.rule != RULE_BUDGET && v->why.rule != RULE_TOO_COMPLEX;
}

/* Walked without pruning, every path there is: the claims are exact. */
static bool check_claims(struct gen *g, struct finding *f, struct verified *all,
			 struct claims *claims)
{
	static struct machine m;

	for (u32 i = 0; !all->err && i < RUNS; i++) {
		const char *what = claims_run(claims, &m, g, all->proof);

		if (what)
			return wrong(f, m.pc, "without pruning: ", what);
	}
	return true;
}

static bool check_runs(struct gen *g, struct finding *f, const struct verified *v)
{
	static struct machine m;

	for (u32 i = 0; !v->err && i < RUNS; i++) {
		const char *what = machine_run(&m, g, v->proof);

		if (what)
			return wrong(f, m.pc, "", what);
	}
	return true;
}

static bool check_pruning(struct finding *f, const struct verified *v,
			  const struct verified *all)
{
	if (!v->err && all->err && decided(all) && all->why.rule != RULE_STACK_FILL)
		return wrong(f, all->why.insn, "pruned away: ", all->log.error);
	if (v->err && decided(v) && !all->err)
		return wrong(f, v->why.insn, "refused only with pruning: ", v->log.error);
	return true;
}

static bool check_gen(struct gen *g, u64 seed, struct finding *f)
{
	struct verify_opts some = {.max_insns = BUDGET, .test_state_freq = !(seed & 1)};
	struct claims *claims = claims_new();
	struct verify_opts off = {.test_prune_off = true, .max_insns = BUDGET,
				  .watch = claims_watch, .watch_data = claims};
	struct verified v, all;
	bool good;

	BUG_ON(!claims);
	verify_insns(&v, g->insns, g->n, &some);
	verify_insns(&all, g->insns, g->n, &off);
	f->accepted = !v.err;
	good = check_runs(g, f, &v) && check_pruning(f, &v, &all) &&
	       check_claims(g, f, &all, claims);
	verify_done(&v);
	verify_done(&all);
	claims_free(claims);
	return good;
}

bool soundness_check(u64 seed, struct finding *f)
{
	static struct gen g;

	gen_program(&g, seed);
	return check_gen(&g, seed, f);
}

bool soundness_check_insns(const struct insn *insns, u32 n, u64 seed, struct finding *f)
{
	static struct gen g;

	gen_program(&g, seed);
	memcpy(g.insns, insns, n * sizeof(*insns));
	g.n = n;
	return check_gen(&g, seed, f);
}
