/* SPDX-License-Identifier: MIT
 *
 * refs.bpf.c: one reference for each key.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <pintle/bpf.h>

struct item {
	int refs, id;
} __attribute__((preserve_access_index));

extern struct item *item_new(int id) __ksym;
extern void item_put(struct item *item) __ksym;

struct entry {
	struct item __kptr *item;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 21);
	__type(key, int);
	__type(value, struct entry);
} items SEC(".maps");

SEC("hook/on_key")
int BPF_PROG(fill, int key)
{
	struct entry fresh = {}, *e;
	struct item *item;

	if (bpf_map_update_elem(&items, &key, &fresh, BPF_NOEXIST))
		return -1;
	e = bpf_map_lookup_elem(&items, &key);
	item = item_new(key);
	if (!item)
		return -1;
	if (!e) {
		item_put(item);
		return -1;
	}
	item = bpf_kptr_xchg(&e->item, item);
	if (item)
		item_put(item);
	return 0;
}

SEC("hook/on_read")
int BPF_PROG(read, int key)
{
	struct entry *e = bpf_map_lookup_elem(&items, &key);
	struct item *item = e ? e->item : NULL;

	return item ? item->id : -1;
}
