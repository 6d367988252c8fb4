#!/bin/sh
# SPDX-License-Identifier: MIT
#
# verify_kernel.sh: `pintle verify --kernel`: options, and that what one program lacks
# refuses that program only. No bpf(2), no privilege: only a kernel's BTF is read.
#
#	test/run/verify_kernel.sh BUILD
#
# Exit 77 where no BTF of a kernel or no clang for BPF is to be had.
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
pintle=$build/pintle
btf=${VMLINUX_BTF:-/sys/kernel/btf/vmlinux}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

skip()
{
	echo "0 passed, 0 failed, 1 skipped: $*"
	exit 77
}

# exits CODE TEXT COMMAND...: the exit code, and that its output holds TEXT
exits()
{
	code=$1 text=$2
	shift 2
	got=$("$@" 2>&1 </dev/null)
	is=$?
	case $got in *"$text"*) has=1 ;; *) has=0 ;; esac
	if [ $is = "$code" ] && [ $has = 1 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAIL %s\nwanted exit %s and "%s", got exit %s and:\n%s\n' "$*" "$code" \
			"$text" $is "$got"
	fi
}

[ -r "$btf" ] || skip "no $btf"
kernel=$(find "$build/bpf" -name kernel_object.bpf.o | head -n 1)
[ -n "$kernel" ] || skip "programs for BPF were not compiled"
verify()
{
	"$pintle" verify --kernel linux-6.12 --btf "$btf" "$@"
}

exits 2 "known is linux-6.12" "$pintle" verify --kernel linux-2.4 "$kernel"
exits 2 "go with --kernel" "$pintle" verify --btf "$btf" "$kernel"
exits 2 "either --host or --kernel" "$pintle" verify --kernel linux-6.12 --host x "$kernel"
exits 2 "--btf needs a value" "$pintle" verify --kernel linux-6.12 --btf
exits 2 "/nonexistent" "$pintle" verify --kernel linux-6.12 --btf /nonexistent "$kernel"
exits 2 "/nonexistent" verify --kfuncs /nonexistent "$kernel"
exits 2 "/nonexistent" verify /nonexistent
printf 'name\tKF_flags\tregistered_for_prog_types\nf\tKF_MAGIC\tXDP\n' >"$dir/bad.tsv"
exits 2 "bad.tsv:2: unknown flag 'KF_MAGIC'" verify --kfuncs "$dir/bad.tsv" "$kernel"

# One line of JSON a program, whatever is wrong with the others.
verify --json "$kernel" >"$dir/json"
verdict()
{
	exits 0 "\"program\":\"$1\"" grep "\"program\":\"$1\".*\"verdict\":\"$2\"" "$dir/json"
}
verdict good accept
verdict no_target reject
verdict no_tracepoint reject
verdict no_hook reject
verdict no_iterator reject
verdict no_ops reject
verdict no_function reject
verdict no_section unsupported
verdict no_map unsupported
verdict weak_function accept
verdict version accept
verdict anything reject
verdict replaces unsupported
verdict unaligned accept
verdict aligned reject
exits 0 "misaligned packet access off 2+0+0+4 size 4" cat "$dir/json"

# What is wrong with a whole object is said of each program.
verify --json "$(dirname "$kernel")/kernel_legacy.bpf.o" >"$dir/json"
verdict of_old_times unsupported

printf 'name\tKF_flags\tregistered_for_prog_types\nbpf_missing_function\tKF_ACQUIRE\tXDP\n' \
	>"$dir/more.tsv"
exits 1 "no_function" verify --kfuncs "$dir/more.tsv" "$kernel" # BTF lacks it still

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
