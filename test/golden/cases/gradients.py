"""Derivatives in both modes and of second order, above all where naive rules go wrong. How a case is run: make.GradCases."""

from . import gradients_structure
from .make import GradCases, arr, draw, f32, f64, i32

INF, NAN = float("inf"), float("nan")
SMOOTH = {
    "sin": (-3, 3), "cos": (-3, 3), "tan": (-1.2, 1.2), "sinh": (-2, 2), "cosh": (-2, 2), "tanh": (-2, 2), "exp": (-2, 2),
    "expm1": (-2, 2), "log": (0.2, 5), "log1p": (-0.5, 3), "sqrt": (0.2, 5), "rsqrt": (0.2, 5), "cbrt": (0.2, 5),
    "logistic": (-4, 4), "asin": (-0.9, 0.9), "acos": (-0.9, 0.9), "atan": (-3, 3), "asinh": (-3, 3), "acosh": (1.2, 5),
    "atanh": (-0.8, 0.8), "erf": (-2, 2), "erfc": (-2, 2), "erfInv": (-0.9, 0.9), "lgamma": (0.5, 6), "exp2": (-2, 2),
    "square": (-2, 2), "reciprocal": (0.3, 3),
}


def build():
    g = GradCases("grads")
    _elementwise(g)
    _corners(g)
    _reductions(g)
    _determinants(g)
    _compositions(g)
    gradients_structure.build(g)
    return g


def _elementwise(g):
    for i, (fn, (lo, hi)) in enumerate(SMOOTH.items()):
        x = draw(1000 + i, (4,), "float64", lo, hi)
        ct, v, w = draw(1, (4,), "float64"), draw(2, (4,), "float64"), draw(3, (4,), "float64")
        tol = {"_rtol": 1e-10} if fn in ("lgamma", "erfInv") else {}
        g("grad", "lax", fn, x, ct=ct, **tol)
        g("jvp2", "lax", fn, x, v=[v], w=[w], **tol)
        if i % 3 == 0:
            g("grad", "lax", fn, x.astype("float32"), ct=ct.astype("float32"))
            g("grad2", "lax", fn, x, ct=ct, v=[v], **tol)
            g("hvp", "lax", fn, x, ct=ct, v=[v], **tol)
    g("grad", "lax", "digamma", f32([0.5, 2, 5]), ct=f32([1, 2, 3]))
    two = dict(wrt=[0, 1], ct=draw(4, (2, 3)))
    for fn in ("add", "subtract", "multiply", "divide", "power", "arctan2", "hypot", "logaddexp", "maximum", "minimum"):
        # (2, 1) against (3,): the gradients are summed back to the operands' own shapes
        g("grad", "numpy", fn, draw(5, (2, 1), "float32", 0.5, 2), draw(6, (3,), "float32", 0.5, 2), **two)
        g("jvp", "numpy", fn, draw(5, (2, 1), "float32", 0.5, 2), draw(6, (3,), "float32", 0.5, 2), wrt=[0, 1],
          v=[draw(7, (2, 1)), draw(8, (3,))])
        if fn not in ("maximum", "minimum", "add", "subtract"):
            g("grad2", "numpy", fn, draw(5, (2,), "float64", 0.5, 2), draw(6, (2,), "float64", 0.5, 2), wrt=[0, 1],
              ct=f64([1, -2]), v=[f64([1, 0.5]), f64([-1, 2])])
    for fn in ("mod", "remainder", "floorDivide"):
        g("grad", "numpy", fn, f32([7.5, -7.5]), f32([2, 2]), wrt=[0, 1], ct=f32([1, 2]))
    g("grad", "lax", "rem", f32([7.5, -7.5]), f32([2, 2]), wrt=[0, 1], ct=f32([1, 2]))
    for fn in ("floor", "ceil", "round", "sign", "trunc"):
        g("grad", "numpy", fn, f32([1.5, -0.3, 0]), ct=f32([1, 2, 3]))
    g("grad", "numpy", "add", f32([[1], [2]]), f32([[1]]), wrt=[0, 1], ct=f32([[3], [4]]))
    g("grad", "numpy", "multiply", f32([2, 3]), 3, ct=f32([1, 2]))
    g("grad", "numpy", "multiply", arr("float16", [2, 3]), 2.5, ct=arr("float16", [1, 2]))
    g("grad", "numpy", "multiply", i32([2, 3]), f32([1, 4]), wrt=[1], ct=f32([1, 2]))
    g("grad", "numpy", "multiply", f32([2, 3]), f64([1, 4]), wrt=[0, 1], ct=f64([1, 2]))
    relu_like = f32([-2, -1e-3, 0, 1e-3, 2, 6, 7])
    for fn in ("relu", "relu6", "sigmoid", "softplus", "silu", "elu", "leakyRelu", "logSigmoid", "hardTanh", "celu", "selu",
               "hardSigmoid", "softSign", "squareplus", "mish", "sparsePlus", "gelu"):
        g("grad", "nn", fn, relu_like, ct=f32([1, 2, 3, 4, 5, 6, 7]), _atol=2e-6)
    g("grad", "nn", "gelu", f32([-2, 0, 2]), ct=f32([1, 2, 3]), approximate=False, _atol=1e-6)
    for fn in ("softplus", "sigmoid", "logSigmoid"):
        g("grad", "nn", fn, f32([-200, 200, INF, -INF]), ct=f32([1, 1, 1, 1]))


