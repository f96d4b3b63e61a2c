"""Derivatives of functions that move, select and contract entries."""

from .make import arr, draw, f32, f64, i32

NAN = float("nan")


def build(g):
    _moving(g)
    _selecting(g)
    _products(g)


def _moving(g):
    m = draw(30, (2, 3))
    n = lambda fn, *a, **k: g("grad", "numpy", fn, *a, **k)
    n("reshape", m, [3, 2], ct=draw(31, (3, 2)))
    n("transpose", m, ct=draw(31, (3, 2)))
    n("broadcastTo", f32([[1], [2]]), [3, 2, 4], ct=draw(32, (3, 2, 4)))
    n("broadcastTo", f32([5]), [4], ct=f32([1, 2, 3, 4]))
    n("squeeze", f32([[1, 2]]), axis=0, ct=f32([1, 2]))
    n("expandDims", m, 1, ct=draw(31, (2, 1, 3)))
    n("flip", m, axis=1, ct=draw(31, (2, 3)))
    n("roll", m, 2, axis=1, ct=draw(31, (2, 3)))
    n("tile", f32([1, 2]), [2, 2], ct=draw(31, (2, 4)))
    n("repeat", f32([1, 2, 3]), i32([0, 2, 1]), totalRepeatLength=3, ct=f32([1, 2, 4]))
    n("concatenate", [m, draw(33, (1, 3))], wrt=[[0, 0], [0, 1]], ct=draw(34, (3, 3)))
    n("stack", [m, draw(33, (2, 3))], axis=-1, wrt=[[0, 0], [0, 1]], ct=draw(34, (2, 3, 2)))
    n("split", f32([1, 2, 3, 4]), [1, 3], ct=[f32([1]), f32([2, 3]), f32([4])])
    n("pad", m, [[1, 0], [0, 2]], ct=draw(35, (3, 5)))
    n("pad", f32([1, 2, 3]), 2, mode="reflect", ct=f32([1, 2, 3, 4, 5, 6, 7]))
    n("pad", f32([1, 2, 3]), [1, 2], mode="edge", ct=f32([1, 2, 3, 4, 5, 6]))
    for fn in ("tril", "triu"):
        n(fn, draw(36, (3, 3)), k=1, ct=draw(37, (3, 3)))
    n("diag", f32([1, 2]), k=1, ct=draw(37, (3, 3)))
    n("diag", draw(36, (3, 3)), ct=f32([1, 2, 3]))
    n("trace", draw(36, (3, 3)), ct=f32(2))
    n("meshgrid", f32([1, 2]), f32([3, 4, 5]), wrt=[0, 1], ct=[draw(38, (3, 2)), draw(39, (3, 2))])
    n("astype", f32([1, 2]), "float64", ct=f64([0.1, 0.2]))
    n("zerosLike", f32([1, 2]), ct=f32([1, 2]))
    n("linspace", f32(1), f32(2), 4, wrt=[0, 1], ct=f32([1, 2, 3, 4]))
    n("full", [2, 2], f32(3), wrt=[1], ct=f32([[1, 2], [3, 4]]))
    l = lambda fn, *a, **k: g("grad", "lax", fn, *a, **k)
    for config in ([[1, 2, 0], [0, 1, 1]], [[-1, 0, 1], [2, -1, 0]], [[-1, 3, 2], [0, 0, 0]]):
        shape = tuple(lo + hi + (s + (s - 1) * i if s else 0) for (lo, hi, i), s in zip(config, (2, 3)))
        l("pad", m, f32(9), config, wrt=[0, 1], ct=draw(40, shape), _atol=1e-6)
    l("slice", draw(41, (4, 5)), [0, 1], [4, 5], [2, 3], ct=draw(42, (2, 2)))
    l("rev", m, [0, 1], ct=draw(42, (2, 3)))
    l("broadcastInDim", f32([1, 2]), [2, 3], [0], ct=draw(42, (2, 3)))
    l("concatenate", [f32([1]), arr("float32", []), f32([2, 3])], 0, wrt=[[0, 0], [0, 1], [0, 2]], ct=f32([1, 2, 3]))
    for starts in ([1, 2], [3, 9], [-1, 0]):
        l("dynamicSlice", draw(41, (4, 5)), i32(starts), [2, 3], ct=draw(42, (2, 3)))
        l("dynamicUpdateSlice", draw(41, (4, 5)), draw(43, (2, 3)), i32(starts), wrt=[0, 1], ct=draw(44, (4, 5)))
    l("reducePrecision", f32([1.2345, -7.1]), exponentBits=8, mantissaBits=7, ct=f32([1, 2]))
    l("stopGradient", f32([1, 2]), ct=f32([1, 2]))


