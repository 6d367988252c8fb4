/* SPDX-License-Identifier: MIT
 *
 * match.h: reads the text of one instruction as one row of isa.def; asm.c tries them all.
 */
#ifndef PINTLE_ISA_MATCH_H
#define PINTLE_ISA_MATCH_H

#include "isa/table.h"

enum match_target { TARGET_NONE, TARGET_OFF, TARGET_IMM };

struct match {
	const char *start, *end; /* the text; not ended by a NUL */
	const char *p;		 /* read so far; on failure, how far it made sense */
	struct insn insn[2];
	u16 seen; /* HAS_DST, HAS_SRC: what was set, so that a second one must agree */

	enum match_target target; /* a label to be resolved into off or imm */
	const char *label;
	size_t label_len;

	const char *at;	 /* on failure: where */
	const char *why; /* on failure: words, or NULL for "unexpected" */
};

/* True when all of start..end is that row; then insn is set but for the label. */
bool isa_match(struct match *m, const struct isa_row *row);

bool match_is_word(char c);

/* The end of the word that starts at @p, @p itself when none does (digits do not). */
const char *match_word_end(const char *p, const char *end);

#endif
