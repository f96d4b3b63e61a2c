"""Small functions of several calls, for the corners that no single call shows; test/golden/compositions.ts says the same in
fluxion. Both sides must be read together."""

import jax
import jax.numpy as jnp
from jax import lax


def where_sqrt(x):
    """The untaken branch still poisons the gradient: at 0 it is NaN."""
    return jnp.where(x > 0, jnp.sqrt(x), 0)


def double_where_sqrt(x):
    """The known cure: make the untaken branch harmless first."""
    safe = jnp.where(x > 0, x, 1)
    return jnp.where(x > 0, jnp.sqrt(safe), 0)


def nested_derivative(x):
    """x * d/dy (x + y) at y = x, whose derivative in x is 1 and not 2."""
    return x * jax.grad(lambda y: x + y)(x)


def self_maximum(x):
    return jnp.maximum(x, x)


def stopped_product(x):
    return x * lax.stop_gradient(x)


def through_integer(x):
    """float -> int -> float has derivative zero."""
    return x.astype("int32").astype(x.dtype) * x


def constant_output(x):
    return jnp.ones_like(x)


def first_only(x, y):
    """The second argument is unused, and still gets a gradient of its own shape."""
    return jnp.sin(x)


def cast_sin(x, dtype):
    return jnp.sin(x.astype(dtype))


def reused(x):
    y = jnp.exp(x)
    return y * y + y / (1 + y)


def minus_itself(x):
    return (x - x) * x


def mlp(w1, w2, x):
    """One hidden layer with relu, then log-softmax."""
    return jax.nn.log_softmax(jnp.matmul(jnp.maximum(jnp.matmul(x, w1), 0), w2), axis=-1)


def normalise(x):
    return (x - jnp.mean(x, axis=-1, keepdims=True)) / jnp.sqrt(jnp.var(x, axis=-1, keepdims=True) + 0.001)
