"""From a case, written in fluxion's names and calling conventions, to the JAX call that answers it.

The rule: camelCase becomes snake_case for function and option names, positional arguments stay positional. Everything that
deviates from the rule is in ADAPTERS or RENAMED, so that these two tables are the whole difference of the two interfaces.
"""

import re

import jax
import jax.numpy as jnp
import jax.scipy.special as jsp
import numpy as np
from jax import lax, nn, random

from . import compositions

NAMESPACES = {"numpy": jnp, "lax": lax, "nn": nn, "random": random, "special": jsp, "compositions": compositions}

# fluxion name -> JAX name, where changing the case is not enough.
RENAMED = {
    ("numpy", "atleast1d"): "atleast_1d",
    ("numpy", "atleast2d"): "atleast_2d",
    ("numpy", "atleast3d"): "atleast_3d",
    ("special", "lgamma"): "gammaln",
    ("random", "key"): "PRNGKey",  # fluxion's keys are the raw uint32[2] words
}

# Functions that read a nested list as an array.
NESTED_LISTS = {("numpy", "array"), ("numpy", "asarray")}


def snake(name):
    return re.sub(r"(?<!^)([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def lift(v):
    """NumPy arrays become JAX arrays (strongly typed); everything else stays what it is."""
    if isinstance(v, (np.ndarray, np.generic)):
        return jnp.asarray(v)
    if isinstance(v, list):
        return [lift(u) for u in v]
    if isinstance(v, dict):
        return {k: lift(u) for k, u in v.items()}
    return v


def _modes(o):
    mode = o.get("mode")
    return {"mode": None if mode is None else snake(mode)}


def _gather(x, idx, o):
    dn = lax.GatherDimensionNumbers(tuple(o["offsetDims"]), tuple(o["collapsedSliceDims"]), tuple(o["startIndexMap"]),
                                    tuple(o.get("operandBatchingDims", ())), tuple(o.get("startIndicesBatchingDims", ())))
    return lax.gather(x, idx, dn, tuple(o["sliceSizes"]), fill_value=o.get("fillValue"), **_modes(o))


def _scatter(f):
    def call(x, idx, upd, o):
        dn = lax.ScatterDimensionNumbers(
            tuple(o["updateWindowDims"]), tuple(o["insertedWindowDims"]), tuple(o["scatterDimsToOperandDims"]),
            tuple(o.get("operandBatchingDims", ())), tuple(o.get("scatterIndicesBatchingDims", ())))
        return f(x, idx, upd, dn, **_modes(o))
    return call


def _dot_general(x, y, o):
    return lax.dot_general(x, y, (o["contracting"], o.get("batch", ((), ()))),
                           preferred_element_type=o.get("preferredElementType"))


def _conv(x, w, o):
    o = dict(o)
    strides = o.pop("windowStrides")
    padding = o.pop("padding")
    if "dimensionNumbers" in o:
        o["dimensionNumbers"] = tuple(o["dimensionNumbers"])
    return lax.conv_general_dilated(x, w, strides, padding, **{snake(k): v for k, v in o.items()})


def _round(x, o):
    method = {"awayFromZero": 0, "toNearestEven": 1}[o["roundingMethod"]]
    return lax.round(x, lax.RoundingMethod(method))


def _sort(xs, o):
    return lax.sort(tuple(xs) if isinstance(xs, list) else xs, **{snake(k): v for k, v in o.items()})


def _pad(x, widths, o):
    mode = o.pop("mode", "constant")
    return jnp.pad(x, widths, {"linearRamp": "linear_ramp"}.get(mode, mode), **_options(o))


def _lists(v):
    """Nested blocks stay lists, which jnp.block tells from arrays."""
    return [_lists(u) for u in v] if isinstance(v, (list, tuple)) else v


def _not_in_place(f):
    """NumPy changes the array; JAX gives a new one if told so, and fluxion always."""
    return lambda *a: f(*a[:-1], inplace=False, **_options(a[-1]))


# (lib, fn) -> call(*args, options); for everything whose arguments do not map one to one.
ADAPTERS = {
    ("lax", "gather"): _gather,
    ("lax", "scatter"): _scatter(lax.scatter),
    ("lax", "scatterAdd"): _scatter(lax.scatter_add),
    ("lax", "scatterMul"): _scatter(lax.scatter_mul),
    ("lax", "scatterMin"): _scatter(lax.scatter_min),
    ("lax", "scatterMax"): _scatter(lax.scatter_max),
    ("lax", "dotGeneral"): _dot_general,
    ("lax", "convGeneralDilated"): _conv,
    ("lax", "round"): lambda x, o: _round(x, o) if o else lax.round(x),
    ("lax", "sort"): _sort,
    # lax.argmax of JAX insists on the index dtype; here it is int32 unless given.
    ("lax", "argmax"): lambda x, axis, *r: lax.argmax(x, axis, r[0] if len(r) == 2 else "int32"),
    ("lax", "argmin"): lambda x, axis, *r: lax.argmin(x, axis, r[0] if len(r) == 2 else "int32"),
    ("numpy", "issubdtype"): lambda a, b, o: bool(jnp.issubdtype(*[getattr(jnp, n, n) for n in (a, b)])),
    ("numpy", "block"): lambda x, o: jnp.block(_lists(x)),
    ("numpy", "fillDiagonal"): _not_in_place(jnp.fill_diagonal),
    ("numpy", "place"): _not_in_place(jnp.place),
    ("numpy", "put"): _not_in_place(jnp.put),
    ("numpy", "putAlongAxis"): _not_in_place(jnp.put_along_axis),
    ("numpy", "pad"): lambda x, w, o: _pad(x, w, dict(o)),
    # The probabilities 0 and 1 are integers in JavaScript; JAX insists on a float.
    ("random", "bernoulli"): lambda k, *a: random.bernoulli(k, *[float(p) if isinstance(p, int) else p for p in a[:-1]]),
}


def _static(v):
    """JavaScript has only lists; JAX wants shapes, axes and configurations as (hashable) tuples, but arrays in lists."""
    if isinstance(v, list) and not any(hasattr(u, "dtype") for u in v):
        return tuple(_static(u) for u in v)
    return v


def _options(o):
    return {snake(k): _static(v) for k, v in o.items()}


def resolve(lib, fn):
    target = NAMESPACES[lib]
    for part in RENAMED.get((lib, fn), snake(fn)).split("."):
        target = getattr(target, part)
    return target


def call(lib, fn, args, options):
    """Runs one case in JAX; `args` are already lifted, or tracers of a transformation."""
    adapter = ADAPTERS.get((lib, fn))
    if (lib, fn) not in NESTED_LISTS:
        args = [_static(a) for a in args]
    if adapter:
        return adapter(*args, lift(options))
    return resolve(lib, fn)(*args, **_options(lift(options)))


def wants_x64(v):
    """A case that mentions float64 runs with JAX's x64 mode; all others in the default mode, which is fluxion's."""
    if isinstance(v, (np.ndarray, np.generic)):
        return v.dtype == np.float64
    if isinstance(v, str):
        return v == "float64"
    if isinstance(v, (list, tuple)):
        return any(wants_x64(u) for u in v)
    if isinstance(v, dict):
        return any(wants_x64(u) for u in v.values())
    return False


def upcast(v):
    """The same call with float32 replaced by float64, to learn how accurate JAX's own float32 answer is."""
    if isinstance(v, (np.ndarray, np.generic)):
        return v.astype(np.float64) if v.dtype in (np.float32, np.float16) else v
    if isinstance(v, str):
        return "float64" if v in ("float32", "float16") else v
    if isinstance(v, (list, tuple)):
        return [upcast(u) for u in v]
    if isinstance(v, dict):
        return {k: upcast(u) for k, u in v.items()}
    return v


def with_x64(flag):
    return jax.enable_x64(flag)
