"""Writes reference.json: values of functions to full double precision, computed by mpmath with 100 digits.

Run it with a Python that has mpmath: python3 reference.py > reference.json
"""

import json
import math
import random

from mpmath import mp, mpf
import mpmath as m

mp.dps = 100
random.seed(20)


def uniform(lo, hi, n=12):
    return [random.uniform(lo, hi) for _ in range(n)]


def spread(lo, hi, n=12):
    """Of all magnitudes between lo and hi."""
    return [math.exp(random.uniform(math.log(lo), math.log(hi))) for _ in range(n)]


def both(xs):
    return [s * x for x in xs for s in (1, -1)]


def inverse_erf(y):
    """erfinv by root finding: mpmath's own does not converge close to 1."""
    q = 1 - abs(y)
    x = m.sqrt(-m.log(q * m.sqrt(m.pi)))
    if abs(y) < mpf("0.9"):
        return m.erfinv(y)
    for _ in range(3):
        x = m.sqrt(-m.log(q * m.sqrt(m.pi) * x))
    return m.sign(y) * m.findroot(lambda t: m.erfc(t) / q - 1, x)


def polygamma(n):
    return lambda x: (-1) ** (n + 1) * m.factorial(n) * m.zeta(n + 1, x) if x > 0 else m.psi(n, x)


def signed_cbrt(x):
    return m.sign(x) * m.cbrt(abs(x))


tiny_and_large = spread(1e-300, 1e-3, 6) + spread(1e3, 1e300, 6)
small = both(spread(1e-300, 1e-2, 6))

FUNCTIONS = {
    "exp": (m.exp, uniform(-700, 700) + small),
    "exp2": (lambda x: 2**x, uniform(-1000, 1000) + small + [10.0, -3.0, 0.5]),
    "expm1": (m.expm1, uniform(-5, 5) + small + uniform(30, 700, 4)),
    "log": (m.log, spread(1e-300, 1e300) + uniform(0.9, 1.1)),
    "log1p": (m.log1p, uniform(-0.99, 5) + small + spread(1e3, 1e300, 4)),
    "logistic": (lambda x: 1 / (1 + m.exp(-x)), uniform(-40, 40) + uniform(-700, -600, 4)),
    "sqrt": (m.sqrt, tiny_and_large + uniform(0, 4)),
    "rsqrt": (lambda x: 1 / m.sqrt(x), tiny_and_large + uniform(0.01, 4)),
    "cbrt": (signed_cbrt, both(tiny_and_large) + uniform(-4, 4)),
    "sin": (m.sin, uniform(-10, 10) + both(spread(1e2, 1e15, 6)) + small),
    "cos": (m.cos, uniform(-10, 10) + both(spread(1e2, 1e15, 6))),
    "tan": (m.tan, uniform(-10, 10) + both(spread(1e2, 1e15, 6)) + small),
    "asin": (m.asin, uniform(-1, 1) + small + [0.9999999999]),
    "acos": (m.acos, uniform(-1, 1) + [0.9999999999, -0.9999999999]),
    "atan": (m.atan, uniform(-5, 5) + both(tiny_and_large)),
    "sinh": (m.sinh, uniform(-5, 5) + uniform(-700, 700, 6) + small),
    "cosh": (m.cosh, uniform(-5, 5) + uniform(-700, 700, 6)),
    "tanh": (m.tanh, uniform(-5, 5) + small),
    "asinh": (m.asinh, uniform(-5, 5) + both(tiny_and_large)),
    "acosh": (m.acosh, uniform(1, 10) + spread(1e3, 1e300, 6) + [1.0000001]),
    "atanh": (m.atanh, uniform(-1, 1) + small + [0.9999999999]),
    "erf": (m.erf, uniform(-6, 6, 24) + small),
    "erfc": (m.erfc, uniform(-6, 6, 24) + uniform(4, 26, 12)),
    "erfInv": (inverse_erf, uniform(-1, 1, 24) + small + [1 - x for x in spread(1e-15, 0.1)] + [-1 + 2.0**-53]),
    "lgamma": (m.loggamma, uniform(0, 20, 24) + uniform(0.9, 1.1) + uniform(1.9, 2.1) + tiny_and_large),
    "digamma": (m.digamma, uniform(0, 20, 24) + uniform(1.46, 1.463) + tiny_and_large),
    "lgammaNegative": (lambda x: m.log(abs(m.gamma(x))), uniform(-30, 0, 24)),
    "digammaNegative": (m.digamma, uniform(-30, 0, 24)),
    "polygamma1": (polygamma(1), spread(0.01, 1e10, 24) + uniform(-20, 0)),
    "polygamma2": (polygamma(2), spread(0.01, 1e10, 24) + uniform(-5, 0)),
    "polygamma3": (polygamma(3), spread(0.01, 1e10, 24) + uniform(-5, 0)),
    "polygamma8": (polygamma(8), spread(0.01, 1e3, 24)),
}

POINTS = {
    "pow": (
        lambda x, y: x**y,
        list(zip(spread(1e-10, 1e10), uniform(-20, 20))) + list(zip(uniform(-3, 0, 4), [3.0, -2.0, 5.0, -1.0])),
    ),
    "atan2": (lambda x, y: m.atan2(x, y), list(zip(uniform(-3, 3, 16), uniform(-3, 3, 16)))),
    "rem": (lambda x, y: m.sign(x) * m.fmod(abs(x), abs(y)), list(zip(uniform(-100, 100, 16), uniform(-3, 3, 16)))),
}


def row(numbers):
    """A line of JSON, exponents spelt as the formatter of this repository spells them."""
    return "    " + json.dumps(numbers).replace("e+", "e").replace("e-0", "e-")


def main():
    table = {name: [[x, float(f(mpf(x)))] for x in xs] for name, (f, xs) in FUNCTIONS.items()}
    table |= {name: [[x, y, float(f(mpf(x), mpf(y)))] for x, y in xs] for name, (f, xs) in POINTS.items()}
    lists = [f"  {json.dumps(name)}: [\n" + ",\n".join(map(row, rows)) + "\n  ]" for name, rows in table.items()]
    print("{\n" + ",\n".join(lists) + "\n}")


main()
