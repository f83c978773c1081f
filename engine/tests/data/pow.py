"""Prints pow.txt: correctly rounded powers of f32. Needs mpmath.

A line is the bits of the base, of the exponent and of the result. Pairs: all special values with each other, exact results and
those half way between two f32 with their neighbours, the ends of the range, and seeded random ones.
"""

import random
from fractions import Fraction

from mpmath import exp, isinf, isnan, log, mp, mpf

from elementary import INF, NAN, SIGN, bits_of, number, rounded

SPECIAL = [0, 1, 0x007FFFFF, 0x3F000000, 0x3F7FFFFF, 0x3F800000, 0x3F800001, 0x40000000, 0x40400000, 0x40200000]
SPECIAL += [0x4B7FFFFF, 0x4B800000, 0x7F7FFFFF, INF, NAN]


def result(a, b):
    x, y = number(a), number(b)
    if y == 0 or x == 1:
        return bits_of(1.0)
    if isnan(x) or isnan(y):
        return NAN
    if isinf(y):
        return bits_of(1.0) if abs(x) == 1 else INF if (abs(x) > 1) == (y > 0) else 0
    sign = a & SIGN if y == int(y) and int(y) % 2 == 1 else 0
    if x == 0 or isinf(x):
        return sign | (0 if (x == 0) == (y > 0) else INF)
    if x < 0 and y != int(y):
        return NAN
    value = exp(y * log(abs(x)))
    # An exact result or one half way has at most 25 bits; what is this near to such a number is it.
    with mp.workprec(40):
        short = +value
    return sign | rounded(short if abs(value / short - 1) < mpf(2) ** -400 else value)[0]


def pairs():
    rng = random.Random("pow")
    every = [b | s for b in SPECIAL for s in (0, SIGN)]
    yield from ((a, b) for a in every for b in every)
    for root, k in ((3, 0), (5, 0), (63, 0), (4097, 0), (5793, 0), (3, 1), (7, 1), (4095, 1), (3, 2), (63, 2), (3, 3), (7, 3)):
        for n in (1, 2, 3, 5, 7, 15):
            for e in (-149, -96, -16, -9, 0, 1, 8):
                x = Fraction(root ** (1 << k)) * Fraction(2) ** e
                a = bits_of(float(x))
                if Fraction(float(number(a))) == x:
                    yield from ((a + d, bits_of(n / (1 << k))) for d in (0, rng.choice((-1, 1))))
    for i in range(1200):
        a = rng.randrange(1, INF) if i % 3 else 0x3F800000 + rng.randrange(-(1 << rng.randrange(1, 23)), 1 << 22)
        logarithm = log(number(a), 2)
        if logarithm == 0:
            continue
        low, high = ((-150, -126), (127, 128.5), (-0.01, 0.01), (-126, 127), (-2, 2))[i % 5]
        y = rng.uniform(low, high) / logarithm
        if abs(y) < mpf(2) ** 127:
            yield a, bits_of(float(y))
    for _ in range(300):
        yield rng.getrandbits(32), bits_of(rng.randrange(-64, 64) / 4)


if __name__ == "__main__":
    for a, b in dict.fromkeys(pairs()):
        print(f"{a:08x} {b:08x} {result(a, b):08x}")
