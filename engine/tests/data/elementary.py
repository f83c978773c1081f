"""Prints elementary.txt: correctly rounded values of the elementary functions on f32. Needs mpmath.

A line is the function, its argument's bits and its result's bits. Arguments: special values, all exponents, seeded random ones,
those where the function leaves its range, and those of hard.txt.
"""

import random
import struct

from mpmath import acos, acosh, asin, asinh, atan, atanh, cos, cosh, erf, exp, expm1, floor, frexp, inf, isinf, isnan
from mpmath import log, log1p, mp, mpf, nan, sin, sinh, sqrt, tan, tanh

mp.prec = 500

SIGN, INF, NAN = 0x80000000, 0x7F800000, 0x7FC00000


def number(bits):
    return mpf(struct.unpack(">f", bits.to_bytes(4, "big"))[0])


def rounded(x, sign=0):
    """The bits of the f32 nearest to x, and how far x / unit is from half way; sign is that of a zero."""
    if isnan(x):
        return NAN, 1
    sign = SIGN if x < 0 else sign if x == 0 else 0
    if isinf(x):
        return sign | INF, 1
    if x == 0:
        return sign, 1
    x = abs(x)
    unit = max(frexp(x)[1] - 24, -149)
    scaled = x * mpf(2) ** -unit
    low = floor(scaled)
    rest = scaled - low
    m = int(low) + (rest > 0.5 or (rest == 0.5 and int(low) % 2))
    bits = ((unit + 149) << 23) + m
    return sign | min(bits, INF), abs(rest - mpf(1) / 2)


def sigmoid(x):
    if isinf(x):
        return mpf(1) if x > 0 else mpf(0)
    return 1 / (1 + exp(-x))


def logarithm(x):
    if x == 0:
        return -inf
    return nan if x < 0 else log(x)


def logarithm2(x):
    return logarithm(x) / log(2) if x > 0 else logarithm(x)


def softplus(x):
    return x if x == inf else log1p(exp(x))


def inverse(x):
    return inf if x == 0 else 1 / x


def inverse_root(x):
    return nan if x < 0 else inverse(sqrt(x))


def log_increased(x):
    return nan if x < -1 else -inf if x == -1 else log1p(x)


def area_cosine(x):
    return nan if x < 1 else acosh(x)


def area_tangent(x):
    if abs(x) >= 1:
        return nan if abs(x) > 1 else x * inf
    return atanh(x)


def where(defined, f):
    """f, and NaN where it is not defined."""
    return lambda x: f(x) if defined(x) else nan


def finite(x):
    return not isinf(x)


def up_to_one(x):
    return abs(x) <= 1


FUNCTIONS = {
    "exp": exp,
    "log": logarithm,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "erf": erf,
    "exp2": lambda x: mpf(2) ** x if not isinf(x) else exp(x),
    "expm1": expm1,
    "log2": logarithm2,
    "log1p": log_increased,
    "softplus": softplus,
    "rsqrt": inverse_root,
    "reciprocal": inverse,
    "sinh": sinh,
    "cosh": cosh,
    "asinh": asinh,
    "acosh": area_cosine,
    "atanh": area_tangent,
    "sin": where(finite, sin),
    "cos": where(finite, cos),
    "tan": where(finite, tan),
    "asin": where(up_to_one, asin),
    "acos": where(up_to_one, acos),
    "atan": atan,
}
# An infinite or zero result has the sign of a zero argument.
ODD = {"tanh", "erf", "expm1", "log1p", "rsqrt", "reciprocal", "sinh", "asinh", "atanh"}
ODD |= {"sin", "tan", "asin", "atan"}
# One argument for each exponent of either sign, and not of one sign only.
BOTH_SIGNS = {"exp", "tanh", "sigmoid", "erf"}
# These have next to no values for negative numbers.
POSITIVE = {"log", "log2", "rsqrt", "acosh"}

