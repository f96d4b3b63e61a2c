"""Writes the names that JAX makes public: test/docs/names/jax.json, which test/docs/names.test.ts compares a page with.

How to run (from the repository root, with the environment of test/golden/generate.py):

    /tmp/jaxenv/bin/python test/docs/names/generate.py
"""

import json
import os
import types

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax  # noqa: E402
import jax.ad_checkpoint  # noqa: E402
import jax.flatten_util  # noqa: E402
import jax.scipy.special  # noqa: E402

SPACES = {
    "jax": jax,
    "jax.Array": jax.Array,
    "jax.ad_checkpoint": jax.ad_checkpoint,
    "jax.checkpoint_policies": jax.checkpoint_policies,
    "jax.debug": jax.debug,
    "jax.errors": jax.errors,
    "jax.flatten_util": jax.flatten_util,
    "jax.lax": jax.lax,
    "jax.nn": jax.nn,
    "jax.nn.initializers": jax.nn.initializers,
    "jax.numpy": jax.numpy,
    "jax.numpy.linalg": jax.numpy.linalg,
    "jax.random": jax.random,
    "jax.scipy.special": jax.scipy.special,
    "jax.tree": jax.tree,
    "jax.tree_util": jax.tree_util,
}


def public(space):
    """Functions, classes and constants; neither modules nor the primitives (add_p) that lax shows."""
    for name in dir(space):
        if name.startswith("_") or name.endswith("_p"):
            continue
        if not isinstance(getattr(space, name), types.ModuleType):
            yield name


def main():
    names = {space: sorted(public(module)) for space, module in SPACES.items()}
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "jax.json"), "w") as out:
        json.dump({"version": jax.__version__, "names": names}, out, indent=1)
        out.write("\n")


main()
