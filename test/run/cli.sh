#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cli.sh: the pintle command: exit codes, output, wrong input.
#
#	test/run/cli.sh BUILD
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
pintle=$build/pintle
host=$build/examples/policy/host
good=$build/bpf/examples/policy/policy.bpf.o
bad=$build/bpf/examples/policy/leaky.bpf.o
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0

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

exits 2 "usage: pintle" "$pintle"
exits 2 "no command 'frobnicate'" "$pintle" frobnicate
exits 0 "usage: pintle" "$pintle" --help
exits 0 "pintle 0." "$pintle" version
exits 2 "no object given" "$pintle" verify
exits 2 "unknown option '--nope'" "$pintle" verify --nope "$good"
exits 2 "--host needs a value" "$pintle" verify --host
exits 2 "/nonexistent" "$pintle" verify /nonexistent
printf garbage >"$dir/garbage"
exits 2 "not an ELF object" "$pintle" verify "$dir/garbage"
exits 2 "garbage" "$pintle" verify --host "$dir/garbage" "$good"
exits 2 "the host exports nothing of that name" "$pintle" verify "$good"

exits 0 "accepted  policy.bpf.o: policy" "$pintle" verify --host "$host" "$good"
exits 1 "reference 2 is taken here" "$pintle" verify --host "$host" "$bad"
exits 1 "accepted  policy.bpf.o" "$pintle" verify --host "$host" "$bad" "$good"
exits 1 "processed " "$pintle" verify -v --host "$host" "$bad"
exits 0 '"verdict":"accept"' "$pintle" verify --json --host "$host" "$good"
exits 1 '"rule":"REF_LEAK"' "$pintle" verify --json --host "$host" "$bad"
if command -v python3 >/dev/null; then
	"$pintle" verify --json -v --host "$host" "$bad" >"$dir/json"
	exits 0 "REF_LEAK leaky True" python3 -c "
import json, sys
for line in open(sys.argv[1]):
    j = json.loads(line)
    print(j['rule'], j['program'], j['insns'] > 0 and j['log'] != '')" "$dir/json"
fi

# The contract of a live host.
"$build/hosts/packet/packet" --contract >"$dir/contract"
exits 0 "accepted  flowcache.bpf.o: flowcache (xdp)" \
	"$pintle" verify --host "$dir/contract" "$build/bpf/packet/flowcache.bpf.o"
sed 's/^export flow_put 2/export flow_put 3/' "$dir/contract" >"$dir/wrong"
exits 2 "flow_put" "$pintle" verify --host "$dir/wrong" "$good"
sed 's/^storable/sortable/' "$dir/contract" >"$dir/wrong"
exits 2 "'sortable' is not understood" "$pintle" verify --host "$dir/wrong" "$good"

exits 0 "session.last  -> struct conn" "$pintle" dump --host "$host" "$good"
exits 0 "call bpf_kptr_xchg#194" "$pintle" dump --host "$host" "$good"
exits 0 "call conn_put#" "$pintle" dump "$good"
exits 2 "No such file" "$pintle" dump /nonexistent
exits 2 "not an ELF object" "$pintle" dump "$dir/garbage"
exits 2 "no object given" "$pintle" dump
exits 0 "2 programs, 0 refused" "$pintle" bench verify --host "$host" "$good" "$good"
exits 0 "1 programs, 1 refused" "$pintle" bench verify --host "$host" "$bad"
exits 2 "known is: bench verify" "$pintle" bench
exits 2 "no object given" "$pintle" bench verify
exits 0 "REF_LEAK" "$pintle" explain
exits 0 "Usual mend" "$pintle" explain REF_LEAK
exits 0 "Refused:" "$pintle" explain REF_LEAK
exits 0 "Accepted:" "$pintle" explain REF_LEAK
exits 2 "no rule 'NOPE'" "$pintle" explain NOPE

exits 0 "native code" "$pintle" dump --native --host "$host" "$good"
exits 1 "Unreleased reference" "$pintle" dump --native --host "$host" "$bad"
exits 2 "--prog NAME are needed" "$pintle" run "$good"
exits 2 "two hexadecimal digits" "$pintle" run "$good" --prog policy --hex 0g
exits 2 "takes a number" "$pintle" run "$good" --prog policy --repeat -1
exits 2 "No such file" "$pintle" run "$good" --prog policy --data /nonexistent

# Native code, where the system lets it be.
work=$build/bpf/bench/work/compute.bpf.o
exits 0 "result" "$pintle" run "$work" --prog sum --interp
for how in --interp ''; do
	exits 0 "1 of 1 runs used up their budget" \
		"$pintle" run "$work" --prog sum --budget 10 $how
	exits 0 "result" "$pintle" run "$work" --prog sum --budget 10s $how
done
exits 2 "too long a time" "$pintle" run "$work" --prog sum --budget 99999999999s
exits 2 "not ns, us, ms or s" "$pintle" run "$work" --prog sum --budget 10h
exits 2 "takes a number of turns" "$pintle" run "$work" --prog sum --budget x
if "$pintle" run "$work" --prog sum --jit >"$dir/native" 2>&1; then
	exits 0 "$(cat "$dir/native")" "$pintle" run "$work" --prog sum --interp
	exits 0 "$(cat "$dir/native")" "$pintle" run "$work" --prog sum --jit --blind
	pid=$(sh -c "echo \$\$; exec $pintle run $work --prog sum --perf --perf-dump" | head -1)
	exits 0 "pintle:sum" cat "/tmp/perf-$pid.map"
	exits 0 "pintle:sum" cat "/tmp/jit-$pid.dump"
	rm -f "/tmp/perf-$pid.map" "/tmp/jit-$pid.dump"
fi

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
