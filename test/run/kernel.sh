#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kernel.sh: the verdicts written beside the programs of test/verdict are the live
# kernel's, but where KERNEL(...) says why not. So Pintle accepts nothing there that the
# kernel refuses, unless a reason for it stands in the source.
#
#	test/run/kernel.sh BUILD [-v]
#
# The programs are compiled with -DFOR_KERNEL (test/kernel/kernel.h). Exit 77 where bpf(2)
# is not permitted or the kernel's types are not to be had.
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
[ $# = 0 ] || shift

skip()
{
	echo "0 passed, 0 failed, 1 skipped: $*"
	exit 77
}

[ -x "$build/test/kverdict" ] || skip "no kverdict in this build (libbpf is missing)"
[ -r /sys/kernel/btf/vmlinux ] || skip "no /sys/kernel/btf/vmlinux"
tools/bpf-objects --define FOR_KERNEL "$build/kernel" test/verdict >"$build/kernel.log" || {
	cat "$build/kernel.log"
	exit 1
}
set -- "$@" "$build"/kernel/verdict/*.bpf.o
# And some of those that are verified as the kernel does: what one kernel has, others may not.
for name in ctx sockets helpers dynptr; do
	set -- "$@" "$build/bpf/verdict/linux/$name.bpf.o"
done
timeout 60 "$build/test/kverdict" "$@"
