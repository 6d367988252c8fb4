#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proofs of the value domains at full width, with z3.

    prove.py CHECK_DOMAINS [PATTERN...]

First the model (model.py) is run on random vectors that the C code wrote
(CHECK_DOMAINS --vectors); it must agree everywhere. Then every theorem below whose name
contains a pattern is proved; one line each. A theorem says, of a C function: whatever
numbers its arguments stand for, the exact result is among those its result stands for.

Exit: 0, 1 on a difference or a counterexample or where z3 gives up, 77 without z3.
"""
import multiprocessing
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True      # no __pycache__ in the source tree

try:
    import z3
except ImportError:
    print('prove.py: no z3 for this python (Debian: apt-get install python3-z3): skipped')
    sys.exit(77)

import model as m
from model import Half, Halves, Num, Tnum, View, both, either, k, ule, ult

VECTORS = 300
TIMEOUT = 600   # seconds for one theorem; the longest takes 20 on an idle machine


# ---- the model against the C code ----

class Reader:
    def __init__(self, words):
        self.words = [int(w, 16) for w in words]

    def num(self): return Num(self.words.pop(0), 64)
    def int(self): return self.words.pop(0)
    def half(self): return Half(self.num(), self.num())
    def halves(self): return Halves(self.half(), self.half())
    def tnum(self): return Tnum(self.num(), self.num())
    def view(self): return View(self.tnum(), self.halves(), self.halves())


def flat(x):
    if isinstance(x, tuple):
        return [n for y in x for n in flat(y)]
    return [int(x)] if isinstance(x, bool) else [x.v]


def with_good(good, *views):
    return (good, *views) if good else (good,)


def run_model(name, r):
    """The model's result for a vector's inputs."""
    zero = Num(0, 64)
    none = m.halves_none(zero)
    if name in ('tnum_lsh', 'tnum_rsh'):
        return getattr(m, name)(r.tnum(), r.num())
    if name in ('tnum_arsh64', 'tnum_arsh32'):
        return m.tnum_arsh(r.tnum(), r.num(), int(name[-2:]))
    if name in ('tnum_cast', 'tnum_bswap'):
        return getattr(m, name)(r.tnum(), r.int())
    if name == 'tnum_neg':
        return m.tnum_neg(r.tnum())
    if name.startswith('tnum_'):
        return getattr(m, name)(r.tnum(), r.tnum())
    if name in ('range_lsh', 'range_rsh', 'range_arsh'):
        w = r.int()
        return getattr(m, name)(none, r.half(), r.num(), r.num(), w)
    if name.startswith('range_'):
        w = r.int()
        return getattr(m, name)(none, r.half(), r.half(), w)
    if name == 'view_round':
        return with_good(*m.view_round(r.view()))
    if name == 'view_extend':
        size, sign = r.int(), r.int()
        return m.view_extend(r.view(), size, bool(sign))
    if name == 'branch_learn':
        cond, w, taken = list(m.CLAIMS)[r.int()], r.int(), r.int()
        return with_good(*m.branch_learn(cond, w, taken, r.view(), r.view()))
    if name == 'halves_of':
        w = r.int()
        return m.halves_of(r.num(), r.num(), r.num(), r.num(), w)
    raise KeyError(name)


def compare(program):
    text = subprocess.run([program, '--vectors', str(VECTORS)], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    count = {}
    for line in text.splitlines():
        inputs, outputs = line.split(' :')
        name, *words = inputs.split()
        got, want = flat(run_model(name, Reader(words))), [int(w, 16) for w in outputs.split()]
        if got != want:
            print(f'the model differs from the code:\n  {line}\n  model:',
                  ' '.join(f'{x:x}' for x in got))
            return False
        count[name] = count.get(name, 0) + 1
    print(f'model = code on {sum(count.values())} vectors of {len(count)} functions')
    return True


# ---- theorems ----

THEOREMS = []


def theorem(*cases, bits=64):
    """A function that returns (assumptions, claim); one theorem for each of the cases. At
    so many bits; None: over the integers."""
    def add(f):
        for case in cases or [()]:
            name = ' '.join([f.__name__, *[getattr(c, '__name__', str(c)) for c in case]])
            THEOREMS.append((name, bits, f, case))
        return f
    return add


def var(name): return z3.BitVec(name, m.BITS)
def tnum(name): return Tnum(var(name + 'v'), var(name + 'm'))
def half(name): return Half(var(name + 'lo'), var(name + 'hi'))
def halves(name): return Halves(half(name + 'p'), half(name + 'n'))
def view(name): return View(tnum(name), halves(name + 'w'), halves(name + 'l'))


def member(t, x): return both(m.tnum_valid(t), m.tnum_has(t, x))


def half_fine(h, w, sign):
    """An empty half, or an interval of w-bit numbers of that sign."""
    lo, hi = (1 << (w - 1), (1 << w) - 1) if sign else (0, (1 << (w - 1)) - 1)
    return either(both(h.lo == ~k(h.lo, 0), h.hi == k(h.lo, 0)),
                  both(ule(k(h.lo, lo), h.lo), ule(h.lo, h.hi), ule(h.hi, k(h.lo, hi))))


def halves_fine(a, w): return both(half_fine(a.pos, w, 0), half_fine(a.neg, w, 1))


def view_fine(v):
    return both(m.tnum_valid(v.bits), halves_fine(v.w64, 64), halves_fine(v.w32, 32))


def low(x, w): return x & k(x, (1 << w) - 1)


def view_has(v, x):
    return both(m.tnum_has(v.bits, x), m.halves_has(v.w64, x), m.halves_has(v.w32, low(x, 32)))


def in_half(h, x, w):
    """h is an interval of w-bit numbers of one sign and x is in it."""
    return both(either(half_fine(h, w, 0), half_fine(h, w, 1)), m.half_has(h, x))


def add(x, y): return x + y
def sub(x, y): return x - y
def and_(x, y): return x & y
def or_(x, y): return x | y
def xor(x, y): return x ^ y


@theorem((m.tnum_add, add), (m.tnum_sub, sub), (m.tnum_and, and_), (m.tnum_or, or_),
         (m.tnum_xor, xor))
def of_two_tnums(f, op):
    a, b, x, y = tnum('a'), tnum('b'), var('x'), var('y')
    return [member(a, x), member(b, y)], member(f(a, b), op(x, y))


@theorem((m.tnum_lsh, m.shl), (m.tnum_rsh, m.shr))
def tnum_shifted(f, op):
    a, x, n = tnum('a'), var('x'), var('n')
    return [member(a, x), ult(n, k(n, 64))], member(f(a, n), op(x, n))


@theorem((64,), (32,))
def tnum_arsh(w):
    a, x, n = tnum('a'), var('x'), var('n')
    result = low(m.sar(m.sign_extend(x, w), n), w)
    small = low(a.value, w) == a.value, low(a.mask, w) == a.mask
    return [member(a, x), ult(n, k(n, w)), *small], member(m.tnum_arsh(a, n, w), result)


@theorem()
def tnum_neg():
    a, x = tnum('a'), var('x')
    return [member(a, x)], member(m.tnum_neg(a), -x)


@theorem(*[(f, size) for f in (m.tnum_cast, m.tnum_bswap) for size in (1, 2, 4, 8)])
def tnum_bytes(f, size):
    a, x = tnum('a'), var('x')
    result = low(x, 8 * size) if f == m.tnum_cast else m.swap_bytes(x, size)
    return [member(a, x)], member(f(a, size), result)


@theorem()
def tnum_range():
    lo, hi, x = var('lo'), var('hi'), var('x')
    return [ule(lo, x), ule(x, hi)], member(m.tnum_range(lo, hi), x)


@theorem()
def tnum_intersect():
    a, b, x = tnum('a'), tnum('b'), var('x')
    return [member(a, x), member(b, x)], both(m.tnum_overlap(a, b),
                                              member(m.tnum_intersect(a, b), x))


@theorem()
def tnum_intersect_is_exact():
    a, b, x = tnum('a'), tnum('b'), var('x')
    return ([m.tnum_valid(a), m.tnum_valid(b), m.tnum_overlap(a, b),
             m.tnum_has(m.tnum_intersect(a, b), x)],
            both(m.tnum_has(a, x), m.tnum_has(b, x)))


@theorem()
def tnum_union():
    a, b, x = tnum('a'), tnum('b'), var('x')
    return ([m.tnum_valid(a), m.tnum_valid(b), either(m.tnum_has(a, x), m.tnum_has(b, x))],
            member(m.tnum_union(a, b), x))


@theorem()
def tnum_in():
    a, b, x = tnum('a'), tnum('b'), var('x')
    return [m.tnum_valid(a), member(b, x), m.tnum_in(a, b)], m.tnum_has(a, x)


def uge(a, b): return ule(b, a)


@theorem((m.tnum_next, ule), (m.tnum_prev, uge))
def tnum_neighbour(f, at_most):
    """The first member from x on: it is one, and no member lies between; if there is a
    member at all, one is found."""
    t, x, y = tnum('t'), var('x'), var('y')
    found, first = f(t, x)
    return ([m.tnum_valid(t)],
            both(z3.Implies(found, both(m.tnum_has(t, first), at_most(x, first))),
                 z3.Implies(both(m.tnum_has(t, y), at_most(x, y)),
                            both(found, at_most(first, y)))))


# tnum_mul. By induction over the turns of its loops: before the turn for bit i the sum
# holds what bits 0..i-1 of x contribute; the turn keeps that so; leaving early is right.

@theorem()
def mul_union_turn():
    total, b, s, y, i = tnum('t'), tnum('b'), var('s'), var('y'), var('i')
    known, one = z3.Bool('known'), z3.Bool('one')
    sum_after = z3.If(one, s + m.shl(y, i), s)
    return ([member(total, s), member(b, y), ult(i, k(i, 64)), z3.Implies(known, one)],
            member(m.union_step(total, b, known, i), sum_after))


@theorem()
def mul_parts_turn():
    """s is what the unknown bits so far added to the product of the known ones; a known
    bit adds y - b.value more than that product counts, an unknown one y or nothing."""
    total, b, s, y, i = tnum('t'), tnum('b'), var('s'), var('y'), var('i')
    known, one = z3.Bool('known'), z3.Bool('one')
    more = z3.If(known, y - b.value, z3.If(one, y, k(y, 0)))
    return ([member(total, s), member(b, y), ult(i, k(i, 64))],
            member(m.parts_step(total, b, known, i), s + m.shl(more, i)))


@theorem()
def mul_leaves_in_time():
    """Sums of multiples of b's lowest bit, shifted, stay among what is unknown already."""
    total, s, more, bit = tnum('t'), var('s'), var('more'), var('bit')
    power = both(bit & (bit - k(bit, 1)) == k(bit, 0))
    return ([member(total, s), power, more & (bit - k(bit, 1)) == k(bit, 0),
             m.idle(total, bit)], m.tnum_has(total, s + more))


