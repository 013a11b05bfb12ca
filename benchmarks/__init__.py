"""Benchmarks of skfnn against scikit-learn, PyTorch and JAX, for example ``python -m benchmarks.peers``."""
