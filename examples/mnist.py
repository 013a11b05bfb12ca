"""
A three-layer network on MNIST, from the files to the curves
============================================================

A network with two hidden layers of 128 and 64 units learns the 60,000 training images
of MNIST by mini-batch SGD, with 100 rows per mini-batch and a learning rate of 0.1: 600
iterations per epoch. After every epoch the program prints the loss and the accuracy on
the 10,000 test images. At the end it writes both curves to
``mnist_learning_curves.png``.

It reads the four files of MNIST from the folder in the environment variable
``SKFNN_DATA``::

    SKFNN_DATA=/path/to/mnist python examples/mnist.py --epochs 20
"""

# Authors: The skfnn developers
# SPDX-License-Identifier: BSD-3-Clause

# %%
# Reading the files
# -----------------
#
# An IDX file has a header (two zero bytes, a type, the number of dimensions, the
# dimensions), then the values. ``read_idx`` compares the header with the content, so a
# damaged file ends in an error message, not in a wrong network.
import argparse
import gzip
import os
import zlib
from math import prod
from pathlib import Path

import numpy as np

from skfnn import FNNClassifier

UNSIGNED_BYTES = 0x08


def read_idx(folder, name, n_dimensions):
    """The array of bytes in the IDX file `name`, or `name`.gz, in `folder`."""
    path = folder / name
    if not path.exists():
        path = folder / f"{name}.gz"
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            header = file.read(4 + 4 * n_dimensions)
            if len(header) < 4 + 4 * n_dimensions or header[:4] != bytes(
                [0, 0, UNSIGNED_BYTES, n_dimensions]
            ):
                raise ValueError(
                    f"{path}: not an IDX file of bytes with {n_dimensions} dimensions"
                )
            shape = tuple(int(n) for n in np.frombuffer(header, ">u4", offset=4))
            # Ask for one byte too many, to detect a file that is too long. The limit
            # rejects a header that would ask for more memory than MNIST can need.
            if prod(shape) > 10**9:
                raise ValueError(
                    f"{path}: the shape {shape} in the header is not one of MNIST"
                )
            content = file.read(prod(shape) + 1)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"neither {name} nor {name}.gz is in {folder}"
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged gzip file ({error})") from None
    if len(content) != prod(shape):
        found = "more" if len(content) > prod(shape) else f"only {len(content)}"
        raise ValueError(
            f"{path}: {prod(shape)} bytes expected for the shape {shape}, found {found}"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def load_mnist(folder):
    """Return X_train, y_train, X_test, y_test, with float32 pixels in [0, 1]."""
    data = []
    for part in ("train", "t10k"):
        images = read_idx(folder, f"{part}-images-idx3-ubyte", 3)
        labels = read_idx(folder, f"{part}-labels-idx1-ubyte", 1)
        if (
            len(images) != len(labels)
            or images.shape[1:] != (28, 28)
            or labels.max(initial=0) > 9
        ):
            raise ValueError(
                f"{folder}: {part} has images {images.shape}, labels {labels.shape} "
                f"and the largest label {labels.max(initial=0)}"
            )
        data += [images.reshape(len(images), -1) / np.float32(255), labels]
    return data


# %%
# Training
# --------


def main(epochs):
    """Train the network, print the results and write the picture."""
    folder = os.environ.get("SKFNN_DATA")
    if not folder:
        raise SystemExit(
            "Set the environment variable SKFNN_DATA to the folder with the four files "
            "of MNIST: train-images-idx3-ubyte, train-labels-idx1-ubyte, "
            "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, with or without .gz."
        )
    try:
        X_train, y_train, X_test, y_test = load_mnist(Path(folder))
    except (OSError, ValueError) as error:
        raise SystemExit(
            f"MNIST cannot be read from SKFNN_DATA={folder}: {error}"
        ) from None

    clf = FNNClassifier(
        hidden_layer_sizes=(128, 64),
        batch_size=100,
        learning_rate_init=0.1,
        max_iter=epochs,
        n_iter_no_change=None,  # all epochs
        random_state=0,
        verbose=True,
    )
    clf.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    report(clf)
    draw(clf)


def report(clf):
    """Print the last and the best values of the curves."""
    loss, accuracy = clf.validation_loss_curve_, clf.validation_scores_
    print(f"\n{clf.n_iter_} epochs of {clf.n_steps_ // clf.n_iter_} iterations")
    for name, values, best in [
        ("test accuracy", accuracy, np.argmax(accuracy)),
        ("test loss", loss, np.argmin(loss)),
    ]:
        print(f"{name}: {values[-1]:.4f} at the end, ", end="")
        print(f"{values[best]:.4f} at best (epoch {best + 1})")


def draw(clf):
    """Write both learning curves to mnist_learning_curves.png."""
    import matplotlib.pyplot as plt

    history = clf.history_
    fig, (ax_loss, ax_accuracy) = plt.subplots(
        1, 2, figsize=(10, 4), layout="constrained"
    )
    ax_loss.plot(
        history["epoch"],
        history["loss"],
        color="0.6",
        label="training (mean over the epoch)",
    )
    ax_loss.plot(history["epoch"], history["validation_loss"], color="C0", label="test")
    ax_loss.set(xlabel="epoch", ylabel="cross-entropy loss", yscale="log", title="Loss")
    ax_accuracy.plot(
        history["epoch"], history["validation_score"], color="C0", label="test"
    )
    ax_accuracy.set(xlabel="epoch", ylabel="accuracy", title="Accuracy")
    for ax in (ax_loss, ax_accuracy):
        ax.grid(alpha=0.3)
        ax.legend()
    fig.savefig("mnist_learning_curves.png", dpi=120)
    print("The curves are in mnist_learning_curves.png.")


# %%
# Conclusion
# ----------
#
# The test accuracy passes 97 % within a few epochs and settles near 98 %. The test loss
# is lowest long before the end. After that, the network becomes more certain of its
# remaining mistakes, which raises the loss but does not change the accuracy.
if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Train a three-layer network on MNIST and draw its curves."
    )
    parser.add_argument(
        "--epochs",
        type=int,
        default=100,
        help="how many epochs to train (default: 100)",
    )
    arguments = parser.parse_args()
    if arguments.epochs < 1:
        parser.error("--epochs must be at least 1")
    main(arguments.epochs)
