"""lax: elementwise operations, which never promote: operands have one dtype, and shapes are equal or scalar."""

from .make import arr, draw, f32, f64, i32

INF, NAN = float("inf"), float("nan")
SPECIAL = [0.0, -0.0, 1, -1, INF, -INF, NAN]
UNARY = {
    "exp": (-5, 5), "log": (0.1, 9), "expm1": (-2, 2), "log1p": (-0.9, 5), "sqrt": (0, 9), "rsqrt": (0.1, 9), "cbrt": (-9, 9),
    "square": (-3, 3), "reciprocal": (0.2, 3), "exp2": (-5, 5), "logistic": (-6, 6), "sin": (-6, 6), "cos": (-6, 6),
    "tan": (-1.4, 1.4), "sinh": (-4, 4), "cosh": (-4, 4), "tanh": (-4, 4), "asin": (-0.99, 0.99), "acos": (-0.99, 0.99),
    "atan": (-5, 5), "asinh": (-5, 5), "acosh": (1, 9), "atanh": (-0.95, 0.95), "erf": (-3, 3), "erfc": (-3, 3),
    "erfInv": (-0.99, 0.99), "lgamma": (0.1, 9), "digamma": (0.1, 9),
}
DTYPES = ["bool", "uint8", "int32", "uint32", "float16", "float32", "float64"]