@theorem()
def mul_multiples():
    """What is added later is a multiple of the lowest bit of b, shifted by i."""
    b, y, i, j = tnum('b'), var('y'), var('i'), var('j')
    maybe = b.value | b.mask
    lowest = m.shl(maybe & -maybe, i)
    return ([member(b, y), ule(i, j), ult(j, k(j, 64))],
            m.shl(y, j) & (lowest - k(y, 1)) == k(y, 0))


@theorem(bits=8)
def mul_filled():
    """filled() needs no more of a and b than that; multiplication keeps this to 8 bits
    (the argument for any width stands at filled() and fills())."""
    a, b, x, y = tnum('a'), tnum('b'), var('x'), var('y')
    return ([member(a, x), member(b, y)],
            m.tnum_has(m.filled(a.value | a.mask, b.value | b.mask), x * y))


# halves.h

@theorem((64,), (32,), (16,), (8,))
def arc(w):
    r, lo, hi, x = halves('r'), var('lo'), var('hi'), var('x')
    result = m.halves_add_arc(r, lo, hi, w)
    on_it = ule(low(x - lo, w), low(hi - lo, w))
    return ([halves_fine(r, w), low(x, w) == x, either(m.halves_has(r, x), on_it)],
            both(m.halves_has(result, x), halves_fine(result, w)))


