/* SPDX-License-Identifier: MIT */
#define VARIANT 5
#include "replace.bpf.c"
