/* SPDX-License-Identifier: MIT
 *
 * gdb_elf.c: an object file in memory that tells a debugger of an object's native code:
 * names, source lines, and how to find each frame's caller. ELF64 with DWARF 4; its .text
 * has no bytes, those are where they run.
 *
 * Within a prologue the frame is described as before it, within an epilogue as before
 * that.
 */
#include "run/inspect/gdb.h"
#include "run/inspect/piece.h"

#include <elf.h>

enum {
	SEC_NONE,
	SEC_TEXT,
	SEC_SYMTAB,
	SEC_STRTAB,
	SEC_ABBREV,
	SEC_INFO,
	SEC_LINE,
	SEC_FRAME,
	NR_SECS,
};

/* Offsets in the section names, which are .strtab's first bytes. */
static const char sec_names[] = "\0.text\0.symtab\0.strtab\0.debug_abbrev\0.debug_info\0"
				".debug_line\0.debug_frame";
static const Elf64_Shdr sec_heads[NR_SECS] = {
	[SEC_TEXT] = {.sh_name = 1,
		      .sh_type = SHT_NOBITS,
		      .sh_flags = SHF_ALLOC | SHF_EXECINSTR},
	[SEC_SYMTAB] = {.sh_name = 7,
			.sh_type = SHT_SYMTAB,
			.sh_link = SEC_STRTAB,
			.sh_entsize = sizeof(Elf64_Sym)},
	[SEC_STRTAB] = {.sh_name = 15, .sh_type = SHT_STRTAB},
	[SEC_ABBREV] = {.sh_name = 23, .sh_type = SHT_PROGBITS},
	[SEC_INFO] = {.sh_name = 37, .sh_type = SHT_PROGBITS},
	[SEC_LINE] = {.sh_name = 49, .sh_type = SHT_PROGBITS},
	[SEC_FRAME] = {.sh_name = 61, .sh_type = SHT_PROGBITS},
};

typedef VEC(u8) bytes;

struct elf {
	const struct pintle_object *object;
	bytes secs[NR_SECS];
	VEC(const char *) files; /* of source: distinct by text */
	u64 low, high;		 /* of all code */
	bool oom;
};

/* --- bytes --- */

static void put(struct elf *elf, u32 sec, const void *data, size_t size)
{
	bytes *b = &elf->secs[sec];

	if (!vec_reserve(b, size)) {
		elf->oom = true;
		return;
	}
	memcpy(b->v + b->n, data, size);
	b->n += (u32)size;
}

static void put_u8(struct elf *elf, u32 sec, u8 v)
{
	put(elf, sec, &v, sizeof(v));
}

static void put_u32(struct elf *elf, u32 sec, u32 v)
{
	put(elf, sec, &v, sizeof(v));
}

static void put_u64(struct elf *elf, u32 sec, u64 v)
{
	put(elf, sec, &v, sizeof(v));
}

static void put_text(struct elf *elf, u32 sec, const char *text)
{
	put(elf, sec, text, strlen(text) + 1);
}

static void put_uleb(struct elf *elf, u32 sec, u64 v)
{
	for (; v >= 0x80; v >>= 7)
		put_u8(elf, sec, (u8)(v | 0x80));
	put_u8(elf, sec, (u8)v);
}

static void put_sleb(struct elf *elf, u32 sec, s64 v)
{
	for (; v < -0x40 || v > 0x3f; v >>= 7)
		put_u8(elf, sec, (u8)(v | 0x80));
	put_u8(elf, sec, v & 0x7f);
}

/* Room for a length of what follows, which close_length() fills in. */
static u32 open_length(struct elf *elf, u32 sec)
{
	put_u32(elf, sec, 0);
	return elf->secs[sec].n;
}

static void close_length(struct elf *elf, u32 sec, u32 from)
{
	u32 length = elf->secs[sec].n - from;

	if (!elf->oom)
		memcpy(elf->secs[sec].v + from - 4, &length, sizeof(length));
}

/* --- .symtab, .debug_info --- */

enum { /* DWARF */
       TAG_COMPILE_UNIT = 0x11,
       TAG_SUBPROGRAM = 0x2e,
       AT_NAME = 0x03,
       AT_STMT_LIST = 0x10,
       AT_LOW_PC = 0x11,
       AT_HIGH_PC = 0x12,
       AT_LANGUAGE = 0x13,
       FORM_ADDR = 0x01,
       FORM_DATA8 = 0x07,
       FORM_STRING = 0x08,
       FORM_DATA1 = 0x0b,
       FORM_SEC_OFFSET = 0x17,
       LANG_C99 = 0x0c,
};