SPECIAL = [0, 1, 2, 0x7FFFFF, 0x800000, 0x3F000000, 0x3F7FFFFF, 0x3F800000, 0x3F800001, 0x40000000, 0x7F7FFFFF, INF]
EDGES = {
    "exp": [88.72283, 88.72284, -87.33655, -103.27893, -103.97207, -103.97208, -104.0, 1e-8],
    "log": [0.70710678, 1.4142135, 2.0, 1.0625, 1.1875],
    "tanh": [2.0**-12, 2.44140625e-4, 9.01, 9.0109, 9.011, 16.0],
    "sigmoid": [16.6355, 17.32868, -88.0, -103.97207, -103.98, -(2.0**-24), 2.0**-23],
    "erf": [0.5, 0.75, 3.8325068, 3.832507, 3.9192059, 3.9999998, 4.0],
    "exp2": [127.99999, 128.0, -126.0, -149.0, -149.99998, -150.0, 0.5, 2.0**-25, -(2.0**-25), 8.600171e-8],
    "expm1": [2.0**-25, 2.0**-24, -(2.0**-25), -(2.0**-24), 88.72283, -17.328679, -17.32868, 0.34657359],
    "log2": [0.70710678, 1.4142135, 2.0, 1.0625, 1.1875, 1.9375],
    "log1p": [2.0**-25, 2.0**-24, -(2.0**-25), -(2.0**-24), -0.5, -0.9375, 1.0, 0.0625],
    "softplus": [-16.98, -17.32868, -87.33655, -103.27893, -103.97207, -103.98, 14.0, 16.63553, 128.0],
    "rsqrt": [0.25, 2.0, 4.0, 2.0**-126, 2.0**-149],
    "reciprocal": [2.0**-128, 2.0**-126, 3.0, 2.0**127, -3.0],
    "sinh": [2.0**-12, 2.44140625e-4, 89.41598, 89.41599, -89.41599, 0.34657359],
    "cosh": [2.0**-12, 2.0**-11, 89.41598, 89.41599, 0.34657359],
    "asinh": [2.0**-12, 2.44140625e-4, 0.5, 0.75, 2.0**126],
    "acosh": [1.0, 1.5, 2.0**126],
    "atanh": [2.0**-12, 2.44140625e-4, 0.5, 0.9999999, 1.0, -1.0],
    # The eighths of a turn, the largest reduced in floating point, and the rest that is nearest to 0.
    "sin": [2.0**-12, 0.7853982, 1.5707964, 3.1415927, 6.2831855, 2.0**20, 2.0**24, 7.729179e28],
    "cos": [2.0**-12, 0.7853982, 1.5707964, 3.1415927, 6.2831855, 2.0**20, 2.0**24, 7.729179e28],
    "tan": [2.0**-12, 0.7853982, 1.5707964, 3.1415927, 6.2831855, 2.0**20, 2.0**24, 7.729179e28],
    # Where the next table entry takes over: half-way points between the tangents i / 8.
    "asin": [2.0**-12, 0.06237829, 0.18428852, 0.5, 0.5734623, 0.70710677, 1.0],
    "acos": [2.0**-12, 0.06237829, 0.18428852, 0.5, 0.5734623, 0.70710677, 1.0],
    "atan": [2.0**-12, 0.0625, 0.1875, 0.9375, 1.0, 1.0666667, 16.0, 2.0**26, 2.0**60, 2.0**120],
}


def bits_of(x):
    return int.from_bytes(struct.pack(">f", x), "big")


def result(name, bits):
    x = number(bits)
    if isnan(x):
        return NAN, 1
    sign = bits & SIGN if name in ODD else 0
    value = FUNCTIONS[name](x)
    return rounded(-value if x == 0 and sign and isinf(value) else value, sign)


def arguments(name, hard):
    rng = random.Random(name)
    yield from (b | s for b in SPECIAL for s in (0, SIGN))
    yield from (0x7FC00000, 0xFFC00001, 0x7F800001)
    if name in BOTH_SIGNS | POSITIVE:
        signs = (0,) if name in POSITIVE else (0, SIGN)
        yield from (s | e << 23 | rng.getrandbits(23) for e in range(255) for s in signs)
    else:
        yield from (rng.getrandbits(1) << 31 | e << 23 | rng.getrandbits(23) for e in range(255))
    near = [bits_of(x) for x in EDGES[name]]
    yield from ((b + d) & 0xFFFFFFFF for b in near for d in range(-2, 3))
    yield from (rng.getrandbits(1) << 31 | rng.randrange(0x39000000, 0x42000000) for _ in range(200))
    yield from hard


if __name__ == "__main__":
    with open("hard.txt") as lines:
        hard = [line.split() for line in lines if not line.startswith("#")]
    for name in FUNCTIONS:
        seen = set()
        for bits in arguments(name, [int(b, 16) for f, b in hard if f == name]):
            if bits not in seen:
                seen.add(bits)
                print(f"{name} {bits:08x} {result(name, bits)[0]:08x}")
