/* SPDX-License-Identifier: MIT
 *
 * packet.c: accesses of packet bytes lie inside what a comparison with the packet's end
 * has shown to exist: [0, range) of the pointer's origin. The variable part of the offset
 * is in that origin; it only has to be non-negative (check_region()).
 */
#include "verify/rule/rule.h"

int access_packet(struct env *env, struct access *acc)
{
	TRY(check_not_null(env, acc->regno, &acc->ptr));
	if (acc->kind == ACC_WRITE && !env->prog->type->packet_writable)
		return reject(env, RULE_PACKET_WRITE);
	TRY(check_no_leak(env, acc, "packet"));
	return check_region(env, acc, acc->ptr.range, false);
}