def build(c):
    for i, (fn, (lo, hi)) in enumerate(UNARY.items()):
        more = {}
        if fn in ("lgamma", "digamma"):
            more = {"_rtol": 1e-5, "_atol": 1e-6, "_why": "XLA's Lanczos sum cancels near the function's zeros"}
        c(fn, draw(300 + i, (6,), "float32", lo, hi), **more)
        c(fn, f32(SPECIAL), **more)
        c(fn, draw(400 + i, (4,), "float64", lo, hi), _rtol=1e-11 if more else 5e-13, **({"_atol": 1e-12} if more else {}))
    c("erfc", f32([4, 6, 9, 9.5, -4]), _rtol=1e-5)
    c("erf", f32([1e-5, 1e-10, 0.5, 4, 10]))
    c("erfInv", f32([0.999, -0.999, 0.99999, 1e-4, 1.5, -2]), _rtol=1e-5)
    c("lgamma", f32([-0.5, -1.5, -2.5, 100, 1e-4, 1e5]), _rtol=1e-5)
    c("lgamma", f32([-1, -2, 1, 2]), _atol=1e-6)
    c("digamma", f32([-0.5, -1.5, 100, 1e-3]), _rtol=1e-5)
    c("digamma", f32([-1, -2, 1e5]))
    c("logistic", f32([-100, -20, 20, 100]))
    c("rsqrt", f32([0.0, -0.0, -1, 1e30]))
    c("exp2", f32([10, -10, 100.5, 128, -150]), _rtol=1e-5, _why="XLA computes e^(x ln 2), whose rounded argument costs ulps")
    c("cbrt", f32([27, -8, 1e-9, 1e30]))

    for fn in ("neg", "abs", "sign", "floor", "ceil", "round"):
        c(fn, f32([1.5, -1.5, 2.5, -2.5, 0.5, -0.5, 0.49999997, 8388609, 0.0, -0.0, INF, -INF, NAN]), _z=True)
        c(fn, f64([1.5, -2.5, -0.0, 4503599627370497.0 / 2]), _z=True)
    for method in ("awayFromZero", "toNearestEven"):
        c("round", f32([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.3, NAN, INF]), roundingMethod=method, _z=True)
    for fn in ("neg", "abs", "sign"):
        c(fn, i32([5, -5, 0, -2147483648]))
    c("neg", arr("uint32", [0, 1, 4294967295]))
    c("neg", arr("uint8", [0, 1, 255]))
    c("sign", arr("uint32", [0, 7]))
    c("isFinite", f32(SPECIAL))
    c("isFinite", f64([1, NAN]))

    x, y = f32([1.5, -2.5, 0.0, -0.0, 3, INF, NAN, 1]), f32([2, 0.5, -0.0, -0.0, 0, INF, 1, NAN])
    for fn in ("add", "sub", "mul", "div", "max", "min"):
        c(fn, x, y, _z=fn not in ("max", "min"))
        c(fn, f64([1.5, -3]), f64([2, 7]))
        c(fn, i32([7, -7, 2147483647, -2147483648]), i32([2, 3, 2, -1]))
        c(fn, arr("uint8", [200, 3]), arr("uint8", [100, 7]))
        c(fn, arr("uint32", [4294967295, 3]), arr("uint32", [2, 7]))
        c(fn, draw(1, (3,)), 2.5)
    c("div", i32([7, -7, 7, -7]), i32([2, 2, -2, -2]))  # truncates
    c("div", arr("uint32", [4294967295, 7]), arr("uint32", [3, 4294967295]))
    c("rem", i32([7, -7, 7, -7, -2147483648]), i32([3, 3, -3, -3, -1]))  # sign of the dividend
    c("rem", f32([7, -7, 7, -7, 5.5, 1, INF, -0.0]), f32([3, 3, -3, -3, 2, 0, 2, 3]), _z=True)
    c("rem", f64([7.5, -7.5]), f64([2, 2]))
    c("rem", arr("uint8", [200, 7]), arr("uint8", [7, 200]))
    c("div", i32([1, -1, 0]), i32([0, 0, 0]))
    c("rem", i32([5, -5]), i32([0, 0]))
    c("mul", i32([123456789, -65536]), i32([987654321, 65537]))
    c("pow", f32([2, -2, 0, 0, 4, -8, 1, INF]), f32([3, 3, 0, 2, 0.5, 0.5, NAN, -1]))
    c("pow", f32([2, -3, 0.5]), i32([3, 3, -2]))
    c("pow", f64([2, 0.3]), f64([0.5, -3]))
    for n in (0, 1, 2, 3, 7, -1, -2):
        c("integerPow", f32([2, -0.5, 3]), n)
    c("integerPow", f32([0.0, -0.0]), -1)
    c("integerPow", i32([2, -3]), 5)
    c("integerPow", f64([1.1, -2]), 4)
    c("atan2", f32([0.0, -0.0, 0.0, -0.0, 1, INF, NAN]), f32([1, 1, -1, -1, 0, -INF, 1]), _z=True)
    c("atan2", f64([1, -2]), f64([-3, 0.5]))
    c("clamp", f32(-1), f32([-2, 0.5, 3, NAN]), f32(1))
    c("clamp", f32([0, 1]), f32([-1, 5]), f32([1, 2]))
    c("clamp", 0, i32([-5, 2, 9]), 4)
    c("clamp", f64(-1), f64([-2, 0.5]), f64(1))
    for fn in ("eq", "ne", "lt", "le", "gt", "ge"):
        c(fn, f32([1, 2, NAN, 0.0, INF]), f32([1, 1, NAN, -0.0, INF]))
        c(fn, arr("uint32", [4294967295, 1]), arr("uint32", [1, 1]))
        c(fn, i32([-1, 1]), i32([1, 1]))
        c(fn, arr("bool", [True, False]), arr("bool", [False, False]))
    for fn in ("bitwiseAnd", "bitwiseOr", "bitwiseXor"):
        c(fn, i32([12, -7, 2147483647]), i32([10, 3, -2147483648]))
        c(fn, arr("uint32", [4294967295, 12]), arr("uint32", [65535, 10]))
        c(fn, arr("uint8", [200, 15]), arr("uint8", [7, 255]))
        c(fn, arr("bool", [True, False]), arr("bool", [True, True]))
    for d, v in (("int32", [0, -1, 12]), ("uint32", [0, 7]), ("uint8", [0, 7]), ("bool", [True, False])):
        c("bitwiseNot", arr(d, v))
    for fn in ("shiftLeft", "shiftRightLogical", "shiftRightArithmetic"):
        c(fn, i32([1, -16, -1, 7]), i32([4, 2, 31, 0]))
        c(fn, arr("uint32", [1, 4294967280, 7]), arr("uint32", [4, 2, 31]))
        c(fn, arr("uint8", [1, 240, 7]), arr("uint8", [4, 2, 7]))
        c(fn, i32([1, -1, 5]), i32([32, 33, 100]))  # as wide or wider: all bits leave
    for fn in ("clz", "populationCount"):
        c(fn, i32([0, 1, -1, 255, 1 << 30]))
        c(fn, arr("uint32", [0, 1, 4294967295, 65536]))
        c(fn, arr("uint8", [0, 1, 255, 16]))
    _casts(c)
    c("select", arr("bool", [True, False, True]), f32([1, 2, 3]), f32([4, NAN, 6]))
    c("select", arr("bool", True), i32([1, 2]), i32([3, 4]))
    c("selectN", arr("bool", [True, False]), f32([1, 2]), f32([3, 4]))
    c("selectN", i32([0, 2, 1]), f32([1, 2, 3]), f32([4, 5, 6]), f32([7, 8, 9]))
    c("stopGradient", f32([1, 2]))


