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

# example NAME PRINTS
example()
{
	got=$("$build/examples/$1-host" "$build/bpf/examples/$1/$1.bpf.o" 2>&1)
	is "$1: exit code" 0 $?
	is "$1: what it prints" "$2" "$got"
}

example arena "500 keys, 500 of them found, 2000 hits, then 500"
example cache "10000 events, 100 lookups, 100 users kept, sum 4950000
0 users left"
example events "1000 events, 450 reported, 450 read
muted after half of them"
example pool "1000 jobs, cost 3000, 8 objects in the pool
0 objects left"
example congestion "reno: 2484 sent, 3 lost, window 35
steady: 990 sent, 0 lost, window 10
none left"
example conntable "packets found their connections: yes
0 connections left"
example seqlock "readers got settings: yes, wrong ones: 0
0 settings in use"
example client "states 1 101 201
states 1 -14 -14"
example tenants "without tables: 0
prices 1 to 4, up to 40 a connection: 260
used up: 28
fresh connections, everything costs 1: 150
8 connections have spent something"
example pqueue "500 sent, 0 out of order, 500 waiting
0 frames left"

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
