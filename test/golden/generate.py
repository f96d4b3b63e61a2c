"""Generates the golden data: what real JAX answers to calls written in fluxion's names.

How to run (from the repository root; the data are checked in, so this is needed only when cases change):

    python3 -m venv /tmp/jaxenv && /tmp/jaxenv/bin/pip install "jax[cpu]"
    /tmp/jaxenv/bin/python test/golden/generate.py [family ...]

It writes test/golden/data/<family>.json, one case a line, each file headed by the JAX version that answered. The cases stand
in test/golden/cases/, one module a family; the encoding is described in cases/codec.py, the translation of a fluxion call to a
JAX call in cases/calls.py, and the reader is test/golden/load.ts.

Modes. fluxion has float64 but no 64-bit integers, and its default dtypes are 32 bits wide. JAX has no such mode, so a case runs
without x64 unless it mentions float64, and with x64 if it does.

Documented exceptions, where the golden value is not literally what JAX returned:
 - 64-bit integers. A case with float64 may give int64 indices in JAX; the golden dtype is int32 (each such case has a "note").
   int32 with uint32 gives int64 in JAX with x64, and int32 without: the golden value is int32.
 - np.array([1, 2]) and np.full([2], 7) are int32 in JAX and float32 in fluxion, where a list of numbers has one dtype whether
   or not the numbers are whole (each such case has a "note").
 - The maximum or minimum over an empty axis. JAX's lax gives the identity, its numpy raises; fluxion raises in both ("throws").
 - Keys are the raw uint32[2] words (jax.random.PRNGKey), not typed key arrays.

Accuracy. Each float32 answer is compared with JAX's own float64 answer to the same call; if it is off by more than half the
case's tolerance, generation fails, so that no tolerance hides an inaccuracy of the oracle without a reason given ("why").
"""

import os
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.dont_write_bytecode = True

import jax  # noqa: E402

from cases import codec, families  # noqa: E402

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


def main(names):
    os.makedirs(DATA, exist_ok=True)
    failed = False
    for name in names or families.ALL:
        built = families.ALL[name]()
        for fn, args, options, worst in built.inexact:
            failed = True
            print(f"{name}: JAX's float32 {fn}{args} {options or ''} is off: (float32, float64) = {worst}")
        path = os.path.join(DATA, name + ".json")
        codec.dump(path, {"jax": jax.__version__, "generator": "test/golden/generate.py"}, built.cases)
        print(f"{name}: {len(built.cases)} cases, {os.path.getsize(path)} bytes")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