static const u8 abbrevs[] = {
	1,
	TAG_COMPILE_UNIT,
	1,
	AT_NAME,
	FORM_STRING,
	AT_LANGUAGE,
	FORM_DATA1,
	AT_LOW_PC,
	FORM_ADDR,
	AT_HIGH_PC,
	FORM_DATA8,
	AT_STMT_LIST,
	FORM_SEC_OFFSET,
	0,
	0,
	2,
	TAG_SUBPROGRAM,
	0,
	AT_NAME,
	FORM_STRING,
	AT_LOW_PC,
	FORM_ADDR,
	AT_HIGH_PC,
	FORM_DATA8,
	0,
	0,
	0,
};

/* As the source has it: what is typed after "break". */
static const char *function(const struct piece *p)
{
	return p->prog->image->subprogs[p->sub].name;
}

static void put_symbol(struct elf *elf, const struct piece *p)
{
	Elf64_Sym sym = {
		.st_name = elf->secs[SEC_STRTAB].n,
		.st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
		.st_shndx = SEC_TEXT,
		.st_value = p->addr,
		.st_size = p->size,
	};

	put(elf, SEC_SYMTAB, &sym, sizeof(sym));
	put_text(elf, SEC_STRTAB, function(p));
}

static void put_subprogram(struct elf *elf, const struct piece *p)
{
	put_uleb(elf, SEC_INFO, 2);
	put_text(elf, SEC_INFO, function(p));
	put_u64(elf, SEC_INFO, p->addr);
	put_u64(elf, SEC_INFO, p->size);
}

static void put_names(struct elf *elf)
{
	static const u8 version[] = {4, 0}, offset[4] = {0};
	Elf64_Sym none = {0};
	struct piece p;
	u32 unit;

	put(elf, SEC_SYMTAB, &none, sizeof(none));
	put(elf, SEC_STRTAB, sec_names, sizeof(sec_names));
	put(elf, SEC_ABBREV, abbrevs, sizeof(abbrevs));
	unit = open_length(elf, SEC_INFO);
	put(elf, SEC_INFO, version, sizeof(version));
	put(elf, SEC_INFO, offset, sizeof(offset)); /* of the abbreviations */
	put_u8(elf, SEC_INFO, 8);		    /* bytes of an address */
	put_uleb(elf, SEC_INFO, 1);
	put_text(elf, SEC_INFO, elf->object->image->name);
	put_u8(elf, SEC_INFO, LANG_C99);
	put_u64(elf, SEC_INFO, elf->low);
	put_u64(elf, SEC_INFO, elf->high - elf->low);
	put_u32(elf, SEC_INFO, 0); /* its lines begin there */
	for (bool more = piece_first(&p, elf->object); more; more = piece_next(&p)) {
		put_symbol(elf, &p);
		put_subprogram(elf, &p);
	}
	put_uleb(elf, SEC_INFO, 0); /* no more children */
	close_length(elf, SEC_INFO, unit);
}

/* --- .debug_line --- */

enum {
	LNS_COPY = 1,
	LNS_ADVANCE_LINE = 3,
	LNS_SET_FILE = 4,
	LNS_SET_COLUMN = 5,
	LNE_END_SEQUENCE = 1,
	LNE_SET_ADDRESS = 2,
};

struct row { /* what the line program's state is */
	u32 file, line, col;
};

/* 1 for the first. */
static u32 file_number(struct elf *elf, const char *file)
{
	for (u32 i = 0; i < elf->files.n; i++)
		if (elf->files.v[i] == file || !strcmp(elf->files.v[i], file))
			return i + 1;
	if (!vec_push(&elf->files, file))
		elf->oom = true;
	return elf->files.n;
}

static void find_files(struct elf *elf)
{
	const struct pintle_object *object = elf->object;

	for (u32 i = 0; i < object->image->nprogs; i++)
		for (u32 k = 0; k < object->progs[i].image->nlines; k++)
			file_number(elf, object->progs[i].image->lines[k].file);
}

static void put_address(struct elf *elf, u64 addr)
{
	put_u8(elf, SEC_LINE, 0);
	put_uleb(elf, SEC_LINE, 9);
	put_u8(elf, SEC_LINE, LNE_SET_ADDRESS);
	put_u64(elf, SEC_LINE, addr);
}

