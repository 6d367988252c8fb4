/* SPDX-License-Identifier: MIT
 *
 * Sockets as arguments and results of helpers, and in maps.
 */
#include "linux.h"

struct task_struct;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} socks SEC(".maps");

static __always_inline struct bpf_sock *lookup(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};

	return bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), -1, 0);
}

/* ---- references ---- */

ACCEPT
SEC("tc")
int lookup_release(struct __sk_buff *skb)
{
	struct bpf_sock *sk = lookup(skb);

	if (sk)
		bpf_sk_release(sk);
	return 0;
}

REJECT(REF_LEAK, "Unreleased reference")
SEC("tc")
int lookup_leak(struct __sk_buff *skb)
{
	return lookup(skb) != NULL;
}

REJECT(ARG_KIND, "R1 type=sock_or_null expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_")
SEC("tc")
int release_untested(struct __sk_buff *skb)
{
	bpf_sk_release(lookup(skb));
	return 0;
}

REJECT(RELEASE_UNREF, "R1 must be referenced when passed to release function")
SEC("tc")
int release_borrowed(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (sk)
		bpf_sk_release(sk);
	return 0;
}

/* What was cast dies with the original. */
ACCEPT
SEC("tc")
int cast(struct __sk_buff *skb)
{
	struct bpf_sock *sk = lookup(skb);
	struct bpf_tcp_sock *tp;
	int n = 0;

	if (!sk)
		return 0;
	tp = bpf_tcp_sock(sk);
	if (tp)
		n = tp->snd_cwnd;
	bpf_sk_release(sk);
	return n;
}

REJECT(MEM_ACCESS, "invalid mem access 'scalar'")
SEC("tc")
int cast_used_late(struct __sk_buff *skb)
{
	struct bpf_sock *sk = lookup(skb);
	struct bpf_tcp_sock *tp;
	int n = 0;

	if (!sk)
		return 0;
	tp = bpf_tcp_sock(sk);
	bpf_sk_release(sk);
	if (tp)
		n = tp->snd_cwnd;
	return n;
}

/* A cast that failed leaves the original to be given back. */
REJECT(REF_LEAK, "Unreleased reference")
SEC("tc")
int cast_failed(struct __sk_buff *skb)
{
	struct bpf_sock *sk = lookup(skb);

	if (!sk)
		return 0;
	if (!bpf_tcp_sock(sk))
		return 1;
	bpf_sk_release(sk);
	return 0;
}

/* ---- structs ---- */

ACCEPT
SEC("tc")
int cast_to_struct(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk && bpf_skc_to_tcp_sock(sk) ? 1 : 0;
}

/* Two bytes of a member, then others and bitfields. */
REJECT(BTF_WALK, "access beyond the end of member skc_family (mend:18) in struct sock_common with off 16 size 4")
SEC("tc")
int several_members(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	void *unix_sock = sk ? bpf_skc_to_unix_sock(sk) : NULL;

	return unix_sock ? *(volatile __u32 *)(unix_sock + 16) & 1 : 0;
}

REJECT(ARG_STRUCT, "R1 is of type task_struct but sock_common is expected")
SEC("tp_btf/sched_switch")
int no_socket(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return bpf_skc_to_tcp_sock(task) != NULL;
}

ACCEPT
SEC("sk_lookup")
int assign_full(struct bpf_sk_lookup *ctx)
{
	struct bpf_sock *sk = bpf_map_lookup_elem(&socks, &(__u32){0});

	if (!sk)
		return 1;
	bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return 1;
}

REJECT(ARG_KIND, "R2 type=ctx expected=sock")
SEC("sk_lookup")
int assign_ctx(struct bpf_sk_lookup *ctx)
{
	bpf_sk_assign(ctx, ctx, 0);
	return 1;
}

/* ---- maps ---- */

ACCEPT
SEC("tc")
int map_lookup(struct __sk_buff *skb)
{
	struct bpf_sock *sk = bpf_map_lookup_elem(&socks, &(__u32){0});
	int n;

	if (!sk)
		return 0;
	n = sk->mark;
	bpf_map_update_elem(&socks, &(__u32){1}, sk, 0);
	bpf_sk_release(sk);
	return n;
}

REJECT(REF_LEAK, "Unreleased reference")
SEC("tc")
int map_lookup_leak(struct __sk_buff *skb)
{
	return bpf_map_lookup_elem(&socks, &(__u32){0}) != NULL;
}

REJECT(SOCKMAP, "cannot update sockmap in this context")
SEC("sk_msg")
int map_delete(struct sk_msg_md *msg)
{
	return bpf_map_delete_elem(&socks, &(__u32){0}) & 1;
}

REJECT(ARG_KIND, "R3 type=fp expected=sock_common, sock")
SEC("tc")
int map_update_number(struct __sk_buff *skb)
{
	__u64 value = 1;

	bpf_map_update_elem(&socks, &(__u32){0}, &value, 0);
	return 0;
}
