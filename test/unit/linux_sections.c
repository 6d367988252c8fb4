/* SPDX-License-Identifier: MIT
 *
 * Which section of an object means which program of the kernel.
 */
#include "abi/linux/linux.h"
#include "test.h"

static const struct {
	const char *section;
	int type; /* -1: none */
	u32 attach;
	bool sleeps;
	const char *target;
} cases[] = {
	{"xdp", LINUX_XDP, LINUX_AT_XDP, false, ""},
	{"?xdp", LINUX_XDP, LINUX_AT_XDP, false, ""},
	{"xdp.frags/devmap", LINUX_XDP, LINUX_AT_XDP_DEVMAP, false, ""},
	{"kprobe/do_exit", LINUX_KPROBE, 0, false, "do_exit"},
	{"kprobe", LINUX_KPROBE, 0, false, ""},
	{"kprobe.session/f", LINUX_KPROBE, LINUX_AT_TRACE_KPROBE_SESSION, false, "f"},
	{"uprobe.s//bin/sh:main", LINUX_KPROBE, 0, true, "/bin/sh:main"},
	{"tp/syscalls/sys_enter_kill", LINUX_TRACEPOINT, 0, false, "syscalls/sys_enter_kill"},
	{"raw_tp.w/x", LINUX_RAW_TRACEPOINT_WRITABLE, 0, false, "x"},
	{"tp_btf/sched_switch", LINUX_TRACING, LINUX_AT_TRACE_RAW_TP, false, "sched_switch"},
	{"fexit.s/f", LINUX_TRACING, LINUX_AT_TRACE_FEXIT, true, "f"},
	{"lsm.s/file_open", LINUX_LSM, LINUX_AT_LSM_MAC, true, "file_open"},
	{"lsm_cgroup/socket_bind", LINUX_LSM, LINUX_AT_LSM_CGROUP, false, "socket_bind"},
	{"iter/task", LINUX_TRACING, LINUX_AT_TRACE_ITER, false, "task"},
	{"struct_ops.s/init", LINUX_STRUCT_OPS, 0, true, "init"},
	{"syscall", LINUX_SYSCALL, 0, true, ""},
	{"cgroup/connect4", LINUX_CGROUP_SOCK_ADDR, LINUX_AT_CGROUP_INET4_CONNECT, false, ""},
	{"cgroup/sock", LINUX_CGROUP_SOCK, LINUX_AT_CGROUP_INET_SOCK_CREATE, false, ""},
	{"cgroup_skb/egress", LINUX_CGROUP_SKB, LINUX_AT_CGROUP_INET_EGRESS, false, ""},
	{"netfilter", LINUX_NETFILTER, LINUX_AT_NETFILTER, false, ""},
	/* Not libbpf's, but older tools': by the beginning of the name. */
	{"xdp_drop", LINUX_XDP, LINUX_AT_XDP, false, ""},
	{"tc_vlan_push", LINUX_SCHED_CLS, 0, false, ""},
	{"sk_skb2", LINUX_SK_SKB, 0, false, ""},
	{"fentryx", -1, 0, false, ""},
	{"cls", -1, 0, false, ""},
	{"", -1, 0, false, ""},
};

TEST(linux_sections_name_programs)
{
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *target = NULL;
		const struct linux_section *row = linux_section(cases[i].section, &target);

		if (cases[i].type < 0) {
			CHECK(!row);
			continue;
		}
		CHECK(row != NULL);
		CHECK_EQ(row->type, cases[i].type);
		CHECK_EQ(row->attach, cases[i].attach);
		CHECK_EQ(!!(row->flags & LINUX_SLEEPS), cases[i].sleeps);
		CHECK_STR(target, cases[i].target);
	}
}

TEST(linux_program_types_have_names)
{
	CHECK_STR(linux_prog_name(LINUX_SCHED_CLS), "sched_cls");
	CHECK_STR(linux_prog_name(NR_LINUX_PROGS), "unspec");
	CHECK_EQ(linux_prog_by_name("SK_MSG", 6), LINUX_SK_MSG);
	CHECK_EQ(linux_prog_by_name("SK_MS", 5), -1);
}

TEST(linux_results_by_program_and_attach_type)
{
	s64 min = 7, max = 7;

	CHECK(linux_ret_range(LINUX_CGROUP_SKB, LINUX_AT_CGROUP_INET_EGRESS, &min, &max));
	CHECK_EQ(max, 3);
	CHECK(linux_ret_range(LINUX_CGROUP_SKB, LINUX_AT_CGROUP_INET_INGRESS, &min, &max));
	CHECK_EQ(max, 1);
	CHECK(linux_ret_range(LINUX_CGROUP_SOCK_ADDR, LINUX_AT_CGROUP_UDP4_RECVMSG, &min, &max));
	CHECK_EQ(min, 1);
	CHECK(!linux_ret_range(LINUX_XDP, LINUX_AT_XDP, &min, &max));
	CHECK(!linux_ret_range(LINUX_TRACING, LINUX_AT_TRACE_RAW_TP, &min, &max));
}