def _casts(c):
    x = f32([1.9, -1.9, 0.5, -0.5, 3e9, -3e9, 5e9, 256, 300, -1, INF, -INF, NAN])
    for d in DTYPES:
        if d == "float64":
            c("convertElementType", f32([0.1, NAN, -0.0]), d, _z=True)
        else:
            c("convertElementType", x, d)
        c("convertElementType", i32([0, 1, -1, 2147483647, -2147483648, 300]), d)
        c("convertElementType", arr("uint32", [0, 1, 4294967295, 300, 16777217]), d)
        c("convertElementType", arr("bool", [True, False]), d)
        c("convertElementType", arr("uint8", [0, 200, 255]), d)
    c("convertElementType", f64([1e300, 0.1, 1.00000005960464477539, -1e-50]), "float32", _atol=1e-37)
    c("convertElementType", f64([2147483648, -2147483649, 1.9, NAN]), "int32")
    c("convertElementType", f32([65504, 65519.9, 65520, 1e-7, 1.0009766, 1.00048828125, 1.00146484375]), "float16")
    c("convertElementType", arr("float16", [1.5, 65504, INF, NAN]), "float32")
    c("convertElementType", f32([0.0, -0.0, 0.1, NAN, INF]), "bool")
    c("bitcastConvertType", f32([1, -2.5, 0.0, -0.0, INF, NAN]), "int32")
    c("bitcastConvertType", f32([1, -2.5]), "uint32")
    c("bitcastConvertType", i32([1065353216, -1082130432, 0, -2147483648, 2139095040]), "float32", _z=True)
    c("bitcastConvertType", arr("uint32", [0x40490FDB]), "float32")
    c("bitcastConvertType", arr("uint32", [0xDEADBEEF, 1]), "int32")
    c("bitcastConvertType", arr("uint32", [0xDEADBEEF, 1]), "uint8")
    c("bitcastConvertType", arr("uint8", [[1, 2, 3, 4], [0, 0, 128, 63]]), "float32")
    c("bitcastConvertType", f64([1, -2]), "uint32")
    c("bitcastConvertType", arr("uint32", [[0, 1072693248]]), "float64")
    for e, m in ((5, 10), (8, 7), (4, 3), (8, 23), (3, 1)):
        c("reducePrecision", f32([1.2345678, -0.1, 65520, 1e-6, 3.14159, 1e38, NAN, INF, 0.0]), exponentBits=e, mantissaBits=m,
          _rtol=0)
    c("reducePrecision", f64([1.2345678901234567, 1e300]), exponentBits=8, mantissaBits=23, _rtol=0)
