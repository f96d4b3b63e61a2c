"""How values are written into the JSON files (the reader is test/golden/load.ts).

    array    {"$": dtype, "shape": [...], "data": [flat, row-major]}; bool data as 0/1; "weak" only where the case checks it
    number   a plain JSON number; inf, -inf and nan as {"$num": "inf"}
    others   strings, booleans, null, lists and option objects as they are

Floating-point entries are the shortest decimals that round-trip for their dtype (float16: as float64); "nan", "inf", "-inf" and "-0" are strings.
"""

import json
import math

import jax
import numpy as np

FLOATS = ("float16", "float32", "float64")

# fluxion has no 64-bit integers; where JAX, running with x64 for a float64 case, answers with one, the golden value has the
# 32-bit dtype (SEMANTICS: i32 + u32 is i32) and the case carries this note.
NO_INT64 = {"int64": "int32", "uint64": "uint32"}
INT64_NOTE = "JAX with x64 gives a 64-bit integer here; fluxion has none and uses the 32-bit dtype"


def _float_entry(v, dtype):
    if math.isnan(v):
        return "nan"
    if math.isinf(v):
        return "inf" if v > 0 else "-inf"
    if v == 0 and math.copysign(1, v) < 0:
        return "-0"
    if dtype == np.float16:  # no reader rounds to half precision, so its decimals are exact
        dtype, v = np.dtype(np.float64), np.float64(v)
    text = np.format_float_positional(v, unique=True, trim="-") if 1e-4 <= abs(float(v)) < 1e9 or v == 0 \
        else np.format_float_scientific(v, unique=True, trim="-", exp_digits=1)
    # JavaScript parses the decimal as a double and rounds to the dtype; the shortest decimal must survive that.
    parsed = float(text)
    assert dtype.type(parsed) == v, (text, v)
    return int(parsed) if parsed.is_integer() and abs(parsed) < 2**53 else parsed


def encode_array(x, notes, weak=None):
    if hasattr(x, "dtype") and x.dtype == jax.dtypes.float0:
        return {"$": "float0", "shape": list(x.shape), "data": []}
    a = np.asarray(x)
    name = str(a.dtype)
    if name in NO_INT64:
        notes.add(INT64_NOTE)
        name = NO_INT64[name]
        assert (a == a.astype(name)).all(), "a 64-bit result that does not fit 32 bits"
    flat = a.reshape(-1)
    if name in FLOATS:
        data = [_float_entry(v, flat.dtype) for v in flat]
    else:
        data = [int(v) for v in flat]
    out = {"$": name, "shape": list(a.shape), "data": data}
    if weak is not None:
        out["weak"] = bool(weak)
    return out


def encode(v, notes, weak=False):
    """Encodes any argument, option or result. `weak` asks for the weak type of every array."""
    if v is None or isinstance(v, (str, bool)):
        return v
    if isinstance(v, (list, tuple)):
        return [encode(u, notes, weak) for u in v]
    if isinstance(v, dict):
        return {k: encode(u, notes, weak) for k, u in v.items()}
    if isinstance(v, (int, float)) and not isinstance(v, np.generic):
        if isinstance(v, float) and not math.isfinite(v):
            return {"$num": "nan" if math.isnan(v) else ("inf" if v > 0 else "-inf")}
        return v
    if isinstance(v, np.dtype):
        return str(v)
    if isinstance(v, type) and issubclass(v, np.generic):
        return str(np.dtype(v))
    return encode_array(v, notes, getattr(v, "weak_type", False) if weak else None)


def check_numbers(v):
    """A JavaScript number does not tell 2.0 from 2, so an integral Python float would mean something else there."""
    if isinstance(v, float) and not isinstance(v, np.generic):
        assert not v.is_integer(), f"write {v} as an integer"
    elif isinstance(v, (list, tuple)):
        for u in v:
            check_numbers(u)
    elif isinstance(v, dict):
        for u in v.values():
            check_numbers(u)


def dump(path, header, cases):
    """Writes one case a line, so that a diff of two generations shows the cases that changed."""
    lines = ",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in cases)
    head = json.dumps(header, separators=(",", ":"))[1:-1]
    with open(path, "w") as f:
        f.write("{" + head + ',"cases":[\n' + lines + "\n]}\n")