static void put_row(struct elf *elf, struct row *row, u64 addr,
		    const struct image_line *line)
{
	u32 file = file_number(elf, line->file);

	put_address(elf, addr);
	if (file != row->file) {
		put_u8(elf, SEC_LINE, LNS_SET_FILE);
		put_uleb(elf, SEC_LINE, file);
	}
	if (line->col != row->col) {
		put_u8(elf, SEC_LINE, LNS_SET_COLUMN);
		put_uleb(elf, SEC_LINE, line->col);
	}
	put_u8(elf, SEC_LINE, LNS_ADVANCE_LINE);
	put_sleb(elf, SEC_LINE, (s64)line->line - row->line);
	put_u8(elf, SEC_LINE, LNS_COPY);
	*row = (struct row){file, line->line, line->col};
}

/* The prologue counts as the first line; so does what stands out of line behind the end.
 */
static void put_lines(struct elf *elf, const struct piece *p)
{
	const struct code *code = p->prog->code;
	const struct image_line *line, *before = NULL;
	struct row row = {1, 1, 0};

	for (u32 i = 0; i < code->ninsns; i++) {
		line = piece_line(p, i);
		if (!line || line == before)
			continue;
		if (!before)
			put_row(elf, &row, p->addr, line);
		put_row(elf, &row, (uintptr_t)code->native + code->native_at[i], line);
		before = line;
	}
	if (!before)
		return;
	put_address(elf, p->addr + p->size);
	put_u8(elf, SEC_LINE, 0);
	put_uleb(elf, SEC_LINE, 1);
	put_u8(elf, SEC_LINE, LNE_END_SEQUENCE);
}

static void put_line_table(struct elf *elf)
{
	/* Shortest instruction, operations in one, is_stmt, line base and range, the
	 * number of opcodes, and how many operands each has. */
	static const u8 head[] = {1, 1, 1, (u8)-5, 14, 13, 0, 1, 1,
				  1, 1, 0, 0,	   0,  1,  0, 0, 1};
	static const u8 version[] = {4, 0};
	u32 unit = open_length(elf, SEC_LINE), header;
	struct piece p;

	put(elf, SEC_LINE, version, sizeof(version));
	header = open_length(elf, SEC_LINE);
	put(elf, SEC_LINE, head, sizeof(head));
	put_u8(elf, SEC_LINE, 0); /* no directories */
	for (u32 i = 0; i < elf->files.n; i++) {
		static const u8 directory_time_size[3] = {0};

		put_text(elf, SEC_LINE, elf->files.v[i]);
		put(elf, SEC_LINE, directory_time_size, sizeof(directory_time_size));
	}
	put_u8(elf, SEC_LINE, 0); /* no more files */
	close_length(elf, SEC_LINE, header);
	for (bool more = piece_first(&p, elf->object); more; more = piece_next(&p))
		put_lines(elf, &p);
	close_length(elf, SEC_LINE, unit);
}

/* --- .debug_frame --- */

enum {
	CFA_ADVANCE_LOC4 = 0x04,
	CFA_DEF_CFA = 0x0c,
	CFA_OFFSET = 0x80,
	CFA_NOP = 0,
	DWARF_RBP = 6,
	DWARF_RSP = 7,
	DWARF_R12 = 12,
	DWARF_RETURN = 16,
	SLOT_PUSHED =
		6, /* bytes of an entry for callbacks up to behind its push of r12 */
};

static void put_cfa(struct elf *elf, u8 reg, u32 offset)
{
	put_u8(elf, SEC_FRAME, CFA_DEF_CFA);
	put_uleb(elf, SEC_FRAME, reg);
	put_uleb(elf, SEC_FRAME, offset);
}

/* @reg was saved @below bytes below the caller's stack pointer. */
static void put_saved(struct elf *elf, u8 reg, u32 below)
{
	put_u8(elf, SEC_FRAME, CFA_OFFSET | reg);
	put_uleb(elf, SEC_FRAME, below / 8);
}

static void put_advance(struct elf *elf, u32 bytes_on)
{
	put_u8(elf, SEC_FRAME, CFA_ADVANCE_LOC4);
	put_u32(elf, SEC_FRAME, bytes_on);
}

static void end_entry(struct elf *elf, u32 from)
{
	while (elf->secs[SEC_FRAME].n % 8 && !elf->oom)
		put_u8(elf, SEC_FRAME, CFA_NOP);
	close_length(elf, SEC_FRAME, from);
}

static u32 begin_range(struct elf *elf, u64 addr, u32 size)
{
	u32 from = open_length(elf, SEC_FRAME);

	put_u32(elf, SEC_FRAME, 0); /* of the CIE, the first there */
	put_u64(elf, SEC_FRAME, addr);
	put_u64(elf, SEC_FRAME, size);
	return from;
}

