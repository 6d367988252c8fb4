# SPDX-License-Identifier: MIT
"""The value domains once more, for proofs.

Each function here follows the C function of the same name in src/verify/dom line by line
(tnum.c, halves.h, scalar.c, range.c, branch.c): change both together. prove.py runs this
model on random vectors that the C code wrote and compares, then proves theorems about it.

A number is a z3 bit vector or a Num: the model is the same for both. Conditions become
ite(); loops over halves are written out. BITS is the width of the C code's u64, smaller
only where a proof by multiplication or division would not end at 64.
"""
from collections import namedtuple

import z3

BITS = 64


def set_bits(bits):
    """The width of what the C code calls u64."""
    global BITS
    BITS = bits


class Num:
    """A number of so many bits, with the arithmetic of C's unsigned types."""

    def __init__(self, v, bits=None):
        self.bits = bits or BITS
        self.v = v & ((1 << self.bits) - 1)

    def _new(self, v):
        return Num(v, self.bits)

    def signed(self):
        return self.v - (1 << self.bits if self.v >> (self.bits - 1) else 0)

    def __add__(self, o): return self._new(self.v + o.v)
    def __sub__(self, o): return self._new(self.v - o.v)
    def __mul__(self, o): return self._new(self.v * o.v)
    def __and__(self, o): return self._new(self.v & o.v)
    def __or__(self, o): return self._new(self.v | o.v)
    def __xor__(self, o): return self._new(self.v ^ o.v)
    def __invert__(self): return self._new(~self.v)
    def __neg__(self): return self._new(-self.v)
    def __eq__(self, o): return self.v == o.v
    def __ne__(self, o): return self.v != o.v
    def __repr__(self): return hex(self.v)


# ---- the operations whose meaning depends on the sign, and choice ----

