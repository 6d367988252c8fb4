#!/bin/sh
# SPDX-License-Identifier: MIT
#
# gdb.sh: what a debugger sees of native code: functions to stop in by name, source lines, and
# the whole way from a subprogram of a callback back to the command's main().
#
#	test/run/gdb.sh BUILD
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
object=$build/bpf/run/frames.bpf.o
text=$(mktemp)
trap 'rm -f "$text"' EXIT
passed=0 failed=0

skip()
{
	echo "gdb.sh: skipped: $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

has() # PATTERN
{
	if grep -Eq "$1" "$text"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAIL gdb.sh: no "%s"; gdb said:\n' "$1"
		cat "$text"
	fi
}

command -v gdb >/dev/null || skip "no gdb here"
"$build/pintle" run "$object" --prog outermost --jit >/dev/null 2>&1 ||
	skip "no native code here"

gdb -q -nx -batch -ex 'set confirm off' -ex 'set breakpoint pending on' \
	-ex 'set debuginfod enabled off' -ex 'set width 0' -ex 'break deepest' -ex run \
	-ex backtrace -ex finish -ex 'delete breakpoints' -ex continue \
	--args "$build/pintle" run "$object" --prog outermost --gdb >"$text" 2>&1
grep -q 'ptrace' "$text" && skip "gdb may not trace here"

has 'Breakpoint 1, .*deepest \(\) at .*frames\.bpf\.c:'
has '^#0 .*deepest \(\)'
has '^#1 .* each \(\) at .*frames\.bpf\.c:'
has '^#[0-9]+ .* outermost \(\) at .*frames\.bpf\.c:'
has '^#[0-9]+ .* pintle_prog_run '
has '^#[0-9]+ .* _start \(\)'
has '^each \(\) at .*frames\.bpf\.c:'
has '^result '
has 'exited normally'

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
