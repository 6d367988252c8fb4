/* SPDX-License-Identifier: MIT
 *
 * Map values and keys: what programs may read and write.
 */
#include "verdict.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, __u64);
} input SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_WRONLY_PROG);
	__type(key, __u32);
	__type(value, __u64);
} output SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

const volatile __u64 limit = 3;
__u64 seen;

ACCEPT RETVAL(0)
XDP(read_input)
{
	__u32 zero = 0;
	__u64 *v = bpf_map_lookup_elem(&input, &zero);

	return v ? *v : 0;
}

REJECT(MAP_WRITE, "write into map forbidden, value_size=8 off=0 size=8")
XDP(write_input)
{
	__u32 zero = 0;
	__u64 *v = bpf_map_lookup_elem(&input, &zero);

	if (v)
		*v = 1;
	return 0;
}

/* By helper it is a write as well. */
REJECT(MAP_WRITE, "write into map forbidden")
XDP(update_input)
{
	__u32 zero = 0;
	__u64 one = 1;

	return bpf_map_update_elem(&input, &zero, &one, 0);
}

ACCEPT RETVAL(0)
XDP(write_output)
{
	__u32 zero = 0;
	__u64 *v = bpf_map_lookup_elem(&output, &zero);

	if (v)
		*v = 1;
	return 0;
}

REJECT(MAP_READ, "read from map forbidden, value_size=8 off=0 size=8")
XDP(read_output)
{
	__u32 zero = 0;
	__u64 *v = bpf_map_lookup_elem(&output, &zero);

	return v ? *v : 0;
}

REJECT(NULL_DEREF, "invalid mem access 'map_value_or_null'")
XDP(untested)
{
	__u32 zero = 0;
	__u64 *v = bpf_map_lookup_elem(&counts, &zero);

	return *v;
}

/* A test of one copy is a test of all. */
ACCEPT RETVAL(0)
XDP(copy_tested)
{
	__u32 zero = 0;
	__u64 *v = bpf_map_lookup_elem(&counts, &zero), *copy = v;

	hide(copy);
	return v ? *copy : 0;
}

/* Another look-up is another pointer. */
REJECT(NULL_DEREF, "invalid mem access 'map_value_or_null'")
XDP(other_look_up_tested)
{
	__u32 zero = 0;
	__u64 *a = bpf_map_lookup_elem(&counts, &zero);
	__u64 *b = bpf_map_lookup_elem(&counts, &zero);

	return a ? *b : 0;
}

static long change_key(void *map, __u32 *key, __u64 *value, void *ctx)
{
	*key = 0;
	return 0;
}

REJECT(MAP_KEY_WRITE, "write to change key R")
XDP(key_written)
{
	bpf_for_each_map_elem(&counts, change_key, NULL, 0);
	return 0;
}

static long read_key(void *map, __u32 *key, __u64 *value, void *ctx)
{
	*value += *key;
	return 0;
}

ACCEPT RETVAL(0)
XDP(key_read)
{
	bpf_for_each_map_elem(&counts, read_key, NULL, 0);
	return 0;
}

static long beyond_key(void *map, __u32 *key, __u64 *value, void *ctx)
{
	return *(volatile __u64 *)key != 0;
}

REJECT(REGION_MIN, "invalid access to map key, key_size=4 off=0 size=8")
XDP(key_read_beyond)
{
	bpf_for_each_map_elem(&counts, beyond_key, NULL, 0);
	return 0;
}

/* The map itself is no memory. */
REJECT(MEM_ACCESS, "invalid mem access 'map_ptr'")
	KERNEL(accept, "a map's own struct can be read through BTF there")
XDP(handle_read)
{
	return *(volatile __u32 *)&counts;
}

/* Global data. */
ACCEPT RETVAL(3)
XDP(globals)
{
	seen++;
	return limit;
}

REJECT(MAP_WRITE, "write into map forbidden")
XDP(constant_written)
{
	*(volatile __u64 *)&limit = 4;
	return 0;
}

ACCEPT RETVAL(0)
XDP(atomic_counter)
{
	__u32 zero = 0;
	__u64 *v = bpf_map_lookup_elem(&counts, &zero);

	if (v)
		__sync_fetch_and_add(v, 1);
	return 0;
}

REJECT(MISALIGNED, "misaligned value access")
XDP(atomic_misaligned)
{
	__u32 zero = 0;
	char *v = bpf_map_lookup_elem(&counts, &zero);

	if (v)
		__sync_fetch_and_add((__u32 *)(v + 2), 1);
	return 0;
}

REJECT(LEAK, "leaks addr into map")
	KERNEL(accept, "privileged programs may show addresses")
XDP(address_written)
{
	seen = (__u64)ctx;
	return 0;
}
