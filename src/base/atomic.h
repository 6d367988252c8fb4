/* SPDX-License-Identifier: MIT
 *
 * atomic.h: the names of <stdatomic.h>, on plain types.
 *
 * C11's _Atomic leaves a kind of type in the debug info that pahole 1.24 does not know and
 * that spoils the BTF of every host that links this library statically. `atomic(T)` says
 * that a member is shared and is touched only through these macros.
 */
#ifndef PINTLE_BASE_ATOMIC_H
#define PINTLE_BASE_ATOMIC_H

#define atomic(type) type

enum memory_order {
	memory_order_relaxed = __ATOMIC_RELAXED,
	memory_order_acquire = __ATOMIC_ACQUIRE,
	memory_order_release = __ATOMIC_RELEASE,
	memory_order_acq_rel = __ATOMIC_ACQ_REL,
	memory_order_seq_cst = __ATOMIC_SEQ_CST,
};

#define atomic_init(p, v) ((void)(*(p) = (v)))
#define atomic_thread_fence(order) __atomic_thread_fence(order)
#define atomic_load_explicit(p, order) __atomic_load_n(p, order)
#define atomic_store_explicit(p, v, order) __atomic_store_n(p, v, order)
#define atomic_exchange_explicit(p, v, order) __atomic_exchange_n(p, v, order)
#define atomic_fetch_add_explicit(p, v, order) __atomic_fetch_add(p, v, order)
#define atomic_fetch_sub_explicit(p, v, order) __atomic_fetch_sub(p, v, order)
#define atomic_fetch_or_explicit(p, v, order) __atomic_fetch_or(p, v, order)
#define atomic_fetch_and_explicit(p, v, order) __atomic_fetch_and(p, v, order)
#define atomic_compare_exchange_weak_explicit(p, expected, v, order, failed)             \
	__atomic_compare_exchange_n(p, expected, v, true, order, failed)
#define atomic_compare_exchange_strong_explicit(p, expected, v, order, failed)           \
	__atomic_compare_exchange_n(p, expected, v, false, order, failed)

#define atomic_load(p) atomic_load_explicit(p, memory_order_seq_cst)
#define atomic_store(p, v) atomic_store_explicit(p, v, memory_order_seq_cst)
#define atomic_exchange(p, v) atomic_exchange_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_add(p, v) atomic_fetch_add_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_sub(p, v) atomic_fetch_sub_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_or(p, v) atomic_fetch_or_explicit(p, v, memory_order_seq_cst)
#define atomic_fetch_and(p, v) atomic_fetch_and_explicit(p, v, memory_order_seq_cst)

#endif
