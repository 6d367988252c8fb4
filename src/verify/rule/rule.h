/* SPDX-License-Identifier: MIT
 *
 * rule.h: what the rule files share. A function here answers 0, or has refused the program
 * and answers the negative errno of the rule; nothing is changed unless the comment says
 * so.
 */
#ifndef PINTLE_VERIFY_RULE_H
#define PINTLE_VERIFY_RULE_H

#include "verify/env.h"

/* --- null.c --- */

/* The pointer is not one that may be NULL ("R1 invalid mem access 'map_value_or_null'"). */
int check_not_null(struct env *env, u32 regno, const struct reg *reg);

/* --- mem.c --- */

/* Kinds of an access. */
static inline bool access_reads(const struct access *acc)
{
	return acc->kind != ACC_WRITE && acc->kind != ACC_STORE_RELEASE;
}
static inline bool access_writes(const struct access *acc)
{
	return acc->kind != ACC_READ && acc->kind != ACC_ACQUIRE;
}
static inline bool access_is_atomic(const struct access *acc)
{
	return acc->kind == ACC_ATOMIC || acc->kind == ACC_XCHG || acc->kind == ACC_CMPXCHG;
}

/* What a function is given as a number is no address, nor what is left of one (B10). */
int check_number_arg(struct env *env, u32 regno);

/* What is written is a number, or pointers may leak by policy (B10). @where: "map". */
int check_no_leak(struct env *env, const struct access *acc, const char *where);

/* The fixed offset and the variable part, "(0x0; 0xff)", for messages. */
const char *var_off_str(struct env *env, const struct reg *reg);
static inline bool has_var_off(const struct reg *reg)
{
	return !scalar_is_const(reg->num) || reg->num.bits.value;
}

/* "R1 type=scalar expected=map_ptr": the register is of another kind than wanted. */
int reject_kind(struct env *env, u32 regno, const char *expected);

/* --- user.c --- */

/* An address in somebody else's memory: a number, or a user pointer. */
int user_address(struct env *env, u32 regno);
/* J12: no number but NULL is the address of the host's memory. rule/helper_arg.c */
int null_address(struct env *env, u32 regno);
/* Register @regno is the @nth string of a function that looks for its end. rule/text.c */
int text_arg(struct env *env, u32 regno, u32 nth);
/* The same, of a string that is found otherwise: how many bytes may be read. */
int text_room(struct env *env, u32 regno, u32 *room);
void note_user_address(struct env *env, u32 regno);
/* An object whose space is read; noted for lowering. */
int space_owner_arg(struct env *env, u32 regno);

/* --- btfptr.c --- */

/* How many bytes of the object can be read as bytes from where @reg points: up to its end,
 * or its next pointer, which would be a number (B10). */
u32 object_plain_room(const struct reg *reg);

/* --- signal.c --- */

/* @what may be done inside a signal handler, or the program never runs there. */
int check_in_signal(struct env *env, bool safe, const char *what);

/* --- mapval.c --- */

/* The map's flags allow programs to read (write) its values. */
int check_map_mode(struct env *env, const struct image_map *map, bool write, s64 off,
		   u32 size);

/* --- ctx.c --- */

/* The context pointer is as it was given: it can be read through, or passed on. */
int check_ctx_pointer(struct env *env, u32 regno, const struct reg *reg);

/* --- memarg.c --- */

/* The helper may be given memory of a packet. */
int check_packet_mem(struct env *env, const struct abi_helper *helper);

/* --- ref.c --- */

/* Register @regno carries a reference that this place may give back (B20, B22). */
int check_releasable(struct env *env, u32 regno, const struct reg *reg);
/* The same of a reference that an object on the stack holds, or of a pointer to some member
 * of the object. */
int check_release_here(struct env *env, u32 regno, u32 ref);
/* Takes a new reference for the current instruction into *ref. */
int ref_take(struct env *env, u32 *ref);
/* The same for a result that may be NULL. */
int ref_take_or_null(struct env *env, u32 *ref);

/* --- ops.c --- */
/* The main program begins: it holds the references that its arguments are. */
int ops_begin(struct env *env);
/* @value is argument @i, which is one. */
int ops_arg_ref(struct env *env, u32 i, struct reg *value);
/* The main program returns a pointer, by its exit; or a number in its place. */
int ops_return(struct env *env);
int ops_check_null(struct env *env, u32 regno);
/* Another program may go on here, with the same arguments, and its result be this one's. */
int ops_check_tail_call(struct env *env);

/* --- btfptr.c --- */

