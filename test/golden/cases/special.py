"""Special functions, with their corners."""

from .make import Cases, arr, draw, f32, f64, i32

INF, NAN = float("inf"), float("nan")
SPECIAL = [0.0, -0.0, 1, -1, INF, -INF, NAN]


def build():
    c = Cases("special")
    for i, (fn, lo, hi) in enumerate((("erf", -3, 3), ("erfc", -3, 3), ("erfinv", -0.99, 0.99), ("expit", -6, 6),
                                      ("logit", 0.05, 0.95), ("entr", 0, 3))):
        loose = {"_rtol": 1e-5} if fn in ("erfc", "erfinv", "logit", "entr") else {}
        c(fn, draw(700 + i, (2, 3), "float32", lo, hi), **loose)
        c(fn, f32(SPECIAL), **loose)
        c(fn, draw(800 + i, (4,), "float64", lo, hi), _rtol=1e-12)
    zeros = {"_rtol": 1e-5, "_atol": 1e-6, "_why": "XLA's Lanczos sum cancels near the function's zeros"}
    for fn in ("lgamma", "digamma"):
        c(fn, draw(900, (6,), "float32", 0.1, 9), **zeros)
        c(fn, draw(901, (4,), "float64", 0.1, 9), _rtol=1e-11, _atol=1e-12)
        c(fn, f32([-0.5, -1.5, 30, 0.01]), **zeros)
    c("expit", f32([-100, -30, 30, 100]))
    c("expit", i32([0, 1]))
    c("logit", f32([0, 1, 0.5, 1e-6, -0.5, 2]), _rtol=1e-5)
    c("erfc", f32([5, 8, 9.2, -6]), _rtol=1e-5)
    c("erfinv", f32([0.9999, -0.9999, 1e-6]), _rtol=1e-5)
    c("entr", f32([0, 1, -1, 0.5, 100, INF]))

    x, y = f32([0, 0, 0, 1, 2, -1, 0, NAN]), f32([0, -1, INF, 0, 3, 2, NAN, 1])
    c("xlogy", x, y)
    c("xlog1py", x, f32([-1, -2, INF, -1, 3, 2, NAN, 1]))
    c("xlogy", draw(1, (2, 1), "float32", 0.1, 3), draw(2, (3,), "float32", 0.1, 3), _atol=1e-7)
    c("xlog1py", draw(1, (2, 1), "float32", 0.1, 3), draw(2, (3,), "float32", -0.5, 3), _atol=1e-7)
    c("xlog1py", f32([2]), f32([1e-7]))
    c("xlogy", f64([0, 2]), f64([0, 3]))
    c("xlogy", i32([0, 2]), i32([0, 3]))

    m = draw(3, (2, 3), "float32", -5, 5)
    c("logsumexp", m)
    c("logsumexp", m, axis=0)
    c("logsumexp", m, axis=1, keepdims=True, b=f32([1, 2, 0]))
    c("logsumexp", f32([0, 1]), b=f32([1, -1]), returnSign=True)
    c("logsumexp", f32([-INF, -INF]))
    for fn in ("softmax", "logSoftmax"):
        near = {"_atol": 1e-6} if fn == "logSoftmax" else {}  # the logarithm of a probability near 1
        c(fn, m, **near)
        c(fn, m, axis=0, **near)
    return c
