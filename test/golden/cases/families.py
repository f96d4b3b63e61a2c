"""Every family of golden cases, by the name of its file."""

from . import activations, gradients, lax_elementwise, lax_products, lax_structure, numpy_arrays, numpy_elementwise, numpy_more, numpy_reductions, promotion, sampling, special
from .make import Cases


def numpy():
    c = Cases("numpy")
    numpy_elementwise.build(c)
    numpy_reductions.build(c)
    numpy_arrays.build(c)
    return c


def numpy_beyond():
    c = Cases("numpy")
    numpy_more.build(c)
    return c


def lax():
    c = Cases("lax")
    lax_elementwise.build(c)
    lax_structure.build(c)
    lax_products.build(c)
    return c


ALL = {
    "promotion": promotion.build,
    "random": sampling.build,
    "numpy": numpy,
    "numpyMore": numpy_beyond,
    "lax": lax,
    "nn": activations.build,
    "special": special.build,
    "grads": gradients.build,
}
