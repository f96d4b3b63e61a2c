"""lax: shape, slicing, gather and scatter, reductions, cumulative functions, order."""

from .make import arr, draw, f32, i32

INF, NAN = float("inf"), float("nan")
EMPTY_EXTREMUM = "JAX's lax answers with the identity of max or min; fluxion has no extremum of nothing, in lax as in numpy"


def build(c):
    _shape(c)
    _slicing(c)
    _gather(c)
    _scatter(c)
    _reductions(c)
    _order(c)


def _shape(c):
    x, m = draw(1, (2, 3, 4), "int32", 0, 99), draw(2, (2, 3))
    c("broadcast", m, [2, 1])
    c("broadcastInDim", f32([1, 2, 3]), [2, 3], [1])
    c("broadcastInDim", f32([1, 2]), [2, 3], [0])
    c("broadcastInDim", f32([[1], [2]]), [2, 4, 3], [0, 2])
    c("broadcastInDim", f32(5), [2, 2], [])
    c("broadcastInDim", f32(5), [0, 2], [])
    c("reshape", x, [6, 4])
    c("reshape", arr("float32", []).reshape(0, 3), [3, 0])
    c("transpose", x, [2, 0, 1])
    c("transpose", f32(3), [])
    c("squeeze", draw(3, (1, 3, 1)), [0])
    c("squeeze", draw(3, (1, 3, 1)), [0, 2])
    c("expandDims", m, [0, 2])
    c("expandDims", m, [-1])
    c("rev", x, [1])
    c("rev", x, [0, 2])
    c("rev", x, [])
    zero = f32(0)
    for config in ([[1, 2, 0], [0, 1, 0]], [[0, 0, 2], [1, 0, 1]], [[-1, 0, 0], [0, -1, 0]], [[-1, 2, 1], [1, -2, 2]],
                   [[0, 0, 0], [0, 0, 0]], [[-1, -1, 0], [0, 0, 0]], [[3, -1, 3], [-2, 0, 1]]):
        c("pad", m, f32(9), config)
    c("pad", i32([1, 2]), i32(-1), [[1, 1, 1]])
    c("pad", arr("float32", []), zero, [[1, 2, 0]])
    c("pad", arr("float32", []), f32(5), [[1, 1, 3]])
    c("pad", f32([1]), zero, [[0, 0, 5]])
    c("pad", f32(4), zero, [])
    c("pad", f32([1, 2, 3, 4]), f32(7), [[-2, -1, 0]])
    c("pad", f32([1, 2, 3, 4]), f32(7), [[-3, 1, 2]])
    c("pad", arr("bool", [True, False]), arr("bool", True), [[1, 0, 1]])
    c("concatenate", [m, draw(4, (2, 2))], 1)
    c("concatenate", [i32([1]), i32([2, 3]), arr("int32", [])], 0)
    c("split", f32([1, 2, 3, 4, 5]), [2, 3])
    c("split", m, [1, 0, 2], axis=1)
    c("iota", "int32", 5)
    c("iota", "float32", 3)
    c("iota", "uint8", 0)
    c("broadcastedIota", "int32", [2, 3], 0)
    c("broadcastedIota", "float32", [2, 3], 1)
    c("broadcastedIota", "uint32", [2, 1, 3], 2)
    c("full", [2, 2], 7)
    c("full", [2], 2.5)
    c("full", [], f32(3))
    c("full", [3], 1, dtype="bool")
    c("fullLike", m, 7)
    c("fullLike", i32([1, 2]), 2.5, dtype="float32")


