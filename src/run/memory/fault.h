/* SPDX-License-Identifier: MIT
 *
 * fault.h: the fault-safe loads of the interpreter and of helpers.
 */
#ifndef PINTLE_RUN_FAULT_H
#define PINTLE_RUN_FAULT_H

#include "run/run.h"

/* Addresses that cannot be a host object: near NULL, or not in the lower half. They are
 * answered without a signal (rule book B46). */
static inline bool fault_never_mapped(u64 addr)
{
	return addr < 65536 || addr >> 47;
}

struct fault_value {
	u64 value; /* zero-extended; 0 when it faulted */
	u64 bad;
};

/* Loads of 1, 2, 4, 8 bytes that survive a fault, once handlers are installed. */
struct fault_value fault_try1(const void *addr);
struct fault_value fault_try2(const void *addr);
struct fault_value fault_try4(const void *addr);
struct fault_value fault_try8(const void *addr);

/* Stores of 1, 2, 4, 8 bytes, and a locked compare-and-exchange of 4 or 8, in an arena: no
 * other fault is recovered. False, or .bad: nothing was written. .value: what was there. */
bool fault_store(u64 addr, u64 value, u32 size);
struct fault_value fault_cas(u64 addr, u64 old, u64 value, u32 size);

/* For the interpreter: the load of an instruction, counted on @slot when it faults. */
u64 fault_load_on(struct slot_ctx *slot, u64 addr, u32 size);

#endif
