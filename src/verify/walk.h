/* SPDX-License-Identifier: MIT
 *
 * walk.h: what the files of the walk itself share and the rules have no need of.
 *
 *	verify.c   passes, proof        cfg.c    structure, prune points
 *	live.c     liveness             walk.c   the loop, pending branches
 *	exec_*.c   one per kind         state.c  memory of states
 *	prune.c    stored states        precise.c  what pruning must compare
 *	reject.c   refusing             explain.c  a refusal in words for people
 */
#ifndef PINTLE_VERIFY_WALK_H
#define PINTLE_VERIFY_WALK_H

#include "verify/env.h"

enum { PATH_ENDED = 1 }; /* of exec functions: this path is done */
enum { MAX_STEPS = 192, NSLOTS = STACK_SIZE / 8, MAX_VAR_OFF = 1 << 29 };

/* --- walk.c --- */
int walk_all(struct env *env); /* env->cur from env->insn, and every branch it queues */
/* Queues a copy of the current state at @insn; NULL: *err is why. */
struct state *push_branch(struct env *env, u32 insn, int *err);
/* Queues @state itself, which is not on the current path. */
int push_state(struct env *env, struct state *state, u32 insn);
int out_of_memory(struct env *env);

/* --- state.c --- */
struct pool;
void *pool_get(struct env *env, size_t size); /* not zeroed */
void pool_put(struct env *env, void *p, size_t size);
bool pool_grow(struct env *env, void **p, u32 *cap, u32 n, u32 need, size_t size);
struct state *state_new(struct env *env);
struct state *state_copy(struct env *env, const struct state *from);
/* A copy for the walk from @insn on: without the slots at the end that nobody reads. */
struct state *state_copy_at(struct env *env, const struct state *from, u32 insn);
void state_free(struct env *env, struct state *state);
struct frame *frame_new(struct env *env);
void frame_free(struct env *env, struct frame *frame);
/* Slot @i of @frame, which then has at least i + 1 of them; NULL: out of memory. */
struct slot *frame_slot(struct env *env, struct frame *frame, u32 i);
bool slot_is_spill(const struct slot *slot); /* of all 8 bytes */
/* The byte is one of a pointer, whole or broken, or of a number that was one. */
bool slot_shows_address(const struct slot *slot, u32 byte);
/* A dynptr whose slices end with what it is of, whether it is read itself or not. */
bool slot_ends_slices(const struct slot *slot);
/* Slices that may lie in the slots of id @lent become unreadable, and these are ours again. */
void lent_forget(struct env *env, u32 lent);
bool slot_has_spill(const struct slot *slot); /* of at least the lowest 4 */

/* The insns array, and where a jump or call at @insn goes. */
u32 jump_target(const struct env *env, u32 insn);

/* rule/mapuse.c: the maps that the program names are for programs of its type. */
int check_maps_used(struct env *env);

/* --- cfg.c, live.c --- */
int cfg_check(struct env *env);
int cfg_stack(struct env *env, u16 *depths, u32 *max); /* after the walk */
s32 subprog_at(const struct env *env, u32 insn);	 /* that starts there; -1 */
u32 subprog_of(const struct env *env, u32 insn);	 /* that holds it */
int live_compute(struct env *env);
u16 live_regs_of(const struct env *env, const struct state *state, u32 frame, u32 insn);
/* stack.c: the walk from @old's place stands for that from @cur's, where less may be written. */
void stack_note_pruned(struct env *env, const struct state *old, const struct state *cur);
u64 live_slots_of(const struct env *env, const struct state *state, u32 frame, u32 insn);

/* --- exec: by kind; *next is the following instruction unless they say otherwise --- */
typedef int exec_fn(struct env *env, const struct insn *insn, u32 *next);
exec_fn exec_alu, exec_cast, exec_jmp, exec_ja, exec_may_goto, exec_imm64, exec_ldx, exec_st, exec_stx,
	exec_atomic, exec_load_acq, exec_store_rel, exec_exit, exec_ld_abs;
void link_number(struct env *env, struct reg *reg);
void set_reg(struct env *env, u32 regno, struct reg value);
/* exec_alu.c: how the two lie to each other is no secret. */
bool pointers_related(const struct reg *a, const struct reg *b);
struct step *cur_step(struct env *env);

/* Lines of other things may follow: the one of the instruction ends. */
void log_break(struct env *env);
/* What the last instruction did, if that was not yet said. */
void log_effect(struct env *env);
/* --- call.c --- */
void call_clobber(struct env *env); /* what a call leaves unreadable: r1-r5 */

/* --- prune.c, precise.c --- */
void prune_begin_path(struct env *env); /* another branch is followed from here */
int prune_visit(struct env *env); /* 0: go on, 1: pruned, or an error */
void path_done(struct env *env, struct state *state); /* a path below it has ended */
/* Makes numbers of @state unknown that differ from the last time the path was at @insn
 * (as an ancestor that is not @except) and that nothing has needed so far. */
void widen(struct env *env, u32 insn, struct state *state, const struct state *except);
bool same_frames(const struct state *a, const struct state *b);
/* @from: a stored state whose precise registers the path of @state must have too. */
int mark_precise_like(struct env *env, struct state *state, const struct state *from,
		      bool *changed);
u64 link_encode(u32 frame, bool slot, u32 index);

/* --- explain.c: the refusal at env->insn for people; NULL when out of memory --- */
const char *explain(struct env *env, const struct rule_info *rule, const char *message);

/* --- subprog.c --- */
const char *subprog_name(const struct env *env, u32 subprog);
int push_frame(struct env *env, struct state *state, u32 subprog, u32 callsite);
void pop_frame(struct env *env);
int subprog_return(struct env *env, u32 *next);
int begin_state(struct env *env, u32 subprog);
/* @subprog alone, called by what sleeps (@sleepable) or does not. */
int global_state(struct env *env, u32 subprog, bool sleepable);
int main_state(struct env *env);
/* @regno holds a number in [min, max] "At program exit" or the like. */
int check_ret_range(struct env *env, const char *when, u32 regno, s64 min, s64 max);
int check_prog_return(struct env *env, u32 regno);

/* --- callback.c --- */
enum { ASYNC_READY = 1 };
/* The state of the next queued asynchronous callback after *at: ASYNC_READY; 0: no more. */
int async_state(struct env *env, const struct async **at);
int callback_return(struct env *env, u32 *next);
bool has_work(const struct env *env); /* callbacks of work queues, which sleep */

/* --- throw.c --- */
bool is_exception_cb(const struct env *env, u32 subprog);
int exception_check(struct env *env);
int exception_begin(struct env *env, u32 subprog);
/* What is called here may throw: no callback is on the path, and nothing is held (@what
 * names it; NULL: that is not asked). */
int check_may_throw(struct env *env, const char *what);

/* --- signature.c: global subprograms by their BTF --- */
int sig_begin(struct env *env, u32 subprog);
int sig_check_call(struct env *env, u32 subprog);
int sig_check_return(struct env *env, u32 subprog);
bool sig_returns(const struct env *env, u32 subprog);
u32 sig_nargs(const struct env *env, u32 subprog);

/* --- reg.c, reject.c --- */
void reg_print(struct env *env, const struct reg *reg, char *buf, size_t size);
void frame_print(struct env *env, const struct state *state, u32 frame, u16 regs, u64 slots,
		 enum log_level level);
const char *insn_text(struct env *env, u32 insn);

#endif