def ult(a, b): return a.v < b.v if isinstance(a, Num) else z3.ULT(a, b)
def ule(a, b): return a.v <= b.v if isinstance(a, Num) else z3.ULE(a, b)
def slt(a, b): return a.signed() < b.signed() if isinstance(a, Num) else a < b
def shl(a, k): return a._new(a.v << k.v) if isinstance(a, Num) else a << k
def shr(a, k): return a._new(a.v >> k.v) if isinstance(a, Num) else z3.LShR(a, k)
def sar(a, k): return a._new(a.signed() >> k.v) if isinstance(a, Num) else a >> k
def udiv(a, b): return a._new(a.v // b.v if b.v else ~0) if isinstance(a, Num) else z3.UDiv(a, b)


def urem(a, b):
    return a._new(a.v % b.v if b.v else a.v) if isinstance(a, Num) else z3.URem(a, b)


def ite(c, a, b):
    """a if c else b, for numbers, conditions and tuples of them."""
    if isinstance(c, bool):
        return a if c else b
    if isinstance(a, tuple):
        return type(a)(*[ite(c, x, y) for x, y in zip(a, b)])
    if isinstance(a, bool) and isinstance(b, bool) and a == b:
        return a
    return z3.If(c, a, b)


def both(*cs):
    if all(isinstance(c, bool) for c in cs):
        return all(cs)
    return z3.And(*cs)


def either(*cs):
    if all(isinstance(c, bool) for c in cs):
        return any(cs)
    return z3.Or(*cs)


def no(c): return not c if isinstance(c, bool) else z3.Not(c)


def k(like, v):
    """The constant v, of the kind and width of a number."""
    if isinstance(like, Num):
        return Num(v, like.bits)
    return z3.BitVecVal(v, like.size())


def wide(a, signed):
    """As a 128-bit integer."""
    if isinstance(a, Num):
        return Num(a.signed() if signed else a.v, 2 * a.bits)
    return z3.SignExt(a.size(), a) if signed else z3.ZeroExt(a.size(), a)


def narrow(a):
    if isinstance(a, Num):
        return Num(a.v, a.bits // 2)
    return z3.Extract(a.size() // 2 - 1, 0, a)


def umin(a, b): return ite(ult(a, b), a, b)
def umax(a, b): return ite(ult(b, a), a, b)
def is0(a): return a == k(a, 0)
def any_bit(a): return a != k(a, 0)


def bits_below(x):
    """All bits from the highest of x down; in C by counting leading zeros."""
    step = 1
    while step < BITS:
        x = x | shr(x, k(x, step))
        step *= 2
    return x


# ---- tnum.c ----

Tnum = namedtuple('Tnum', 'value mask')


def tnum_has(t, x): return (x & ~t.mask) == t.value
def tnum_valid(t): return is0(t.value & t.mask)


def tnum_range(lo, hi):
    mask = bits_below(lo ^ hi)
    return Tnum(lo & ~mask, mask)


def tnum_add(a, b):
    least = a.value + b.value
    most = least + a.mask + b.mask
    mask = (least ^ most) | a.mask | b.mask
    return Tnum(least & ~mask, mask)


def tnum_sub(a, b):
    diff = a.value - b.value
    mask = ((diff + a.mask) ^ (diff - b.mask)) | a.mask | b.mask
    return Tnum(diff & ~mask, mask)


def tnum_neg(a): return tnum_sub(Tnum(k(a.value, 0), k(a.value, 0)), a)


def tnum_and(a, b):
    ones = a.value & b.value
    maybe = (a.value | a.mask) & (b.value | b.mask)
    return Tnum(ones, maybe & ~ones)


def tnum_or(a, b):
    ones = a.value | b.value
    return Tnum(ones, (a.mask | b.mask) & ~ones)


def tnum_xor(a, b):
    mask = a.mask | b.mask
    return Tnum((a.value ^ b.value) & ~mask, mask)


def tnum_lsh(a, n): return Tnum(shl(a.value, n), shl(a.mask, n))
def tnum_rsh(a, n): return Tnum(shr(a.value, n), shr(a.mask, n))


def sign_extend(x, w):
    up = k(x, BITS - w)
    return sar(shl(x, up), up)


def tnum_arsh(a, n, w):
    """At w bits; the C code shifts an s32 or s64."""
    low = k(n, (1 << w) - 1)
    return Tnum(sar(sign_extend(a.value, w), n) & low, sar(sign_extend(a.mask, w), n) & low)


def tnum_overlap(a, b): return is0((a.value ^ b.value) & ~a.mask & ~b.mask)


def tnum_in(a, b): return both(is0(b.mask & ~a.mask), tnum_has(a, b.value))


def tnum_intersect(a, b):
    mask = a.mask & b.mask
    return Tnum((a.value | b.value) & ~mask, mask)


def tnum_union(a, b):
    mask = a.mask | b.mask | (a.value ^ b.value)
    return Tnum(a.value & ~mask, mask)


def tnum_cast(a, size):
    keep = k(a.value, (1 << 8 * size) - 1)
    return Tnum(a.value & keep, a.mask & keep)


def swap_bytes(x, size):
    r = k(x, 0)
    for i in range(size):
        byte = shr(x, k(x, 8 * i)) & k(x, 0xff)
        r = r | shl(byte, k(x, 8 * (size - 1 - i)))
    return r


def tnum_bswap(a, size): return Tnum(swap_bytes(a.value, size), swap_bytes(a.mask, size))


# tnum_mul: what each turn of its loops does (prove.py argues by induction), and, for
# numbers, the whole.

def idle(total, low): return (total.mask | (low - k(low, 1))) == ~k(low, 0)


def union_step(total, b, known, shift):
    with_b = tnum_add(total, tnum_lsh(b, shift))
    return ite(known, with_b, tnum_union(total, with_b))


def parts_step(total, b, known, shift):
    part = ite(known, b.mask, b.value | b.mask)
    return tnum_add(total, Tnum(k(part, 0), shl(part, shift)))


def mul_loop(step, a, b):
    total = Tnum(k(a.value, 0), k(a.value, 0))
    maybe = b.value | b.mask
    low = maybe & -maybe
    for i in range(BITS):
        bit = k(low, 1 << i)
        if is0((a.value | a.mask) & bit):
            continue
        if idle(total, low * bit):
            break
        total = step(total, b, any_bit(a.value & bit), k(bit, i))
    return total


def mul_by_union(a, b): return mul_loop(union_step, a, b)


def mul_by_parts(a, b):
    product = a.value * b.value
    return tnum_add(Tnum(product, k(product, 0)), mul_loop(parts_step, a, b))


def is_run(a):
    low = a.mask & -a.mask
    return both(is0(a.value), is0(a.mask & (a.mask + low)))


def odd_part(x):
    v = x.v
    while v and not v & 1:
        v >>= 1
    return Num(v, x.bits)


def fills(a, b):
    return is_run(a) and (is_run(b) or (is0(b.mask) and
                                        ule(odd_part(b.value), odd_part(a.mask))))


def filled(a, b):
    low = (a & -a) * (b & -b)
    most = wide(a, False) * wide(b, False)
    over = any_bit(shr(most, k(most, BITS)))
    return Tnum(k(a, 0), bits_below(ite(over, ~k(a, 0), narrow(most))) & -low)


def tnum_mul(a, b):
    """For numbers only."""
    if is0(a.mask | b.mask):
        return Tnum(a.value * b.value, k(a.mask, 0))
    if fills(a, b) or fills(b, a):
        return filled(a.value | a.mask, b.value | b.mask)
    return tnum_intersect(tnum_intersect(mul_by_union(a, b), mul_by_parts(a, b)),
                          tnum_intersect(mul_by_union(b, a), mul_by_parts(b, a)))


# ---- halves.h ----

Half = namedtuple('Half', 'lo hi')
Halves = namedtuple('Halves', 'pos neg')
View = namedtuple('View', 'bits w64 w32')


def top_bit(like, w): return k(like, 1 << (w - 1))
def all_bits(like, w): return k(like, (1 << w) - 1)
def none(like): return Half(~k(like, 0), k(like, 0))
def half_empty(h): return ult(h.hi, h.lo)
def half_has(h, x): return both(ule(h.lo, x), ule(x, h.hi))
def halves_has(h, x): return either(half_has(h.pos, x), half_has(h.neg, x))
def half_make(lo, hi): return ite(ule(lo, hi), Half(lo, hi), none(lo))
def halves_none(like): return Halves(none(like), none(like))


def halves_all(like, w):
    return Halves(Half(k(like, 0), k(like, (1 << (w - 1)) - 1)),
                  Half(top_bit(like, w), all_bits(like, w)))


def halves_empty(h): return both(half_empty(h.pos), half_empty(h.neg))
def halves_umin(h): return umin(h.pos.lo, h.neg.lo)
def halves_umax(h): return umax(h.pos.hi, h.neg.hi)
def halves_smin(h): return ite(half_empty(h.neg), h.pos.lo, h.neg.lo)
def halves_smax(h): return ite(half_empty(h.pos), h.neg.hi, h.pos.hi)


def half_add(h, lo, hi): return Half(umin(h.lo, lo), umax(h.hi, hi))


def halves_add_half(to, lo, hi, sign):
    return Halves(ite(sign, to.pos, half_add(to.pos, lo, hi)),
                  ite(sign, half_add(to.neg, lo, hi), to.neg))


def halves_add_arc(to, lo, hi, w):
    top, every = top_bit(lo, w), all_bits(lo, w)
    lo, hi = lo & every, hi & every
    one = both(is0((lo ^ hi) & top), ule(lo, hi))
    two = Halves(half_add(to.pos, lo, top - k(lo, 1)), half_add(to.neg, top, hi))
    around = Halves(half_add(to.pos, k(lo, 0), hi), half_add(to.neg, lo, every))
    passes = both(any_bit(lo & top), is0(hi & top))
    return ite(one, halves_add_half(to, lo, hi, any_bit(lo & top)),
               ite(ule(lo, hi), two, ite(passes, around, halves_all(lo, w))))


def halves_arc(lo, hi, w): return halves_add_arc(halves_none(lo), lo, hi, w)


def halves_hull(a, b):
    return Halves(half_add(a.pos, b.pos.lo, b.pos.hi), half_add(a.neg, b.neg.lo, b.neg.hi))


def half_meet(a, b): return half_make(umax(a.lo, b.lo), umin(a.hi, b.hi))
def halves_meet(a, b): return Halves(half_meet(a.pos, b.pos), half_meet(a.neg, b.neg))


def halves_trunc(a, w):
    r, every = halves_none(a.pos.lo), halves_all(a.pos.lo, w)
    too_long = False
    for h in (a.pos, a.neg):
        empty = half_empty(h)
        r = ite(empty, r, halves_add_arc(r, h.lo, h.hi, w))
        too_long = either(too_long, both(no(empty), ult(all_bits(h.lo, w), h.hi - h.lo)))
    return ite(too_long, every, r)


def halves_zext(a):
    empty = none(a.pos.lo)
    return Halves(half_add(empty, halves_umin(a), halves_umax(a)), empty)


def halves_sext(a, w, to):
    up = all_bits(a.pos.lo, to) & ~all_bits(a.pos.lo, w)
    return Halves(a.pos, ite(half_empty(a.neg), a.neg, Half(a.neg.lo | up, a.neg.hi | up)))


# ---- scalar.c ----

def halves_of(lo, hi, smin, smax, w):
    from_neg, to_neg = any_bit(smin & top_bit(lo, w)), any_bit(smax & top_bit(lo, w))
    pos = half_make(ite(from_neg, lo, umax(lo, smin)), umin(hi, smax))
    neg = half_make(umax(lo, smin), ite(to_neg, umin(hi, smax), hi))
    return Halves(ite(to_neg, none(lo), pos), ite(from_neg, neg, none(lo)))


def tnum_next(t, x):
    """(found, the least member >= x)"""
    differ = (x ^ t.value) & ~t.mask
    start = bits_below(differ)
    up = any_bit(t.value & (start ^ shr(start, k(x, 1))))
    lift = t.mask & ~x & ~start
    lift = lift & -lift
    higher = (x & -lift) | lift | (t.value & (lift - k(x, 1)))
    return (either(is0(differ), up, any_bit(lift)),
            ite(is0(differ), x, ite(up, (x & ~start) | (t.value & start), higher)))


def tnum_prev(t, x):
    found, y = tnum_next(Tnum(~t.value & ~t.mask, t.mask), ~x)
    return found, ~y


def half_fit(h, lo, hi):
    """h with its ends moved to lo = (found, number) and hi, unless it is empty."""
    fit = ite(both(lo[0], hi[0]), half_make(lo[1], hi[1]), none(h.lo))
    return ite(half_empty(h), h, fit)


def half_fit_bits(h, t): return half_fit(h, tnum_next(t, h.lo), tnum_prev(t, h.hi))
def halves_fit_bits(a, t): return Halves(half_fit_bits(a.pos, t), half_fit_bits(a.neg, t))


def low_next(low, x):
    high, at = x & k(x, ~0xffffffff), x & k(x, 0xffffffff)
    in_pos = both(ule(at, low.pos.hi), no(half_empty(low.pos)))
    in_neg = both(ule(at, low.neg.hi), no(half_empty(low.neg)))
    carry = high + k(x, 1 << 32)
    return (either(in_pos, in_neg, any_bit(carry)),
            ite(in_pos, high | umax(at, low.pos.lo),
                ite(in_neg, high | umax(at, low.neg.lo), carry | halves_umin(low))))


def low_prev(low, x):
    high, at = x & k(x, ~0xffffffff), x & k(x, 0xffffffff)
    in_neg, in_pos = ule(low.neg.lo, at), ule(low.pos.lo, at)
    borrow = high - k(x, 1 << 32)
    return (either(in_pos, in_neg, any_bit(high)),
            ite(in_neg, high | umin(at, low.neg.hi),
                ite(in_pos, high | umin(at, low.pos.hi), borrow | halves_umax(low))))


def halves_fit_low(a, low):
    every = halves_all(a.pos.lo, 32)
    full = both(*[x == y for h, e in zip(low, every) for x, y in zip(h, e)])
    pos, neg = [half_fit(h, low_next(low, h.lo), low_prev(low, h.hi)) for h in a]
    return ite(full, a, Halves(pos, neg))


def halves_bits(a):
    x = ite(half_empty(a.pos), a.neg, a.pos)
    y = ite(half_empty(a.neg), a.pos, a.neg)
    mask = bits_below((x.lo ^ x.hi) | (y.lo ^ y.hi)) | (x.lo ^ y.lo)
    return Tnum(x.lo & ~mask, mask)


def low_bits(bits): return tnum_cast(bits, 4)


def view_round(v):
    """(something is left, the view)"""
    w32 = halves_fit_bits(v.w32, low_bits(v.bits))
    w64 = halves_fit_bits(v.w64, v.bits)
    good = no(halves_empty(w32))
    w64 = halves_fit_low(w64, w32)
    good = both(good, no(halves_empty(w64)))
    w32 = halves_meet(w32, halves_trunc(w64, 32))
    range_bits = halves_bits(w64)
    good = both(good, no(halves_empty(w32)), tnum_overlap(v.bits, range_bits))
    bits = tnum_intersect(v.bits, range_bits)
    low = halves_bits(w32)
    low = Tnum(low.value, low.mask | k(low.mask, ~0xffffffff))
    good = both(good, tnum_overlap(bits, low))
    return good, View(tnum_intersect(bits, low), w64, w32)


def view_low(v):
    empty = none(v.bits.value)
    return View(low_bits(v.bits),
                Halves(half_make(halves_umin(v.w32), halves_umax(v.w32)), empty), v.w32)


def survives(a, w, sign):
    if not sign:
        return ule(halves_umax(a), all_bits(a.pos.lo, w))
    return both(either(half_empty(a.pos), ult(a.pos.hi, top_bit(a.pos.lo, w))),
                either(half_empty(a.neg), ule(-top_bit(a.pos.lo, w), a.neg.lo)))


def view_extend(v, size, sign):
    w = 8 * size
    low = halves_meet(halves_trunc(v.w64, w), halves_trunc(v.w32, w))
    bits = tnum_cast(v.bits, size)
    low = halves_fit_bits(low, bits)
    if sign:
        up = k(bits.value, BITS - w)
        bits = tnum_arsh(tnum_lsh(bits, up), up, BITS)
    w64 = halves_sext(low, w, 64) if sign else halves_zext(low)
    w32 = low if w == 32 else halves_sext(low, w, 32) if sign else halves_zext(low)
    return ite(survives(v.w64, w, sign), v, View(bits, w64, w32))


# ---- range.c ----

def range_add(r, a, b, w): return halves_add_arc(r, a.lo + b.lo, a.hi + b.hi, w)
def range_sub(r, a, b, w): return halves_add_arc(r, a.lo - b.hi, a.hi - b.lo, w)


def wide_arc(lo, hi, w):
    too_long = any_bit(shr(hi - lo, k(lo, w)))
    every = halves_all(narrow(lo), w)
    return ite(too_long, every, halves_arc(narrow(lo), narrow(hi), w))


def mul_unsigned(a, b, w):
    return wide_arc(wide(a.lo, False) * wide(b.lo, False),
                    wide(a.hi, False) * wide(b.hi, False), w)


def mul_signed(a, b, w):
    alo, ahi, blo, bhi = [wide(sign_extend(x, w), True) for x in (*a, *b)]
    return ite(slt(blo, k(blo, 0)), wide_arc(ahi * bhi, alo * blo, w),
               wide_arc(alo * bhi, ahi * blo, w))


def range_mul(r, a, b, w):
    part = mul_unsigned(a, b, w)
    part = ite(any_bit(a.lo & top_bit(a.lo, w)), halves_meet(part, mul_signed(a, b, w)),
               ite(any_bit(b.lo & top_bit(b.lo, w)),
                   halves_meet(part, mul_signed(b, a, w)), part))
    return halves_hull(r, part)


def magnitude(a, w):
    every = all_bits(a.lo, w)
    return ite(any_bit(a.lo & top_bit(a.lo, w)), Half(-a.hi & every, -a.lo & every), a)


def add_signed(r, m, negative, w):
    return ite(negative, halves_add_arc(r, -m.hi, -m.lo, w), halves_add_arc(r, m.lo, m.hi, w))


def div_any(r, a, b, negative, w):
    zero = is0(b.lo)
    r = ite(zero, halves_add_half(r, k(b.lo, 0), k(b.lo, 0), False), r)
    b = ite(zero, Half(b.lo + k(b.lo, 1), b.hi), b)
    return ite(ule(b.lo, b.hi),
               add_signed(r, Half(udiv(a.lo, b.hi), udiv(a.hi, b.lo)), negative, w), r)


def range_div(r, a, b, w): return div_any(r, a, b, False, w)


def range_sdiv(r, a, b, w):
    negative = any_bit((a.lo ^ b.lo) & top_bit(a.lo, w))
    return div_any(r, magnitude(a, w), magnitude(b, w), negative, w)


def remainder_of(a, b):
    q = udiv(a.lo, b.hi)
    return ite(q == udiv(a.hi, b.lo), Half(a.lo - q * b.hi, a.hi - q * b.lo),
               Half(k(q, 0), umin(a.hi, b.hi - k(q, 1))))


def mod_any(r, a, b, negative, w):
    zero = is0(b.lo)
    r = ite(zero, add_signed(r, a, negative, w), r)
    b = ite(zero, Half(b.lo + k(b.lo, 1), b.hi), b)
    return ite(ule(b.lo, b.hi), add_signed(r, remainder_of(a, b), negative, w), r)


def range_mod(r, a, b, w): return mod_any(r, a, b, False, w)


def range_smod(r, a, b, w):
    negative = any_bit(a.lo & top_bit(a.lo, w))
    return mod_any(r, magnitude(a, w), magnitude(b, w), negative, w)


Forked = namedtuple('Forked', 'alo ahi blo bhi fork_a fork_b')


def forked(a, b):
    return Forked(*a, *b, bits_below(a.lo ^ a.hi), bits_below(b.lo ^ b.hi))


def complement(f): return Forked(~f.ahi, ~f.alo, ~f.bhi, ~f.blo, f.fork_a, f.fork_b)


def or_least(f):
    take_a = ~f.alo & f.blo & f.fork_a
    take_b = ~f.blo & f.alo & f.fork_b
    below = bits_below(take_a | take_b)
    first = ult(take_b, take_a)
    return ite(first, f.alo & ~below, f.alo) | ite(first, f.blo, f.blo & ~below)


def or_greatest(f):
    return f.ahi | f.bhi | bits_below(f.ahi & f.bhi & (f.fork_a | f.fork_b))


def range_and(r, a, b, w):
    f = complement(forked(a, b))
    return halves_add_half(r, ~or_greatest(f), ~or_least(f),
                           any_bit(a.lo & b.lo & top_bit(a.lo, w)))


def range_or(r, a, b, w):
    f = forked(a, b)
    return halves_add_half(r, or_least(f), or_greatest(f),
                           any_bit((a.lo | b.lo) & top_bit(a.lo, w)))


def range_xor(r, a, b, w):
    open_bits = bits_below((a.lo ^ a.hi) | (b.lo ^ b.hi))
    f = forked(Half(a.lo & open_bits, a.hi & open_bits),
               Half(b.lo & open_bits, b.hi & open_bits))
    least, common = or_least(f), ~or_least(complement(f))
    known = (a.lo ^ b.lo) & ~open_bits
    return halves_add_half(r, known | ite(ult(common, least), least - common, k(known, 0)),
                           known | or_greatest(f), any_bit(known & top_bit(known, w)))


def range_lsh(r, a, kmin, kmax, w):
    negative = any_bit(a.lo & top_bit(a.lo, w))
    lo = ite(negative, wide(sign_extend(a.lo, w), True), wide(a.lo, True))
    hi = ite(negative, wide(sign_extend(a.hi, w), True), wide(a.hi, True))
    least, most = wide(kmin, False), wide(kmax, False)
    return halves_hull(r, wide_arc(shl(lo, ite(negative, most, least)),
                                   shl(hi, ite(negative, least, most)), w))


def range_rsh(r, a, kmin, kmax, w):
    return halves_add_arc(r, shr(a.lo, kmax), shr(a.hi, kmin), w)


def range_arsh(r, a, kmin, kmax, w):
    negative = any_bit(a.lo & top_bit(a.lo, w))
    return halves_add_arc(r, sar(sign_extend(a.lo, w), ite(negative, kmin, kmax)),
                          sar(sign_extend(a.hi, w), ite(negative, kmax, kmin)), w)


# ---- branch.c: (the fact may hold, left view, right view) ----

def at(v, w): return v.w64 if w == 64 else v.w32
def bits_at(v, w): return v.bits if w == 64 else low_bits(v.bits)


def with_range(v, h, w):
    return View(v.bits, h, v.w32) if w == 64 else View(v.bits, v.w64, h)


def keep_arc(v, lo, hi, w):
    return with_range(v, halves_meet(at(v, w), halves_arc(lo, hi, w)), w)


def keep_bits(v, bits, w):
    bits = Tnum(bits.value, bits.mask | ~all_bits(bits.mask, w))
    good = tnum_overlap(v.bits, bits)
    return good, View(ite(good, tnum_intersect(v.bits, bits), v.bits), v.w64, v.w32)


def learn_equal(a, b, w):
    bits = bits_at(b, w)
    good = tnum_overlap(bits_at(a, w), bits)
    low = halves_meet(a.w32, b.w32)
    a, b = View(a.bits, a.w64, low), View(b.bits, b.w64, low)
    if w == 64:
        whole = halves_meet(a.w64, b.w64)
        a, b = View(a.bits, whole, low), View(b.bits, whole, low)
    good_b, b2 = keep_bits(b, bits_at(a, w), w)
    good_a, a2 = keep_bits(a, bits, w)
    return both(good, good_a, good_b), a2, b2


def half_take_off(h, x):
    inner = Half(ite(h.lo == x, h.lo + k(x, 1), h.lo), ite(h.hi == x, h.hi - k(x, 1), h.hi))
    return ite(both(h.lo == x, h.hi == x), none(x), ite(half_empty(h), h, inner))


def take_off(a, x): return Halves(half_take_off(a.pos, x), half_take_off(a.neg, x))


def differ_from(v, x, w):
    n = k(x, 32)
    low = True
    if w == 64:
        low = both(shr(halves_umin(v.w64), n) == shr(x, n),
                   shr(halves_umax(v.w64), n) == shr(x, n))
    w32 = ite(low, take_off(v.w32, x & k(x, 0xffffffff)), v.w32)
    return View(v.bits, take_off(v.w64, x) if w == 64 else v.w64, w32)


def learn_differ(a, b, w):
    x, y = bits_at(a, w), bits_at(b, w)
    a2 = ite(is0(y.mask), differ_from(a, y.value, w), a)
    b2 = ite(is0(x.mask), differ_from(b, x.value, w), b)
    return either(any_bit(x.mask), any_bit(y.mask), x.value != y.value), a2, b2


def learn_less(a, b, w):
    least, most = halves_umin(at(a, w)), halves_umax(at(b, w))
    one, zero = k(least, 1), k(least, 0)
    return (ult(least, most), keep_arc(a, zero, most - one, w),
            keep_arc(b, least + one, ~zero, w))


def learn_at_most(a, b, w):
    least, most = halves_umin(at(a, w)), halves_umax(at(b, w))
    zero = k(least, 0)
    return True, keep_arc(a, zero, most, w), keep_arc(b, least, ~zero, w)


def learn_sless(a, b, w):
    least, most = halves_smin(at(a, w)), halves_smax(at(b, w))
    top, one = top_bit(least, w), k(least, 1)
    return (ult(least ^ top, most ^ top), keep_arc(a, top, most - one, w),
            keep_arc(b, least + one, top - one, w))


def learn_sat_most(a, b, w):
    least, most = halves_smin(at(a, w)), halves_smax(at(b, w))
    top = top_bit(least, w)
    return True, keep_arc(a, top, most, w), keep_arc(b, least, top - k(top, 1), w)


def learn_share(a, b, w):
    common = tnum_and(bits_at(a, w), bits_at(b, w))
    maybe = common.value | common.mask
    low = maybe & -maybe
    a = keep_arc(a, low, ~k(low, 0), w)
    b = keep_arc(b, low, ~k(low, 0), w)
    good_a, a2 = keep_bits(a, Tnum(low, ~low), w)
    good_b, b2 = keep_bits(b, Tnum(low, ~low), w)
    sole = maybe == low
    return (both(any_bit(maybe), either(no(sole), both(good_a, good_b))),
            ite(sole, a2, a), ite(sole, b2, b))


def learn_disjoint(a, b, w):
    ones = bits_at(a, w).value
    good_a, a2 = keep_bits(a, Tnum(k(ones, 0), ~bits_at(b, w).value), w)
    good_b, b2 = keep_bits(b, Tnum(k(ones, 0), ~ones), w)
    return both(good_a, good_b), a2, b2


# By condition: (fact, operands exchanged), not taken and taken. As `claims` in branch.c.
CLAIMS = {
    'eq': ((learn_differ, False), (learn_equal, False)),
    'ne': ((learn_equal, False), (learn_differ, False)),
    'gt': ((learn_at_most, False), (learn_less, True)),
    'ge': ((learn_less, False), (learn_at_most, True)),
    'lt': ((learn_at_most, True), (learn_less, False)),
    'le': ((learn_less, True), (learn_at_most, False)),
    'sgt': ((learn_sat_most, False), (learn_sless, True)),
    'sge': ((learn_sless, False), (learn_sat_most, True)),
    'slt': ((learn_sat_most, True), (learn_sless, False)),
    'sle': ((learn_sless, True), (learn_sat_most, False)),
    'set': ((learn_disjoint, False), (learn_share, False)),
}


def branch_learn(cond, w, taken, dst, src):
    learn, exchange = CLAIMS[cond][taken]
    good, a, b = learn(src, dst, w) if exchange else learn(dst, src, w)
    return (good, b, a) if exchange else (good, a, b)
