/* SPDX-License-Identifier: MIT
 *
 * linux.h: the contract that the Linux kernel (6.12) has with its programs, as a struct
 * abi: program types, contexts, kfuncs, storable types and policy. All facts are data:
 * the .def tables of this folder, and the kernel's own BTF. No kernel is asked.
 */
#ifndef PINTLE_ABI_LINUX_H
#define PINTLE_ABI_LINUX_H

#include "abi/abi.h"
#include "base/log.h"

enum linux_prog { /* numbers of bpf(2) */
	LINUX_UNSPEC, LINUX_SOCKET_FILTER, LINUX_KPROBE, LINUX_SCHED_CLS, LINUX_SCHED_ACT,
	LINUX_TRACEPOINT, LINUX_XDP, LINUX_PERF_EVENT, LINUX_CGROUP_SKB, LINUX_CGROUP_SOCK,
	LINUX_LWT_IN, LINUX_LWT_OUT, LINUX_LWT_XMIT, LINUX_SOCK_OPS, LINUX_SK_SKB,
	LINUX_CGROUP_DEVICE, LINUX_SK_MSG, LINUX_RAW_TRACEPOINT, LINUX_CGROUP_SOCK_ADDR,
	LINUX_LWT_SEG6LOCAL, LINUX_LIRC_MODE2, LINUX_SK_REUSEPORT, LINUX_FLOW_DISSECTOR,
	LINUX_CGROUP_SYSCTL, LINUX_RAW_TRACEPOINT_WRITABLE, LINUX_CGROUP_SOCKOPT,
	LINUX_TRACING, LINUX_STRUCT_OPS, LINUX_EXT, LINUX_LSM, LINUX_SK_LOOKUP,
	LINUX_SYSCALL, LINUX_NETFILTER, NR_LINUX_PROGS,
};

enum linux_attach { /* numbers of bpf(2) */
	LINUX_AT_CGROUP_INET_INGRESS, LINUX_AT_CGROUP_INET_EGRESS,
	LINUX_AT_CGROUP_INET_SOCK_CREATE, LINUX_AT_CGROUP_SOCK_OPS,
	LINUX_AT_SK_SKB_STREAM_PARSER, LINUX_AT_SK_SKB_STREAM_VERDICT,
	LINUX_AT_CGROUP_DEVICE, LINUX_AT_SK_MSG_VERDICT, LINUX_AT_CGROUP_INET4_BIND,
	LINUX_AT_CGROUP_INET6_BIND, LINUX_AT_CGROUP_INET4_CONNECT,
	LINUX_AT_CGROUP_INET6_CONNECT, LINUX_AT_CGROUP_INET4_POST_BIND,
	LINUX_AT_CGROUP_INET6_POST_BIND, LINUX_AT_CGROUP_UDP4_SENDMSG,
	LINUX_AT_CGROUP_UDP6_SENDMSG, LINUX_AT_LIRC_MODE2, LINUX_AT_FLOW_DISSECTOR,
	LINUX_AT_CGROUP_SYSCTL, LINUX_AT_CGROUP_UDP4_RECVMSG, LINUX_AT_CGROUP_UDP6_RECVMSG,
	LINUX_AT_CGROUP_GETSOCKOPT, LINUX_AT_CGROUP_SETSOCKOPT, LINUX_AT_TRACE_RAW_TP,
	LINUX_AT_TRACE_FENTRY, LINUX_AT_TRACE_FEXIT, LINUX_AT_MODIFY_RETURN,
	LINUX_AT_LSM_MAC, LINUX_AT_TRACE_ITER, LINUX_AT_CGROUP_INET4_GETPEERNAME,
	LINUX_AT_CGROUP_INET6_GETPEERNAME, LINUX_AT_CGROUP_INET4_GETSOCKNAME,
	LINUX_AT_CGROUP_INET6_GETSOCKNAME, LINUX_AT_XDP_DEVMAP,
	LINUX_AT_CGROUP_INET_SOCK_RELEASE, LINUX_AT_XDP_CPUMAP, LINUX_AT_SK_LOOKUP,
	LINUX_AT_XDP, LINUX_AT_SK_SKB_VERDICT, LINUX_AT_SK_REUSEPORT_SELECT,
	LINUX_AT_SK_REUSEPORT_SELECT_OR_MIGRATE, LINUX_AT_PERF_EVENT,
	LINUX_AT_TRACE_KPROBE_MULTI, LINUX_AT_LSM_CGROUP, LINUX_AT_STRUCT_OPS,
	LINUX_AT_NETFILTER, LINUX_AT_TCX_INGRESS, LINUX_AT_TCX_EGRESS,
	LINUX_AT_TRACE_UPROBE_MULTI, LINUX_AT_CGROUP_UNIX_CONNECT,
	LINUX_AT_CGROUP_UNIX_SENDMSG, LINUX_AT_CGROUP_UNIX_RECVMSG,
	LINUX_AT_CGROUP_UNIX_GETPEERNAME, LINUX_AT_CGROUP_UNIX_GETSOCKNAME,
	LINUX_AT_NETKIT_PRIMARY, LINUX_AT_NETKIT_PEER, LINUX_AT_TRACE_KPROBE_SESSION,
	NR_LINUX_ATTACH,
	LINUX_AT_NONE = 0, /* where it does not matter */
};

