/* SPDX-License-Identifier: MIT
 *
 * kcall.h: one call of a host function while it is checked, for the files that share the
 * work:
 *
 *	kfunc.c      which function, who may call it, what its flags demand
 *	kfunc_arg.c  arguments: what each is (by suffix, type and register), and its check
 *	kfunc_ret.c  the result
 *	special.c    functions with a meaning of their own (enum kfunc_special)
 *
 * Arguments are checked in order and only read the state; then references given back die;
 * then r0 is set.
 */
#ifndef PINTLE_VERIFY_KCALL_H
#define PINTLE_VERIFY_KCALL_H

#include "verify/rule/rule.h"

enum { MAX_KARGS = 5 };

struct kcall {
	const struct abi_kfunc *kfunc;
	const struct btf *btf; /* of proto: the host's; or the program's own, for what the
				* engine provides */
	const struct btf_type *proto;
	/* What the arguments told: */
	u32 release_regno;  /* whose reference dies; 0: none */
	u32 arg_ref;	    /* reference that an argument carries; 0: none */
	bool two_refs;	    /* another argument carries another one */
	bool rcu_arg;	    /* an object that only an explicit read section protects */
	bool has_constant;  /* of a __k argument */
	u64 constant;
	bool has_buf, buf_rdonly; /* rdonly_buf_size, rdwr_buf_size */
	u32 buf_size;
	const struct image_map *map; /* KA_MAP, or the one whose value has the KA_WQ */
	u32 map_uid;
	bool map_of_wq;
	u32 subprog;		     /* KA_CALLBACK */
	struct dynptr_at dynptr, new_dynptr; /* the last one passed; the place for a new one */
	struct iter_at {		     /* KA_ITER */
		struct frame *frame;
		u32 at, nslots;
	} iter;
};

/* What an argument is; decides which check it gets. */
enum karg_class {
	KA_UNKNOWN,
	KA_IGNORED,    /* __ign, __prog */
	KA_ANY,	       /* whatever can be read */
	KA_NUMBER,
	KA_CONSTANT,   /* __k */
	KA_BUF_SIZE,   /* rdonly_buf_size, rdwr_buf_size */
	KA_SIZE,       /* __sz, __szk: checked with the memory before it */
	KA_NULL,       /* NULL where it is allowed: nothing left to check */
	KA_SLOT,       /* address of a pointer field (KF_KPTR_GET) */
	KA_CTX,
	KA_OBJECT,     /* of the host */
	KA_MEM,        /* numbers */
	KA_MEM_SIZED,
	KA_ALLOC,      /* __alloc */
	KA_REFCOUNTED, /* __refcounted_kptr */
	KA_STR,	       /* __str */
	KA_MAP,	       /* __map */
	KA_ITER, KA_DYNPTR, KA_CALLBACK, KA_WQ, KA_IRQ_FLAG, KA_ARENA,
	KA_LIST_HEAD, KA_LIST_NODE, KA_RB_ROOT, KA_RB_NODE,
	NR_KARG_CLASSES,
};

struct karg {
	u32 i, regno;
	u8 class_; /* enum karg_class */
	const char *name;
	u32 type;  /* after qualifiers, in call->btf */
	const struct reg *reg;
};

/* --- kfunc.c --- */

/* Gives back what the arguments said is given back. */
int kfunc_release(struct env *env, struct kcall *call);
/* The whole of a call that only prototype and flags describe. */
int kfunc_ordinary(struct env *env, struct kcall *call);

/* --- kfunc_arg.c --- */

/* Describes argument @i, whose register must be readable unless it is ignored. */
int kfunc_arg(struct env *env, const struct kcall *call, u32 i, struct karg *arg);
bool arg_name_ends(const struct karg *arg, const char *suffix);
/* Checks argument @i, or all of them, as those of an ordinary function. */
int kfunc_check_arg(struct env *env, struct kcall *call, u32 i);
int kfunc_check_args(struct env *env, struct kcall *call);
/* Argument 0 of a dynptr source: the object whose bytes it reads, which is sure to exist. */
int kfunc_check_source(struct env *env, struct kcall *call);
/* Numbers all the way down: such memory may hold any bytes. */
bool btf_is_plain_data(const struct btf *btf, u32 id);
bool btf_is_number(const struct btf *btf, u32 id);

/* --- kfunc_ret.c --- */

/* Sets r0 as the prototype and flags say. */
int kfunc_result(struct env *env, const struct kcall *call);
void kfunc_set_result(struct env *env, struct reg r0);

/* --- iter.c --- */

/* Argument @arg of an iterator's function: the iterator on the stack, or its place. */
int arg_iter(struct env *env, struct kcall *call, const struct karg *arg);
/* What _new(), _next() and _destroy() do; _next() forks the path. Sets r0. */
int iter_call(struct env *env, struct kcall *call);

/* --- wq.c --- */

/* The address of the workqueue of a map value. */
int arg_wq(struct env *env, struct kcall *call, const struct karg *arg);

/* --- special.c, and where such functions live --- */

/* Checks its arguments, applies its effect, sets r0. */
typedef int special_fn(struct env *env, struct kcall *call);
int special_call(struct env *env, struct kcall *call);
special_fn special_wq_set_callback; /* wq.c */
special_fn special_dynptr_from, special_dynptr_clone, special_dynptr_slice; /* dynptr.c */
special_fn special_dynptr_from_source, special_dynptr_write;
special_fn special_iter_map_elem; /* iter.c */

/* --- object.c: objects of the program's own structs --- */

special_fn special_obj_new, special_obj_drop, special_refcount_acquire;
/* R1 is the constant id of a struct of the program's BTF, the same on every path. */
int own_type_arg(struct env *env, u32 *type);
/* Every path allocates, drops or links objects of this one type here. */
int note_type(struct env *env, u32 type);
/* r0 is a new object, with a reference, or NULL; @flags: besides F_ALLOC. */
int object_born(struct env *env, u32 type, u16 flags);
/* R1 is an owned object, which is given back. */
int object_dropped(struct env *env, struct kcall *call, bool percpu);

/* --- percpu.c, cast.c, graph.c --- */

special_fn special_percpu_obj_new, special_percpu_obj_drop;
special_fn special_copy_str, special_copy_task_str; /* user.c */
special_fn special_rdonly_cast, special_cast_to_kern_ctx;
special_fn special_arena_alloc, special_arena_free; /* arena.c */
special_fn special_list_push, special_list_pop, special_list_peek;
special_fn special_rbtree_add, special_rbtree_remove, special_rbtree_first, special_rbtree_child;

#endif
