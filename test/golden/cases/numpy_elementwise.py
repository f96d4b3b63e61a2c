"""numpy: elementwise functions, with the corners of floating point and the promotions of the integers."""

from .make import arr, draw, f32, f64, i32

INF, NAN = float("inf"), float("nan")
SPECIAL = [0.0, -0.0, 1, -1, INF, -INF, NAN]

# Domain of ordinary operands, and whether the sign of a zero result is part of the case.
UNARY = {
    "sin": (-6, 6, True), "cos": (-6, 6, False), "tan": (-1.4, 1.4, True), "sinh": (-4, 4, False), "cosh": (-4, 4, False),
    "tanh": (-4, 4, True), "exp": (-5, 5, False), "expm1": (-2, 2, True), "log": (0.1, 9, False), "log1p": (-0.9, 5, True),
    "log2": (0.1, 9, False), "log10": (0.1, 9, False), "sqrt": (0, 9, True), "square": (-3, 3, False),
    "reciprocal": (0.2, 3, True), "arcsin": (-0.99, 0.99, True), "arccos": (-0.99, 0.99, False), "arctan": (-5, 5, True),
    "arcsinh": (-5, 5, False), "arccosh": (1, 9, False), "arctanh": (-0.95, 0.95, False),
}
EXACT_UNARY = ["abs", "absolute", "negative", "sign", "floor", "ceil", "trunc", "round"]
ALIASES = {"asin": (-0.9, 0.9), "acos": (-0.9, 0.9), "atan": (-3, 3), "asinh": (-3, 3), "acosh": (1, 3), "atanh": (-0.9, 0.9)}


def build(c):
    for i, (fn, (lo, hi, z)) in enumerate(UNARY.items()):
        c(fn, draw(100 + i, (2, 5), "float32", lo, hi))
        c(fn, f32(SPECIAL), _z=z)
        c(fn, draw(200 + i, (4,), "float64", lo, hi), _rtol=2e-13 if fn in ("tan", "sinh", "cosh") else None)
        c(fn, arr("int32", [1, 2, 0]) if fn not in ("arccosh", "log", "log2", "log10") else i32([1, 2, 5]))
        c(fn, arr("float32", []).reshape(0, 3))
    c("exp", f32([88.5, 89, -87, -104, 200, -200]))
    c("expm1", f32([1e-7, -1e-7, 1e-4, -50, 88, 100]))
    c("log1p", f32([1e-7, -1e-7, 1e-4, -1, -2, 1e10]))
    c("log", f32([1e-30, 1e30, 1.0001, -1]))
    c("sqrt", f32([-1, 1e-30, 1e30, 2]))
    c("tanh", f32([1e-5, 0.3, 5, 9.5, 20, -20]))
    near_overflow = {"_rtol": 1e-5, "_why": "near overflow XLA adds to the exponent's argument, which float32 rounds"}
    c("sinh", f32([1e-4, 1e-3, 0.5, 88, 89.2, 100]), **near_overflow)
    c("cosh", f32([1e-4, 0.5, 88, 89.2, 100]), **near_overflow)
    c("arcsinh", f32([1e-4, 1e-10, 1e10, -1e10, 1e30]))
    c("arctanh", f32([1e-4, 0.999, -0.999]))
    c("arccosh", f32([1.001, 1e10, 1e30, 0.5]))
    c("sin", f32([100, 1000, 31415.9]))
    c("cos", f32([100, 1000, 31415.9]))
    c("arcsin", f32([1.5, -1.5, 1e-5]))
    c("exp", f32(0.5))
    c("sin", 2)
    c("sqrt", arr("uint8", [4, 9, 200]))
    c("log", arr("bool", [True, False]))
    c("sin", arr("float16", [0.5, 1, -2]))
    c("exp", arr("float16", [0.5, 1, 12]))

    for fn in EXACT_UNARY:
        c(fn, f32([1.5, -1.5, 2.5, -2.5, 0.4, -0.4, 0.5, -0.5, 1e9, 0.0, -0.0, INF, -INF, NAN]), _z=True)
        c(fn, f64([1.25, -1.75, -0.0, 1e300]), _z=True)
        c(fn, i32([3, -4, 0, -2147483648]))
        c(fn, arr("uint8", [0, 7, 255]))
    c("abs", arr("bool", [True, False]))
    c("negative", arr("uint32", [0, 1, 7]))
    c("round", f32([1.234, -5.678, 12.349, 0.06, 150]), decimals=1)
    c("round", f32([1.234, -5.678, 12.349]), decimals=2)
    c("round", f32([123.4, 155, 165, -249]), decimals=-1)
    c("round", f32([0.5, 1.5, 2.5, 3.5, -0.5, -1.5]), _z=True)
    for fn, (lo, hi) in ALIASES.items():
        c(fn, draw(7, (3,), "float32", lo, hi))
    for fn in ("isnan", "isinf", "isfinite", "logicalNot"):
        c(fn, f32(SPECIAL))
        c(fn, i32([0, 3]))
        c(fn, f64([NAN, INF, 1]))
    c("nanToNum", f32([NAN, INF, -INF, 1.5]))
    c("nanToNum", f32([NAN, INF, -INF, 1.5]), nan=7, posinf=100, neginf=-100)
    c("nanToNum", f64([NAN, INF, -INF, 1.5]))
    c("nanToNum", i32([1, 2]))

    for fn in ("bitwiseAnd", "bitwiseOr", "bitwiseXor"):
        c(fn, i32([12, -7, 0, 2147483647]), i32([10, 3, -1, -2147483648]))
        c(fn, arr("uint32", [4294967295, 12]), arr("uint32", [65535, 10]))
        c(fn, arr("uint8", [[200], [15]]), arr("uint8", [7, 255]))
        c(fn, arr("bool", [True, True, False]), arr("bool", [True, False, False]))
        c(fn, i32([12, 5]), 6)
    c("bitwiseNot", i32([0, -1, 12]))
    c("bitwiseNot", arr("uint32", [0, 4294967295]))
    c("bitwiseNot", arr("uint8", [0, 200]))
    c("bitwiseNot", arr("bool", [True, False]))
    c("leftShift", i32([1, 3, -1, 1]), i32([4, 30, 5, 31]))
    c("leftShift", arr("uint8", [1, 200]), arr("uint8", [7, 1]))
    c("leftShift", arr("uint32", [1, 3]), 31)
    c("rightShift", i32([16, -16, -1, 7]), i32([2, 2, 31, 0]))
    c("rightShift", arr("uint32", [4294967295, 16]), arr("uint32", [4, 2]))
    c("rightShift", arr("uint8", [255, 16]), 3)
    # Shifts by the width or more: everything is shifted out.
    c("leftShift", i32([1, -1]), i32([32, 40]))
    c("rightShift", i32([1, -1]), i32([32, 40]))
    c("rightShift", arr("uint32", [1, 4294967295]), arr("uint32", [32, 40]))

    _binary(c)


