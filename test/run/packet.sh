#!/bin/sh
# SPDX-License-Identifier: MIT
#
# packet.sh: the packet engine from outside: captures good and bad, what programs make of
# them, what is refused, and that every object is freed. (See packet/check.py.)
#
#	test/run/packet.sh BUILD
exec python3 -B "$(dirname "$0")/packet/check.py" "${1:-build}"