@theorem()
def halves_meet():
    a, b, x = halves('a'), halves('b'), var('x')
    result = m.halves_meet(a, b)
    return ([halves_fine(a, 64), halves_fine(b, 64)],
            both(m.halves_has(result, x) == both(m.halves_has(a, x), m.halves_has(b, x)),
                 halves_fine(result, 64)))


@theorem((0,), (1,))
def half_add(sign):
    """halves_hull() and halves_add_half(), of which this is a half."""
    a, b, x = half('a'), half('b'), var('x')
    result = m.half_add(a, b.lo, b.hi)
    return ([half_fine(a, 64, sign), half_fine(b, 64, sign),
             either(m.half_has(a, x), m.half_has(b, x))],
            both(m.half_has(result, x), half_fine(result, 64, sign)))


@theorem((64, 32), (64, 16), (64, 8), (32, 16), (32, 8))
def halves_trunc(w, to):
    a, x = halves('a'), var('x')
    result = m.halves_trunc(a, to)
    return ([halves_fine(a, w), m.halves_has(a, x)],
            both(m.halves_has(result, low(x, to)), halves_fine(result, to)))


@theorem((64,), (32,))
def halves_of_is_exact(w):
    """x is in both ranges exactly when it is in the halves."""
    lo, hi, smin, smax, x = [var(n) for n in ('lo', 'hi', 'smin', 'smax', 'x')]
    small = [low(v, w) == v for v in (lo, hi, smin, smax, x)]
    sx, s0, s1 = [m.sign_extend(v, w) for v in (x, smin, smax)]
    inside = both(ule(lo, x), ule(x, hi), s0 <= sx, sx <= s1)
    result = m.halves_of(lo, hi, smin, smax, w)
    return ([*small, ule(lo, hi), s0 <= s1],
            both(m.halves_has(result, x) == inside, halves_fine(result, w)))


