"""Result dtype and weak type for every pair of types: promote_types of dtypes, result_type of arrays, and an actual sum.

A pair with float64 is answered with x64, every other pair without: that is a library with float64 but no 64-bit integers, in
which int32 + uint32 is int32."""

import itertools

from .make import Cases, arr

DTYPES = ["bool", "uint8", "int32", "uint32", "float16", "float32", "float64"]


def build():
    c = Cases("numpy")
    operands = {d: arr(d, [1, 0]) for d in DTYPES}
    operands.update({"weak int": 3, "weak float": 2.5, "bool scalar": True})
    for a, b in itertools.product(DTYPES, DTYPES):
        c("promoteTypes", a, b)
    for a, b in itertools.product(operands, operands):
        c("add", operands[a], operands[b], _weak=True)
    for a, b in itertools.combinations(operands, 2):
        c("resultType", operands[a], operands[b])
    for a in operands:
        c("resultType", operands[a])
        # Every true division and every transcendental function leaves the integers; the float keeps an operand's weakness.
        c("divide", operands[a], 4, _weak=True)
        c("exp", operands[a], _weak=True, _rtol=2e-3, _why="float16 among the operands; the dtype is the point")
        c("where", arr("bool", [True, False]), operands[a], 1, _weak=True)
    c("add", 3, arr("uint8", 250), _weak=True)
    c("add", 2.5, arr("uint8", 250), _weak=True)
    c("multiply", arr("float16", [1, 2]), 2.5, _weak=True)
    c("multiply", arr("int32", [1, 2]), 1.5, _weak=True)
    c("resultType", "int32", "uint8", "float16")
    c("resultType", "int32", 1.5)
    c("resultType", "uint8", 3)
    c("resultType", "float16", 1.5)
    c("resultType", "bool", 3)
    c("resultType", 3, 1.5)
    c("sum", arr("bool", [True, True]))
    c("sum", arr("uint8", [200, 100]))
    c("prod", arr("uint8", [200, 2]))
    c("cumsum", arr("uint8", [200, 100]))
    c("cumsum", arr("bool", [True, True]))
    c("mean", arr("uint8", [200, 100]))
    c("max", arr("uint8", [200, 100]))
    return c
