#!/bin/sh
# SPDX-License-Identifier: MIT
#
# docs.sh: the code in docs/ is that of files which are compiled.
#
#	test/run/docs.sh BUILD
cd "$(dirname "$0")/../.." || exit 1
exec tools/check-docs
