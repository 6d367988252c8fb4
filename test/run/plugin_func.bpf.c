/* SPDX-License-Identifier: MIT
 *
 * A function of the plugin, and no field.
 */
struct value {
	long n;
};
#include "plugin.h"

extern int plug_number(int n) __ksym;

SEC("hook/stress_p") int BPF_PROG(call, int n)
{
	return plug_number(n);
}
