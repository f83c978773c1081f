"""Prints the coefficients in engine/src/arith/native/exp.rs, erf.rs and segments.rs. Needs mpmath."""

from mpmath import cos, erf, erfc, expm1, log, matrix, mp, mpf, pi, polyval, qr_solve, sqrt

mp.prec = 200


def fitted(f, weight, low, high, degree, rounds=6):
    """The polynomial in x - (low + high) / 2 with nearly the smallest weighted error on [low, high], and that error: least squares at Chebyshev
    points, reweighted by the errors."""
    n, center, reach = 4 * degree, (low + high) / 2, (high - low) / 2
    points = [center + reach * cos((2 * i + 1) * pi / (2 * n)) for i in range(n)]
    weights = [weight(x) for x in points]
    shares = [mpf(1)] * n
    for _ in range(rounds):
        weighted = [(x, sqrt(s) * w) for x, w, s in zip(points, weights, shares)]
        rows = [[w * (x - center) ** k for k in range(degree, -1, -1)] for x, w in weighted]
        c = list(qr_solve(matrix(rows), matrix([w * f(x) for x, w in weighted]))[0])
        shares = [s * abs(w * (polyval(c, x - center) - f(x))) for x, w, s in zip(points, weights, shares)]
        total = sum(shares) / n
        shares = [s / total for s in shares]
    c = [float(x) for x in c]
    everywhere = [low + (high - low) * i / 4999 for i in range(5000)]
    return c, max(abs(weight(x) * (polyval(c, x - center) - f(x))) for x in everywhere)


def show(name, coefficients, error, limit):
    assert error < mpf(2) ** limit, log(error, 2)
    print(f"{name}: weighted error below 2^{limit}")
    print("".join(f"    {c!r},\n" for c in coefficients))


# (e^r - 1 - r) / r^2, by its part in e^r - 1; half of ln 2 and what rounding k may add to it.
half = log(mpf(2)) / 2 * (1 + mpf(2) ** -20)
show(
    "EXP_REST",
    *fitted(
        lambda r: mpf(1) / 2 if r == 0 else (expm1(r) - r) / r**2,
        lambda r: mpf(0) if r == 0 else abs(r**2 / expm1(r)),
        -half,
        half,
        9,
    ),
    -55,
)
# ln(1 - erf x) / x, by how much a change of it changes erf x, relatively.
show(
    "LOG_COMPLEMENT",
    *fitted(
        lambda x: -2 / sqrt(pi) if x == 0 else log(erfc(x)) / x,
        lambda x: mpf(1) if x == 0 else x * erfc(x) / erf(x),
        mpf(0),
        mpf("3.9375"),
        19,
    ),
    -51,
)

# erf x / x around 16 multiples of a number of few bits, one after the other; then each power's side by side.
spacing = mpf(17) / 64
over_x = lambda x: 2 / sqrt(pi) if x == 0 else erf(x) / x
segments = [
    fitted(over_x, lambda x: 1 / over_x(x), (2 * i - 1) * spacing / 2, (2 * i + 1) * spacing / 2, 9, 3) for i in range(16)
]
assert max(error for _, error in segments) < mpf(2) ** -48
print("SEGMENTS: relative error below 2^-48")
for power in zip(*(c for c, _ in segments)):
    print("    [")
    print("".join(f"        {c!r},\n" for c in power), end="")
    print("    ],")