@theorem((64,), (32,))
def bounds_of_halves(w):
    """What view_scalar() reads off."""
    a, x = halves('a'), var('x')
    sx = m.sign_extend(x, w)
    return ([halves_fine(a, w), m.halves_has(a, x)],
            both(ule(m.halves_umin(a), x), ule(x, m.halves_umax(a)),
                 m.sign_extend(m.halves_smin(a), w) <= sx,
                 sx <= m.sign_extend(m.halves_smax(a), w)))


# scalar.c

@theorem((0,), (1,))
def half_fit(sign):
    """With ends as tnum_neighbour says: no member is lost, nothing comes in."""
    h, x, a, b = half('h'), var('x'), var('a'), var('b')
    member, found_a, found_b = z3.Bools('member found_a found_b')
    result = m.half_fit(h, (found_a, a), (found_b, b))
    return ([half_fine(h, 64, sign),
             z3.Implies(found_a, ule(h.lo, a)), z3.Implies(found_b, ule(b, h.hi)),
             z3.Implies(both(member, ule(h.lo, x)), both(found_a, ule(a, x))),
             z3.Implies(both(member, ule(x, h.hi)), both(found_b, ule(x, b)))],
            both(z3.Implies(both(m.half_has(h, x), member), m.half_has(result, x)),
                 z3.Implies(m.half_has(result, x), m.half_has(h, x)),
                 half_fine(result, 64, sign)))


@theorem()
def halves_fit_low():
    a, lo, x = halves('a'), halves('l'), var('x')
    result = m.halves_fit_low(a, lo)
    right = both(m.halves_has(a, x), m.halves_has(lo, low(x, 32)))
    return ([halves_fine(a, 64), halves_fine(lo, 32)],
            both(z3.Implies(right, m.halves_has(result, x)),
                 z3.Implies(m.halves_has(result, x), m.halves_has(a, x)),
                 halves_fine(result, 64)))


@theorem((64,), (32,))
def halves_bits(w):
    a, x = halves('a'), var('x')
    return [halves_fine(a, w), m.halves_has(a, x)], member(m.halves_bits(a), x)


