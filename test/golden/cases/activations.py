"""nn: activations at ordinary and extreme inputs, softmax and its relatives."""

from .make import Cases, arr, draw, f32, f64, i32

INF, NAN = float("inf"), float("nan")
EXTREME = [0.0, -0.0, 1e-4, -1e-4, 20, -20, 100, -100, 1e30, -1e30]
CANCELS = {"_rtol": 1e-5, "_atol": 1e-7, "_why": "1 - erf, 1 + tanh or exp - 1 cancels for negative inputs in float32"}
FUNCTIONS = {
    "relu": {}, "relu6": {}, "sigmoid": {}, "softplus": {}, "silu": {}, "swish": {}, "gelu": CANCELS, "elu": {}, "leakyRelu": {},
    "tanh": {}, "logSigmoid": {}, "celu": {}, "selu": {}, "mish": {}, "squareplus": CANCELS, "hardTanh": {}, "hardSigmoid": {},
    "hardSilu": {}, "hardSwish": {}, "sparsePlus": {}, "sparseSigmoid": {}, "softSign": {}, "identity": {},
}


def build():
    c = Cases("nn")
    for i, (fn, more) in enumerate(FUNCTIONS.items()):
        c(fn, draw(500 + i, (2, 4), "float32", -7, 7), **more)
        # 1e30 is for the functions that do not square or cube their argument; -100 cancels to few digits in squareplus
        c(fn, f32(EXTREME[:7] if fn == "squareplus" else EXTREME[:8] if fn == "gelu" else EXTREME), **more)
        c(fn, f32([INF, NAN]), **more)
        c(fn, draw(600 + i, (3,), "float64", -3, 3), _rtol=2e-12 if fn in ("mish", "gelu", "squareplus") else 1e-12)
    for fn in ("relu", "relu6", "sigmoid", "softplus", "logSigmoid", "hardTanh", "softSign"):
        c(fn, f32([-INF]))
    for fn in ("relu", "relu6"):
        c(fn, i32([-3, 0, 9]))
    c("gelu", draw(1, (5,), "float32", -3, 3), approximate=False, **CANCELS)
    c("gelu", f32([0, 6, -6, 20, -20]), approximate=False, **CANCELS)
    c("gelu", draw(1, (4,), "float64", -3, 3), approximate=False, _rtol=1e-11)
    c("gelu", draw(1, (5,), "float32", -3, 3), approximate=True, **CANCELS)
    c("elu", f32([-2, -0.5, 3]), alpha=0.5)
    c("celu", f32([-2, -0.5, 3]), alpha=2)
    c("leakyRelu", f32([-2, 0, 3]), negativeSlope=0.2)
    c("squareplus", f32([-2, 0, 3]), b=1)
    c("glu", draw(2, (3, 4)))
    c("glu", draw(2, (4, 3)), axis=0)

    x = draw(3, (2, 3, 4), "float32", -5, 5)
    mask = arr("bool", [True, False, True, True])
    for fn in ("softmax", "logSoftmax"):
        near = {"_atol": 1e-6} if fn == "logSoftmax" else {}  # the logarithm of a probability near 1
        c(fn, x, **near)
        c(fn, x, axis=0, **near)
        c(fn, x, axis=[1, 2], **near)
        c(fn, x, axis=-1, where=mask, **near)
        c(fn, f32([1000, 1001, 999]))
        c(fn, f32([-1e30, 0, 1]))
        c(fn, f32([-INF, 0, 1]))
        c(fn, f32([NAN, 0, 1]))
        c(fn, draw(4, (2, 3), "float64"), _rtol=1e-12)
        c(fn, f32([3]))
        c(fn, i32([1, 2]))
    c("softmax", f32([INF, 0]))
    c("softmax", f32([-INF, -INF]))
    for fn in ("logsumexp", "logmeanexp"):
        c(fn, x)
        c(fn, x, axis=1)
        c(fn, x, axis=[0, 2], keepdims=True)
        c(fn, x, axis=-1, where=mask)
        c(fn, f32([1000, 1000]))
        c(fn, f32([-INF, -INF]))
        c(fn, f32([INF, 0]))
        c(fn, f32([INF, -INF]))
        c(fn, f32([NAN, 0]))
        c(fn, draw(4, (2, 3), "float64"), axis=0, _rtol=1e-12)
    c("logsumexp", f32([0, 1, 2]), b=f32([1, -1, 2]))
    c("logsumexp", x, axis=-1, b=f32([1, 2, 0, 0.5]))
    c("logsumexp", f32([0, 1, 2]), b=f32([1, -2, 0.5]), returnSign=True)
    c("logsumexp", f32([[0, 1], [2, -1]]), axis=1, b=f32([[1, -1], [-1, 1]]), returnSign=True)
    c("logsumexp", f32([1, 1]), b=f32([1, -1]), returnSign=True)
    c("logsumexp", x, axis=0, returnSign=True)
    c("log1mexp", f32([0.1, 0.5, 0.6931, 1, 5, 50]), _rtol=1e-5)

    c("oneHot", i32([0, 2, 1]), 3)
    c("oneHot", i32([[0], [5]]), 3)  # outside the classes: all zero
    c("oneHot", i32([-1, 2]), 3)
    c("oneHot", i32([0, 2]), 3, dtype="int32")
    c("oneHot", i32([0, 2, 1, 1]), 3, axis=0)
    c("oneHot", i32(1), 2)
    c("oneHot", arr("uint8", [0, 2]), 3, dtype="bool")
    c("oneHot", f32([0, 1.5, 2]), 3)
    for more in ({}, {"axis": 0}, {"axis": [1, 2]}, {"epsilon": 0.001}):
        c("standardize", x, **more, _atol=2e-6)
    c("standardize", x, axis=-1, where=mask, _atol=2e-6)
    c("standardize", f32([1, 2, 4]), mean=f32(1), variance=f32(4))
    c("standardize", f32([3, 3, 3]))
    c("standardize", f64([1, 2, 4]), _rtol=1e-12)
    return c
