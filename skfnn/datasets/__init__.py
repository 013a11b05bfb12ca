"""Functions that load the image sets of the textbooks, and folders of pictures."""

from ._fetch import fetch_cifar10, fetch_cifar100, fetch_fashion_mnist, fetch_mnist
from ._folder import load_image_folder

__all__ = ["fetch_cifar10", "fetch_cifar100", "fetch_fashion_mnist", "fetch_mnist", "load_image_folder"]
