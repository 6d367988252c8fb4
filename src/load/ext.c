/* SPDX-License-Identifier: MIT
 *
 * ext.c: the .BTF.ext section: which type each function has, which source line each
 * instruction came from, and CO-RE relocations, which are applied here to the sections'
 * instructions.
 *
 * Layout: a header {magic, version, flags, hdr_len, then (offset, length) of the function,
 * line and CO-RE parts, offsets from the header's end}. Each part: u32 record size, then
 * per section {u32 name, u32 count, records}. Records may grow at their end.
 */
#include "load/load.h"

enum { EXT_MAGIC = 0xeb9f, FUNC_REC = 8, LINE_REC = 16, CORE_REC = 16 };

struct part {
	const char *name; /* for messages */
	const u8 *data;
	u32 len, min_rec;
	int (*one)(struct loader *ld, u32 sec, const u8 *rec);
};

static u32 u32_at(const u8 *p)
{
	u32 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* A string of the program's BTF; checked, since .BTF.ext was not read by btf_open(). */
static const char *ext_str(struct loader *ld, u32 off)
{
	return btf_str_checked(ld->image->btf, off);
}

/* The instruction at byte @off of code section @sec, or an error. */
static int insn_index(struct loader *ld, const char *what, u32 sec, u32 off, u32 *insn)
{
	if (off % sizeof(struct insn) || off / sizeof(struct insn) >= ld->secs[sec].ninsns)
		return load_fail(ld, -EINVAL, ".BTF.ext: %s of section '%s': offset %u is not "
				 "an instruction", what, ld->secs[sec].name, off);
	*insn = off / (u32)sizeof(struct insn);
	return 0;
}

static int one_func(struct loader *ld, u32 sec, const u8 *rec)
{
	const struct btf *btf = ld->image->btf;
	u32 insn = 0, id = u32_at(rec + 4);
	struct load_func *func;

	TRY(insn_index(ld, "function info", sec, u32_at(rec), &insn));
	if (!id || id >= btf_end(btf) || btf_kind(btf_type(btf, id)) != BTF_FUNC)
		return load_fail(ld, -EINVAL, ".BTF.ext: function info of section '%s': type %u "
				 "is not a function", ld->secs[sec].name, id);
	func = func_at(ld, sec, insn);
	if (!func)
		return load_fail(ld, -EINVAL, ".BTF.ext: function info for '%s' at instruction "
				 "%u of section '%s', where no function begins",
				 btf_type_name(btf, id), insn, ld->secs[sec].name);
	func->func = id;
	return 0;
}

static int one_line(struct loader *ld, u32 sec, const u8 *rec)
{
	struct load_line line = {.sec = sec, .file = ext_str(ld, u32_at(rec + 4)),
				 .text = ext_str(ld, u32_at(rec + 8)),
				 .line = u32_at(rec + 12) >> 10, .col = u32_at(rec + 12) & 0x3ff};

	TRY(insn_index(ld, "line info", sec, u32_at(rec), &line.insn));
	if (!line.file || !line.text)
		return load_fail(ld, -EINVAL, ".BTF.ext: line info of instruction %u of section "
				 "'%s': a string lies outside .BTF", line.insn, ld->secs[sec].name);
	line.text += strspn(line.text, " \t");
	return vec_push(&ld->lines, line) ? 0 : load_nomem(ld);
}

static int one_core(struct loader *ld, u32 sec, const u8 *rec)
{
	struct core_relo relo = {u32_at(rec), u32_at(rec + 4), u32_at(rec + 8),
				 u32_at(rec + 12)};
	const struct elf_sec *s = &ld->secs[sec];
	struct core_result res = {0};
	struct load_func *func;
	char where[256];
	u32 insn = 0;
	int err;

	TRY(insn_index(ld, "CO-RE relocation", sec, relo.insn_off, &insn));
	func = func_containing(ld, sec, insn);
	snprintf(where, sizeof(where), "%s: '%s' instruction %u", ld->name,
		 func ? func->name : s->name, func ? insn - func->start : insn);
	if (!ext_str(ld, relo.access_str_off) || relo.type_id >= btf_end(ld->image->btf))
		return load_fail(ld, -EINVAL, ".BTF.ext: CO-RE relocation of instruction %u of "
				 "section '%s': type or string out of range", insn, s->name);
	err = core_resolve(ld->log, ld->image->btf, &relo, ld->abi->btfs.v, ld->abi->btfs.n,
			   &res);
	if (!err)
		err = core_patch(ld->log, where, s->insns + insn, s->ninsns - insn, &relo, &res);
	return func ? load_excuse(ld, err, &func->wrong) : err;
}

/* One section's block of records; *used: its bytes. */
static int read_block(struct loader *ld, const struct part *part, u32 rec_size, u32 off,
		      u32 *used)
{
	const char *name;
	u32 count, sec;

	if (part->len - off < 8)
		return load_fail(ld, -EINVAL, ".BTF.ext: %s: truncated header at %u", part->name,
				 off);
	name = ext_str(ld, u32_at(part->data + off));
	count = u32_at(part->data + off + 4);
	if (!name || !count || (u64)count * rec_size > part->len - off - 8)
		return load_fail(ld, -EINVAL, ".BTF.ext: %s: bad section name or %u records of "
				 "%u bytes do not fit", part->name, count, rec_size);
	sec = elf_find_sec(ld, name);
	*used = 8 + count * rec_size;
	if (!sec || !ld->secs[sec].insns) /* a section the linker dropped */
		return 0;
	for (u32 i = 0; i < count; i++)
		TRY(part->one(ld, sec, part->data + off + 8 + i * rec_size));
	return 0;
}

static int read_part(struct loader *ld, const struct part *part)
{
	u32 rec_size, used = 0;

	if (!part->len)
		return 0;
	if (part->len < 4)
		return load_fail(ld, -EINVAL, ".BTF.ext: %s: %u bytes", part->name, part->len);
	rec_size = u32_at(part->data);
	if (rec_size < part->min_rec || rec_size % 4)
		return load_fail(ld, -EINVAL, ".BTF.ext: %s: records of %u bytes", part->name,
				 rec_size);
	for (u32 off = 4; off < part->len; off += used)
		TRY(read_block(ld, part, rec_size, off, &used));
	return 0;
}

static int part_at(struct loader *ld, const struct elf_sec *sec, u32 hdr_len, u32 field,
		   struct part *part)
{
	u32 off = u32_at(sec->data + field), len = u32_at(sec->data + field + 4);

	if (off % 4 || !add_fits(off, len, sec->size - hdr_len))
		return load_fail(ld, -EINVAL, ".BTF.ext: %s at %u, %u bytes: outside the section",
				 part->name, off, len);
	part->data = sec->data + hdr_len + off;
	part->len = len;
	return 0;
}

int ext_read(struct loader *ld)
{
	struct part func = {"function info", .min_rec = FUNC_REC, .one = one_func};
	struct part line = {"line info", .min_rec = LINE_REC, .one = one_line};
	struct part core = {"CO-RE relocations", .min_rec = CORE_REC, .one = one_core};
	u32 i = elf_find_sec(ld, ".BTF.ext");
	const struct elf_sec *sec = &ld->secs[i];
	u32 hdr_len;

	if (!i || !ld->image->btf || !sec->data)
		return 0;
	if (sec->size < 24 || (u32_at(sec->data) & 0xffff) != EXT_MAGIC || sec->data[2] != 1)
		return load_fail(ld, -EINVAL, ".BTF.ext: bad header");
	hdr_len = u32_at(sec->data + 4);
	if (hdr_len < 24 || hdr_len > sec->size)
		return load_fail(ld, -EINVAL, ".BTF.ext: header of %u bytes", hdr_len);
	TRY(part_at(ld, sec, hdr_len, 8, &func));
	TRY(part_at(ld, sec, hdr_len, 16, &line));
	if (hdr_len >= 32)
		TRY(part_at(ld, sec, hdr_len, 24, &core));
	TRY(read_part(ld, &func));
	TRY(read_part(ld, &line));
	return ld->opts->look_only ? 0 : read_part(ld, &core);
}