def _corners(g):
    one = dict(ct=f32(1))
    # ties
    for fn in ("maximum", "minimum"):
        g("grad", "numpy", fn, f32([1, 2, 3]), f32([1, 3, 2]), wrt=[0, 1], ct=f32([10, 20, 30]))
        g("jvp", "numpy", fn, f32([1, 2, 3]), f32([1, 3, 2]), wrt=[0, 1], v=[f32([1, 1, 1]), f32([5, 6, 7])])
        g("grad", "numpy", fn, f32([NAN, 1]), f32([1, NAN]), wrt=[0, 1], ct=f32([1, 1]))
    for fn in ("max", "min"):
        g("grad", "numpy", fn, f32([3, 1, 3, 1, 3, 1]), **one)
        g("jvp", "numpy", fn, f32([3, 1, 3, 1, 3]), v=[f32([1, 2, 3, 4, 6])])
        g("grad", "numpy", fn, f32([[1, 2, 2], [5, 5, 5]]), axis=1, ct=f32([1, 2]))
        g("grad", "numpy", fn, f32([1, NAN, 2]), **one)
    g("grad", "compositions", "selfMaximum", f32([1, -2]), ct=f32([3, 4]))
    # kinks
    g("grad", "numpy", "abs", f32([-2, 0.0, -0.0, 3]), ct=f32([1, 1, 1, 1]))
    g("jvp", "numpy", "abs", f32([-2, 0, 3]), v=[f32([1, 2, 3])])
    g("grad", "lax", "clamp", f32(-1), f32([-2, -1, 0, 1, 2]), f32(1), wrt=[1], ct=f32([1, 2, 3, 4, 5]))
    g("grad", "lax", "clamp", f32([-1] * 5), f32([-2, -1, 0, 1, 2]), f32([1] * 5), wrt=[0, 2], ct=f32([1, 2, 3, 4, 5]))
    g("grad", "numpy", "clip", f32([-2, -1, 0, 1, 2]), -1, 1, ct=f32([1, 2, 3, 4, 5]))
    g("grad", "numpy", "sqrt", f32([0, 4]), ct=f32([1, 1]))
    g("jvp", "numpy", "sqrt", f32([0, 4]), v=[f32([1, 1])])
    g("grad", "numpy", "linalg.norm", f32([0, 0]), **one)
    g("grad", "numpy", "linalg.norm", f32([3, 4]), **one)
    g("grad", "numpy", "linalg.norm", f32([3, 4]), ord=1, **one)
    g("grad", "numpy", "linalg.norm", draw(9, (2, 3)), axis=1, ct=f32([1, 2]))
    g("grad2", "numpy", "linalg.norm", f64([3, 4]), ct=f64(1), v=[f64([1, 2])])
    g("grad", "numpy", "hypot", f32([3, 1]), f32([4, 0]), wrt=[0, 1], ct=f32([1, 1]))
    g("grad", "numpy", "arctan2", f32([0, 1]), f32([1, 0]), wrt=[0, 1], ct=f32([1, 1]))
    # powers at 0
    g("grad", "numpy", "power", f32([0, 0, 2]), f32([2, 1, 3]), wrt=[0], ct=f32([1, 1, 1]))
    g("grad", "numpy", "power", f32([0, 0, 2]), f32([2, 3, 3]), wrt=[1], ct=f32([1, 1, 1]))
    g("grad", "numpy", "power", f32([0, -2, 2]), 3, ct=f32([1, 1, 1]))
    g("grad", "numpy", "power", f32([0, -2, 2]), 0, ct=f32([1, 1, 1]))
    g("grad", "numpy", "power", f32([0, 4]), 0.5, ct=f32([1, 1]))
    g("jvp", "numpy", "power", f32([0, 2]), f32([2, 3]), wrt=[0, 1], v=[f32([1, 2]), f32([3, 4])])
    g("grad2", "numpy", "power", f64(2), f64(0), wrt=[0, 1], ct=f64(1), v=[f64(1), f64(2)])
    g("jacfwd", "numpy", "power", f32([1, 2]), f32([0, 0]), wrt=[0, 1])
    for n in (0, 1, 2, 3):
        g("grad", "lax", "integerPow", f32([0, -2, 2]), n, ct=f32([1, 1, 1]))
    for order in (1, 2, 3, 4):
        g("nth", "lax", "integerPow", f32(0), 3, order=order)
        g("nth", "numpy", "power", f32(0), 3, order=order)
        g("nth", "numpy", "sinc", f32(0), order=order, _atol=1e-5)
        g("nth", "numpy", "tanh", f64(0.3), order=order)
        g("nth", "lax", "logistic", f64(0.3), order=order)
    g("nth", "numpy", "exp", f32(0.5), order=3)
    g("nth", "lax", "integerPow", f64(1.5), -2, order=3)
    # infinities
    for x in ([1000, 1000.5], [-INF, 0], [INF, 0], [-INF, -INF]):
        g("grad", "nn", "logsumexp", f32(x), **one)
    g("grad", "nn", "logsumexp", f32([0, 1, 2]), b=f32([1, -1, 2]), **one)
    # (at (inf, y) JAX answers (1, 1), having replaced infinity by 0; the limit is (1, 0), so that point is no golden case)
    g("grad", "numpy", "logaddexp", f32([0, 100, -INF]), f32([0, 0, 0]), wrt=[0, 1], ct=f32([1, 1, 1]))
    # zero times infinity is NaN, never folded
    g("grad", "numpy", "multiply", f32([0, 1]), f32([INF, NAN]), wrt=[0, 1], ct=f32([1, 0]))
    g("grad", "compositions", "minusItself", f32([2, INF]), ct=f32([1, 1]))
    for fn in ("xlogy", "xlog1py"):
        g("grad", "special", fn, f32([0, 1, 2]), f32([0, 2, 0.5]), wrt=[0, 1], ct=f32([1, 1, 1]))
    g("grad", "special", "entr", f32([0.5, 2]), ct=f32([1, 1]))
    g("grad", "special", "logit", f32([0.2, 0.9]), ct=f32([1, 1]))
    g("grad", "special", "expit", f32([0.2, -30]), ct=f32([1, 1]))