/* The host struct behind @id (after qualifiers; forward declarations looked up by name). */
bool host_struct(const struct env *env, const struct btf *btf, u32 id,
		 const struct btf **out, u32 *type);
/* Says what is wrong with an access of a struct by what btf_walk() found. */
int reject_walk(struct env *env, const struct btf *btf, u32 type, u32 off, u32 size,
		const struct btf_at *at, const char *why);
/* Offsets of a struct pointer that is passed or stored: constant and not negative. */
int check_btf_offset(struct env *env, u32 regno, const struct reg *reg);

/* --- ctxarg.c --- */

/* access_ctx() of a context of arguments. */
int access_ctx_args(struct env *env, struct access *acc);

/* --- object.c --- */

/* The special fields of struct @type of the program's own; NULL when it has none. */
int own_record(struct env *env, const struct btf *btf, u32 type, const struct record **out);
/* An object of the program's own that is sure to exist. */
bool object_lives(const struct reg *reg);
const struct field *record_first(const struct record *rec, enum field_kind kind);
bool record_has_node(const struct record *rec); /* it can be in a list or tree */

/* --- percpu.c --- */

/* D3: the argument of bpf_this_cpu_ptr() and bpf_per_cpu_ptr(), then what they give:
 * @may_miss: NULL when there is no such CPU. */
int percpu_arg(struct env *env, u32 regno);
int percpu_opened(struct env *env, const struct reg *percpu, bool may_miss, struct reg *out);

/* --- graph.c --- */

/* G12: the walk is in a function that compares two nodes of a tree. */
bool in_less_callback(const struct env *env);

/* --- lock.c --- */

/* The argument of bpf_spin_lock() and bpf_spin_unlock(), then their effect. */
int lock_take(struct env *env, u32 regno);
int lock_give(struct env *env, u32 regno);
/* G8: the lock of the map value or object that register @regno points into is held, as
 * @what in it demands ("bpf_list_head"). */
int check_locked(struct env *env, u32 regno, const char *what);
/* No call while a lock is held (B27), unless it is @allowed. */
int check_call_under_lock(struct env *env, bool allowed);

/* --- rcu.c --- */

/* bpf_rcu_read_lock() and bpf_rcu_read_unlock(); @name for messages. */
int rcu_enter(struct env *env, const char *name);
int rcu_leave(struct env *env, const char *name);
/* bpf_preempt_enable(): closes one of the bpf_preempt_disable()s, which nest. */
int preempt_enable(struct env *env, const char *name);
/* After a section ended: pointers that it protected are untrusted (B43). */
void rcu_downgrade(struct env *env);
/* B32: @name, which may block, can be called here. @helper: its number; 0: of the host. */
int check_may_sleep(struct env *env, const char *name, u32 helper);

/* --- dynptr.c --- */

/* A dynptr that an argument names, or the place for one. */
struct dynptr_at {
	struct frame *frame; /* NULL: handed to a callback, not on the stack */
	u32 at;		     /* its first slot */
	struct reg object;   /* what is there; base REG_DYNPTR when it is a dynptr */
};
/* Register @regno names a dynptr; a place for a new one; one whose reference this place may
 * give back (records of ring buffers only have one). */
int dynptr_arg(struct env *env, u32 regno, struct dynptr_at *d);
int dynptr_arg_new(struct env *env, u32 regno, struct dynptr_at *d);
int dynptr_arg_release(struct env *env, u32 regno, struct dynptr_at *d);
/* Memory that a dynptr may be made of. */
int check_dynptr_data(struct env *env, u32 regno);
/* These change the state: a new dynptr at @d; the end of the one there. */
int dynptr_make(struct env *env, const struct dynptr_at *d, enum dynptr_kind kind);
int dynptr_release(struct env *env, const struct dynptr_at *d);
/* Its bytes are written by a function: those of some kinds may move. */
void dynptr_written(struct env *env, const struct reg *object);
/* What points to @size bytes of its memory. */
struct reg dynptr_slice(struct env *env, const struct reg *object, u32 size, u16 flags);
/* What a callback is handed; what a global function may be. */
struct reg dynptr_const(struct env *env);
struct reg dynptr_any(struct env *env);

/* --- helper_arg.c --- */

/* The text that map value @regno points to is known and zero-terminated. */
int check_const_str(struct env *env, u32 regno);

/* --- iter.c --- */

/* After a read section ended: iterators over what it protected cannot go on. */
void iter_downgrade(struct env *env);

/* --- helper.c --- */

/* B33: under policy need_gpl the program's licence allows what is reserved. */
bool licence_is_gpl(const struct image *image);

#endif