class Steps:
    """Stands in for what a view function calls: each step gives anything that the theorem
    about it allows, at the number x. Bits are fitted at the widths given, in that order;
    halves meet at the first of them. Bounds of a | b are for the pairs of numbers given."""

    NAMES = ('halves_fit_bits', 'halves_fit_low', 'halves_trunc', 'halves_bits',
             'halves_add_arc', 'halves_meet', 'or_least', 'or_greatest')

    def __init__(self, x, *fit_widths, pairs=()):
        self.x, self.rules, self.count, self.pairs = x, [], 0, pairs
        self.fit_widths, self.meet_width = list(fit_widths), (fit_widths or [64])[0]
        self.real = {name: getattr(m, name) for name in self.NAMES}

    def run(self, f, *args):
        for name in self.NAMES:
            setattr(m, name, getattr(self, name))
        result = f(*args)
        for name in self.NAMES:
            setattr(m, name, self.real[name])
        return result

    def fresh(self, make):
        self.count += 1
        return make(f'step{self.count}')

    def narrowed(self, a, w, kept):
        r, x = self.fresh(halves), low(self.x, w)
        self.rules += [halves_fine(r, w), z3.Implies(m.halves_has(r, x), m.halves_has(a, x)),
                       z3.Implies(both(m.halves_has(a, x), kept(x)), m.halves_has(r, x))]
        return r

    def halves_fit_bits(self, a, t):
        return self.narrowed(a, self.fit_widths.pop(0), lambda x: m.tnum_has(t, x))

    def halves_fit_low(self, a, lo):
        return self.narrowed(a, 64, lambda x: m.halves_has(lo, low(x, 32)))

    def halves_meet(self, a, b):
        r, w = self.fresh(halves), self.meet_width
        x = low(self.x, w)
        self.rules += [z3.Implies(both(halves_fine(a, w), halves_fine(b, w)),
                                  halves_fine(r, w)),
                       m.halves_has(r, x) == both(m.halves_has(a, x), m.halves_has(b, x))]
        return r

    def halves_trunc(self, a, w):
        r = self.fresh(halves)
        self.rules += [halves_fine(r, w),
                       *[z3.Implies(m.halves_has(a, x), m.halves_has(r, low(x, w)))
                         for x in (self.x, low(self.x, 32))]]
        return r

    def halves_add_arc(self, r, lo, hi, w):
        to, x = self.fresh(halves), low(self.x, w)
        on_it = ule(low(self.x - lo, w), low(hi - lo, w))
        self.rules += [halves_fine(to, w), z3.Implies(either(on_it, m.halves_has(r, x)),
                                                      m.halves_has(to, x))]
        return to

    def or_least(self, f):
        return self.or_bound(f, lambda bound, both_bits: ule(bound, both_bits))

    def or_greatest(self, f):
        return self.or_bound(f, lambda bound, both_bits: ule(both_bits, bound))

    def or_bound(self, f, right):
        r = self.fresh(var)
        beyond = r & ~m.bits_below(f.ahi | f.bhi)
        self.rules += [z3.Implies(in_fork(f, x, y), both(right(r, x | y), m.is0(beyond)))
                       for x, y in self.pairs]
        return r

    def halves_bits(self, a):
        r = self.fresh(tnum)
        self.rules += [m.tnum_valid(r), *[z3.Implies(m.halves_has(a, x), m.tnum_has(r, x))
                                          for x in (self.x, low(self.x, 32))]]
        return r


@theorem()
def view_round():
    """No number is lost in a turn of view_sync(), and the parts stay well-formed; nor does
    one come in."""
    v, x = view('v'), var('x')
    steps = Steps(x, 32, 64)
    good, after = steps.run(m.view_round, v)
    kept = both(good, view_has(after, x), view_fine(after))
    return ([view_fine(v), *steps.rules],
            both(z3.Implies(view_has(v, x), kept),
                 z3.Implies(both(good, view_has(after, x)), view_has(v, x))))


@theorem(*[(size, sign, whole) for size in (1, 2, 4) for sign in (False, True)
           for whole in (False, True)])
def view_extend(size, sign, whole):
    v, x = view('v'), var('x')
    up = k(x, 64 - 8 * size)
    result = m.shl(x, up)
    result = m.sar(result, up) if sign else m.shr(result, up)
    steps = Steps(x, 8 * size)
    after = steps.run(m.view_extend, v, size, sign)
    return ([view_fine(v), view_has(v, x), *steps.rules,
             m.survives(v.w64, 8 * size, sign) == whole],
            both(view_has(after, result), view_fine(after)))


@theorem()
def view_low():
    v, x = view('v'), var('x')
    after = m.view_low(v)
    return [view_fine(v), view_has(v, x)], both(view_has(after, low(x, 32)), view_fine(after))


# range.c

def spanned(name, w):
    """An interval lo..lo + span of w-bit numbers of one sign and its member lo + step."""
    lo, span, step = var(name), var(name + 'span'), var(name + 'step')
    h, x = Half(lo, lo + span), lo + step
    fine = either(half_fine(h, w, 0), half_fine(h, w, 1))
    return h, x, [fine, ule(lo, h.hi), ule(step, span)]


@theorem(*[(f, op, w) for f, op in ((m.range_add, add), (m.range_sub, sub))
           for w in (64, 32)])
def range_sum(f, op, w):
    a, x, fine_a = spanned('a', w)
    b, y, fine_b = spanned('b', w)
    steps = Steps(op(x, y))
    result = steps.run(f, m.halves_none(x), a, b, w)
    return ([*fine_a, *fine_b, *[z3.simplify(r, som=True) for r in steps.rules]],
            both(m.halves_has(result, low(op(x, y), w)), halves_fine(result, w)))


def rule(f, op, w):
    """A rule of which add_arc and meet are taken as proved above."""
    a, b, x, y = half('a'), half('b'), var('x'), var('y')
    steps = Steps(op(x, y), w)
    result = steps.run(f, m.halves_none(x), a, b, w)
    return ([in_half(a, x, w), in_half(b, y, w), *steps.rules],
            both(m.halves_has(result, low(op(x, y), w)), halves_fine(result, w)))


