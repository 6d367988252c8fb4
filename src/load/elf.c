/* SPDX-License-Identifier: MIT
 *
 * elf.c: an ELF object through libelf, brought into tables whose every index, offset and
 * string was checked. Nothing after this file looks at raw ELF.
 */
#include "load/load.h"

#include <gelf.h>
#include <libelf.h>

enum { MAX_INSNS_BYTES = 1 << 26 };

static bool prefixed(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return !strncmp(name, prefix, len) && (!name[len] || name[len] == '.');
}

bool elf_is_code(const struct elf_sec *sec)
{
	return sec->type == SHT_PROGBITS && (sec->flags & SHF_EXECINSTR) && sec->size;
}

bool elf_is_data(const struct elf_sec *sec)
{
	if (!(sec->flags & SHF_ALLOC) || (sec->flags & SHF_EXECINSTR) || !sec->size)
		return false;
	return prefixed(sec->name, ".data") || prefixed(sec->name, ".rodata") ||
	       prefixed(sec->name, ".bss");
}

u32 elf_find_sec(const struct loader *ld, const char *name)
{
	u32 i = 0;

	return strmap_get(&ld->sec_names, name, &i) ? i : 0;
}

int elf_symbols_of(struct loader *ld, u32 sec, struct strmap *names)
{
	for (u32 i = 0; i < ld->nsyms; i++)
		if (ld->syms[i].sec == sec && *ld->syms[i].name &&
		    !strmap_set(names, ld->syms[i].name, i))
			return load_nomem(ld);
	return 0;
}

static int check_header(struct loader *ld, Elf *elf)
{
	GElf_Ehdr eh;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh))
		return load_fail(ld, -EINVAL, "not an ELF object");
	if (eh.e_ident[EI_CLASS] != ELFCLASS64)
		return load_fail(ld, -EINVAL, "not a 64-bit ELF object");
	if (eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return load_fail(ld, -ENOTSUP, "big-endian objects are not supported: build with "
				 "--target=bpfel");
	if (eh.e_type != ET_REL || (eh.e_machine != EM_BPF && eh.e_machine != EM_NONE))
		return load_fail(ld, -EINVAL, "ELF type %u, machine %u: not an object of "
				 "'clang --target=bpf -c'", eh.e_type, eh.e_machine);
	return 0;
}

/* The bytes of a section, copied: libelf's buffers end with the handle, and .BTF must be
 * aligned. */
static int copy_data(struct loader *ld, Elf_Scn *scn, struct elf_sec *sec)
{
	Elf_Data *data;

	if (sec->type == SHT_NOBITS || !sec->size)
		return 0;
	data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf || data->d_size != sec->size)
		return load_fail(ld, -EINVAL, "section '%s' (%llu bytes) reaches past the end of "
				 "the file", sec->name, (unsigned long long)sec->size);
	sec->data = arena_memdup(ld->tmp, data->d_buf, data->d_size);
	return sec->data ? 0 : load_nomem(ld);
}

static int read_section(struct loader *ld, Elf *elf, size_t shstr, u32 i)
{
	struct elf_sec *sec = &ld->secs[i];
	Elf_Scn *scn = elf_getscn(elf, i);
	const char *name;
	GElf_Shdr sh;

	if (!scn || !gelf_getshdr(scn, &sh))
		return load_fail(ld, -EINVAL, "section %u: unreadable header: %s", i,
				 elf_errmsg(-1));
	name = elf_strptr(elf, shstr, sh.sh_name);
	if (!name)
		return load_fail(ld, -EINVAL, "section %u: name offset %u is outside the string "
				 "table", i, sh.sh_name);
	*sec = (struct elf_sec){.type = sh.sh_type, .link = sh.sh_link, .info = sh.sh_info,
				.flags = sh.sh_flags, .size = sh.sh_size, .map = -1};
	sec->name = arena_strdup(ld->arena, name);
	if (!sec->name)
		return load_nomem(ld);
	if (sec->size > UINT32_MAX)
		return load_fail(ld, -E2BIG, "section '%s' has %llu bytes", name,
				 (unsigned long long)sec->size);
	return copy_data(ld, scn, sec);
}

static int copy_insns(struct loader *ld, struct elf_sec *sec)
{
	if (sec->size % sizeof(struct insn) || sec->size > MAX_INSNS_BYTES)
		return load_fail(ld, -EINVAL, "section '%s': %llu bytes are not a whole number "
				 "of instructions, or too many", sec->name,
				 (unsigned long long)sec->size);
	sec->ninsns = (u32)(sec->size / sizeof(struct insn));
	sec->insns = arena_memdup(ld->tmp, sec->data, sec->size);
	return sec->insns ? 0 : load_nomem(ld);
}

static int read_sections(struct loader *ld, Elf *elf)
{
	size_t n, shstr;

	if (elf_getshdrnum(elf, &n) || elf_getshdrstrndx(elf, &shstr))
		return load_fail(ld, -EINVAL, "broken section table: %s", elf_errmsg(-1));
	if (n < 2 || n > 65535)
		return load_fail(ld, -EINVAL, "%zu sections", n);
	ld->nsecs = (u32)n;
	ld->secs = arena_array(ld->tmp, n, sizeof(*ld->secs));
	if (!ld->secs)
		return load_nomem(ld);
	ld->secs[0] = (struct elf_sec){.name = "", .map = -1};
	for (u32 i = 1; i < n; i++) {
		TRY(read_section(ld, elf, shstr, i));
		if (!elf_find_sec(ld, ld->secs[i].name) &&
		    !strmap_set(&ld->sec_names, ld->secs[i].name, i))
			return load_nomem(ld);
		if (elf_is_code(&ld->secs[i]))
			TRY(copy_insns(ld, &ld->secs[i]));
	}
	return 0;
}

