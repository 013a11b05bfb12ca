"""Timings of skfnn beside scikit-learn, PyTorch and JAX: ``python -m benchmarks.peers`` and its neighbours."""