static void put_cie(struct elf *elf)
{
	u32 from = open_length(elf, SEC_FRAME);

	put_u32(elf, SEC_FRAME, ~0u);
	put_u8(elf, SEC_FRAME, 3);    /* version */
	put_u8(elf, SEC_FRAME, 0);    /* no augmentation */
	put_uleb(elf, SEC_FRAME, 1);  /* unit of code */
	put_sleb(elf, SEC_FRAME, -8); /* unit of data */
	put_uleb(elf, SEC_FRAME, DWARF_RETURN);
	put_cfa(elf, DWARF_RSP, 8);
	put_saved(elf, DWARF_RETURN, 8);
	end_entry(elf, from);
}

static void put_callback_entry(struct elf *elf, const struct piece *p)
{
	u32 from = begin_range(elf, p->addr, p->frame->entry - p->frame->start);

	put_advance(elf, SLOT_PUSHED);
	put_cfa(elf, DWARF_RSP, 16);
	put_saved(elf, DWARF_R12, 16);
	end_entry(elf, from);
}

static void put_frame(struct elf *elf, const struct piece *p)
{
	const struct code_frame *frame = p->frame;
	u64 entry = (uintptr_t)p->prog->code->native + frame->entry;
	u32 from;

	if (frame->entry > frame->start)
		put_callback_entry(elf, p);
	from = begin_range(elf, entry, frame->end - frame->entry);
	put_advance(elf, frame->body - frame->entry);
	if (frame->by_fp) {
		put_cfa(elf, DWARF_RBP, 16);
		put_saved(elf, DWARF_RBP, 16);
	} else {
		put_cfa(elf, DWARF_RSP, frame->size);
	}
	for (u32 i = 0; i < frame->nsaved; i++)
		put_saved(elf, frame->saved[i],
			  frame->size - 8 * (frame->nsaved - 1u - i));
	end_entry(elf, from);
}

static void put_frames(struct elf *elf)
{
	struct piece p;

	put_cie(elf);
	for (bool more = piece_first(&p, elf->object); more; more = piece_next(&p))
		put_frame(elf, &p);
}

/* --- all of it --- */

static void fill_heads(const struct elf *elf, Elf64_Shdr *heads, size_t *size)
{
	memcpy(heads, sec_heads, sizeof(sec_heads));
	heads[SEC_TEXT].sh_addr = elf->low;
	heads[SEC_TEXT].sh_size = elf->high - elf->low;
	heads[SEC_SYMTAB].sh_info =
		elf->secs[SEC_SYMTAB].n / sizeof(Elf64_Sym); /* locals */
	for (u32 i = SEC_SYMTAB; i < NR_SECS; i++) {
		*size = ROUND_UP(*size, (size_t)8);
		heads[i].sh_offset = *size;
		heads[i].sh_size = elf->secs[i].n;
		heads[i].sh_addralign = i == SEC_SYMTAB || i == SEC_FRAME ? 8 : 1;
		*size += elf->secs[i].n;
	}
}

static u8 *join(const struct elf *elf, size_t *size)
{
	Elf64_Ehdr head = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_shoff = sizeof(head),
		.e_ehsize = sizeof(head),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = NR_SECS,
		.e_shstrndx = SEC_STRTAB,
	};
	Elf64_Shdr heads[NR_SECS];
	u8 *file;

	*size = sizeof(head) + sizeof(heads);
	fill_heads(elf, heads, size);
	file = calloc(1, *size);
	if (!file)
		return NULL;
	memcpy(file, &head, sizeof(head));
	memcpy(file + sizeof(head), heads, sizeof(heads));
	for (u32 i = SEC_SYMTAB; i < NR_SECS; i++)
		if (elf->secs[i].n)
			memcpy(file + heads[i].sh_offset, elf->secs[i].v, elf->secs[i].n);
	return file;
}

static void find_range(struct elf *elf)
{
	struct piece p;

	elf->low = UINT64_MAX;
	for (bool more = piece_first(&p, elf->object); more; more = piece_next(&p)) {
		elf->low = p.addr < elf->low ? p.addr : elf->low;
		elf->high = p.addr + p.size > elf->high ? p.addr + p.size : elf->high;
	}
}

void *gdb_elf(const struct pintle_object *object, size_t *size)
{
	struct elf elf = {.object = object};
	u8 *file = NULL;

	find_range(&elf);
	if (!elf.high)
		return NULL;
	find_files(&elf);
	put_names(&elf);
	put_line_table(&elf);
	put_frames(&elf);
	if (!elf.oom)
		file = join(&elf, size);
	for (u32 i = 0; i < NR_SECS; i++)
		vec_free(&elf.secs[i]);
	vec_free(&elf.files);
	return file;
}
