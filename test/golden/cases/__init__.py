"""The golden cases: one module per family, and the machinery that runs each case through JAX."""