def _reductions(g):
    x = draw(10, (2, 3))
    one = dict(ct=f32(1.5))
    for fn in ("sum", "mean", "prod", "std", "var", "max", "min"):
        g("grad", "numpy", fn, x, **one, _atol=1e-7)
        g("grad", "numpy", fn, x, axis=0, ct=f32([1, 2, 3]), _atol=1e-7)
        g("jvp", "numpy", fn, x, axis=1, keepdims=True, v=[draw(11, (2, 3))], _atol=1e-6)
    g("grad2", "numpy", "var", draw(10, (4,), "float64"), ct=f64(1), v=[f64([1, 2, 3, 4])])
    g("grad2", "numpy", "prod", f64([2, 3, 0.5]), ct=f64(1), v=[f64([1, 2, 3])])
    # products with zeros are exact
    for z in ([2, 0, 3], [2, 0, 3, 0], [0, 0, 0], [0]):
        g("grad", "numpy", "prod", f32(z), **one)
        g("jvp", "numpy", "prod", f32(z), v=[f32([1, 2, 3, 4][: len(z)])])
    g("grad2", "numpy", "prod", f64([2, 0, 0, 3]), ct=f64(1), v=[f64([1, 2, 3, 4])])
    g("grad", "numpy", "sum", x, where=draw(12, (2, 3), "bool"), **one)
    g("grad", "numpy", "std", f32([2, 2]), **one)
    g("grad", "numpy", "mean", arr("float32", []).reshape(0), **one)
    g("grad", "numpy", "sum", arr("float32", []).reshape(0, 2), axis=0, ct=f32([1, 2]))
    for fn in ("cumsum", "cumprod"):
        g("grad", "numpy", fn, f32([1, 2, 0.5, -1]), ct=f32([1, 2, 3, 4]))
        g("jvp", "numpy", fn, f32([1, 2, 0.5, -1]), v=[f32([1, 2, 3, 4])])
    for z in ([2, 0, 3], [0, 2, 0, 3]):
        g("grad", "lax", "cumprod", f32(z), ct=f32([1, 2, 3, 4][: len(z)]))
    g("grad", "lax", "cumsum", x, axis=1, reverse=True, ct=draw(13, (2, 3)))
    g("grad", "lax", "cumprod", x, axis=1, reverse=True, ct=draw(13, (2, 3)), _atol=1e-6)
    for fn in ("cummax", "cummin"):
        g("grad", "lax", fn, f32([1, 3, 2, 4, -1]), ct=f32([1, 2, 3, 4, 5]))
    g("grad", "lax", "cumlogsumexp", f32([1, 3, -2]), ct=f32([1, 2, 3]))
    for fn in ("reduceMax", "reduceMin", "reduceProd", "reduceSum"):
        g("grad", "lax", fn, f32([[1, 2, 2], [1, 1, 2]]), [1], ct=f32([1, 2]))
    for fn in ("softmax", "logSoftmax"):
        g("grad", "nn", fn, x, ct=draw(14, (2, 3)), _atol=1e-6)
        g("grad", "nn", fn, x, axis=0, ct=draw(14, (2, 3)), _atol=1e-6)
        g("jvp", "nn", fn, x, v=[draw(15, (2, 3))], _atol=1e-6)
        g("hvp", "nn", fn, draw(10, (3,), "float64"), ct=f64([1, -2, 3]), v=[f64([1, 2, 3])], _atol=1e-14)
    g("grad", "nn", "softmax", f32([1000, 0]), ct=f32([1, 2]))
    g("grad", "nn", "standardize", x, ct=draw(14, (2, 3)), _atol=3e-6)
    g("grad", "nn", "glu", draw(16, (2, 4)), ct=draw(17, (2, 2)))