def _selecting(g):
    n = lambda fn, *a, **k: g("grad", "numpy", fn, *a, **k)
    n("where", arr("bool", [[True], [False]]), f32([1, 2, 3]), f32(0), wrt=[1, 2], ct=draw(50, (2, 3)))
    n("where", arr("bool", [True, False]), f32([1, NAN]), f32([NAN, 2]), wrt=[1, 2], ct=f32([1, 1]))
    g("grad", "lax", "select", arr("bool", [True, False]), f32([1, 2]), f32([3, 4]), wrt=[1, 2], ct=f32([5, 6]))
    g("grad", "lax", "selectN", i32([0, 2, 1]), f32([1, 2, 3]), f32([4, 5, 6]), f32([7, 8, 9]), wrt=[1, 2, 3], ct=f32([5, 6, 7]))
    # the permutation of the stable sort carries the cotangents; equal entries keep their order
    n("sort", f32([3, 1, 3, 2, 1]), ct=f32([1, 2, 3, 4, 5]))
    n("sort", f32([3, 1, 3, 2]), descending=True, ct=f32([1, 2, 3, 4]))
    n("sort", f32([[3, 1], [1, 2]]), axis=0, ct=f32([[1, 2], [3, 4]]))
    g("jvp", "numpy", "sort", f32([3, NAN, 1]), v=[f32([1, 2, 3])])
    g("grad", "lax", "sort", [f32([3, 1, 3, 2]), f32([1, 2, 3, 4])], numKeys=1, wrt=[[0, 0], [0, 1]],
      ct=[f32([1, 2, 3, 4]), f32([5, 6, 7, 8])])
    g("grad", "lax", "sort", [i32([3, 1, 2]), f32([1, 2, 3])], numKeys=1, pick=1, wrt=[[0, 1]], ct=f32([1, 2, 3]))
    g("grad", "lax", "topK", f32([3, 1, 4, 1, 4]), 3, pick=0, ct=f32([1, 2, 3]))
    g("jvp", "lax", "topK", f32([[3, 1, 4], [0, 5, 2]]), 2, pick=0, v=[draw(51, (2, 3))])
    n("take", f32([1, 2, 3]), i32([2, 0, 2, -1]), ct=f32([1, 2, 4, 8]))
    n("take", f32([1, 2, 3]), i32([5, 0]), ct=f32([1, 2]))
    n("take", draw(52, (3, 4)), i32([1, 1]), axis=1, ct=draw(53, (3, 2)))
    n("takeAlongAxis", draw(52, (3, 4)), i32([[0, 0], [3, 1], [1, 2]]), 1, ct=draw(53, (3, 2)))
    rows = dict(offsetDims=[1], collapsedSliceDims=[0], startIndexMap=[0], sliceSizes=[1, 3])
    x = draw(54, (4, 3))
    for mode in ("clip", "fill"):
        g("grad", "lax", "gather", x, i32([[2], [9], [2], [-1]]), **rows, mode=mode, ct=draw(55, (4, 3)), _atol=1e-6)
        g("jvp", "lax", "gather", x, i32([[2], [9], [2], [-1]]), **rows, mode=mode, v=[draw(56, (4, 3))])
    g("grad", "lax", "gather", draw(57, (2, 4)), i32([[[1], [3]], [[0], [0]]]), offsetDims=[], collapsedSliceDims=[1],
      startIndexMap=[1], operandBatchingDims=[0], startIndicesBatchingDims=[0], sliceSizes=[1, 1], ct=f32([[1, 2], [3, 4]]))
    put = dict(updateWindowDims=[1], insertedWindowDims=[0], scatterDimsToOperandDims=[0])
    for mode in ("clip", "drop"):
        g("grad", "lax", "scatterAdd", x, i32([[2], [9], [2]]), draw(58, (3, 3)), **put, mode=mode, wrt=[0, 2], ct=draw(59, (4, 3)))
    g("grad", "lax", "scatter", x, i32([[2], [0]]), draw(58, (2, 3)), **put, wrt=[0, 2], ct=draw(59, (4, 3)))
    g("grad", "lax", "scatter", x, i32([[2], [9]]), draw(58, (2, 3)), **put, wrt=[0, 2], ct=draw(59, (4, 3)))
    g("jvp", "lax", "scatter", x, i32([[2], [0]]), draw(58, (2, 3)), **put, wrt=[0, 2], v=[draw(60, (4, 3)), draw(61, (2, 3))])