/* A NUL-terminated string of section @sec, or NULL. */
static const char *string_at(const struct loader *ld, u32 sec, u64 off)
{
	const struct elf_sec *s;

	if (sec >= ld->nsecs)
		return NULL;
	s = &ld->secs[sec];
	if (!s->data || off >= s->size || !memchr(s->data + off, 0, s->size - off))
		return NULL;
	return (const char *)s->data + off;
}

static int read_symbol(struct loader *ld, const struct elf_sec *tab, u32 i)
{
	struct elf_sym *sym = &ld->syms[i];
	const char *name;
	Elf64_Sym raw;

	memcpy(&raw, tab->data + i * sizeof(raw), sizeof(raw));
	name = string_at(ld, tab->link, raw.st_name);
	if (!name)
		return load_fail(ld, -EINVAL, "symbol %u: name offset %u is outside section %u",
				 i, raw.st_name, tab->link);
	sym->name = arena_strdup(ld->arena, name);
	if (!sym->name)
		return load_nomem(ld);
	sym->value = raw.st_value;
	sym->size = raw.st_size;
	sym->sec = raw.st_shndx;
	sym->bind = ELF64_ST_BIND(raw.st_info);
	sym->type = ELF64_ST_TYPE(raw.st_info);
	sym->visibility = ELF64_ST_VISIBILITY(raw.st_other);
	if (sym->sec < SHN_LORESERVE && sym->sec >= ld->nsecs)
		return load_fail(ld, -EINVAL, "symbol '%s' is in section %u of %u", name,
				 sym->sec, ld->nsecs);
	if (sym->sec && sym->sec < ld->nsecs &&
	    !add_fits(sym->value, sym->size, ld->secs[sym->sec].size))
		return load_fail(ld, -EINVAL, "symbol '%s' (offset %llu, size %llu) lies outside "
				 "section '%s'", name, (unsigned long long)sym->value,
				 (unsigned long long)sym->size, ld->secs[sym->sec].name);
	return 0;
}

static int read_symbols(struct loader *ld)
{
	u32 i = 1;

	while (i < ld->nsecs && ld->secs[i].type != SHT_SYMTAB)
		i++;
	if (i == ld->nsecs)
		return load_fail(ld, -EINVAL, "no symbol table: was the object stripped?");
	ld->nsyms = (u32)(ld->secs[i].size / sizeof(Elf64_Sym));
	ld->syms = arena_array(ld->tmp, ld->nsyms, sizeof(*ld->syms));
	if (!ld->syms)
		return load_nomem(ld);
	for (u32 s = 0; s < ld->nsyms; s++)
		TRY(read_symbol(ld, &ld->secs[i], s));
	return 0;
}

static int by_offset(const void *a, const void *b)
{
	const struct elf_rel *x = a, *y = b;

	return x->off < y->off ? -1 : x->off > y->off;
}

static int read_rels(struct loader *ld, const struct elf_sec *from)
{
	struct elf_sec *to;

	if (!from->info || from->info >= ld->nsecs)
		return load_fail(ld, -EINVAL, "relocations '%s' apply to section %u of %u",
				 from->name, from->info, ld->nsecs);
	to = &ld->secs[from->info];
	if (to->rels)
		return load_fail(ld, -EINVAL, "section '%s' has two sets of relocations",
				 to->name);
	to->nrels = (u32)(from->size / sizeof(Elf64_Rel));
	to->rels = arena_array(ld->tmp, to->nrels, sizeof(*to->rels));
	if (!to->rels)
		return load_nomem(ld);
	for (u32 i = 0; i < to->nrels; i++) {
		Elf64_Rel raw;

		memcpy(&raw, from->data + i * sizeof(raw), sizeof(raw));
		to->rels[i] = (struct elf_rel){.off = raw.r_offset,
					       .sym = (u32)ELF64_R_SYM(raw.r_info),
					       .type = (u32)ELF64_R_TYPE(raw.r_info)};
		if (to->rels[i].sym >= ld->nsyms || raw.r_offset >= to->size)
			return load_fail(ld, -EINVAL, "'%s': relocation %u: symbol %u of %u, "
					 "offset %llu of %llu", from->name, i, to->rels[i].sym,
					 ld->nsyms, (unsigned long long)raw.r_offset,
					 (unsigned long long)to->size);
	}
	qsort(to->rels, to->nrels, sizeof(*to->rels), by_offset);
	return 0;
}

static int read_all(struct loader *ld, Elf *elf)
{
	TRY(check_header(ld, elf));
	TRY(read_sections(ld, elf));
	TRY(read_symbols(ld));
	for (u32 i = 1; i < ld->nsecs; i++) {
		if (ld->secs[i].type == SHT_RELA)
			return load_fail(ld, -ENOTSUP, "section '%s': relocations with addends",
					 ld->secs[i].name);
		if (ld->secs[i].type == SHT_REL)
			TRY(read_rels(ld, &ld->secs[i]));
	}
	return 0;
}

int elf_read(struct loader *ld, const void *data, size_t size)
{
	Elf *elf;
	int err;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return load_fail(ld, -EINVAL, "libelf: %s", elf_errmsg(-1));
	/* libelf does not write to the memory of a handle it only reads. */
	elf = elf_memory((char *)(uintptr_t)data, size);
	if (!elf) /* what is no ELF gets a handle, too */
		return load_fail(ld, -ENOMEM, "libelf: out of memory");
	err = read_all(ld, elf);
	elf_end(elf);
	return err;
}
