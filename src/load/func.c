/* SPDX-License-Identifier: MIT
 *
 * func.c: which functions an object has. Every instruction of an executable section
 * belongs to exactly one; functions of .text are subprograms, those of any other section
 * are programs.
 */
#include "load/load.h"

#include <elf.h>

static int check_func(struct loader *ld, const struct elf_sym *sym)
{
	const struct elf_sec *sec = &ld->secs[sym->sec];

	if (sym->value % sizeof(struct insn) || sym->size % sizeof(struct insn) || !sym->size)
		return load_fail(ld, -EINVAL, "function '%s' in section '%s': offset %llu, size "
				 "%llu are not whole instructions", sym->name, sec->name,
				 (unsigned long long)sym->value, (unsigned long long)sym->size);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct load_func *x = a, *y = b;

	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

static int check_overlaps(struct loader *ld)
{
	for (u32 i = 1; i < ld->funcs.n; i++) {
		const struct load_func *a = &ld->funcs.v[i - 1], *b = &ld->funcs.v[i];

		if (a->sec == b->sec && a->end > b->start)
			return load_fail(ld, -EINVAL, "functions '%s' and '%s' overlap in "
					 "section '%s'", a->name, b->name,
					 ld->secs[a->sec].name);
	}
	return 0;
}

int funcs_collect(struct loader *ld)
{
	for (u32 i = 0; i < ld->nsyms; i++) {
		const struct elf_sym *sym = &ld->syms[i];
		struct load_func func = {.name = sym->name, .sec = sym->sec, .at = -1};

		if (sym->type != STT_FUNC || !sym->sec || sym->sec >= ld->nsecs ||
		    !elf_is_code(&ld->secs[sym->sec]))
			continue;
		TRY(check_func(ld, sym));
		func.start = (u32)(sym->value / sizeof(struct insn));
		func.end = func.start + (u32)(sym->size / sizeof(struct insn));
		func.global = sym->bind != STB_LOCAL && sym->visibility == STV_DEFAULT;
		if (!vec_push(&ld->funcs, func))
			return load_nomem(ld);
	}
	if (ld->funcs.n)
		qsort(ld->funcs.v, ld->funcs.n, sizeof(ld->funcs.v[0]), by_place);
	return check_overlaps(ld);
}

struct load_func *func_containing(struct loader *ld, u32 sec, u32 insn)
{
	u32 lo = 0, hi = ld->funcs.n;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		struct load_func *f = &ld->funcs.v[mid];

		if (f->sec == sec && insn >= f->start && insn < f->end)
			return f;
		if (f->sec < sec || (f->sec == sec && f->end <= insn))
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct load_func *func_at(struct loader *ld, u32 sec, u32 insn)
{
	struct load_func *f = func_containing(ld, sec, insn);

	return f && f->start == insn ? f : NULL;
}
