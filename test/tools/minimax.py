"""
The polynomials of src/core/ir/math: prints their coefficients, lowest first, and log2 of their largest weighted error.

Each is a minimax fit, made for coefficients that are float32: the lowest is
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


def minimax(points, goal, weight, n):
    """
    The n coefficients of the polynomial whose largest error times weight over the points is smallest: the exchange
    algorithm for points (E. Stiefel, 1959), which is the simplex method. `measure` weighs n + 1 points such that every
    polynomial of the kind has a weighted sum of zero over them.
    """
    heavy = [i for i, w in enumerate(weight) if w > max(weight) * mpf("1e-4")]
    rows = [[points[i] ** k * weight[i] for k in range(n)] for i in heavy]
    goal = [goal[i] * weight[i] for i in heavy]
    count = len(rows)
    at = [round(i * (count - 1) / n) for i in range(n + 1)]

    def combination(right, signs):
        """The weights of the points of reference whose rows add up to `right`, and which by signs add up to 1."""
        m = mp.matrix(n + 1, n + 1)
        for column, i in enumerate(at):
            for k in range(n):
                m[k, column] = rows[i][k]
            m[n, column] = signs[column]
        return list(mp.lu_solve(m, mp.matrix([*right, 1])))

    measure = combination([mpf(0)] * n, [(-1) ** i for i in range(n + 1)])
    while True:
        if sum(m * goal[i] for m, i in zip(measure, at)) < 0:
            measure = [-m for m in measure]
        signs = [1 if m > 0 else -1 for m in measure]
        m = mp.matrix(n + 1, n + 1)
        for row, i in enumerate(at):
            for k in range(n):
                m[row, k] = rows[i][k]
            m[row, n] = signs[row]
        solution = list(mp.lu_solve(m, mp.matrix([goal[i] for i in at])))
        errors = [g - sum(a * c for a, c in zip(row, solution)) for g, row in zip(goal, rows)]
        worst = max(range(count), key=lambda i: abs(errors[i]))
        if abs(errors[worst]) <= abs(solution[n]) * mpf("1.001") or worst in at:
            return solution[:n]
        sign = 1 if errors[worst] > 0 else -1
        change = combination([sign * a for a in rows[worst]], signs)
        step, leaving = min((v / c, i) for i, (v, c, s) in enumerate(zip(measure, change, signs)) if c * s > 0)
        measure = [v - step * c for v, c in zip(measure, change)]
        measure[leaving] = step * sign
        at[leaving] = worst


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
        found = minimax(t, [r / x**i for r, x in zip(rest, t)], [v * abs(x) ** i for v, x in zip(w, t)], n - i)
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


# e^r = 1 + r + r² p(r); relative to r, for expm1.
@polynomial("expm1", -half_log2 * 1.001, half_log2 * 1.001, 6)
def _(r):
    return (mp.expm1(r) - r) / r**2, abs(r)


# The same, relative to e^r.
@polynomial("exp", -half_log2 * 1.001, half_log2 * 1.001, 5)
def _(r):
    return (mp.expm1(r) - r) / r**2, r**2 / mp.exp(r)


# 2^r = 1 + r p(r).
@polynomial("exp2", "-0.5", "0.5", 6)
def _(r):
    return (mpf(2) ** r - 1) / r, abs(r)


# log(1 + f) = f - f²/2 + f³ p(f); relative to f.
@polynomial("log", mp.sqrt(0.5) - 1, mp.sqrt(2) - 1, 9)
def _(f):
    return (mp.log1p(f) - f + f**2 / 2) / f**3, abs(f) ** 3 / abs(mp.log1p(f))


# cos r = 1 - r²/2 + r⁴ p(r²), for |r| <= π/4.
@polynomial("cos", 0, (mp.pi / 4 * mpf("1.001")) ** 2, 3)
def _(z):
    r = mp.sqrt(z)
    return (mp.cos(r) - 1 + z / 2) / z**2, z**2 / mp.cos(r)


def odd(name, function, high, n):
    """function(x) = x + x³ p(x²) for |x| <= high."""

    @polynomial(name, 0, mpf(high) ** 2, n)
    def _(z):
        x = mp.sqrt(z)
        return (function(x) / x - 1) / z, z / (function(x) / x)


odd("sin", mp.sin, mp.pi / 4 * mpf("1.001"), 3)
odd("tan", mp.tan, mp.pi / 4 * mpf("1.001"), 7)
odd("asin", mp.asin, "0.5", 6)
odd("atan", mp.atan, 1, 10)
odd("sinh", mp.sinh, 1, 4)
odd("tanh", mp.tanh, "0.85", 7)
odd("asinh", mp.asinh, "0.5", 5)
odd("atanh", mp.atanh, "0.5", 6)


# cosh r = 1 + r² p(r²), for |r| <= (log 2)/2.
@polynomial("cosh", 0, half_log2**2 * 1.002, 3)
def _(z):
    return (mp.cosh(mp.sqrt(z)) - 1) / z, z


# acosh(1 + t) = √(2t) (1 + t p(t)).
@polynomial("acosh", 0, "0.5", 7)
def _(t):
    v = mp.acosh(1 + t) / mp.sqrt(2 * t)
    return (v - 1) / t, t / v


# log2(m) = 2/ln 2 · s (1 + z/3 + z² p(z)), s = (m - 1)/(m + 1), z = s².
@polynomial("log2Tail", 0, ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * 1.001, 4)
def _(z):
    s = mp.sqrt(z)
    return (mp.atanh(s) / s - 1 - z / 3) / z**2, z**2


# e^w = 1 + w + w²/2 + w³ p(w).
@polynomial("expTail", -half_log2 * 1.001, half_log2 * 1.001, 5)
def _(w):
    return (mp.exp(w) - 1 - w - w**2 / 2) / w**3, abs(w) ** 3

# erf x = x + x p(x²).
@polynomial("erf", 0, 1, 8)
def _(z):
    x = mp.sqrt(z)
    return mp.erf(x) / x - 1, x / mp.erf(x)


# erfc x = e^(p(x - 2)) for 1 <= x <= 4; relative to erf.
@polynomial("logErfc", -1, 2, 10)
def _(t):
    return mp.log(mp.erfc(t + 2)), mp.erfc(t + 2) / mp.erf(t + 2)


# erfc x = e^(-x²) p(t) / (1 + 2x), t = (x - 2)/(x + 2).
@polynomial("erfcScaled", "-0.61", "0.68", 11)
def _(t):
    x = 2 * (1 + t) / (1 - t)
    scaled = mp.erfc(x) * mp.exp(x**2) * (1 + 2 * x)
    return scaled, 1 / scaled


def inverse_erf(w):
    """The x with -log(1 - x²) = w, and erfInv x / x."""
    x = mp.sqrt(-mp.expm1(-w))
    return mp.erfinv(x) / x if x < 1 - mpf(10) ** -30 else None


# erfInv x = x + x p(w - 2.5) for w = -log(1 - x²) <= 5.
@polynomial("erfInvNear", "-2.5", "2.5", 10)
def _(t):
    v = inverse_erf(t + mpf("2.5"))
    return v - 1, 1 / v


# erfInv x = x p(√w - 3) for larger w, up to that of the largest float32 below 1.
@polynomial("erfInvFar", mp.sqrt(5) - 3, 1, 12)
def _(t):
    v = inverse_erf((t + 3) ** 2)
    return v, 1 / v

# log Γ(2 + t) = t p(t) for -0.75 <= t <= 1.5.
@polynomial("lgamma", "-0.75", "1.5", 13)
def _(t):
    v = mp.loggamma(2 + t) / t
    return v, 1 / v


# log Γ(x) = (x - ½)(log x - 1) + (log 2π - 1)/2 + p(1/x²)/x for x >= 3.
@polynomial("stirling", 0, "0.1112", 4)
def _(z):
    x = 1 / mp.sqrt(z)
    v = mp.loggamma(x) - (x - mpf(1) / 2) * (mp.log(x) - 1) - (mp.log(2 * mp.pi) - 1) / 2
    return v * x, mpf(1)


digamma_root = mp.findroot(mp.digamma, mpf("1.4616"))


# ψ(x) = (x - root) p(x - root) for 1 <= x <= 2.
@polynomial("digamma", 1 - digamma_root, 2 - digamma_root, 11)
def _(t):
    v = mp.digamma(t + digamma_root) / t
    return v, 1 / v


# ψ(x) = log x - 1/(2x) - p(1/x²)/x² for x >= 3.
@polynomial("digammaFar", 0, "0.1112", 4)
def _(z):
    x = 1 / mp.sqrt(z)
    return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) / z, z


if __name__ == "__main__":
    for name in sys.argv[1:] or fits:
        coefficients, error = fits[name]()
        print(f"{name}: [{', '.join(shortest(c) for c in coefficients)}] 2^{float(error):.1f}", flush=True)
