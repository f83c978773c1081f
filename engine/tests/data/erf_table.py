"""Prints engine/src/arith/native/erf_table.rs, to be formatted by rustfmt. Needs mpmath."""

from mpmath import cos, erf, lu_solve, matrix, mp, mpf, pi, polyval, sqrt

mp.prec = 300


def interpolate(f, a, b, degree):
    """Coefficients, highest power first, of the interpolation at Chebyshev's points, rounded to f64."""
    n = degree + 1
    points = [(a + b) / 2 + (b - a) / 2 * cos((2 * i + 1) * pi / (2 * n)) for i in range(n)]
    powers = matrix([[x ** (degree - j) for j in range(n)] for x in points])
    return [float(c) for c in lu_solve(powers, matrix([f(x) for x in points]))]


def worst(f, coefficients, a, b):
    """The largest relative error, in exact arithmetic with the rounded coefficients."""
    points = [a + (b - a) * i / 997 for i in range(998)]
    return max(abs(polyval(coefficients, x) / f(x) - 1) for x in points)


def over_x(z):
    return 2 / sqrt(pi) if z == 0 else erf(sqrt(z)) / sqrt(z)


def rows(coefficients):
    return "".join(f"{c!r}, " for c in coefficients).strip()


even = interpolate(over_x, mpf(0), mpf(1) / 4, 9)
quarters = []
limit = worst(over_x, even, mpf(0), mpf(1) / 4)
for i in range(14):
    middle = mpf(5) / 8 + mpf(i) / 4
    f = lambda t, middle=middle: erf(middle + t)
    quarters.append(interpolate(f, -mpf(1) / 8, mpf(1) / 8, 11))
    limit = max(limit, worst(f, quarters[-1], -mpf(1) / 8, mpf(1) / 8))
assert limit < mpf(2) ** -51, mp.log(limit, 2)

print("//! Coefficients of the error function, highest power first; made by engine/tests/data/erf_table.py.")
print("#![allow(clippy::approx_constant)]")
print()
print("/// `erf(x) / x` in powers of `x^2` for |x| <= 1/2.")
print(f"pub(super) const EVEN: [f64; {len(even)}] = [{rows(even)}];")
print()
print("/// `erf(x)` in powers of `x - middle` for the quarters from 1/2 to 4.")
print(f"pub(super) const QUARTERS: [[f64; 12]; 14] = [")
for quarter in quarters:
    print(f"    [{rows(quarter)}],")
print("];")
