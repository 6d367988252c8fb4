/* SPDX-License-Identifier: MIT
 *
 * load_damaged.c: a real object with one byte changed, or cut short, at every place: it
 * opens or is refused with words, and whatever opens can be verified. What is looked at is
 * what describes the rest: headers, symbols, relocations, .BTF.ext. (The bytes of .BTF and
 * of the code are the fuzz targets'.)
 */
#include "fixture/host.h"
#include "run/run.h"
#include "test.h"
#include "unit/elf_edit.h"

static const char object[] = "verdict/kptr_first.bpf.o";

static void verify_prog(const struct image *image, const struct image_prog *prog)
{
	static const struct verify_opts opts = {.max_insns = 2000};
	struct arena *arena = arena_new();
	struct proof *proof = NULL;
	struct rejection why = {0};
	struct log log = {0};

	CHECK(arena != NULL);
	if (verify(arena, &log, image, prog, &opts, &proof, &why, NULL))
		CHECK(why.message || log.error[0]);
	proof_free(proof);
	log_free(&log);
	arena_free(arena);
}

/* Whether it opened. */
static bool open_damaged(struct pintle_host *host, const u8 *data, size_t size)
{
	struct image *image = NULL;
	struct log log = {0};
	int err = image_open(&log, &host->abi, data, size, NULL, &image);

	if (err) {
		CHECK(!image);
		CHECK(log.error[0]);
	}
	for (u32 i = 0; !err && i < image->nprogs; i++)
		if (image->progs[i].type)
			verify_prog(image, &image->progs[i]);
	image_free(image);
	log_free(&log);
	return !err;
}

struct damage {
	struct pintle_host *host;
	struct elf_edit e;
	u32 opened, refused;
};

static void damage_range(struct damage *d, u64 off, u64 size)
{
	static const u8 flips[] = {0x01, 0x80, 0xff};

	CHECK(add_fits(off, size, d->e.size));
	for (u64 i = off; i < off + size; i++)
		for (u32 f = 0; f < ARRAY_SIZE(flips); f++) {
			d->e.data[i] ^= flips[f];
			if (open_damaged(d->host, d->e.data, d->e.size))
				d->opened++;
			else
				d->refused++;
			d->e.data[i] ^= flips[f];
		}
}

static bool describes(const Elf64_Shdr *sh, const Elf64_Shdr *ext)
{
	return sh->sh_type == SHT_SYMTAB || sh->sh_type == SHT_REL || sh == ext;
}

static struct damage begin(void)
{
	struct damage d = {.host = test_host_new(), .e = elf_edit_open(object)};

	CHECK(open_damaged(d.host, d.e.data, d.e.size));
	return d;
}

static void end(struct damage *d)
{
	elf_edit_free(&d->e);
	test_host_free(d->host);
}

TEST(load_damaged_at_every_byte)
{
	struct damage d = begin();
	Elf64_Ehdr eh = *(const Elf64_Ehdr *)d.e.data;
	const Elf64_Shdr *sh = (const Elf64_Shdr *)(d.e.data + eh.e_shoff);
	const Elf64_Shdr *ext = elf_edit_shdr(&d.e, ".BTF.ext");

	damage_range(&d, 0, sizeof(eh));
	damage_range(&d, eh.e_shoff, eh.e_shnum * sizeof(*sh));
	for (u32 i = 0; i < eh.e_shnum; i++)
		if (describes(&sh[i], ext))
			damage_range(&d, sh[i].sh_offset, sh[i].sh_size);
	CHECK(d.refused > 1000);
	CHECK(d.opened > 100); /* source lines, alignments and such */
	end(&d);
}

/* Each length a heap block of its own, so that reading past its end is seen. */
TEST(load_truncated_at_every_length)
{
	struct damage d = begin();

	for (size_t size = 0; size < d.e.size; size += size < 256 ? 1 : 29) {
		u8 *cut = malloc(size + !size);

		CHECK(cut != NULL);
		memcpy(cut, d.e.data, size);
		CHECK(!open_damaged(d.host, cut, size));
		free(cut);
	}
	end(&d);
}
