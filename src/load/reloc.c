/* SPDX-License-Identifier: MIT
 *
 * reloc.c: what a relocated instruction refers to. Maps, data and host symbols are put
 * into the section's instructions here; calls and addresses of functions wait for link.c,
 * which knows where each function lands.
 */
#include "load/load.h"

#include <elf.h>

#define BPF_CALL 0x85
#define BPF_LD_IMM64 0x18

/* "'section' instruction 7" or "'function' instruction 7", for messages. */
static const char *where(struct loader *ld, u32 sec, u32 insn)
{
	struct load_func *f = func_containing(ld, sec, insn);
	const char *text = arena_printf(ld->tmp, "'%s' instruction %u",
					f ? f->name : ld->secs[sec].name,
					f ? insn - f->start : insn);

	return text ? text : "instruction";
}

static int map_at(struct loader *ld, const struct elf_sym *sym, u32 *index)
{
	for (u32 i = 0; i < ld->maps.n; i++)
		if (ld->map_offs.v[i] == sym->value) {
			*index = i;
			return 0;
		}
	return load_fail(ld, -EINVAL, "symbol '%s' (.maps offset %llu) is not a map", sym->name,
			 (unsigned long long)sym->value);
}

static int reloc_data(struct loader *ld, u32 sec, u32 at, const struct elf_sym *sym)
{
	struct insn *insn = &ld->secs[sec].insns[at];
	const struct elf_sec *data = &ld->secs[sym->sec];
	s64 off = (s64)sym->value + insn->imm;

	if (off < 0 || (u64)off > data->size)
		return load_fail(ld, -EINVAL, "%s: offset %lld is outside section '%s' (%llu "
				 "bytes)", where(ld, sec, at), (long long)off, data->name,
				 (unsigned long long)data->size);
	insn[0].src = IMM_MAP_VALUE;
	insn[0].imm = data->map;
	insn[1].imm = (s32)off;
	return 0;
}

static int arena_data(struct loader *ld, struct image_map *map, const struct elf_sec *sec)
{
	if (map->data_size)
		return 0;
	map->data = sec->data ? arena_memdup(ld->arena, sec->data, sec->size) : NULL;
	if (sec->data && !map->data)
		return load_nomem(ld);
	map->data_size = sec->size;
	return 0;
}

/* Variables in the arena's address space: somewhere in the object's one arena. */
static int reloc_arena(struct loader *ld, u32 sec, u32 at, const struct elf_sym *sym)
{
	struct insn *insn = &ld->secs[sec].insns[at];
	u32 map = 0;

	while (map < ld->maps.n && ld->maps.v[map].type != MAP_ARENA)
		map++;
	if (map == ld->maps.n)
		return load_fail(ld, -EINVAL, "%s: symbol '%s' is in section '%s', but the object "
				 "has no arena map", where(ld, sec, at), sym->name,
				 ld->secs[sym->sec].name);
	TRY(arena_data(ld, &ld->maps.v[map], &ld->secs[sym->sec]));
	insn[1].imm = (s32)((s64)sym->value + insn->imm);
	insn[0].src = IMM_MAP_VALUE;
	insn[0].imm = (s32)map;
	return 0;
}

static int reloc_map(struct loader *ld, u32 sec, u32 at, const struct elf_sym *sym)
{
	struct insn *insn = &ld->secs[sec].insns[at];
	struct load_func *func = func_containing(ld, sec, at);
	u32 index = 0;

	if (insn->imm)
		return load_fail(ld, -EINVAL, "%s: address inside map '%s'", where(ld, sec, at),
				 sym->name);
	TRY(map_at(ld, sym, &index));
	if (ld->maps.v[index].wrong && func && !func->wrong)
		func->wrong = ld->maps.v[index].wrong;
	insn[0].src = IMM_MAP;
	insn[0].imm = (s32)index;
	insn[1].imm = 0;
	return 0;
}

/* Address of a host symbol: of a variable, or of a function (only "is it there?"). */
static int reloc_ksym(struct loader *ld, u32 sec, u32 at, const struct elf_sym *sym)
{
	struct insn *insn = &ld->secs[sec].insns[at];
	const struct image_ksym *ksym;
	u32 index = 0, off = 0;

	if (kconfig_find(ld, sym->name, &index, &off)) {
		insn[0].src = IMM_MAP_VALUE;
		insn[0].imm = (s32)index;
		insn[1].imm = (s32)off;
		return 0;
	}
	TRY(ksym_of(ld, sym, false, &index));
	ksym = &ld->ksyms.v[index];
	insn[1].imm = 0;
	if (!ksym->is_func && ksym->found && ksym->btf) {
		insn[0].src = IMM_KSYM;
		insn[0].imm = (s32)index;
		return 0;
	}
	/* Only whether it is there can be known of a function's or untyped address. */
	insn[0].src = IMM_PLAIN;
	insn[0].imm = ksym->found;
	return 0;
}

static int reloc_imm64(struct loader *ld, u32 sec, u32 at, const struct elf_sym *sym)
{
	const struct elf_sec *to;

	if (at + 1 >= ld->secs[sec].ninsns)
		return load_fail(ld, -EINVAL, "%s: second half is missing", where(ld, sec, at));
	if (!sym->sec)
		return reloc_ksym(ld, sec, at, sym);
	if (sym->sec >= ld->nsecs)
		return load_fail(ld, -EINVAL, "%s: symbol '%s' has no section", where(ld, sec, at),
				 sym->name);
	to = &ld->secs[sym->sec];
	if (sym->sec == ld->maps_sec)
		return reloc_map(ld, sec, at, sym);
	if (to->map >= 0)
		return reloc_data(ld, sec, at, sym);
	if (!strcmp(to->name, ".addr_space.1"))
		return reloc_arena(ld, sec, at, sym);
	if (to->insns)
		return 0; /* address of a function: link.c */
	return load_fail(ld, -EINVAL, "%s: symbol '%s' is in section '%s', which is neither "
			 "code, data nor maps", where(ld, sec, at), sym->name, to->name);
}