def _slicing(c):
    x = draw(5, (4, 5))
    c("slice", x, [1, 0], [3, 5])
    c("slice", x, [0, 1], [4, 5], [2, 3])
    c("slice", x, [2, 2], [2, 5])
    c("slice", f32([1, 2, 3, 4, 5, 6, 7]), [1], [7], [4])
    c("slice", f32(3), [], [])
    for starts in ([1, 2], [3, 4], [-1, -2], [100, -100], [0, 0]):  # out of range starts are clamped
        c("dynamicSlice", x, i32(starts), [2, 3])
        c("dynamicUpdateSlice", x, draw(6, (2, 3)), i32(starts))
    c("dynamicSlice", x, [1, 2], [2, 2])
    c("dynamicSlice", x, [i32(1), i32(2)], [2, 2])
    c("dynamicSlice", i32([1, 2, 3]), arr("uint8", [200]), [2])
    c("dynamicSlice", x, i32([1, 1]), [0, 2])
    c("dynamicUpdateSlice", x, draw(6, (1, 1)), [3, 3])
    c("dynamicUpdateSlice", i32([1, 2, 3]), i32([9, 8]), [arr("uint32", 4000000000)])
    c("sliceInDim", x, 1, 4)
    c("sliceInDim", x, 0, 5, stride=2, axis=1)
    c("sliceInDim", x, -2, 4)
    c("dynamicSliceInDim", x, i32(3), 2, axis=1)
    c("dynamicSliceInDim", x, 9, 2)
    c("dynamicUpdateSliceInDim", x, draw(7, (4, 2)), 1, 1)
    c("indexInDim", x, 1)
    c("indexInDim", x, -1, axis=1, keepdims=False)
    c("dynamicIndexInDim", x, i32(2), axis=1)
    c("dynamicIndexInDim", x, 1, keepdims=False)
    c("dynamicUpdateIndexInDim", x, draw(8, (5,)), 2, 0)


def _gather(c):
    x = draw(9, (4, 5))
    rows = dict(offsetDims=[1], collapsedSliceDims=[0], startIndexMap=[0], sliceSizes=[1, 5])
    c("gather", x, i32([[2], [0], [2]]), **rows)
    for mode in ("clip", "fill", None):
        more = {} if mode is None else {"mode": mode}
        c("gather", x, i32([[2], [4], [-1], [3]]), **rows, **more)
        c("gather", i32([1, 2, 3]), i32([[5], [-1], [1]]), offsetDims=[], collapsedSliceDims=[0], startIndexMap=[0],
          sliceSizes=[1], **more)
    c("gather", x, i32([[1], [0]]), **rows, mode="promiseInBounds")
    c("gather", x, i32([[9], [0]]), **rows, mode="fill", fillValue=7)
    points = dict(offsetDims=[], collapsedSliceDims=[0, 1], startIndexMap=[0, 1], sliceSizes=[1, 1])
    c("gather", x, i32([[0, 1], [3, 4], [2, 2]]), **points)
    c("gather", x, i32([[[0, 1], [3, 4]], [[9, 0], [-1, -1]]]), **points, mode="clip")
    c("gather", x, i32([1, 2]), **points)
    window = dict(offsetDims=[1, 2], collapsedSliceDims=[], startIndexMap=[0, 1], sliceSizes=[2, 3])
    c("gather", x, i32([[0, 0], [2, 2], [3, 3]]), **window, mode="clip")
    c("gather", x, i32([[0, 0], [2, 2], [3, 3]]), **window, mode="fill")
    c("gather", x, i32([[1, 2], [4, 0]]), offsetDims=[0, 2], collapsedSliceDims=[], startIndexMap=[1, 0], sliceSizes=[2, 1],
      mode="clip")
    b = draw(10, (2, 4, 3))
    c("gather", b, i32([[[1], [3]], [[0], [7]]]), offsetDims=[2], collapsedSliceDims=[1], startIndexMap=[1],
      operandBatchingDims=[0], startIndicesBatchingDims=[0], sliceSizes=[1, 1, 3], mode="clip")
    c("gather", b, i32([[[1], [3]], [[0], [7]]]), offsetDims=[2], collapsedSliceDims=[1], startIndexMap=[1],
      operandBatchingDims=[0], startIndicesBatchingDims=[0], sliceSizes=[1, 1, 3], mode="fill")
    c("gather", x, arr("int32", []).reshape(0, 1), **rows)
    c("gather", arr("uint32", [1, 2]), i32([[5], [1]]), offsetDims=[], collapsedSliceDims=[0], startIndexMap=[0], sliceSizes=[1],
      mode="fill")
    c("gather", arr("bool", [False, True]), i32([[5], [1]]), offsetDims=[], collapsedSliceDims=[0], startIndexMap=[0],
      sliceSizes=[1], mode="fill")
    c("indexTake", x, [i32([0, 3])], [0])
    c("indexTake", x, [i32([0, 3]), i32([1, 4])], [0, 1])


