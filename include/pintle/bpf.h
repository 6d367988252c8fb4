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

#endif
