/* SPDX-License-Identifier: MIT
 *
 * Contexts of the kernel's program types, and objects that are tables of members.
 */
#include "linux.h"

#include <linux/pkt_cls.h>

/* ---- one struct, other members by program type ---- */

ACCEPT
SEC("tc")
int skb_mark(struct __sk_buff *skb)
{
	skb->mark = 1;
	return skb->mark;
}

REJECT(CTX_ACCESS, "invalid bpf_context access off=8 size=4")
SEC("socket")
int skb_mark_filter(struct __sk_buff *skb)
{
	skb->mark = 1;
	return 0;
}

REJECT(CTX_ACCESS, "invalid bpf_context access off=76 size=4")
SEC("socket")
int skb_data_filter(struct __sk_buff *skb)
{
	return *(volatile __u32 *)&skb->data;
}

/* Scratch space, by any part. */
ACCEPT
SEC("socket")
int skb_cb(struct __sk_buff *skb)
{
	*(volatile __u8 *)&skb->cb[1] = 1;
	*(volatile __u64 *)&skb->cb[2] = 2;
	return *(volatile __u16 *)&skb->cb[3];
}

REJECT(CTX_ACCESS, "invalid bpf_context access off=64 size=8")
SEC("socket")
int skb_cb_beyond(struct __sk_buff *skb)
{
	return *(volatile __u64 *)&skb->cb[4] & 1;
}

/* A part that is not one. */
REJECT(CTX_ACCESS, "invalid bpf_context access off=0 size=8")
SEC("tc")
int skb_two_members(struct __sk_buff *skb)
{
	return *(volatile __u64 *)skb & 1;
}

/* ---- by attach type ---- */

ACCEPT
SEC("cgroup/sendmsg6")
int addr_source(struct bpf_sock_addr *ctx)
{
	*(volatile __u64 *)&ctx->user_ip6[2] = 0;
	ctx->msg_src_ip6[0] = 0;
	return 1;
}

REJECT(CTX_ACCESS, "invalid bpf_context access off=44 size=4")
SEC("cgroup/connect6")
int addr_no_source(struct bpf_sock_addr *ctx)
{
	ctx->msg_src_ip6[0] = 0;
	return 1;
}

REJECT(CTX_ACCESS, "invalid bpf_context access off=8 size=4")
SEC("cgroup/connect4")
int addr_other_family(struct bpf_sock_addr *ctx)
{
	ctx->user_ip6[0] = 0;
	return 1;
}

/* ---- sockets ---- */

ACCEPT
SEC("tc")
int sock_family(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? sk->family : 0;
}

REJECT(NULL_DEREF, "R1 invalid mem access 'sock_common_or_null'")
SEC("tc")
int sock_not_tested(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk->family;
}

/* Members that only a full socket has. */
REJECT(TABLE_ACCESS, "invalid sock_common access off=16 size=4")
SEC("tc")
int sock_mark(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? sk->mark : 0;
}

ACCEPT
SEC("sk_msg")
int sock_full(struct sk_msg_md *msg)
{
	return msg->sk->mark & 1;
}

REJECT(TABLE_WRITE, "cannot write into sock")
SEC("sk_msg")
int sock_write(struct sk_msg_md *msg)
{
	msg->sk->mark = 1;
	return 1;
}

REJECT(PTR_FIXED, "pointer arithmetic on sock prohibited")
PROG_ASM("sk_msg", sock_moved)
{
	ASM("r1 = *(u64 *)(r1 + 72)\n\tr1 += 8\n\tr0 = *(u32 *)(r1 + 0)\n\texit");
}

/* ---- memory that is not the context's ---- */

ACCEPT
SEC("flow_dissector")
int flow_keys(struct __sk_buff *skb)
{
	skb->flow_keys->thoff = 20;
	return 0;
}

REJECT(TABLE_ACCESS, "invalid flow_keys access off=56 size=4")
SEC("flow_dissector")
int flow_keys_beyond(struct __sk_buff *skb)
{
	*(__u32 *)(skb->flow_keys + 1) = 0;
	return 0;
}

/* A caller's context may be of any size. */
ACCEPT
SEC("syscall")
int args_of_any_size(void *ctx)
{
	((volatile long *)ctx)[1000] = 1;
	return 0;
}
