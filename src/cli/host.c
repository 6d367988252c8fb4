/* SPDX-License-Identifier: MIT
 *
 * host.c: the host that `pintle verify` and friends judge by: what the files given with
 * --host say. Beside that there is always a plain "xdp" program type, with the types of
 * this very command, so that programs that need no host can be verified and run.
 */
#include "cli/cli.h"
#include "cli/ctx.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>

/*
 * BTF with `struct xdp_md` as programs see it, so that this needs no BTF of its own. The
 * numbers are those of the format: kind << 24 | members.
 */
static const struct {
	struct { u16 magic; u8 version, flags; u32 hdr_len, type_off, type_len, str_off, str_len; } header;
	struct btf_type integer;
	u32 integer_bits;
	struct btf_type xdp_md;
	struct btf_member members[6];
	char strings[96];
} own_btf = {
	.header = {0xeb9f, 1, 0, 24, 0, 100, 100, 96},
	.integer = {1, BTF_INT << 24, {4}},
	.integer_bits = 32,
	.xdp_md = {7, BTF_STRUCT << 24 | 6, {24}},
	.members = {{14, 1, 0}, {19, 1, 32}, {28, 1, 64}, {38, 1, 96}, {54, 1, 128}, {69, 1, 160}},
	.strings = "\0__u32\0xdp_md\0data\0data_end\0data_meta\0ingress_ifindex\0"
		   "rx_queue_index\0egress_ifindex",
};

static const struct pintle_ctx_field xdp_fields[] = {
	{"data", PINTLE_CTX_PACKET, .real_off = offsetof(struct cli_xdp, data), .real_size = 8},
	{"data_end", PINTLE_CTX_PACKET_END, .real_off = offsetof(struct cli_xdp, data_end),
	 .real_size = 8},
	{"data_meta", PINTLE_CTX_PACKET_META, .real_off = offsetof(struct cli_xdp, data_meta),
	 .real_size = 8},
	{"ingress_ifindex", PINTLE_CTX_SCALAR, .real_off = offsetof(struct cli_xdp, ifindex),
	 .real_size = 4},
	{"rx_queue_index", PINTLE_CTX_SCALAR, .real_off = offsetof(struct cli_xdp, queue),
	 .real_size = 4},
	{"egress_ifindex", PINTLE_CTX_SCALAR, .real_off = offsetof(struct cli_xdp, egress),
	 .real_size = 4},
};

static const struct pintle_prog_type own_types[] = {
	{.size = sizeof(own_types[0]), .name = "xdp", .section = "xdp", .ctx = "xdp_md",
	 .fields = xdp_fields, .nfields = ARRAY_SIZE(xdp_fields), .packet_writable = true},
};

static int add_own_types(struct pintle_host *host)
{
	if (prog_type_find(host, "xdp") >= 0)
		return 0;
	TRY(pintle_host_add_btf(host, "pintle", &own_btf, sizeof(own_btf)));
	for (u32 i = 0; i < ARRAY_SIZE(own_types); i++)
		if (prog_type_find(host, own_types[i].name) < 0)
			TRY(pintle_prog_type_add(host, &own_types[i]));
	return 0;
}

/* Section .pintle of an ELF file; NULL when there is none. */
static char *read_notes(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd >= 0 && elf_version(EV_CURRENT) != EV_NONE
			   ? elf_begin(fd, ELF_C_READ, NULL) : NULL;
	char *text = NULL;
	size_t shstr;

	if (elf && elf_kind(elf) == ELF_K_ELF && !elf_getshdrstrndx(elf, &shstr)) {
		Elf_Scn *scn = NULL;

		while ((scn = elf_nextscn(elf, scn))) {
			GElf_Shdr sh;
			const char *name = gelf_getshdr(scn, &sh)
						   ? elf_strptr(elf, shstr, sh.sh_name) : NULL;
			Elf_Data *data = name && !strcmp(name, ".pintle")
						 ? elf_rawdata(scn, NULL) : NULL;

			if (data && data->d_buf && (text = malloc(data->d_size + 1))) {
				memcpy(text, data->d_buf, data->d_size);
				*len = data->d_size;
				break;
			}
		}
	}
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	return text;
}

char *read_all(const char *path, size_t *len)
{
	enum { CHUNK = 1 << 16 };
	FILE *f = fopen(path, "rbe");
	char *text = NULL, *more;
	size_t n = CHUNK;

	for (*len = 0; f && n == CHUNK; *len += n) {
		more = realloc(text, *len + CHUNK + 1);
		if (!more)
			break;
		text = more;
		n = fread(text + *len, 1, CHUNK, f);
	}
	if (text)
		text[*len] = 0;
	if (f)
		fclose(f);
	return text;
}

enum { MAGIC_LEN = 14 };
static const char magic[] = "pintle-host 1\n";

/* "btf PATH", the second line of a contract file, relative to the contract. */
static int add_contract_btf(struct pintle_host *host, const char *path, const char *text)
{
	const char *slash = strrchr(path, '/');
	char file[1024], full[4096];
	size_t dir = slash ? (size_t)(slash - path) + 1 : 0;

	if (sscanf(text, "btf %1023s", file) != 1)
		return host_fail(host, -EINVAL, "%s: no line 'btf FILE' at the top", path);
	if (*file == '/')
		dir = 0;
	snprintf(full, sizeof(full), "%.*s%s", (int)dir, path, file);
	return pintle_host_add_btf_file(host, full);
}

static int add_contract(struct pintle_host *host, const char *path, const char *text,
			size_t len)
{
	size_t first = strcspn(text, "\n"); /* read_all() ends with a NUL */

	TRY(add_contract_btf(host, path, text));
	return contract_read(host, path, text + first, len - first);
}

static int add_file(struct pintle_host *host, const char *path)
{
	size_t len = 0;
	char *text = read_all(path, &len);
	int err;

	if (len > MAGIC_LEN && !memcmp(text, magic, MAGIC_LEN)) {
		err = add_contract(host, path, text + MAGIC_LEN, len - MAGIC_LEN);
		free(text);
		return err;
	}
	free(text);
	TRY(pintle_host_add_btf_file(host, path));
	text = read_notes(path, &len);
	err = text ? contract_read(host, path, text, len) : 0;
	free(text);
	return err;
}

struct pintle_host *cli_host(const char *const *files, u32 n)
{
	struct pintle_host *host = pintle_host_new(NULL);
	int err = 0;

	if (!host) {
		usage_error("%s", pintle_host_error(NULL));
		return NULL;
	}
	for (u32 i = 0; i < n && !err; i++)
		err = add_file(host, files[i]);
	if (!err)
		err = add_own_types(host);
	if (!err)
		return host;
	usage_error("%s", pintle_host_error(host));
	pintle_host_free(host);
	return NULL;
}