enum linux_prog_flag {
	LINUX_TARGET = 1 << 0,	/* "section/target": the target follows a slash */
	LINUX_SLEEPS = 1 << 1,	/* programs of it sleep */
	LINUX_BTF = 1 << 2,	/* the target is looked up in BTF (attach.c) */
	LINUX_FRAGS = 1 << 3,	/* packets may be in several pieces */
};

/* What the kernel does where the rule book gives a choice (section I, column 6.12). */
extern const struct abi_policy linux_policy;

/* A row of progs.def. */
struct linux_section {
	const char *name;
	u8 type;   /* enum linux_prog */
	u8 attach; /* enum linux_attach */
	u8 flags;  /* enum linux_prog_flag */
};

struct linux_opts {
	const char *btf;		/* file; NULL: /sys/kernel/btf/vmlinux */
	const char *const *module_btfs;
	u32 nmodule_btfs;
	const char *const *kfuncs;	/* tables beside the built-in one */
	u32 nkfuncs;
};

/*
 * Fills in @abi for linux-6.12. 0, or a negative errno with words in @log. The caller ends
 * it with linux_abi_free(), after an error too.
 */
int linux_abi(struct log *log, const struct linux_opts *opts, struct abi *abi);
void linux_abi_free(struct abi *abi);

/* --- the parts --- */

/* What a linux abi holds beside struct abi (abi.data). */
struct linux_data {
	struct arena *arena;
	VEC(struct btf *) btfs; /* owned */
	struct strmap fmod_ret; /* functions whose result programs may change: KF_ flags */
};

static inline struct linux_data *linux_data(const struct abi *abi)
{
	return abi->data;
}

/* section.c: the row for a section's name, and what follows its slash; NULL: none. */
const struct linux_section *linux_section(const char *name, const char **target);
int linux_place(const struct abi *abi, struct abi_place *place);
const char *linux_prog_name(enum linux_prog type); /* "sched_cls" */
int linux_prog_by_name(const char *name, size_t len); /* "SCHED_CLS"; or -1 */
bool linux_ret_range(u32 type, u32 attach, s64 *min, s64 *max);

/* attach.c: the program's prototype, from the BTF of what it is attached to. */
int linux_attach(const struct abi *abi, struct abi_place *place, const char *target,
		 struct abi_prog_type *type);

/* ctx.c: the fields of a context. */
int linux_ctx(const struct abi *abi, struct arena *arena, struct abi_prog_type *type);

/* maps.c: what programs may do with maps, whatever their type; and by their type. */
void linux_maps(struct abi *abi);
void linux_map_uses(struct abi_prog_type *type);

/* helpers.c: the helpers it may call. 0 or -ENOMEM. */
int linux_helpers(struct arena *arena, const char *target, struct abi_prog_type *type);

/* member.c: members as safe as the object that has them. */
int linux_members(struct abi *abi);

/* Where member @path ("a.b") of a struct lies. */
bool linux_member(const struct btf *btf, u32 type, const char *path, u32 *off, u32 *size);

/* write.c: what programs of @type, for member of struct @ops or NULL, may write. */
int linux_writes(const struct abi *abi, struct arena *arena, const char *ops,
		 struct abi_prog_type *type);
bool linux_ops_member(const char *ops, const char *member); /* programs can be it */
void linux_promote(const struct abi *abi, const char *ops, struct abi_prog_type *type);

/* kfunc.c: the kernel's kfuncs and one more table of them. */
int linux_kfuncs(struct log *log, struct abi *abi);
int linux_kfuncs_tsv(struct log *log, struct abi *abi, const char *name, char *text);

#endif
