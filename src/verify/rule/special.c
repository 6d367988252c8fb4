/* SPDX-License-Identifier: MIT
 *
 * rule/special.c: functions with a meaning of their own (src/abi/special.def). A row of the
 * table checks the call's arguments, applies its effect and sets r0; what has none is
 * refused by name.
 */
#include "verify/rule/kcall.h"

static int special_rcu_read_lock(struct env *env, struct kcall *call)
{
	TRY(rcu_enter(env, call->kfunc->name));
	return kfunc_result(env, call);
}

static int special_rcu_read_unlock(struct env *env, struct kcall *call)
{
	TRY(rcu_leave(env, call->kfunc->name));
	return kfunc_result(env, call);
}

static int special_preempt_disable(struct env *env, struct kcall *call)
{
	env->cur->preempt_depth++;
	return kfunc_result(env, call);
}

static int special_preempt_enable(struct env *env, struct kcall *call)
{
	TRY(preempt_enable(env, call->kfunc->name));
	return kfunc_result(env, call);
}

/* Ends the path: nothing is left to set. */
static int special_throw(struct env *env, struct kcall *call)
{
	TRY(check_readable(env, R1));
	if (cur_reg(env, R1)->base != REG_SCALAR)
		return reject(env, RULE_KFUNC_SCALAR, R1);
	return throw_exit(env, call->kfunc->name);
}

/* Eight bytes of the engine's that the program may use until it returns. */
static int special_session_cookie(struct env *env, struct kcall *call)
{
	struct reg r0 = reg_pointer(REG_MEM, 0);

	TRY(kfunc_check_args(env, call));
	r0.mem_size = sizeof(u64);
	kfunc_set_result(env, r0);
	return 0;
}

static int special_iter_css_task_new(struct env *env, struct kcall *call)
{
	if (!env->cur->sleepable && !(env->prog->type && env->prog->type->css_tasks))
		return reject(env, RULE_ITER_CSS_TASK);
	return kfunc_ordinary(env, call);
}

static special_fn *const specials[NR_KS] = {
	[KS_RCU_READ_LOCK] = special_rcu_read_lock,
	[KS_RCU_READ_UNLOCK] = special_rcu_read_unlock,
	[KS_PREEMPT_DISABLE] = special_preempt_disable,
	[KS_PREEMPT_ENABLE] = special_preempt_enable,
	[KS_THROW] = special_throw,
	[KS_DYNPTR_FROM_SKB] = special_dynptr_from,
	[KS_DYNPTR_FROM_XDP] = special_dynptr_from,
	[KS_DYNPTR_FROM_SOURCE] = special_dynptr_from_source,
	[KS_DYNPTR_ADJUST] = kfunc_ordinary,
	[KS_DYNPTR_IS_NULL] = kfunc_ordinary,
	[KS_DYNPTR_IS_RDONLY] = kfunc_ordinary,
	[KS_DYNPTR_SIZE] = kfunc_ordinary,
	[KS_DYNPTR_COPY] = special_dynptr_write,
	[KS_DYNPTR_MEMSET] = special_dynptr_write,
	[KS_DYNPTR_SLICE] = special_dynptr_slice,
	[KS_DYNPTR_SLICE_RDWR] = special_dynptr_slice,
	[KS_DYNPTR_CLONE] = special_dynptr_clone,
	[KS_ITER_NUM_NEW] = kfunc_ordinary,
	[KS_ITER_NUM_NEXT] = kfunc_ordinary,
	[KS_ITER_NUM_DESTROY] = kfunc_ordinary,
	[KS_ITER_BITS_NEW] = kfunc_ordinary,
	[KS_ITER_BITS_NEXT] = kfunc_ordinary,
	[KS_ITER_BITS_DESTROY] = kfunc_ordinary,
	[KS_ITER_MAP_ELEM_NEW] = special_iter_map_elem,
	[KS_ITER_MAP_ELEM_NEXT] = special_iter_map_elem,
	[KS_ITER_MAP_ELEM_DESTROY] = kfunc_ordinary,
	[KS_STRCMP] = kfunc_ordinary,
	[KS_STRCASECMP] = kfunc_ordinary,
	[KS_STRCHR] = kfunc_ordinary,
	[KS_STRNCHR] = kfunc_ordinary,
	[KS_STRCHRNUL] = kfunc_ordinary,
	[KS_STRRCHR] = kfunc_ordinary,
	[KS_STRLEN] = kfunc_ordinary,
	[KS_STRNLEN] = kfunc_ordinary,
	[KS_STRSPN] = kfunc_ordinary,
	[KS_STRCSPN] = kfunc_ordinary,
	[KS_STRSTR] = kfunc_ordinary,
	[KS_STRNSTR] = kfunc_ordinary,
	[KS_OBJ_NEW] = special_obj_new,
	[KS_OBJ_DROP] = special_obj_drop,
	[KS_PERCPU_OBJ_NEW] = special_percpu_obj_new,
	[KS_PERCPU_OBJ_DROP] = special_percpu_obj_drop,
	[KS_REFCOUNT_ACQUIRE] = special_refcount_acquire,
	[KS_LIST_PUSH_FRONT] = special_list_push,
	[KS_LIST_PUSH_BACK] = special_list_push,
	[KS_LIST_POP_FRONT] = special_list_pop,
	[KS_LIST_POP_BACK] = special_list_pop,
	[KS_LIST_FRONT] = special_list_peek,
	[KS_LIST_BACK] = special_list_peek,
	[KS_RBTREE_ADD] = special_rbtree_add,
	[KS_RBTREE_REMOVE] = special_rbtree_remove,
	[KS_RBTREE_FIRST] = special_rbtree_first,
	[KS_RBTREE_ROOT] = special_rbtree_first,
	[KS_RBTREE_LEFT] = special_rbtree_child,
	[KS_RBTREE_RIGHT] = special_rbtree_child,
	[KS_ARENA_ALLOC_PAGES] = special_arena_alloc,
	[KS_ARENA_FREE_PAGES] = special_arena_free,
	[KS_COPY_FROM_USER_STR] = special_copy_str,
	[KS_COPY_FROM_USER_TASK_STR] = special_copy_task_str,
	[KS_RDONLY_CAST] = special_rdonly_cast,
	[KS_CAST_TO_KERN_CTX] = special_cast_to_kern_ctx,
	[KS_WQ_INIT] = kfunc_ordinary,
	[KS_WQ_SET_CALLBACK] = special_wq_set_callback,
	[KS_WQ_START] = kfunc_ordinary,
	[KS_SESSION_COOKIE] = special_session_cookie,
	[KS_SESSION_IS_RETURN] = kfunc_ordinary,
	[KS_ITER_CSS_TASK_NEW] = special_iter_css_task_new,
};

int special_call(struct env *env, struct kcall *call)
{
	u32 special = call->kfunc->special;

	if (special >= NR_KS || !specials[special])
		return reject(env, RULE_UNSUPPORTED, call->kfunc->name);
	return specials[special](env, call);
}