def _products(g):
    a, b = draw(70, (2, 3)), draw(71, (3, 4))
    both = [0, 1]
    for fn in ("matmul", "dot"):
        g("grad", "numpy", fn, a, b, wrt=both, ct=draw(72, (2, 4)), _atol=1e-6)
    g("grad", "numpy", "matmul", draw(73, (2, 1, 2, 3)), draw(74, (3, 3, 2)), wrt=both, ct=draw(75, (2, 3, 2, 2)), _atol=2e-6)
    g("grad", "numpy", "matmul", draw(76, (3,)), b, wrt=both, ct=draw(77, (4,)), _atol=1e-6)
    g("jvp", "numpy", "matmul", a, b, wrt=both, v=[draw(78, (2, 3)), draw(79, (3, 4))], _atol=2e-6)
    g("hvp", "numpy", "matmul", draw(70, (2, 2), "float64"), draw(71, (2, 2), "float64"), wrt=both, ct=f64([[1, 2], [3, 4]]),
      v=[f64([[1, 0], [2, 1]]), f64([[0, 1], [1, 1]])], _atol=1e-14)
    for s, shapes, out in (("ij,jk->ik", ((2, 3), (3, 4)), (2, 4)), ("bij,bjk->ik", ((2, 2, 3), (2, 3, 2)), (2, 2)),
                           ("i,j->ij", ((2,), (3,)), (2, 3)), ("ij,ij->", ((2, 3), (2, 3)), ()), ("ii,i->i", ((3, 3), (3,)), (3,))):
        g("grad", "numpy", "einsum", s, draw(80, shapes[0]), draw(81, shapes[1]), wrt=[1, 2], ct=draw(82, out), _atol=2e-6)
    g("grad", "numpy", "einsum", "ii->i", draw(83, (3, 3)), wrt=[1], ct=f32([1, 2, 3]))
    for fn in ("inner", "outer", "vdot"):
        g("grad", "numpy", fn, f32([1, 2]), f32([3, 4]), wrt=both, ct=f32([[1, 2], [3, 4]]) if fn == "outer" else f32(2))
    g("grad", "numpy", "tensordot", draw(84, (2, 3, 4)), draw(85, (4, 3, 2)), axes=[[1, 2], [1, 0]], wrt=both, ct=draw(86, (2, 2)),
      _atol=2e-6)
    for contracting, batch, s1, s2, out in (([[1], [0]], [[], []], (2, 3), (3, 4), (2, 4)), ([[2], [1]], [[0], [0]], (2, 3, 4), (2, 4, 2), (2, 3, 2)),
                                            ([[0], [2]], [[2], [0]], (3, 2, 4), (4, 2, 3), (4, 2, 2)), ([[], []], [[], []], (2,), (3,), (2, 3))):
        g("grad", "lax", "dotGeneral", draw(87, s1), draw(88, s2), contracting=contracting, batch=batch, wrt=both,
          ct=draw(89, out), _atol=2e-6)
    g("grad", "lax", "dotGeneral", arr("float32", []).reshape(2, 0), arr("float32", []).reshape(0, 3), contracting=[[1], [0]],
      wrt=both, ct=draw(89, (2, 3)))

    def conv(x, w, strides, padding, out, **k):
        g("grad", "lax", "convGeneralDilated", draw(90, x), draw(91, w), windowStrides=strides, padding=padding, wrt=both,
          ct=draw(92, out), _atol=5e-6, **k)

    conv((2, 2, 6), (3, 2, 3), [1], [[0, 0]], (2, 3, 4))
    conv((2, 2, 6), (3, 2, 3), [2], [[1, 2]], (2, 3, 4))
    conv((2, 2, 6), (3, 2, 3), [2], [[-1, 2]], (2, 3, 3))
    conv((1, 2, 5), (3, 2, 3), [1], [[2, 2]], (1, 3, 11), lhsDilation=[2])
    conv((1, 2, 6), (3, 2, 2), [1], [[1, 0]], (1, 3, 5), rhsDilation=[2])
    conv((1, 2, 5), (3, 2, 2), [3], [[2, 1]], (1, 3, 4), lhsDilation=[2], rhsDilation=[2])
    conv((1, 4, 5), (4, 2, 3), [1], [[1, 1]], (1, 4, 5), featureGroupCount=2)
    conv((1, 3, 5), (3, 1, 3), [2], [[1, 1]], (1, 3, 3), featureGroupCount=3)
    conv((4, 2, 5), (4, 2, 3), [1], [[1, 1]], (2, 4, 5), batchGroupCount=2)
    conv((1, 2, 4, 5), (3, 2, 3, 2), [1, 2], "SAME", (1, 3, 4, 3))
    conv((1, 4, 5, 2), (3, 2, 2, 3), [1, 1], "VALID", (1, 2, 4, 3), dimensionNumbers=["NHWC", "HWIO", "NHWC"])
    conv((1, 1, 3, 3, 3), (2, 1, 2, 2, 2), [1, 1, 1], "VALID", (1, 2, 2, 2, 2))
    g("jvp", "lax", "convGeneralDilated", draw(90, (1, 2, 5)), draw(91, (3, 2, 3)), windowStrides=[2], padding="SAME", wrt=both,
      v=[draw(93, (1, 2, 5)), draw(94, (3, 2, 3))], _atol=5e-6)
    g("hvp", "lax", "convGeneralDilated", draw(90, (1, 1, 4), "float64"), draw(91, (2, 1, 2), "float64"), windowStrides=[1],
      padding=[[1, 0]], wrt=both, ct=draw(92, (1, 2, 4), "float64"), v=[draw(93, (1, 1, 4), "float64"), draw(94, (2, 1, 2), "float64")],
      _atol=1e-14)
