#!/bin/sh
# SPDX-License-Identifier: MIT
#
# examples.sh: what the examples print is what they say they do.
#
#	test/run/examples.sh BUILD
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
passed=0 failed=0

# is NAME WANTED GOT
is()
{
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAIL %s\nwanted: %s\ngot:    %s\n' "$1" "$2" "$3"
	fi
}

got=$("$build/examples/policy/host" "$build/bpf/examples/policy/policy.bpf.o" 2>&1)
is "policy: exit code" 0 $?
is "policy: what it prints" \
	"1000 requests, 500 refused, 10 connections kept by the program
0 connections left" "$got"

got=$("$build/examples/policy/host" /nonexistent.bpf.o 2>&1)
is "policy: exit code without a program" 1 $?
case $got in
*/nonexistent.bpf.o*) is "policy: names the file" yes yes ;;
*) is "policy: names the file" "words about /nonexistent.bpf.o" "$got" ;;
esac

got=$("$build/examples/policy/host" "$build/bpf/examples/policy/leaky.bpf.o" 2>&1)
is "leaky: exit code" 1 $?
case $got in
*"conn_get(c)"*"reference 2 is taken here"*) is "leaky: says where" yes yes ;;
*) is "leaky: says where" "the line that took the reference" "$got" ;;
esac

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