def _binary(c):
    x, y = f32([1.5, -2.5, 0.0, -0.0, 3, INF, -INF, NAN, 1]), f32([2, 0.5, -0.0, -0.0, 0, INF, 1, 1, NAN])
    for fn in ("add", "subtract", "multiply", "divide", "trueDivide", "maximum", "minimum"):
        c(fn, x, y, _z=fn not in ("maximum", "minimum"))
        c(fn, draw(1, (3, 1), "float32"), draw(2, (1, 4), "float32", 1, 3))
        c(fn, draw(1, (2, 3), "float64"), draw(2, (3,), "float64", 1, 3))
        c(fn, i32([7, -7, 2147483647]), i32([2, 3, 1]))
        c(fn, arr("uint8", [200, 3]), arr("uint8", [100, 7]))
        c(fn, arr("float32", []).reshape(0, 1), draw(3, (1, 2)))
        c(fn, draw(4, (3,)), 2.5)
        c(fn, 3, draw(4, (3,), "int32", 1, 9))
    c("add", arr("bool", [True, False]), arr("bool", [True, True]))
    c("multiply", arr("bool", [True, False]), arr("bool", [True, True]))
    c("maximum", arr("bool", [True, False]), arr("bool", [False, False]))
    c("multiply", i32([65536, 123456789]), i32([65536, 987654321]))
    c("multiply", arr("uint32", [4294967295, 123456789]), arr("uint32", [4294967295, 987654321]))
    c("divide", i32([1, -1, 0, 7]), i32([0, 0, 0, 2]))

    a, b = f32([7, -7, 7, -7, 5.5, -5.5, 0.0, -0.0, 1, INF, NAN, 3]), f32([3, 3, -3, -3, 2, 2, 3, 3, 0, 2, 1, INF])
    for fn in ("floorDivide", "mod", "remainder"):
        c(fn, a, b)
        c(fn, i32([7, -7, 7, -7, -8, 0]), i32([3, 3, -3, -3, 4, 5]))
        c(fn, f64([7.5, -7.5]), f64([2, 2]))
        c(fn, arr("uint8", [200, 7]), arr("uint8", [7, 200]))
        c(fn, arr("uint32", [4294967295, 7]), arr("uint32", [7, 4294967295]))
        c(fn, i32([7, -7]), 4)
    c("remainder", f32([1e10, -1e-3]), f32([3, 2]))
    c("mod", i32([-2147483648, 5]), i32([-1, 5]))

    for fn in ("power", "pow"):
        c(fn, f32([2, -2, 0, 0, 4, -8, 1, INF, NAN, 2]), f32([3, 3, 0, 2, 0.5, 0.5, NAN, 2, 0, -1]))
        c(fn, f32([2, -3, 0.5]), 3)
        c(fn, f32([2, 3, 0.5]), 0.5)
        c(fn, i32([2, -3, 5]), i32([10, 3, 0]))
        c(fn, i32([2, 3]), 4)
        c(fn, f64([2, 0.3]), f64([0.5, -3]))
    c("power", f32([-0.0, 0.0, -0.0]), f32([-1, -1, 3]), _z=True)
    c("power", arr("uint8", [3, 2]), arr("uint8", [5, 8]))
    c("power", 2, f32([0.5, 3]))
    c("power", f32([3, 0, -2]), 0)
    c("power", f32([3, -2]), -2)
    c("power", draw(3, (2, 1), "float32", 0.5, 3), draw(4, (3,), "float32"))

    c("arctan2", f32([0.0, -0.0, 0.0, -0.0, 1, -1, 1, INF, INF, NAN]), f32([1, 1, -1, -1, 0, 0, -1, INF, -INF, 1]), _z=True)
    c("arctan2", draw(5, (3, 1), "float32"), draw(6, (4,), "float32"))
    c("arctan2", draw(5, (3,), "float64"), draw(6, (3,), "float64"))
    c("arctan2", i32([1, -1]), i32([2, 0]))
    c("atan2", f32([1, -2]), f32([-3, 0.5]))
    c("hypot", f32([3, 1e30, INF, 0]), f32([4, 1e30, NAN, 0]))
    c("hypot", draw(5, (3,), "float64"), draw(6, (3,), "float64"))
    c("hypot", i32([3, 5]), i32([4, 12]))
    c("logaddexp", f32([0, 100, -100, INF, -INF, INF, -INF, NAN]), f32([0, 0, 0, 1, 1, INF, -INF, 1]))
    c("logaddexp", draw(5, (2, 3), "float32"), draw(6, (3,), "float32"))
    c("logaddexp", draw(5, (3,), "float64"), draw(6, (3,), "float64"))

    p, q = f32([1, 2, NAN, 0.0, INF]), f32([1, 1, NAN, -0.0, INF])
    for fn in ("equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual"):
        c(fn, p, q)
        c(fn, i32([[1], [2]]), i32([1, 2, 3]))
        c(fn, arr("uint32", [4294967295, 1]), arr("uint32", [1, 4294967295]))
        c(fn, arr("bool", [True, False]), arr("bool", [False, False]))
        c(fn, i32([1, 2]), 1.5)
        c(fn, f64([1, 2]), f64([1, 3]))
    for fn in ("logicalAnd", "logicalOr", "logicalXor"):
        c(fn, arr("bool", [[True], [False]]), arr("bool", [True, False]))
        c(fn, i32([0, 2, -1]), i32([0, 0, 5]))
        c(fn, f32([0.0, -0.0, NAN, 1]), f32([1, 1, 0, 0]))

    c("clip", f32([-2, 0.5, 3, NAN, INF]), -1, 1)
    c("clip", f32([-2, 0.5, 3]), f32([0, 0, 0]), f32([1, 0.25, 5]))
    c("clip", i32([-5, 2, 9]), 0, 4)
    c("clip", arr("uint8", [3, 200]), 5, 100)
    c("clip", f32([-2, 0.5]), 1, -1)  # lower above upper: the upper bound wins
    c("where", arr("bool", [[True], [False]]), f32([1, 2, 3]), 0)
    c("where", arr("bool", [True, False]), i32([1, 2]), f32([0.5, 1.5]))
    c("where", f32([0, 1, NAN]), 1, -1)
    c("where", arr("bool", [True, False]), f32([1, NAN]), f32([NAN, 2]))
    c("where", i32([0, 5]), f64([1, 2]), f64([3, 4]))