def in_fork(f, x, y):
    return both(ule(f.alo, x), ule(x, f.ahi), ule(f.blo, y), ule(y, f.bhi))


@theorem((m.or_least, uge), (m.or_greatest, ule))
def bound_of_or(f, at_bound):
    """It bounds x | y and has no bit above those of the intervals."""
    a, b, x, y = half('a'), half('b'), var('x'), var('y')
    bound = f(m.forked(a, b))
    return ([in_fork(m.forked(a, b), x, y)],
            both(at_bound(x | y, bound), bound & ~m.bits_below(a.hi | b.hi) == k(x, 0)))


@theorem(*[(f, op, w) for f, op in ((m.range_and, and_), (m.range_or, or_))
           for w in (64, 32)])
def range_rule(f, op, w):
    a, b, x, y = half('a'), half('b'), var('x'), var('y')
    result = f(m.halves_none(x), a, b, w)
    return ([in_half(a, x, w), in_half(b, y, w)],
            both(m.halves_has(result, op(x, y)), halves_fine(result, w)))


@theorem((64,), (32,))
def range_xor(w):
    """Given the bounds of a | b, for the bits below the forks and their complements."""
    a, b, x, y = half('a'), half('b'), var('x'), var('y')
    free = m.bits_below((a.lo ^ a.hi) | (b.lo ^ b.hi))
    steps = Steps(x ^ y, pairs=[(x & free, y & free), (~(x & free), ~(y & free))])
    result = steps.run(m.range_xor, m.halves_none(x), a, b, w)
    return ([in_half(a, x, w), in_half(b, y, w), *steps.rules],
            both(m.halves_has(result, x ^ y), halves_fine(result, w)))


# Products, quotients and shifts: the order of the corners over the integers, of any size;
# how the rules put them together, at a few bits.

def between(lo, x, hi): return z3.And(lo <= x, x <= hi)


def ints(names): return [z3.Int(n) for n in names.split()]


@theorem(('pos', 'pos'), ('neg', 'pos'), ('neg', 'neg'), bits=None)
def corners_of_product(sign_a, sign_b):
    """range_mul and range_lsh (by powers of two): lo = a + b * c and so on, so that only
    the signs of terms are left."""
    alo, x, ahi, blo, y, bhi = ints('alo x ahi blo y bhi')
    u, u2, v, v2 = ints('u u2 v v2')
    least, most = {'pos pos': (alo * blo, ahi * bhi), 'neg pos': (alo * bhi, ahi * blo),
                   'neg neg': (ahi * bhi, alo * blo)}[f'{sign_a} {sign_b}']
    where = {'pos': lambda lo, hi: lo >= 0, 'neg': lambda lo, hi: hi < 0}
    return ([where[sign_a](alo, ahi), where[sign_b](blo, bhi), u >= 0, u2 >= 0, v >= 0,
             v2 >= 0, x == alo + u, ahi == x + u2, y == blo + v, bhi == y + v2],
            between(least, x * y, most))


@theorem(bits=None)
def corners_of_quotient():
    alo, x, ahi, blo, y, bhi, q, q0, q1 = ints('alo x ahi blo y bhi q q0 q1')

    def quotient(q, a, b): return z3.And(q >= 0, q * b <= a, a < q * b + b)
    return ([0 <= alo, between(alo, x, ahi), 0 < blo, between(blo, y, bhi),
             quotient(q, x, y), quotient(q0, alo, bhi), quotient(q1, ahi, blo)],
            between(q0, q, q1))


@theorem(bits=None)
def remainders_of_one_quotient():
    alo, x, ahi, blo, y, bhi, q = ints('alo x ahi blo y bhi q')
    return ([0 <= alo, between(alo, x, ahi), 0 < blo, between(blo, y, bhi), q >= 0],
            between(alo - q * bhi, x - q * y, ahi - q * blo))


@theorem((64,), (32,))
def wide_arc(w):
    """128-bit integers lo..hi, one of them cut to w bits."""
    lo, span, step = [z3.BitVec(n, 128) for n in ('lo', 'span', 'step')]
    x = m.narrow(lo + step)
    steps = Steps(x, w)
    result = steps.run(m.wide_arc, lo, lo + span, w)
    return ([ule(step, span), *[z3.simplify(r, som=True) for r in steps.rules]],
            both(m.halves_has(result, low(x, w)), halves_fine(result, w)))