def _scatter(c):
    x = draw(11, (4, 3))
    rows = dict(updateWindowDims=[1], insertedWindowDims=[0], scatterDimsToOperandDims=[0])
    for fn in ("scatter", "scatterAdd", "scatterMul", "scatterMin", "scatterMax"):
        c(fn, x, i32([[2], [0]]), draw(12, (2, 3)), **rows)
        c(fn, x, i32([[9], [-1], [1]]), draw(13, (3, 3)), **rows)  # out of range: dropped by default
        c(fn, x, i32([[9], [-1], [1]]), draw(13, (3, 3)), **rows, mode="clip")
        c(fn, i32([1, 2, 3]), i32([[1]]), i32([5]), updateWindowDims=[], insertedWindowDims=[0], scatterDimsToOperandDims=[0])
    point = dict(updateWindowDims=[], insertedWindowDims=[0], scatterDimsToOperandDims=[0])
    c("scatterAdd", f32([1, 2, 3]), i32([[1], [1], [1], [0]]), f32([10, 20, 30, 40]), **point)  # repeated: accumulate
    c("scatterAdd", i32([1, 2, 3]), i32([[1], [1]]), i32([10, 20]), **point)
    c("scatterAdd", f32([1, 2, 3]), i32([[1], [7]]), f32([10, 20]), **point, mode="drop")
    c("scatterAdd", f32([1, 2, 3]), i32([[1], [2]]), f32([10, 20]), **point, mode="promiseInBounds")
    c("scatterAdd", draw(14, (4, 5)), i32([[0, 0], [2, 3], [1, 1]]), draw(15, (3, 2, 2)), updateWindowDims=[1, 2],
      insertedWindowDims=[], scatterDimsToOperandDims=[0, 1])
    c("scatterAdd", draw(14, (4, 5)), i32([[0, 0], [3, 3], [1, 4]]), draw(15, (3, 2, 2)), updateWindowDims=[1, 2],
      insertedWindowDims=[], scatterDimsToOperandDims=[0, 1])  # a window that sticks out is dropped whole
    c("scatterAdd", draw(14, (4, 5)), i32([[0, 0], [3, 3], [1, 4]]), draw(15, (3, 2, 2)), updateWindowDims=[1, 2],
      insertedWindowDims=[], scatterDimsToOperandDims=[0, 1], mode="clip")
    c("scatterAdd", draw(16, (2, 4)), i32([[[1], [3]], [[0], [0]]]), draw(17, (2, 2)), updateWindowDims=[],
      insertedWindowDims=[1], scatterDimsToOperandDims=[1], operandBatchingDims=[0], scatterIndicesBatchingDims=[0])
    c("scatter", draw(16, (2, 4)), i32([[0, 1], [1, 3]]), f32([7, 8]), updateWindowDims=[], insertedWindowDims=[0, 1],
      scatterDimsToOperandDims=[0, 1])
    c("scatter", draw(16, (2, 4)), i32([1]), f32([7, 8]), updateWindowDims=[0], insertedWindowDims=[1],
      scatterDimsToOperandDims=[1])
    c("scatterAdd", draw(16, (2, 4), "float64"), i32([[1], [1]]), draw(17, (2, 4), "float64"), updateWindowDims=[1],
      insertedWindowDims=[0], scatterDimsToOperandDims=[0])
    c("scatterAdd", x, arr("int32", []).reshape(0, 1), arr("float32", []).reshape(0, 3), **rows)


