"""Random numbers: bits, integers and uniforms exactly, the rest within a few ulp (threefry, partitionable)."""

import jax
import numpy as np

from .make import Cases, arr, draw, f32

EXACT = {"_rtol": 0, "_atol": 0}


def build():
    assert jax.config.jax_threefry_partitionable
    c = Cases("random")
    seeds = [0, 1, 42, 1701, 2**31 - 1, 2**31, 2**32 - 1, -1, -7]
    for seed in seeds:
        c("key", seed)
    key = lambda seed: np.asarray(jax.random.PRNGKey(seed))
    k0, k42, k7 = key(0), key(42), np.array([0xDEADBEEF, 0x12345678], np.uint32)

    for k in (k0, k42, k7):
        c("split", k)
        c("split", k, 5)
        for data in (0, 1, 4, 12345, 2**31 - 1):
            c("foldIn", k, data)
    c("split", k42, 1)
    c("split", k42, [2, 3])
    c("split", k42, [])
    c("foldIn", k42, arr("uint32", 4294967295))
    c("foldIn", k42, arr("int32", 9))
    _laws()

    for k in (k0, k42, k7):
        for shape in ([], [1], [4], [5], [2, 3], [3, 1, 2], [0], [2, 0]):
            c("bits", k, shape, "uint32")
        for shape in ([], [3], [2, 5]):
            c("bits", k, shape, "uint8")
    c("bits", k42)
    c("bits", k42, [2])
    c("bits", k42, [64], "uint32")

    for k in (k0, k42, k7):
        for shape in ([], [5], [2, 3], [0, 3]):
            c("uniform", k, shape, **EXACT)
            c("normal", k, shape, _rtol=5e-6)
        c("uniform", k, [4], dtype="float64", **EXACT)
        c("uniform", k, [3], dtype="float16", **EXACT)
        c("uniform", k, [6], minval=-1, maxval=1, **EXACT)
        c("uniform", k, [6], minval=2.5, maxval=1000, **EXACT)
        c("normal", k, [2, 4], dtype="float64", _rtol=1e-12)
    c("uniform", k42, [2, 3], minval=f32([-1, 0, 5]), maxval=f32([[1], [10]]), **EXACT)
    c("uniform", k42, **EXACT)
    c("normal", k42, _rtol=5e-6)
    c("normal", k42, [200], _rtol=5e-6)

    for k in (k0, k42, k7):
        c("randint", k, [6], 0, 10)
        c("randint", k, [6], -100, -3)
        c("randint", k, [2, 3], -1000000, 1000000)
        c("randint", k, [6], 0, 256, dtype="int32")
        c("randint", k, [6], -2147483648, 2147483647)
        c("randint", k, [6], 0, 200, dtype="uint8")
        c("randint", k, [6], 0, 256, dtype="uint8")
        c("randint", k, [6], 5, arr("uint32", 4294967295), dtype="uint32")
    c("randint", k42, [], 3, 4)
    c("randint", k42, [4], 5, 5)  # an empty range gives minval
    c("randint", k42, [4], 7, 3)
    c("randint", k42, [0], 0, 10)
    c("randint", k42, [2, 3], arr("int32", [0, 10, 100]), arr("int32", [[5], [1000]]))

    for k in (k0, k42, k7):
        c("bernoulli", k, 0.5, [8])
        c("bernoulli", k, 0.25, [2, 5])
    c("bernoulli", k42)
    c("bernoulli", k42, 0, [4])
    c("bernoulli", k42, 1, [4])
    c("bernoulli", k42, f32([0, 0.25, 0.5, 0.75, 1]))
    c("bernoulli", k42, f32([0.2, 0.8]), [3, 2])

    for k in (k0, k42, k7):
        c("permutation", k, 10)
        c("permutation", k, draw(1, (7,), "float32"))
        c("permutation", k, draw(2, (4, 3), "int32", 0, 50))
        c("permutation", k, draw(2, (3, 5), "int32", 0, 50), axis=1)
        c("permutation", k, draw(2, (3, 5), "int32", 0, 50), axis=1, independent=True)
        c("permutation", k, draw(2, (4, 3), "int32", 0, 50), axis=0, independent=True)
    c("permutation", k42, 1)
    c("permutation", k42, 2)
    c("permutation", k42, 100)
    c("permutation", k42, arr("float32", []))
    c("permutation", k42, draw(3, (5,), "bool"))

    p = f32([0.1, 0.2, 0.3, 0.4])
    for k in (k0, k42, k7):
        c("choice", k, 10, shape=[6])
        c("choice", k, 10, shape=[6], replace=False)
        c("choice", k, f32([1.5, 2.5, 3.5, 4.5]), shape=[2, 3], p=p)
        c("choice", k, 4, shape=[3], replace=False, p=p)
        c("choice", k, draw(4, (4, 3), "int32", 0, 99), shape=[2])
        c("choice", k, draw(4, (4, 3), "int32", 0, 99), shape=[2], replace=False, axis=1)
    c("choice", k42, 5)
    c("choice", k42, f32([1.5, 2.5, 3.5]))
    c("choice", k42, f32([1.5, 2.5, 3.5]), shape=[3], replace=False)

    for k in (k0, k42, k7):
        c("categorical", k, f32([0, 1, -1, 2.5]))
        c("categorical", k, f32([0, 1, -1, 2.5]), shape=[10])
        c("categorical", k, draw(5, (3, 4)))
        c("categorical", k, draw(5, (3, 4)), axis=0)
        c("categorical", k, draw(5, (3, 4)), shape=[2, 3])
    c("categorical", k42, f32([-np.inf, 0, -np.inf]), shape=[5])
    c("categorical", k42, f32([0, 800, -800]), shape=[5])
    return c


def _laws():
    """The two laws that the layout gives; a JAX in which they failed would not be the one these cases mean."""
    r = jax.random
    k = r.PRNGKey(42)
    assert all((r.fold_in(k, i) == r.split(k, 7)[i]).all() for i in range(7))
    assert (r.bits(k, (5,), "uint32") == r.bits(k, (9,), "uint32")[:5]).all()
