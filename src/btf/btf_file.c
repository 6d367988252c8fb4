/* SPDX-License-Identifier: MIT
 *
 * btf_file.c: BTF from a file: raw, or the .BTF section of a 64-bit little-endian ELF
 * file. The file is mapped and stays so while the object lives; what cannot be mapped
 * (sysfs of older kernels) is read. The section table is read here and not through
 * libelf, because all that is wanted is where one section lies.
 */
#include "btf/btf_impl.h"

#include "base/log.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct span {
	const u8 *p;
	u64 len;
};

void btf_close(struct btf *btf)
{
	if (!btf)
		return;
	if (btf->map)
		munmap(btf->map, btf->map_len);
	free(btf->file);
	free(btf->copy);
	free(btf->offs);
	free(btf->nest);
	free(btf->heads);
	free(btf->next);
	free(btf->tags);
	free((char *)btf->name);
	free(btf);
}

static int bad(struct log *log, const char *path, const char *what)
{
	return log_fail(log, -EINVAL, "%s: %s", path, what);
}

/* @n bytes at @off of the file, or NULL. */
static const void *at(struct span file, u64 off, u64 n)
{
	return add_fits(off, n, file.len) ? file.p + off : NULL;
}

/* Headers need not be aligned in a hostile file, so they are copied out. */
static bool read_section(struct span file, const Elf64_Ehdr *h, u64 i, Elf64_Shdr *s)
{
	const void *p;

	if (i > UINT32_MAX || h->e_shoff > file.len)
		return false;
	p = at(file, h->e_shoff + i * sizeof(*s), sizeof(*s));
	if (p)
		memcpy(s, p, sizeof(*s));
	return p != NULL;
}

static bool section_is(struct span file, const Elf64_Shdr *names, u32 off, const char *name)
{
	u64 len = strlen(name) + 1;
	const char *p = NULL;

	if (names->sh_type != SHT_NOBITS && add_fits(off, len, names->sh_size) &&
	    names->sh_offset <= file.len)
		p = at(file, names->sh_offset + off, len);
	return p && !memcmp(p, name, len);
}

static int check_elf(struct log *log, const char *path, const Elf64_Ehdr *h)
{
	if (h->e_ident[EI_CLASS] != ELFCLASS64)
		return bad(log, path, "not a 64-bit ELF file");
	if (h->e_ident[EI_DATA] != ELFDATA2LSB)
		return bad(log, path, "a big-endian ELF file is not supported");
	if (h->e_shoff && h->e_shentsize != sizeof(Elf64_Shdr))
		return bad(log, path, "ELF section headers of an unknown size");
	return 0;
}

/* Where .BTF lies. */
static int elf_btf(struct log *log, const char *path, struct span file, struct span *out)
{
	Elf64_Shdr zero = {0}, names, s;
	Elf64_Ehdr h;
	u64 n, names_index;

	memcpy(&h, file.p, sizeof(h));
	TRY(check_elf(log, path, &h));
	if (!h.e_shoff || !read_section(file, &h, 0, &zero))
		return bad(log, path, "an ELF file without section headers");
	n = h.e_shnum ? h.e_shnum : zero.sh_size;
	names_index = h.e_shstrndx == SHN_XINDEX ? zero.sh_link : h.e_shstrndx;
	if (names_index >= n || !read_section(file, &h, names_index, &names))
		return bad(log, path, "an ELF file without section names");
	for (u64 i = 1; i < n && read_section(file, &h, i, &s); i++) {
		if (!section_is(file, &names, s.sh_name, ".BTF"))
			continue;
		if (s.sh_flags & SHF_COMPRESSED || s.sh_type == SHT_NOBITS)
			return bad(log, path, "its .BTF section has no plain contents");
		*out = (struct span){at(file, s.sh_offset, s.sh_size), s.sh_size};
		return out->p ? 0 : bad(log, path, "its .BTF section ends beyond the file");
	}
	return log_fail(log, -ENOENT,
			"%s: no .BTF section (compile with -g, then run pahole -J)", path);
}

static int open_bytes(struct log *log, const char *path, struct span file,
		      const struct btf *base, struct btf **out)
{
	struct span btf = file;

	if (file.len >= sizeof(Elf64_Ehdr) && !memcmp(file.p, ELFMAG, SELFMAG))
		TRY(elf_btf(log, path, file, &btf));
	if (btf.len > UINT32_MAX)
		return bad(log, path, "more than 4 GiB of BTF");
	return btf_open_host(log, path, btf.p, (u32)btf.len, base, out);
}

/* All of @fd into memory, @size of them expected. */
static void *read_whole(int fd, size_t size)
{
	u8 *p = malloc(size ? size : 1);
	size_t done = 0;

	while (p && done < size) {
		ssize_t n = pread(fd, p + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int err = n ? errno : EIO;

			free(p);
			errno = err;
			return NULL;
		}
		done += (size_t)n;
	}
	return p;
}

static int open_fd(struct log *log, const char *path, int fd, const struct btf *base,
		   struct btf **out)
{
	void *map, *copy = NULL;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return log_fail(log, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return bad(log, path, "not a regular file");
	if (!st.st_size)
		return bad(log, path, "an empty file");
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd,
		   0);
	if (map == MAP_FAILED) {
		map = NULL;
		copy = read_whole(fd, (size_t)st.st_size);
		if (!copy)
			return log_fail(log, -errno, "%s: %s", path, strerror(errno));
	}
	err = open_bytes(log, path, (struct span){map ? map : copy, (u64)st.st_size}, base,
			 out);
	if (err) {
		if (map)
			munmap(map, (size_t)st.st_size);
		free(copy);
		return err;
	}
	(*out)->map = map;
	(*out)->map_len = (size_t)st.st_size;
	(*out)->file = copy;
	return 0;
}

int btf_open_file(struct log *log, const char *path, const struct btf *base,
		  struct btf **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	*out = NULL;
	if (fd < 0)
		return log_fail(log, -errno, "%s: %s", path, strerror(errno));
	err = open_fd(log, path, fd, base, out);
	close(fd);
	return err;
}