def mul(x, y): return x * y
def div(x, y): return m.ite(m.is0(y), k(x, 0), m.udiv(x, y))
def mod(x, y): return m.ite(m.is0(y), x, m.urem(x, y))


def sdiv(x, y):
    sx, sy = m.sign_extend(x, 6), m.sign_extend(y, 6)
    return m.ite(m.is0(y), k(x, 0), sx / sy)


def smod(x, y):
    sx, sy = m.sign_extend(x, 6), m.sign_extend(y, 6)
    return m.ite(m.is0(y), x, z3.SRem(sx, sy))


@theorem(*[(f, op) for f, op in ((m.range_div, div), (m.range_mod, mod),
                                 (m.range_sdiv, sdiv), (m.range_smod, smod))], bits=12)
def range_rule_of_6_bits(f, op):
    return rule(f, op, 6)


@theorem(bits=8)
def range_mul_of_4_bits():
    return rule(m.range_mul, mul, 4)


@theorem((m.shr,), (m.sar,))
def shift_keeps_order(op):
    x, y, n = var('x'), var('y'), var('n')
    return [ule(x, y), ult(n, k(n, 64))], ule(op(x, n), op(y, n))


@theorem((m.shr,), (m.sar,))
def shift_by_more(op):
    """Gives less; of a negative number that stays one, a greater pattern."""
    x, n, more = var('x'), var('n'), var('more')
    down, up = ule(op(x, more), op(x, n)), ule(op(x, n), op(x, more))
    return ([ule(n, more), ult(more, k(n, 64))],
            z3.If(x < 0, up, down) if op == m.sar else down)


def shift_rule(f, op, w, lemmas):
    a, x, n, kmin, kmax = half('a'), var('x'), var('n'), var('kmin'), var('kmax')
    number = op(m.sign_extend(x, w) if op == m.sar else x, n)
    steps = Steps(number)
    result = steps.run(f, m.halves_none(x), a, kmin, kmax, w)
    return ([in_half(a, x, w), ule(kmin, n), ule(n, kmax), ult(kmax, k(n, w)), *steps.rules,
             *lemmas(a, x, n, kmin, kmax)],
            both(m.halves_has(result, low(number, w)), halves_fine(result, w)))


@theorem(*[(f, op, w) for f, op in ((m.range_rsh, m.shr), (m.range_arsh, m.sar))
           for w in (64, 32)])
def range_shift(f, op, w):
    """By way of the two theorems above: lo and x shifted as lo is, then x by n; so hi."""
    def lemmas(a, x, n, kmin, kmax):
        (lo, hi), first, last = a, kmax, kmin
        if op == m.sar:
            negative = m.any_bit(lo & m.top_bit(lo, w))
            first, last = m.ite(negative, kmin, kmax), m.ite(negative, kmax, kmin)
            lo, x, hi = [m.sign_extend(v, w) for v in (lo, x, hi)]
        return [z3.Implies(ule(lo, x), ule(op(lo, first), op(x, first))),
                z3.Implies(ule(x, hi), ule(op(x, last), op(hi, last))),
                ule(op(x, first), op(x, n)), ule(op(x, n), op(x, last))]
    return shift_rule(f, op, w, lemmas)


@theorem(bits=8)
def range_lsh_of_4_bits():
    return shift_rule(m.range_lsh, m.shl, 4, lambda *_: [])


# alu.c: what the tables claim beside the rules.

@theorem(*[(op,) for op in (add, sub, mul, and_, or_, xor)])
def low_half_suffices(op):
    """The rows marked .low. Multiplication: at 16 bits, of 32 (see below)."""
    x, y = var('x'), var('y')
    if op == mul:
        x, y = z3.BitVec('x', 16), z3.BitVec('y', 16)
        return [], low(x * y, 8) == low(low(x, 8) * low(y, 8), 8)
    return [], low(op(x, y), 32) == low(op(low(x, 32), low(y, 32)), 32)


@theorem((False,), (True,), bits=8)
def mod_keeps_low_bits(signed):
    """mod_bits(): a % b agrees with a below the lowest bit of b."""
    x, y, b = var('x'), var('y'), tnum('b')
    maybe = b.value | b.mask
    known = (maybe & -maybe) - k(x, 1)
    rest = z3.SRem(x, y) if signed else z3.URem(x, y)
    return [member(b, y)], low_equal(z3.If(y == 0, x, rest), x, known)


def low_equal(x, y, mask): return (x ^ y) & mask == k(x, 0)


