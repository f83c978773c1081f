"""Prints the coefficients in engine/src/arith/native/erf.rs. Needs mpmath."""

from mpmath import cos, erf, erfc, log, matrix, mp, mpf, pi, polyval, qr_solve, sqrt

mp.prec = 200
DEGREE = 21


def over_x(x):
    return -2 / sqrt(pi) if x == 0 else log(erfc(x)) / x


def weight(x):
    """How much a change of over_x(x) changes erf(x), relatively."""
    return mpf(1) if x == 0 else x * erfc(x) / erf(x)


def fitted(n, rounds):
    """The polynomial in x - 2 with nearly the smallest weighted error on [0, 4]: least squares at n points, reweighted by the errors."""
    points = [2 + 2 * cos((2 * i + 1) * pi / (2 * n)) for i in range(n)]
    weights = [weight(x) for x in points]
    shares = [mpf(1)] * n
    for _ in range(rounds):
        rows = [[sqrt(s) * w * (x - 2) ** k for k in range(DEGREE, -1, -1)] for x, w, s in zip(points, weights, shares)]
        right = [sqrt(s) * w * over_x(x) for x, w, s in zip(points, weights, shares)]
        c = list(qr_solve(matrix(rows), matrix(right))[0])
        shares = [s * abs(w * (polyval(c, x - 2) - over_x(x))) for x, w, s in zip(points, weights, shares)]
        total = sum(shares) / n
        shares = [s / total for s in shares]
    return [float(x) for x in c]


coefficients = fitted(4 * DEGREE, 6)
points = [mpf(4) * i / 4999 for i in range(5000)]
limit = max(abs(weight(x) * (polyval(coefficients, x - 2) - over_x(x))) for x in points)
assert limit < mpf(2) ** -52, log(limit, 2)
print("".join(f"    {c!r},\n" for c in coefficients), end="")
