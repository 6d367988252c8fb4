/* SPDX-License-Identifier: MIT
 *
 * bpf.h: for programs (clang -target bpf). Include it after <bpf/bpf_helpers.h>; it adds
 * what older copies of libbpf's headers lack, and the names that are Pintle's own.
 */
#ifndef PINTLE_BPF_H
#define PINTLE_BPF_H

/* Typed pointer fields of map values (rule book A1). */
#undef __kptr
#undef __kptr_ref
#define __kptr __attribute__((btf_type_tag("kptr")))
#define __kptr_untrusted __attribute__((btf_type_tag("kptr_untrusted")))
#ifndef __percpu_kptr
#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))
#endif
#ifndef __uptr
#define __uptr __attribute__((btf_type_tag("uptr")))
#endif
/* The seed's kinds 3 and 4 for host objects. */
#define __kptr_percpu __attribute__((btf_type_tag("kptr_percpu")))
#define __kptr_user __attribute__((btf_type_tag("kptr_user")))

/*
 * The version of the pointer fields of one map value, for readers without references: even
 * while nothing changes them; each exchange, and whatever else empties a field, makes it
 * odd before and even after. Programs read it, with an acquire, before and after what they
 * read through a field.
 */
struct pintle_seq {
	unsigned long long version;
};

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif

/*
 * The exchange as one instruction (the seed's form): stores @ptr into the field and gives
 * what was there, with its reference. Same verdicts as bpf_kptr_xchg().
 */
#define pintle_xchg(field, ptr)                                                          \
	((typeof(*(field)))__sync_lock_test_and_set((unsigned long *)(field),            \
						    (unsigned long)(ptr)))

/*
 * A value for any object of a type that the host registered as storable, in a map of type
 * BPF_MAP_TYPE_TASK_STORAGE; it goes with the object.
 */
#define pintle_storage_get(map, object, init, flags)                                     \
	bpf_task_storage_get(map, (void *)(object), init, flags)
#define pintle_storage_delete(map, object) bpf_task_storage_delete(map, (void *)(object))

/*
 * Objects that programs allocate, and lists and trees of them. A list head or tree root
 * stands beside a struct bpf_spin_lock, and says which struct it holds and by which member:
 *
 *	struct bpf_rb_root root __contains(node, link);
 */
#ifndef __VMLINUX_H__
#include <linux/version.h>
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
struct bpf_list_head {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_list_node {
	__u64 opaque[3];
} __attribute__((aligned(8)));
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
struct bpf_rb_root {
	__u64 opaque[2];
} __attribute__((aligned(8)));
struct bpf_rb_node {
	__u64 opaque[4];
} __attribute__((aligned(8)));
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
struct bpf_refcount {
	__u32 opaque[1];
} __attribute__((aligned(4)));
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));
#endif
#endif
#ifndef BPF_F_TIMER_ABS
#define BPF_F_TIMER_ABS (1ULL << 0)
#endif

/*
 * Work in map values, called later in a run that may sleep: a struct bpf_wq in the value, as
 * struct bpf_timer for what is called at a time.
 */
#ifndef __VMLINUX_H__
extern int bpf_wq_init(struct bpf_wq *wq, void *map, unsigned int flags) __ksym;
extern int bpf_wq_set_callback_impl(struct bpf_wq *wq,
				    int (*callback)(void *map, int *key, void *value),
				    unsigned int flags, void *aux) __ksym;
extern int bpf_wq_start(struct bpf_wq *wq, unsigned int flags) __ksym;
#endif
#ifndef bpf_wq_set_callback
#define bpf_wq_set_callback(wq, callback, flags)                                         \
	bpf_wq_set_callback_impl(wq, callback, flags, (void *)0)
#endif

#ifndef __contains
#define __contains(struct_name, member)                                                  \
	__attribute__((btf_decl_tag("contains:" #struct_name ":" #member)))
#endif

extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_percpu_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_percpu_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_refcount_acquire_impl(void *object, void *meta) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node,
				    void *meta, __u64 off) __ksym;
extern int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node,
				   void *meta, __u64 off) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_pop_back(struct bpf_list_head *head) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			       _Bool (*less)(struct bpf_rb_node *a,
					     const struct bpf_rb_node *b),
			       void *meta, __u64 off) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root,
					     struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;
