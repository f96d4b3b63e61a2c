"""Collects cases: runs each through JAX, encodes it, and checks how far JAX's own float32 answer can be trusted."""

import jax
import jax.numpy as jnp
import numpy as np

from . import calls, codec

# Relative tolerance by result dtype when a case says nothing; the same table is in load.ts.
RTOL = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-13}
# Absolute: the smallest normal number, because XLA flushes subnormal results to zero.
ATOL = {"float16": 6.2e-5, "float32": 1.2e-38, "float64": 2.3e-308}

# Sums of several rounded terms, in an order that the implementation may choose.
ACCUMULATING = set("""sum mean var std prod cumsum cumprod dot matmul inner vdot vecdot tensordot einsum trace linalg.norm outer
    reduceSum reduceProd dotGeneral convGeneralDilated cumlogsumexp scatterAdd scatterMul softmax logSoftmax logsumexp standardize
    logmeanexp mlp normalise""".split())


def arr(dtype, values):
    return np.array(values, dtype=np.dtype(dtype))


def f32(values):
    return arr("float32", values)


def f64(values):
    return arr("float64", values)


def i32(values):
    return arr("int32", values)


def draw(seed, shape, dtype="float32", lo=-2, hi=2):
    """Reproducible operands; floats are rounded to three decimals so that the files stay small."""
    r = np.random.RandomState(seed)
    if dtype == "bool":
        return r.randint(0, 2, shape).astype(bool)
    if dtype in codec.FLOATS:
        return np.round(r.uniform(lo, hi, shape), 3).astype(dtype)
    return r.randint(int(lo), int(hi) + 1, shape).astype(dtype)


def leaves(v):
    if isinstance(v, (list, tuple)):
        return [u for w in v for u in leaves(w)]
    return [v] if hasattr(v, "dtype") and hasattr(v, "shape") else []


class Cases:
    def __init__(self, lib):
        self.lib, self.cases, self.inexact = lib, [], []

    def __call__(self, fn, *args, _lib=None, _rtol=None, _atol=None, _why=None, _z=False, _weak=False, _throws=None,
                 _differs=None, **options):
        """Adds one case. Options are written as fluxion's; names with an underscore describe the comparison:
        `_z` distinguishes -0 from 0, `_weak` compares weak types, `_why` justifies a wide tolerance in a line, and `_throws`
        says why fluxion refuses a call that JAX answers (JAX is not asked then). `_differs` is a dtype that fluxion gives on
        purpose instead of JAX's, and why; the values are still JAX's."""
        lib = _lib or self.lib
        if _throws:
            notes = set()
            case = {"lib": lib, "fn": fn, "args": codec.encode(list(args), notes)}
            if options:
                case["options"] = codec.encode(options, notes)
            self.cases.append({**case, "throws": True, "note": _throws})
            return
        run = lambda a, o: calls.call(lib, fn, calls.lift(a), o)
        self._add(lib, fn, list(args), options, {}, run, _rtol, _atol, _why, _z, _weak)
        if _differs:
            case = self.cases[-1]
            dtype, reason = _differs
            assert case["out"]["$"] != dtype, f"{lib}.{fn}: JAX gives {dtype} too"
            case["out"]["$"], case["note"] = dtype, reason

    def _add(self, lib, fn, args, options, extra, run, rtol, atol, why, z=False, weak=False):
        codec.check_numbers([args, options])
        x64 = calls.wants_x64([args, options, extra])
        with calls.with_x64(x64):
            try:
                out = run(args, options)
            except Exception as e:
                raise RuntimeError(f"JAX refuses {lib}.{fn}{args} {options} {extra}") from e
        if rtol is None and fn in ACCUMULATING and not x64:
            rtol = 1e-5
        if rtol is not None and rtol > 1e-5:
            assert why, f"{lib}.{fn}: a tolerance of {rtol} needs a reason"
        notes = set()
        case = {"lib": lib, "fn": fn, "args": codec.encode(args, notes)}
        if options:
            case["options"] = codec.encode(options, notes)
        case.update({k: codec.encode(v, notes) for k, v in extra.items()})
        case["out"] = codec.encode(out, notes, weak=weak)
        for key, value in (("rtol", rtol), ("atol", atol), ("why", why)):
            if value is not None:
                case[key] = value
        if z:
            case["signedZero"] = True
        if notes:
            case["note"] = "; ".join(sorted(notes))
        self.cases.append(case)
        if not x64:
            self._check_accuracy(case, args, options, run, out, rtol, atol)

    def _check_accuracy(self, case, args, options, run, out, rtol, atol):
        """Compares JAX's float32 with JAX's float64 on the same operands; an answer off by more than half the tolerance
        may not become a golden value unless the case widens the tolerance and says why."""
        floats = [o for o in leaves(out) if str(o.dtype) in ("float32", "float16")]
        if case["lib"] == "random":  # draws of another width are other draws, not better ones
            return
        if not floats or not any(str(a.dtype) in ("float32", "float16") for a in leaves([args, list(options.values())])):
            return
        with calls.with_x64(True):
            try:
                exact = run(calls.upcast(args), calls.upcast(options))
            except TypeError as e:  # functions that look at the bits of a dtype
                if case["fn"] in ("bitcastConvertType",):
                    return
                raise e
        for o, e in zip(leaves(out), leaves(exact)):
            name = str(o.dtype)
            if name not in ("float32", "float16"):
                continue
            a, b = np.asarray(o, dtype=np.float64), np.asarray(e, dtype=np.float64)
            limit = np.finfo(name).max
            b = np.where(np.abs(b) > limit, np.copysign(np.inf, b), b)
            r = RTOL[name] if rtol is None else rtol
            t = ATOL[name] if atol is None else atol
            with np.errstate(invalid="ignore"):
                bad = ~((a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= 0.5 * (t + r * np.abs(b)) + t))
            if bad.any():
                worst = [(float(p), float(q)) for p, q in zip(np.broadcast_to(a, bad.shape)[bad], b[bad])][:4]
                self.inexact.append((case["fn"], str(case["args"])[:160], case.get("options"), worst))


