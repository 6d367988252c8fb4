/* SPDX-License-Identifier: MIT
 *
 * live.c: asks the running kernel.
 */
#include "live.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { INT_ID = 1, LONG_ID = 2 };

/* BTF with an int and a long. */
static int types_fd(void)
{
	static int fd = -1;
	struct btf *btf;

	if (fd >= 0)
		return fd;
	btf = btf__new_empty();
	if (!btf || btf__add_int(btf, "int", 4, BTF_INT_SIGNED) != INT_ID ||
	    btf__add_int(btf, "long", 8, BTF_INT_SIGNED) != LONG_ID ||
	    btf__load_into_kernel(btf))
		return -1;
	fd = btf__fd(btf);
	return fd;
}

int live_map_create(const struct live_map *map)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = map->flags);
	int fd;

	if (map->typed) {
		opts.btf_fd = (unsigned int)types_fd();
		opts.btf_key_type_id = INT_ID;
		opts.btf_value_type_id = LONG_ID;
	}
	fd = bpf_map_create(map->type, "compare", map->key_size, map->value_size,
			    map->max_entries, &opts);
	return fd < 0 ? -errno : fd;
}

static int target_id(const struct live_prog *prog)
{
	static struct btf *vmlinux;
	char name[128];
	bool raw = prog->attach == BPF_TRACE_RAW_TP;

	if (!vmlinux)
		vmlinux = btf__load_vmlinux_btf();
	if (!vmlinux)
		return -ENOENT;
	snprintf(name, sizeof(name), "%s%s", raw ? "btf_trace_" : "bpf_iter_", prog->target);
	return btf__find_by_name_kind(vmlinux, name,
				      raw ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);
}

int live_load(const struct live_prog *prog, const void *insns, size_t n, char *log,
	      size_t size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = (unsigned int)size,
		    .log_level = 1, .expected_attach_type = prog->attach,
		    .prog_flags = prog->sleepable ? BPF_F_SLEEPABLE : 0);
	int fd, id;

	log[0] = 0;
	if (prog->target) {
		id = target_id(prog);
		if (id < 0)
			return id;
		opts.attach_btf_id = (unsigned int)id;
	}
	fd = bpf_prog_load(prog->type, "compare", "GPL", insns, n, &opts);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}
