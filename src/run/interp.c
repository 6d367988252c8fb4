/* SPDX-License-Identifier: MIT
 *
 * interp.c: runs code. One label per row of isa.def and code.def, made from the rows
 * themselves; each ends in a jump to the next instruction's label.
 *
 * What runs here was verified and lowered: no bounds, types, registers or depths are
 * checked. Only code_check() (debug builds) looks once before the first run.
 *
 * Memory order (rule book H7, H10): plain loads and stores are relaxed atomics, so that
 * those of natural size and alignment are not torn; read-modify-writes without fetch are
 * relaxed, with fetch sequentially consistent.
 */
#include "isa/table.h"
#include "lower/code.h"
#include "run/helper/arena_op.h"
#include "run/memory/fault.h"

#include <alloca.h>
#include <endian.h>

enum {
	/* Iterations of may_goto in one run. A fuzzer would take so many for a hang. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	GOTO_BUDGET = 1 << 8,
#else
	GOTO_BUDGET = 1 << 23,
#endif
};

#define NO_SANITIZE_(what) __attribute__((no_sanitize(what)))
#if defined(__clang__)
/* Host functions are called as functions of five numbers; packets are not aligned. */
#define INTERP_ATTR NO_SANITIZE_("function") NO_SANITIZE_("alignment")
#else
#define INTERP_ATTR NO_SANITIZE_("alignment")
#endif

/* --- what ALU operations and conditions compute: one inline function per row --- */

#define ISA_ALU(name, expr)                                                              \
	static inline u64 alu64_ALU_##name(u64 a, u64 b)                                 \
	{                                                                                \
		typedef u64 U;                                                           \
		typedef s64 S UNUSED;                                                    \
		enum { BITS = 64 };                                                      \
		return (U)(expr);                                                        \
	}                                                                                \
	static inline u64 alu32_ALU_##name(u32 a, u32 b)                                 \
	{                                                                                \
		typedef u32 U;                                                           \
		typedef s32 S UNUSED;                                                    \
		enum { BITS = 32 };                                                      \
		return (U)(expr);                                                        \
	}
#define ISA_COND(name, expr)                                                             \
	static inline bool cond64_COND_##name(u64 a, u64 b)                              \
	{                                                                                \
		typedef s64 S UNUSED;                                                    \
		return expr;                                                             \
	}                                                                                \
	static inline bool cond32_COND_##name(u32 a, u32 b)                              \
	{                                                                                \
		typedef s32 S UNUSED;                                                    \
		return expr;                                                             \
	}
#include "isa/isa.def"

/* --- what each kind of instruction does --- */

#define DST (r[i->dst])
#define SRC (r[i->src])
#define UTYPE_1 u8
#define UTYPE_2 u16
#define UTYPE_4 u32
#define UTYPE_8 u64
#define STYPE_1 s8
#define STYPE_2 s16
#define STYPE_4 s32
#define STYPE_8 s64
#define AT(type, base) ((type *)(uintptr_t)((base) + (u64)(s64)i->off))

#define RUN_KIND_ALU(sub, size, wide, sign, src_reg)                                     \
	DST = (wide) ? alu64_##sub(DST, (src_reg) ? SRC : (u64)i->imm)                   \
		     : alu32_##sub((u32)DST, (src_reg) ? (u32)SRC : (u32)i->imm);
#define RUN_KIND_CAST(sub, size, wide, sign, src_reg) goto bad;
#define RUN_KIND_LD_IMM64(sub, size, wide, sign, src_reg) DST = (u64)i->imm;
#define RUN_KIND_LD_ABS(sub, size, wide, sign, src_reg) goto bad;
#define RUN_KIND_LDX(sub, size, wide, sign, src_reg)                                     \
	DST = __atomic_load_n(AT(UTYPE_##size, SRC), __ATOMIC_RELAXED);                  \
	if (sign)                                                                        \
		DST = (u64)(s64)(STYPE_##size)DST;
#define RUN_KIND_ST(sub, size, wide, sign, src_reg)                                      \
	__atomic_store_n(AT(UTYPE_##size, DST), (UTYPE_##size)i->imm, __ATOMIC_RELAXED);
#define RUN_KIND_STX(sub, size, wide, sign, src_reg)                                     \
	__atomic_store_n(AT(UTYPE_##size, DST), (UTYPE_##size)SRC, __ATOMIC_RELAXED);
#define RUN_KIND_ATOMIC(sub, size, wide, sign, src_reg) RUN_##sub(UTYPE_##size)
#define RUN_KIND_LOAD_ACQ(sub, size, wide, sign, src_reg)                                \
	DST = __atomic_load_n(AT(UTYPE_##size, SRC), __ATOMIC_ACQUIRE);
#define RUN_KIND_STORE_REL(sub, size, wide, sign, src_reg)                               \
	__atomic_store_n(AT(UTYPE_##size, DST), (UTYPE_##size)SRC, __ATOMIC_RELEASE);

#define RELAXED_RMW(type, fetch)                                                         \
	(void)fetch(AT(type, DST), (type)SRC, __ATOMIC_RELAXED);
#define ORDERED_RMW(type, fetch) SRC = fetch(AT(type, DST), (type)SRC, __ATOMIC_SEQ_CST);
#define RUN_ATOMIC_ADD(type) RELAXED_RMW(type, __atomic_fetch_add)
#define RUN_ATOMIC_OR(type) RELAXED_RMW(type, __atomic_fetch_or)
#define RUN_ATOMIC_AND(type) RELAXED_RMW(type, __atomic_fetch_and)
#define RUN_ATOMIC_XOR(type) RELAXED_RMW(type, __atomic_fetch_xor)
#define RUN_ATOMIC_FETCH_ADD(type) ORDERED_RMW(type, __atomic_fetch_add)
#define RUN_ATOMIC_FETCH_OR(type) ORDERED_RMW(type, __atomic_fetch_or)
#define RUN_ATOMIC_FETCH_AND(type) ORDERED_RMW(type, __atomic_fetch_and)
#define RUN_ATOMIC_FETCH_XOR(type) ORDERED_RMW(type, __atomic_fetch_xor)
#define RUN_ATOMIC_XCHG(type) ORDERED_RMW(type, __atomic_exchange_n)
#define RUN_ATOMIC_CMPXCHG(type)                                                         \
	{                                                                                \
		type old = (type)r[R0];                                                  \
		__atomic_compare_exchange_n(AT(type, DST), &old, (type)SRC, false,       \
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);         \
		r[R0] = old;                                                             \
	}

#define RUN_KIND_JMP(sub, size, wide, sign, src_reg)                                     \
	if ((wide) ? cond64_##sub(DST, (src_reg) ? SRC : (u64)i->imm)                    \
		   : cond32_##sub((u32)DST, (src_reg) ? (u32)SRC : (u32)i->imm))         \
		i += i->off;
#define RUN_KIND_JA(sub, size, wide, sign, src_reg) i += i->off;
#define RUN_KIND_MAY_GOTO(sub, size, wide, sign, src_reg)                                \
	if (unlikely(!slot->goto_budget))                                                \
		i += i->off;                                                             \
	else                                                                             \
		slot->goto_budget--;
#define RUN_KIND_CALL(sub, size, wide, sign, src_reg) RUN_##sub
#define RUN_CALL_HELPER goto bad; /* lowered to CALL and its like */
#define RUN_CALL_KFUNC goto bad;
#define RUN_CALL_SUBPROG                                                                 \
	frame_push(frame++, i, r);                                                       \
	r[R_FP] -= (u64)i->imm;                                                          \
	/* What another callee left there is not for this one to see. */                 \
	memset(stack, 0, r[R_FP] - (uintptr_t)stack);                                    \
	i += i->off;
#define RUN_KIND_CALLX(sub, size, wide, sign, src_reg) goto bad;
#define RUN_KIND_EXIT(sub, size, wide, sign, src_reg)                                    \
	if (frame == frames)                                                             \
		return r[R0];                                                            \
	i = frame_pop(--frame, r);

/* --- ops after lower() --- */

#define CODE(name, ...)                                                                  \
	code_##name : __VA_ARGS__;                                                       \
	NEXT();

#define IN_ARENA(reg) (code->window + (u32)(reg) + (u64)(s64)i->off)
#define ARENA_ACCESS(bits)                                                               \
	CODE(ARENA_LDX##bits, DST = fault_load_on(slot, IN_ARENA(SRC), (bits) / 8))      \
	CODE(ARENA_STX##bits, arena_store(slot, IN_ARENA(DST), SRC, (bits) / 8))

/* What the callee must preserve, and where the caller goes on. */
struct frame {
	const struct code_insn *call;
	u64 saved[4], fp; /* r6-r9 */
};

static inline void frame_push(struct frame *frame, const struct code_insn *call,
			      const u64 *r)
{
	frame->call = call;
	memcpy(frame->saved, &r[R6], sizeof(frame->saved));
	frame->fp = r[R_FP];
}

static inline const struct code_insn *frame_pop(const struct frame *frame, u64 *r)
{
	memcpy(&r[R6], frame->saved, sizeof(frame->saved));
	r[R_FP] = frame->fp;
	return frame->call;
}

/* What was thrown, and is no more; false: it is something else that ends the run. */
static inline bool catch_thrown(struct slot_ctx *slot, u64 *thrown)
{
	*thrown = slot->thrown;
	if (unlikely(slot->ending != ENDING_THROWN))
		return false;
	slot->ending = ENDING_NONE;
	return true;
}

/* True and *result when the tail call was made: what it returns is this frame's result. */
static bool tail_call(const struct code_insn *i, const u64 *r, struct slot_ctx *slot,
		      u64 *result);

INTERP_ATTR static u64 interp(const struct code *code, u32 entry, const u64 *args,
			      struct slot_ctx *slot)
{
	static const void *const labels[NR_CODE_OPS] = {
		[OP_BAD] = &&bad,
#define ISA_OP(name, ...) [OP_##name] = &&op_##name,
#include "isa/isa.def"
#define CODE_OP(name, ...) [CODE_##name] = &&code_##name,
#include "lower/code.def"
	};
	const struct code_insn *i = &code->insns[entry];
	struct frame frames[MAX_FRAMES], *frame = frames;
	u64 r[NR_CODE_REGS];
	char *stack = alloca(code->stack_size + 16);

	/* Programs may read stack they never wrote (as kernels since 6.3 let them): that must
	 * not show them what the host left there. */
	memset(stack, 0, code->stack_size + 16);
	memcpy(&r[R1], args, 5 * sizeof(u64));
	r[R_FP] = ROUND_UP((uintptr_t)stack, 16) + code->stack_size;

#define DISPATCH() goto *labels[i->op]
#define NEXT()                                                                           \
	i++;                                                                             \
	DISPATCH()
	DISPATCH();

#define ISA_OP(name, code_, kind, sub, size, wide, sign, src_reg, ...)                   \
	op_##name : RUN_##kind(sub, size, wide, sign, src_reg) NEXT();
#include "isa/isa.def"

#define CODE_CALL(name, result, ...)                                                     \
	code_##name:                                                                     \
	{                                                                                \
		u64 x = i->fn(r[R1], r[R2], r[R3], r[R4], r[R5]);                        \
		r[R0] = result;                                                          \
	}                                                                                \
	NEXT();
#define CODE_SAFE(name, size, type, ...)                                                 \
	code_##name:                                                                     \
	DST = (u64)(s64)(type)fault_load_on(slot, SRC + (u64)(s64)i->off, size);         \
	NEXT();
#include "lower/code.def"

	CODE(BOOL, DST = (u8)DST != 0)
	CODE(CPU, DST = slot->index)
	CODE(PUT, defer_call(slot->host, i->put, (void *)(uintptr_t)r[R1]); r[R0] = 0)
	CODE(IN_REGION, if (!pool_holds(i->ptr, DST, (u32)i->off)) DST = 0)
	CODE(STORE_USER,
	     __atomic_store_n(AT(u64, DST), space_handle(slot, SRC), __ATOMIC_RELEASE))
	CODE(KPTR_XCHG,
	     r[R0] = __atomic_exchange_n((u64 *)(uintptr_t)r[R1], r[R2], __ATOMIC_SEQ_CST))
	CODE(ARENA_USER, DST = (u32)SRC ? code->window + (u32)SRC : 0)
	ARENA_ACCESS(8) ARENA_ACCESS(16) ARENA_ACCESS(32) ARENA_ACCESS(64)
	CODE(ARENA_ATOMIC, arena_atomic(slot, (enum isa_op)i->imm, IN_ARENA(DST), r, i->src))
	CODE(THROW, slot->thrown = r[R1]; slot->ending = ENDING_THROWN)
	CODE(TURN, if (unlikely(!slot->turns--) && !meter_turn(slot)) i += i->off)
	CODE(HOLD, meter_hold(slot, i->ptr, SRC))
	CODE(DROP, meter_drop(slot, i->ptr, SRC))
	CODE(KEEP, storable_keep(slot, i->ptr, SRC))
	CODE(LEAVE, meter_leave(slot, r[R_FP], (u64)i->off))
	CODE(IF_ENDING, if (unlikely(slot->ending)) i += i->off)
	CODE(CATCH, if (!catch_thrown(slot, &r[R1])) i += i->off)
code_TAIL_CALL:
	if (tail_call(i, r, slot, &r[R0])) {
		RUN_KIND_EXIT(0, 0, 0, 0, 0)
	} else {
		r[R0] = 0;
	}
	NEXT();
bad:
	BUG_ON(true);
	return 0;
}

static bool tail_call(const struct code_insn *i, const u64 *r, struct slot_ctx *slot,
		      u64 *result)
{
	const struct code *target;

	if (slot->tail_calls >= MAX_TAIL_CALLS)
		return false;
	target = i->tail((void *)(uintptr_t)r[R2], (u32)r[R3]);
	if (!target)
		return false;
	slot->tail_calls++;
	*result = target->metered ? interp_tail(target, r[R1], slot)
				  : interp(target, target->entry[0], (const u64[5]){r[R1]}, slot);
	return true;
}

/* What a run has for itself. One inside it (of a hook that a host function or a handler of a
 * signal calls, perhaps while frames return because this one ends) finds it as if it were
 * alone, and leaves it as it was. */
struct own {
	u32 goto_budget, tail_calls, ending;
	u64 thrown;
};

static inline struct own run_enter(struct slot_ctx *slot)
{
	struct own outer = {slot->goto_budget, slot->tail_calls, slot->ending, slot->thrown};

	slot->goto_budget = GOTO_BUDGET;
	slot->tail_calls = 0;
	slot->ending = ENDING_NONE;
	return outer;
}

static inline void run_leave(struct slot_ctx *slot, struct own outer)
{
	slot->goto_budget = outer.goto_budget;
	slot->tail_calls = outer.tail_calls;
	slot->ending = outer.ending;
	slot->thrown = outer.thrown;
}

u64 interp_run(const struct code *code, u32 entry, u64 r1, u64 r2, struct slot_ctx *slot)
{
	struct own outer = run_enter(slot);
	u64 result = interp(code, entry, (const u64[5]){r1, r2}, slot);

	run_leave(slot, outer);
	return result;
}

INTERP_ATTR u64 code_call_native(const struct code *code, u64 r1, struct slot_ctx *slot)
{
	return code->native(r1, 0, 0, 0, 0, slot);
}

INTERP_ATTR u64 code_run(const struct code *code, u64 r1, u64 r2, struct slot_ctx *slot)
{
	struct own outer;
	u64 result;

	if (unlikely(!code->direct && !code->metered))
		return interp_run(code, code->entry[0], r1, r2, slot);
	outer = run_enter(slot);
	result = code->direct ? code->direct(r1, r2, 0, 0, 0, slot)
			      : meter_run(code, r1, r2, slot);
	run_leave(slot, outer);
	return result;
}

/* A run of its own that begins at a callback. */
u64 code_run_callback(const struct code_func *func, u64 a, u64 b, u64 c, struct slot_ctx *slot)
{
	struct own outer = run_enter(slot);
	u64 result = func->code->metered ? meter_run_callback(func, a, b, c, slot)
					 : interp_callback(func, a, b, c, 0, 0);

	run_leave(slot, outer);
	return result;
}

INTERP_ATTR u64 interp_enter(const struct code *code, u64 r1, u64 r2, struct slot_ctx *slot)
{
	if (code->native)
		return code->native(r1, r2, 0, 0, 0, slot);
	return interp(code, code->entry[0], (const u64[5]){r1, r2}, slot);
}

u64 interp_tail(const struct code *code, u64 r1, void *slot)
{
	if (code->metered)
		return meter_running(slot) ? interp_enter(code, r1, 0, slot)
					   : meter_run(code, r1, 0, slot);
	return interp(code, code->entry[0], (const u64[5]){r1}, slot);
}

INTERP_ATTR u64 interp_callback(const void *fn, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	const struct code_func *func = fn;

	if (likely(func->native != NULL))
		return func->native(a, b, c, d, e, slot_current());
	return interp(func->code, func->entry, (const u64[5]){a, b, c, d, e},
		      slot_current());
}