def _reductions(c):
    x = draw(18, (2, 3, 4))
    for fn in ("reduceSum", "reduceProd", "reduceMax", "reduceMin"):
        c(fn, x, [1])
        c(fn, x, [0, 2])
        c(fn, x, [])
        empty_extremum = {"_throws": EMPTY_EXTREMUM} if fn in ("reduceMax", "reduceMin") else {}
        c(fn, arr("float32", []).reshape(0, 3), [0], **empty_extremum)
        c(fn, f32([1, NAN, INF]), [0])
        c(fn, draw(18, (2, 3), "float64"), [0])
        c(fn, draw(18, (2, 3), "int32", -9, 9), [1])
        c(fn, arr("uint8", [200, 100]), [0])
    for fn in ("reduceMax", "reduceMin"):
        c(fn, arr("int32", []), [0], _throws=EMPTY_EXTREMUM)
        c(fn, arr("float32", []).reshape(0, 3), [1])  # no columns are reduced, and no result is made
    for fn in ("reduceAnd", "reduceOr", "reduceXor"):
        c(fn, draw(19, (3, 4), "bool"), [0])
        c(fn, draw(19, (3, 4), "int32", 0, 99), [1])
        c(fn, arr("bool", []), [0])
        c(fn, arr("uint32", [4294967295, 12]), [0])
        c(fn, arr("int32", []), [0])
    for fn in ("argmax", "argmin"):
        c(fn, x, 1)
        c(fn, x, 2, "uint32")
        c(fn, f32([1, 3, 3, 1, 1]), 0)
        c(fn, f32([[1, NAN, NAN], [INF, -INF, 0]]), 1)
        c(fn, i32([3, -1, 3, -1]), 0)
    for fn in ("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"):
        more = {"_atol": 1e-6} if fn in ("cumlogsumexp", "cumsum") else {}
        c(fn, x, axis=1, **more)
        c(fn, x, axis=2, reverse=True, **more)
        c(fn, f32([1, NAN, 3]))
        c(fn, draw(20, (3,), "float64"), _rtol=1e-12 if fn == "cumlogsumexp" else None)
        c(fn, arr("float32", []))
        if fn != "cumlogsumexp":
            c(fn, draw(20, (2, 3), "int32", -9, 9), axis=1)
    c("cumlogsumexp", f32([-INF, -INF, 0, 100, -100]))
    c("cumsum", f32([1, 2, 3]), reverse=True)


def _order(c):
    x = draw(21, (2, 5))
    c("sort", x)
    c("sort", x, dimension=0)
    c("sort", f32([3, NAN, -INF, INF, 0.0, -0.0]))
    keys, values = i32([3, 1, 3, 2, 1, 3]), i32([0, 1, 2, 3, 4, 5])
    c("sort", [keys, values], numKeys=1)
    c("sort", [keys, i32([9, 1, 2, 3, 0, 2]), values], numKeys=2)
    c("sort", [f32([[3, 1], [2, 5]]), i32([[0, 1], [2, 3]])], dimension=0, numKeys=1)
    c("sort", [f32([1, NAN, 1, -INF]), values[:4]], dimension=0, isStable=True, numKeys=1)
    c("sort", arr("bool", [True, False, True]))
    c("sort", arr("uint32", [4294967295, 0, 5]))
    c("sortKeyVal", keys, values)
    c("sortKeyVal", f32([[3, 1, 2], [0, -1, 5]]), i32([[1, 2, 3], [4, 5, 6]]), dimension=1)
    c("topK", f32([3, 1, 4, 1, 5]), 2)
    c("topK", f32([[3, 1, 3], [2, 7, 7]]), 2)
    c("topK", f32([1, NAN, 2, INF]), 3)
    c("topK", i32([3, -1, 3, 2]), 4)
    c("topK", f32([1, 2]), 0)
