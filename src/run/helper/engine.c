/* SPDX-License-Identifier: MIT
 *
 * engine.c: functions that programs import as from the host, but that are the engine's own:
 * the verifier knows what each means (src/abi/special.def), and they are called as the
 * program declares them, within the shape that special.def allows.
 *
 * A run keeps its execution slot to its end, so "this CPU" never changes and nobody else
 * runs on it: disabling preemption has nothing left to do.
 */
#include "run/async/async.h"
#include "run/helper/dynptr.h"
#include "run/helper/iter.h"
#include "run/field/local.h"
#include "run/map/arena.h"
#include "run/helper/string.h"

static void read_lock(void)
{
	run_read_lock(slot_current()->host);
}

static void read_unlock(void)
{
	run_read_unlock(slot_current()->host);
}

static void nothing(void)
{
}

/* --- objects (local.h); lower fills in the type --- */

static void *local_of(u64 type)
{
	return (void *)(uintptr_t)type;
}

static u64 obj_new(u64 id, u64 type)
{
	return (uintptr_t)local_new(local_of(type));
}

/* No @type: the call is of objects of several. */
static u64 obj_drop(u64 object, u64 type)
{
	void *body = local_of(object);

	local_drop(type ? local_of(type) : obj_of(body)->type, body);
	return 0;
}

static u64 refcount_acquire(u64 object, u64 type)
{
	return (uintptr_t)local_acquire(local_of(type), local_of(object));
}

static u64 percpu_obj_new(u64 id, u64 type)
{
	return (uintptr_t)percpu_new(local_of(type));
}

static u64 percpu_obj_drop(u64 object, u64 type)
{
	percpu_drop(local_of(type), local_of(object));
	return 0;
}

/* --- casts: what a pointer is, the verifier knows --- */

static u64 cast(u64 pointer)
{
	return pointer;
}

#define FN(fn) ((void (*)(void))(fn))

static const struct engine_func {
	enum kfunc_special special;
	void (*fn)(void);
} funcs[] = {
	{KS_RCU_READ_LOCK,	read_lock},
	{KS_RCU_READ_UNLOCK,	read_unlock},
	{KS_PREEMPT_DISABLE,	nothing},
	{KS_PREEMPT_ENABLE,	nothing},
	{KS_OBJ_NEW,		FN(obj_new)},
	{KS_OBJ_DROP,		FN(obj_drop)},
	{KS_REFCOUNT_ACQUIRE,	FN(refcount_acquire)},
	{KS_PERCPU_OBJ_NEW,	FN(percpu_obj_new)},
	{KS_PERCPU_OBJ_DROP,	FN(percpu_obj_drop)},
	{KS_LIST_PUSH_FRONT,	FN(list_push_front)},
	{KS_LIST_PUSH_BACK,	FN(list_push_back)},
	{KS_LIST_POP_FRONT,	FN(list_pop_front)},
	{KS_LIST_POP_BACK,	FN(list_pop_back)},
	{KS_LIST_FRONT,		FN(list_front)},
	{KS_LIST_BACK,		FN(list_back)},
	{KS_RBTREE_ADD,		FN(rbtree_add)},
	{KS_RBTREE_REMOVE,	FN(rbtree_remove)},
	{KS_RBTREE_FIRST,	FN(rbtree_first)},
	{KS_RBTREE_ROOT,	FN(rbtree_root)},
	{KS_RBTREE_LEFT,	FN(rbtree_left)},
	{KS_RBTREE_RIGHT,	FN(rbtree_right)},
	{KS_WQ_INIT,		FN(wq_init)},
	{KS_WQ_SET_CALLBACK,	FN(wq_set_callback)},
	{KS_WQ_START,		FN(wq_start)},
	{KS_DYNPTR_SLICE,	FN(dynptr_part)},
	{KS_DYNPTR_SLICE_RDWR,	FN(dynptr_part_rdwr)},
	{KS_DYNPTR_CLONE,	FN(dynptr_clone)},
	{KS_DYNPTR_ADJUST,	FN(dynptr_adjust)},
	{KS_DYNPTR_IS_NULL,	FN(dynptr_is_null)},
	{KS_DYNPTR_IS_RDONLY,	FN(dynptr_is_rdonly)},
	{KS_DYNPTR_SIZE,	FN(dynptr_get_size)},
	{KS_DYNPTR_COPY,	FN(dynptr_copy)},
	{KS_DYNPTR_MEMSET,	FN(dynptr_memset)},
	{KS_COPY_FROM_USER_STR,	FN(user_copy_str)},
	{KS_COPY_FROM_USER_TASK_STR, FN(user_copy_task_str)},
	{KS_ITER_NUM_NEW,	FN(iter_num_new)},
	{KS_ITER_NUM_NEXT,	FN(iter_num_next)},
	{KS_ITER_NUM_DESTROY,	FN(iter_num_destroy)},
	{KS_ITER_BITS_NEW,	FN(iter_bits_new)},
	{KS_ITER_BITS_NEXT,	FN(iter_bits_next)},
	{KS_ITER_BITS_DESTROY,	FN(iter_bits_destroy)},
	{KS_ITER_MAP_ELEM_NEW,	FN(iter_map_elem_new)},
	{KS_ITER_MAP_ELEM_NEXT, FN(iter_map_elem_next)},
	{KS_ITER_MAP_ELEM_DESTROY, FN(iter_map_elem_destroy)},
	{KS_STRCMP,		FN(string_cmp)},
	{KS_STRCASECMP,		FN(string_casecmp)},
	{KS_STRCHR,		FN(string_chr)},
	{KS_STRNCHR,		FN(string_nchr)},
	{KS_STRCHRNUL,		FN(string_chrnul)},
	{KS_STRRCHR,		FN(string_rchr)},
	{KS_STRLEN,		FN(string_len)},
	{KS_STRNLEN,		FN(string_nlen)},
	{KS_STRSPN,		FN(string_spn)},
	{KS_STRCSPN,		FN(string_cspn)},
	{KS_STRSTR,		FN(string_str)},
	{KS_STRNSTR,		FN(string_nstr)},
	{KS_ARENA_ALLOC_PAGES,	FN(arena_alloc_pages)},
	{KS_ARENA_FREE_PAGES,	FN(arena_free_pages)},
	{KS_RDONLY_CAST,	FN(cast)},
	{KS_CAST_TO_KERN_CTX,	FN(cast)},
};

/* Hosts say of what dynptrs are, by names of their own or the kernel's. */
static bool of_hosts(u32 special)
{
	return special == KS_DYNPTR_FROM_SOURCE || special == KS_DYNPTR_FROM_SKB ||
	       special == KS_DYNPTR_FROM_XDP;
}

/* What has no code here is known all the same: programs are verified, not loaded. */
int engine_export(struct pintle_host *host)
{
	void (*fns[NR_KS])(void) = {NULL};

	for (u32 i = 0; i < ARRAY_SIZE(funcs); i++)
		fns[funcs[i].special] = funcs[i].fn;
	for (u32 s = KS_NONE + 1; s < NR_KS; s++)
		if (!of_hosts(s))
			TRY(export_special(host, s, fns[s]));
	return 0;
}
