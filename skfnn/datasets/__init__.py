"""Functions that load the image sets of the textbooks."""

from ._fetch import fetch_cifar10, fetch_cifar100, fetch_fashion_mnist, fetch_mnist

__all__ = ["fetch_cifar10", "fetch_cifar100", "fetch_fashion_mnist", "fetch_mnist"]