def _determinants(g):
    one = dict(ct=f32(1.5))
    for n in (1, 2, 3, 4):
        g("grad", "numpy", "linalg.det", draw(30 + n, (n, n)), **one)
    g("grad", "numpy", "linalg.det", draw(35, (2, 5, 5), "float64"), ct=f64([1, -2]), _rtol=1e-11)
    g("jvp", "numpy", "linalg.det", draw(36, (2, 3, 3)), v=[draw(37, (2, 3, 3))])
    # singular: the cofactors, of rank one at rank n - 1 and zero below. (JAX differentiates orders 2 and 3 by their formulas;
    # at order 4 it is right for this matrix and wrong, 0, for the shift [[0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 3], [0, 0, 0, 0]].)
    for a in ([[1, 2], [2, 4]], [[0, 0], [0, 0]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 3], [2, 4, 6], [-1, -2, -3]],
              [[0, 0, 0], [0, 0, 0], [0, 0, 0]], [[1, 2, 3, 4], [2, 4, 6, 8], [0, 1, 0, 1], [1, 0, 0, 1]]):
        n = len(a)
        g("grad", "numpy", "linalg.det", f32(a), **one, _atol=1e-5)
        g("jvp", "numpy", "linalg.det", f32(a), v=[draw(40 + n, (n, n))], _atol=1e-5)
    for n in (2, 3, 4):
        x, v, w = draw(50 + n, (n, n), "float64"), draw(55 + n, (n, n), "float64"), draw(60 + n, (n, n), "float64")
        g("grad2", "numpy", "linalg.det", x, ct=f64(1), v=[v], _rtol=1e-11)
        g("hvp", "numpy", "linalg.det", x, ct=f64(1), v=[v], _rtol=1e-11)
        g("jvp2", "numpy", "linalg.det", x, v=[v], w=[w], _rtol=1e-11)
    g("grad2", "numpy", "linalg.det", f64([[1, 2], [2, 4]]), ct=f64(1), v=[f64([[1, 2], [3, 4]])])
    for a in ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 3], [2, 4, 6], [-1, -2, -3]]):
        g("grad2", "numpy", "linalg.det", f64(a), ct=f64(1), v=[f64([[1, 2, 0], [3, 4, -1], [2, 0, 5]])], _atol=1e-13)