static int reloc_call(struct loader *ld, u32 sec, u32 at, const struct elf_sym *sym)
{
	struct insn *insn = &ld->secs[sec].insns[at];
	u32 index = 0;

	if (sym->sec) {
		if (sym->sec < ld->nsecs && ld->secs[sym->sec].insns)
			return 0; /* link.c */
		return load_fail(ld, -EINVAL, "%s: call of '%s', which is not code",
				 where(ld, sec, at), sym->name);
	}
	TRY(ksym_of(ld, sym, true, &index));
	if (ld->ksyms.v[index].found || ld->opts->look_only) {
		insn->src = CALL_KFUNC;
		insn->off = 0;
		insn->imm = (s32)index;
	} else {
		insn->src = CALL_HELPER;
		insn->imm = POISON_KSYM + (s32)index;
	}
	return 0;
}

static int reloc_insn(struct loader *ld, u32 sec, u32 at, const struct elf_sym *sym)
{
	u8 code = ld->secs[sec].insns[at].code;

	if (code == BPF_LD_IMM64)
		return reloc_imm64(ld, sec, at, sym);
	if (code == BPF_CALL)
		return reloc_call(ld, sec, at, sym);
	return load_fail(ld, -EINVAL, "%s: relocation of opcode 0x%02x, which is neither a call "
			 "nor a 64-bit immediate", where(ld, sec, at), code);
}

static const struct elf_sym *sym_at(const struct loader *ld, u32 sec, u32 insn)
{
	const struct elf_sec *s = &ld->secs[sec];
	u64 off = (u64)insn * sizeof(struct insn);
	u32 lo = 0, hi = s->nrels;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (s->rels[mid].off == off)
			return &ld->syms[s->rels[mid].sym];
		if (s->rels[mid].off < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* A map named by the number that a loader gave it: here it has none. */
static int check_numbers(struct loader *ld, u32 sec)
{
	const struct elf_sec *s = &ld->secs[sec];

	for (u32 at = 0; at < s->ninsns; at++) {
		const struct insn *insn = &s->insns[at];
		struct load_func *func = func_containing(ld, sec, at);
		int err;

		if (insn->code != BPF_LD_IMM64 || sym_at(ld, sec, at) ||
		    (insn->src != IMM_MAP && insn->src != IMM_MAP_VALUE))
			continue;
		err = load_fail(ld, -EINVAL, "%s: fd %d is not pointing to valid bpf_map",
				where(ld, sec, at), insn->imm);
		TRY(func ? load_excuse(ld, err, &func->wrong) : err);
	}
	return 0;
}

int reloc_section(struct loader *ld, u32 sec)
{
	struct elf_sec *s = &ld->secs[sec];

	TRY(check_numbers(ld, sec));
	for (u32 i = 0; i < s->nrels; i++) {
		u32 at = (u32)(s->rels[i].off / sizeof(struct insn));
		struct load_func *func = func_containing(ld, sec, at);
		int err;

		if (s->rels[i].off % sizeof(struct insn))
			return load_fail(ld, -EINVAL, "section '%s': relocation at offset %llu is "
					 "not an instruction", s->name,
					 (unsigned long long)s->rels[i].off);
		err = reloc_insn(ld, sec, at, &ld->syms[s->rels[i].sym]);
		TRY(func ? load_excuse(ld, err, &func->wrong) : err);
	}
	return 0;
}

static int func_or_fail(struct loader *ld, u32 sec, u32 at, u32 to_sec, s64 to,
			struct load_func **func)
{
	if (to >= 0 && to < ld->secs[to_sec].ninsns)
		*func = func_at(ld, to_sec, (u32)to);
	if (*func)
		return 0;
	return load_fail(ld, -EINVAL, "%s: no function begins at instruction %lld of section "
			 "'%s'", where(ld, sec, at), (long long)to, ld->secs[to_sec].name);
}

/*
 * Where a call or function address goes. A symbol's value and the immediate add up: a call
 * counts instructions after itself (so -1 means the symbol itself), an address bytes.
 */
int reloc_target(struct loader *ld, u32 sec, u32 at, struct load_func **func)
{
	const struct insn *insn = &ld->secs[sec].insns[at];
	const struct elf_sym *sym = sym_at(ld, sec, at);
	bool code = sym && sym->sec && sym->sec < ld->nsecs && ld->secs[sym->sec].insns;

	*func = NULL;
	if (insn->code == BPF_CALL && insn->src == CALL_SUBPROG) {
		if (code)
			return func_or_fail(ld, sec, at, sym->sec,
					    (s64)(sym->value / sizeof(*insn)) + insn->imm + 1,
					    func);
		return func_or_fail(ld, sec, at, sec, (s64)at + insn->imm + 1, func);
	}
	if (insn->code != BPF_LD_IMM64 || !code)
		return 0;
	if (insn->imm % (s32)sizeof(*insn))
		return load_fail(ld, -EINVAL, "%s: address inside an instruction",
				 where(ld, sec, at));
	return func_or_fail(ld, sec, at, sym->sec,
			    (s64)(sym->value / sizeof(*insn)) + insn->imm / (s32)sizeof(*insn),
			    func);
}