class GradCases(Cases):
    """Derivatives of single calls, with the direction or cotangent given."""

    def __call__(self, kind, lib, fn, *args, wrt=(0,), ct=None, v=None, w=None, pick=None, order=None,
                 _rtol=None, _atol=None, _why=None, **options):
        """`kind` is one of
        grad    vjp at args with cotangent `ct`; the result lists one gradient for each entry of `wrt`
        jvp     tangent of the output for the tangents `v` (one for each entry of `wrt`)
        grad2   reverse over reverse: gradient of x -> <vjp(x, ct), v>
        hvp     forward over reverse: directional derivative along `v` of x -> vjp(x, ct)
        jvp2    forward over forward: along `v`, then along `w`
        nth     d^order/dx^order of a scalar function by nested grad
        jacfwd, jacrev   the whole Jacobian
        `wrt` entries are argument positions, or [position, element] inside a list argument; `pick` selects one of several outputs."""
        args = list(args)

        def run(a, o):
            a = calls.lift(a)
            cast = (lambda t, x: jnp.asarray(t, x.dtype))
            get = lambda p: a[p[0]][p[1]] if isinstance(p, list) else a[p]

            def f(*xs):
                b = [list(u) if isinstance(u, list) else u for u in a]
                for p, x in zip(wrt, xs):
                    if isinstance(p, list):
                        b[p[0]][p[1]] = x
                    else:
                        b[p] = x
                y = calls.call(lib, fn, b, o)
                y = y if pick is None else y[pick]
                return tuple(y) if isinstance(y, (list, tuple)) else y

            xs = [jnp.asarray(get(p)) for p in wrt]
            tangents = lambda t: tuple(cast(u, x) for u, x in zip(t, xs))

            def pullback(*ys):
                out, back = jax.vjp(f, *ys)
                c = tuple(cast(u, q) for u, q in zip(ct, out)) if isinstance(out, tuple) else cast(ct, out)
                return back(c)

            if kind == "grad":
                return list(pullback(*xs))
            if kind == "jvp":
                return jax.jvp(f, tuple(xs), tangents(v))[1]
            if kind == "grad2":
                return list(jax.grad(lambda *ys: sum(jnp.sum(g * t) for g, t in zip(pullback(*ys), tangents(v))),
                                     argnums=tuple(range(len(xs))))(*xs))
            if kind == "hvp":
                return list(jax.jvp(pullback, tuple(xs), tangents(v))[1])
            if kind == "jvp2":
                return jax.jvp(lambda *ys: jax.jvp(f, ys, tangents(v))[1], tuple(xs), tangents(w))[1]
            if kind == "nth":
                g = f
                for _ in range(order):
                    g = jax.grad(g)
                return g(*xs)
            return {"jacfwd": jax.jacfwd, "jacrev": jax.jacrev}[kind](f, tuple(range(len(xs))))(*xs)

        extra = {"kind": kind, "wrt": list(wrt)}
        for key, value in (("ct", ct), ("v", v), ("w", w), ("pick", pick), ("order", order)):
            if value is not None:
                extra[key] = value
        if _rtol is None:
            _rtol = 1e-5 if not calls.wants_x64([args, options, extra]) else 1e-12
        self._add(lib, fn, args, options, extra, run, _rtol, _atol, _why)