def _compositions(g):
    c = lambda kind, fn, *a, **k: g(kind, "compositions", fn, *a, **k)
    c("grad", "whereSqrt", f32([0, 4, -1]), ct=f32([1, 1, 1]))
    c("grad", "doubleWhereSqrt", f32([0, 4, -1]), ct=f32([1, 1, 1]))
    c("nth", "nestedDerivative", f32(1), order=1)
    c("nth", "nestedDerivative", f32(1), order=2)
    c("grad", "stoppedProduct", f32([2, 3]), ct=f32([1, 1]))
    c("nth", "stoppedProduct", f32(2), order=2)
    c("grad", "throughInteger", f32([2.7, -1.2]), ct=f32([1, 1]))
    c("grad", "constantOutput", f32([[1, 2]]), ct=f32([[1, 1]]))
    c("jvp", "constantOutput", f32([1, 2]), v=[f32([1, 1])])
    c("grad", "firstOnly", f32([1, 2]), f32([[3, 4]]), wrt=[0, 1], ct=f32([1, 1]))
    c("jacfwd", "castSin", f32([1, 2]), "float64")
    c("jacrev", "castSin", f32([1, 2]), "float64")
    c("grad2", "reused", f64([0.3, -1]), ct=f64([1, 2]), v=[f64([3, 4])])
    c("nth", "reused", f64(0.3), order=4)
    w1, w2, x = draw(20, (3, 4)), draw(21, (4, 2)), draw(22, (2, 3))
    c("grad", "mlp", w1, w2, x, wrt=[0, 1, 2], ct=draw(23, (2, 2)), _atol=2e-6)
    c("jvp", "mlp", w1, w2, x, wrt=[0, 1], v=[draw(24, (3, 4)), draw(25, (4, 2))], _atol=2e-6)
    d = lambda a: a.astype("float64")
    c("hvp", "mlp", d(w1), d(w2), d(x), wrt=[0, 1], ct=d(draw(23, (2, 2))), v=[d(draw(24, (3, 4))), d(draw(25, (4, 2)))],
      _atol=1e-14)
    c("grad", "normalise", draw(26, (2, 4)), ct=draw(27, (2, 4)), _atol=3e-6)
    c("hvp", "normalise", draw(26, (4,), "float64"), ct=f64([1, -1, 2, 0.5]), v=[f64([1, 2, 3, 5])], _atol=1e-13)
    c("jacrev", "normalise", draw(26, (3,), "float64"), _atol=1e-14)
    c("jacfwd", "normalise", draw(26, (3,), "float64"), _atol=1e-14)