@theorem()
def div_by_power_is_shift():
    """x >> n is the q of q * 2^n <= x < q * 2^n + 2^n."""
    x, n = var('x'), var('n')
    product = m.shl(m.shr(x, n), n)
    return [ult(n, k(n, 64))], both(ule(product, x), ult(x - product, m.shl(k(x, 1), n)))


# branch.c

FACTS = {
    m.learn_equal: lambda x, y, s, t: x == y, m.learn_differ: lambda x, y, s, t: x != y,
    m.learn_less: lambda x, y, s, t: ult(x, y), m.learn_at_most: lambda x, y, s, t: ule(x, y),
    m.learn_sless: lambda x, y, s, t: s < t, m.learn_sat_most: lambda x, y, s, t: s <= t,
    m.learn_share: lambda x, y, s, t: x & y != k(x, 0),
    m.learn_disjoint: lambda x, y, s, t: x & y == k(x, 0),
}
CONDS = {
    'eq': FACTS[m.learn_equal], 'ne': FACTS[m.learn_differ],
    'gt': lambda x, y, s, t: ult(y, x), 'ge': lambda x, y, s, t: ule(y, x),
    'lt': FACTS[m.learn_less], 'le': FACTS[m.learn_at_most],
    'sgt': lambda x, y, s, t: s > t, 'sge': lambda x, y, s, t: s >= t,
    'slt': FACTS[m.learn_sless], 'sle': FACTS[m.learn_sat_most], 'set': FACTS[m.learn_share],
}


def holds(relation, x, y, w):
    x, y = low(x, w), low(y, w)
    return relation(x, y, m.sign_extend(x, w), m.sign_extend(y, w))


@theorem(*[(c, taken) for c in CONDS for taken in (False, True)])
def claim_of(cond, taken):
    """The table: a branch goes this way exactly when the fact holds."""
    x, y = var('x'), var('y')
    fact, exchange = m.CLAIMS[cond][taken]
    pair = (y, x) if exchange else (x, y)
    goes = holds(CONDS[cond], x, y, 64)
    return [], (goes if taken else z3.Not(goes)) == holds(FACTS[fact], *pair, 64)


@theorem(*[(fact, w) for fact in FACTS for w in (64, 32)])
def learn(fact, w):
    """Numbers for which the fact holds are kept."""
    a, b, x, y = view('a'), view('b'), var('x'), var('y')
    good, a2, b2 = fact(a, b, w)
    return ([view_fine(a), view_fine(b), view_has(a, x), view_has(b, y),
             holds(FACTS[fact], x, y, w)],
            both(good, view_has(a2, x), view_has(b2, y), view_fine(a2), view_fine(b2)))


# ---- proving ----

def conjuncts(claim):
    if z3.is_and(claim):
        return [c for part in claim.children() for c in conjuncts(part)]
    return [claim]


def refute(assume, claim, integers):
    """'unsat' when the assumptions imply the claim; the solver."""
    solver = z3.Solver() if integers else z3.SolverFor('QF_BV')
    solver.set('timeout', TIMEOUT * 1000)
    solver.add(*assume, z3.Not(claim))
    return str(solver.check()), solver


def prove(number):
    """(proved, text)"""
    name, bits, f, case = THEOREMS[number]
    m.set_bits(bits or 64)
    since, text, answer = time.time(), '', 'unsat'
    assume, claim = f(*case)
    for part in conjuncts(claim):
        answer, solver = refute(assume, part, bits is None)
        if answer == 'sat':
            model = solver.model()
            text = ''.join(f'\n    {v} = {model[v]}' for v in sorted(model.decls(), key=str))
        if answer != 'unsat':
            break
    m.set_bits(64)
    word = {'unsat': 'proved', 'sat': 'WRONG', 'unknown': 'not decided'}[answer]
    at = {64: '', None: ' (integers)'}.get(bits, f' (at {bits} bits)')
    return answer == 'unsat', f'{word:8} {name}{at} {time.time() - since:.1f} s{text}'


def main():
    program, patterns = sys.argv[1], sys.argv[2:]
    if not compare(program):
        return 1
    todo = [i for i, t in enumerate(THEOREMS)
            if not patterns or any(p in t[0] for p in patterns)]
    proved = 0
    with multiprocessing.Pool(len(os.sched_getaffinity(0))) as pool:
        for good, text in pool.imap_unordered(prove, todo):
            proved += good
            print(text, flush=True)
    print(f'{proved} of {len(todo)} theorems proved')
    return 0 if proved == len(todo) else 1


if __name__ == '__main__':
    sys.exit(main())
