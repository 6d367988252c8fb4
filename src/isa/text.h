/* SPDX-License-Identifier: MIT
 *
 * text.h: the operands of the `text` column of isa.def. A text is literal but for these,
 * which the disassembler prints and the assembler reads, both from this one list, and
 * for %%, a percent sign.
 *
 * Numbers: the kernel prints immediates of arithmetic as signed decimals, those of
 * comparisons as 32 bits in hex, 64-bit immediates in hex. `r1 = 5` and `r1 = 0x5` are
 * two different instructions in its logs (a move, and a 64-bit immediate), and here.
 */
#ifndef PINTLE_ISA_TEXT_H
#define PINTLE_ISA_TEXT_H

/* X(letter, name) */
#define TEXT_OPERANDS(X)                                                                 \
	X('D', dst)	    /* r1: the dst register */                                   \
	X('d', dst32)	    /* w1 */                                                     \
	X('S', src)	    /* r2: the src register */                                   \
	X('s', src32)	    /* w2 */                                                     \
	X('i', imm)	    /* -8: imm, read as signed 32 bits */                        \
	X('I', imm_any)	    /* -8: imm, read as signed or unsigned 32 bits */            \
	X('n', imm_decimal) /* -8: imm; hex is not for this row */                       \
	X('x', imm_hex)	    /* 0xfffffff8: imm; hex is bits, decimal is signed */        \
	X('X', imm_hex_any) /* 0xfffffff8: imm; decimal also unsigned */                 \
	X('a', spaces)	    /* 0, 1: high and low half of imm, unsigned */               \
	X('o', off)	    /* " +8", " -8": off of an address */                        \
	X('p', jump)	    /* pc+3, or a label: off */                                  \
	X('q', jump_long)   /* pc+3, or a label: imm */                                  \
	X('r', subprog)	    /* +3, or a label: imm */                                    \
	X('L', imm64)	    /* 0x123: imm and the second slot's */                       \
	X('j', imm2)	    /* 16: the second slot's imm, unsigned */                    \
	X('m', map)	    /* name:sessions, id:3: imm */                               \
	X('y', ksym)	    /* name:conn_table, id:3: imm */                             \
	X('h', helper)	    /* bpf_map_lookup_elem#1: imm */                             \
	X('k', kfunc)	    /* conn_put#3: imm */

#endif
