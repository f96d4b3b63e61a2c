"""
The polynomials of src/core/ir/math: prints their coefficients, lowest first, and log2 of their largest weighted error.

Each is a minimax fit by Remez' exchange algorithm (E. Remez, 1934), made for coefficients that are float32: the lowest is
rounded, the others are fitted again to what is left, and so on upwards. Needs mpmath; takes a few minutes for all.

    python3 minimax.py [name ...]
"""
import struct
import sys

from mpmath import mp, mpf

mp.dps = 40


def f32(x):
    """x rounded to the nearest float32."""
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def shortest(x):
    """The shortest decimal number that is this float32."""
    for digits in range(1, 18):
        s = f"{float(x):.{digits}g}"
        if f32(mpf(s)) == x:
            return s
    return repr(float(x))


def horner(coefficients, t):
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * t + c
    return total


def remez(points, goal, weight, n):
    """The n coefficients of the polynomial whose largest error times weight over the points is smallest."""
    # Where the weight vanishes an error says nothing, and makes the equations singular.
    heavy = [i for i, w in enumerate(weight) if w > max(weight) * mpf("1e-4")]
    points, goal, weight = ([v[i] for i in heavy] for v in (points, goal, weight))
    count = len(points)
    at = [round(i * (count - 1) / n) for i in range(n + 1)]
    coefficients = []
    for _ in range(40):
        rows = mp.matrix(n + 1, n + 1)
        right = mp.matrix(n + 1, 1)
        for row, i in enumerate(at):
            for k in range(n):
                rows[row, k] = points[i] ** k * weight[i]
            rows[row, n] = (-1) ** row
            right[row] = goal[i] * weight[i]
        solution = mp.lu_solve(rows, right)
        coefficients = [solution[k] for k in range(n)]
        level = abs(solution[n])
        errors = [(goal[i] - horner(coefficients, points[i])) * weight[i] for i in range(count)]
        # One extremum for each run of errors of one sign; of too many runs the best neighbours are kept.
        best = []
        for i, e in enumerate(errors):
            if best and (errors[best[-1]] > 0) == (e > 0):
                if abs(e) > abs(errors[best[-1]]):
                    best[-1] = i
            else:
                best.append(i)
        while len(best) > n + 1:
            best.pop(0 if abs(errors[best[0]]) < abs(errors[best[-1]]) else -1)
        if len(best) < n + 1:
            break
        at = best
        if max(abs(e) for e in errors) < level * mpf("1.001"):
            break
    return coefficients


def fit(f, weight, low, high, n, points=400):
    """Fits f on [low, high]; errors count `weight` times."""
    low, high = mpf(low), mpf(high)
    # Chebyshev's points, which are dense at the ends; none is at an end, where f may be 0/0.
    t = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (i + mpf(1) / 2) / points) for i in range(points)]
    rest = [f(x) for x in t]
    w = [weight(x) for x in t]
    goal = list(rest)
    fixed = []
    for i in range(n):
        found = remez(t, [r / x**i for r, x in zip(rest, t)], [v * abs(x) ** i for v, x in zip(w, t)], n - i)
        c = f32(found[0])
        fixed.append(c)
        rest = [r - c * x**i for r, x in zip(rest, t)]
    error = max(abs(g - horner(fixed, x)) * v for g, x, v in zip(goal, t, w))
    return fixed, mp.log(error, 2)


fits = {}


def polynomial(name, low, high, n):
    """Declares a fit; the decorated function gives the value to approximate and the weight of errors at t."""

    def declare(both):
        fits[name] = lambda: fit(lambda t: both(t)[0], lambda t: both(t)[1], low, high, n)
        return both

    return declare


half_log2 = mp.log(2) / 2
quarter = mp.pi / 2


# e^r = 1 + r + r² p(r); relative to r, for expm1.
@polynomial("exp", -half_log2 * 1.001, half_log2 * 1.001, 6)
def _(r):
    return (mp.expm1(r) - r) / r**2, abs(r)


# 2^r = 1 + r p(r).
@polynomial("exp2", "-0.5", "0.5", 6)
def _(r):
    return (mpf(2) ** r - 1) / r, abs(r)


# log(1 + f) = f - f²/2 + f³ p(f); relative to f.
@polynomial("log", mp.sqrt(0.5) - 1, mp.sqrt(2) - 1, 10)
def _(f):
    return (mp.log1p(f) - f + f**2 / 2) / f**3, abs(f) ** 3 / abs(mp.log1p(f))


# sin(π/2 f) = f (π/2 + f² p(f²)).
@polynomial("sin", 0, "0.251", 4)
def _(z):
    f = mp.sqrt(z)
    return (mp.sin(quarter * f) / f - quarter) / z, z / (mp.sin(quarter * f) / f)


# cos(π/2 f) = 1 + f² p(f²).
@polynomial("cos", 0, "0.251", 4)
def _(z):
    f = mp.sqrt(z)
    return (mp.cos(quarter * f) - 1) / z, z / mp.cos(quarter * f)


# tan(π/2 f) = f (π/2 + f² p(f²)).
@polynomial("tan", 0, "0.251", 7)
def _(z):
    f = mp.sqrt(z)
    return (mp.tan(quarter * f) / f - quarter) / z, z / (mp.tan(quarter * f) / f)


def odd(name, function, high, n):
    """function(x) = x + x³ p(x²) for |x| <= high."""

    @polynomial(name, 0, mpf(high) ** 2, n)
    def _(z):
        x = mp.sqrt(z)
        return (function(x) / x - 1) / z, z / (function(x) / x)


odd("asin", mp.asin, "0.5", 5)
odd("atan", mp.atan, 1, 10)
odd("sinh", mp.sinh, 1, 4)
odd("tanh", mp.tanh, "0.8", 7)
odd("asinh", mp.asinh, "0.5", 6)
odd("atanh", mp.atanh, "0.5", 8)


# cosh r = 1 + r² p(r²), for |r| <= (log 2)/2.
@polynomial("cosh", 0, half_log2**2 * 1.002, 3)
def _(z):
    return (mp.cosh(mp.sqrt(z)) - 1) / z, z


# log2(m) = 2/ln 2 · s (1 + z/3 + z² p(z)), s = (m - 1)/(m + 1), z = s².
@polynomial("log2Tail", 0, ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * 1.001, 4)
def _(z):
    s = mp.sqrt(z)
    return (mp.atanh(s) / s - 1 - z / 3) / z**2, z**2


# e^w = 1 + w + w²/2 + w³ p(w).
@polynomial("expTail", -half_log2 * 1.001, half_log2 * 1.001, 5)
def _(w):
    return (mp.exp(w) - 1 - w - w**2 / 2) / w**3, abs(w) ** 3

if __name__ == "__main__":
    for name in sys.argv[1:] or fits:
        coefficients, error = fits[name]()
        print(f"{name}: [{', '.join(shortest(c) for c in coefficients)}] 2^{float(error):.1f}", flush=True)