/* What stays where it is. */
extern struct bpf_list_node *bpf_list_front(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_back(struct bpf_list_head *head) __ksym;
extern struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root,
					   struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_right(struct bpf_rb_root *root,
					    struct bpf_rb_node *node) __ksym;

/*
 * Ends the program from any depth, which returns @cookie, or what the function that
 * __exception_cb() names makes of it: a global function int (__u64 cookie). Nothing may be
 * held there, and callbacks cannot throw.
 */
extern void bpf_throw(__u64 cookie) __ksym;

#ifndef __exception_cb
#define __exception_cb(name) __attribute__((btf_decl_tag("exception_callback:" #name)))
#endif

/* Throws when what the program takes for granted is not so; behind it, the verifier takes it
 * for granted, too. */
#ifndef bpf_assert
#define bpf_assert(cond) bpf_assert_with(cond, 0)
#define bpf_assert_with(cond, cookie)                                                    \
	do {                                                                             \
		if (!(cond))                                                             \
			bpf_throw(cookie);                                               \
	} while (0)
/*
 * That @x lies in [@min, @max], by its type's sign. The comparison is made of the register
 * that holds @x from there on, whatever the compiler knows or makes of it.
 */
#define bpf_assert_range(x, min, max) bpf_assert_range_with(x, min, max, 0)
#define bpf_assert_range_with(x, min, max, cookie)                                       \
	do {                                                                             \
		pintle_assert_cmp_(x, >=, min, cookie);                                  \
		pintle_assert_cmp_(x, <=, max, cookie);                                  \
	} while (0)
#define pintle_assert_cmp_(x, op, than, cookie)                                          \
	do {                                                                             \
		asm volatile("" : "+r"(x));                                              \
		if (!((x) op (than)))                                                    \
			bpf_throw(cookie);                                               \
		asm volatile("" : "+r"(x));                                              \
	} while (0)
#endif

/*
 * The keys of a map, each that stays once, whatever comes and goes meanwhile:
 *
 *	bpf_iter_map_elem_new(&it, &map);
 *	while ((key = bpf_iter_map_elem_next(&it)))
 *		value = bpf_map_lookup_elem(&map, key);
 *	bpf_iter_map_elem_destroy(&it);
 */
struct bpf_iter_map_elem {
	__u64 opaque[9];
} __attribute__((aligned(8)));

extern int bpf_iter_map_elem_new(struct bpf_iter_map_elem *it, void *map) __ksym;
extern const void *bpf_iter_map_elem_next(struct bpf_iter_map_elem *it) __ksym;
extern void bpf_iter_map_elem_destroy(struct bpf_iter_map_elem *it) __ksym;

/* The id of a type in the program's own BTF, as CO-RE numbers its questions. */
#define pintle_type_id(type) __builtin_btf_type_id(*(type *)0, 0)

#ifndef bpf_obj_new
#define bpf_obj_new(type) ((type *)bpf_obj_new_impl(pintle_type_id(type), (void *)0))
#define bpf_obj_drop(object) bpf_obj_drop_impl(object, (void *)0)
#define bpf_percpu_obj_new(type)                                                         \
	((type *)bpf_percpu_obj_new_impl(pintle_type_id(type), (void *)0))
#define bpf_percpu_obj_drop(object) bpf_percpu_obj_drop_impl(object, (void *)0)
#define bpf_refcount_acquire(object)                                                     \
	((typeof(*(object)) *)bpf_refcount_acquire_impl(object, (void *)0))
#define bpf_list_push_front(head, node) bpf_list_push_front_impl(head, node, (void *)0, 0)
#define bpf_list_push_back(head, node) bpf_list_push_back_impl(head, node, (void *)0, 0)
#define bpf_rbtree_add(root, node, less)                                                 \
	bpf_rbtree_add_impl(root, node, less, (void *)0, 0)
#endif

#endif
