"""The files, the classes and the official split of every image set."""

from math import prod
from typing import NamedTuple


class ImageSet(NamedTuple):
    """An image set."""

    title: str
    openml: str  # its name at OpenML
    folders: tuple  # the subfolders that may hold its files
    files: dict  # "train" and "test": the names of the files; for IDX, the images before the labels
    images_shape: tuple
    target_names: tuple
    class_sizes: dict  # "train" and "test": the number of rows of each class
    n_labels: tuple = ()  # CIFAR: the number of classes of each label of a row, the target last; () for IDX
    descr: str = ""

    @property
    def n_pixels(self):
        """The number of columns."""
        return prod(self.images_shape)

    def n_rows(self, part):
        """The number of rows of "train" or "test"."""
        return sum(self.class_sizes[part])


def _idx_files():
    """The names of the IDX files of MNIST and Fashion-MNIST, which are the same."""
    return {
        part: (f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte")
        for part, prefix in (("train", "train"), ("test", "t10k"))
    }


_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CIFAR100 = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm
""".split()

SETS = {
    "mnist": ImageSet(
        title="MNIST",
        openml="mnist_784",
        folders=("mnist",),
        files=_idx_files(),
        images_shape=(28, 28),
        target_names=tuple("0123456789"),
        class_sizes={
            "train": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
            "test": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
        },
        descr="""\
MNIST: 70,000 handwritten digits of 28 x 28 grey pixels (0 is background), with 60,000 training and 10,000 test images.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", Proceedings of
the IEEE 86 (1998), 2278-2324.
""",
    ),
    "fashion_mnist": ImageSet(
        title="Fashion-MNIST",
        openml="Fashion-MNIST",
        folders=("fashion_mnist", "fashion-mnist"),
        files=_idx_files(),
        images_shape=(28, 28),
        target_names=_FASHION,
        class_sizes={"train": (6000,) * 10, "test": (1000,) * 10},
        descr="""\
Fashion-MNIST: 70,000 pictures of clothes of 28 x 28 grey pixels (0 is background), with 60,000 training and 10,000 test
images, and 7,000 images in each of ten classes.

H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms",
arXiv:1708.07747 (2017).
""",
    ),
    "cifar10": ImageSet(
        title="CIFAR-10",
        openml="CIFAR_10",
        folders=("cifar10", "cifar-10-batches-bin"),
        files={"train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test": ("test_batch.bin",)},
        images_shape=(3, 32, 32),
        target_names=_CIFAR10,
        class_sizes={"train": (5000,) * 10, "test": (1000,) * 10},
        n_labels=(10,),
        descr="""\
CIFAR-10: 60,000 colour photographs of 32 x 32 pixels, with 50,000 training and 10,000 test images, and 6,000 images in
each of ten classes. A row has the 1,024 red values first, then the green values, then the blue values.

A. Krizhevsky, "Learning multiple layers of features from tiny images", University of Toronto (2009).
""",
    ),
    "cifar100": ImageSet(
        title="CIFAR-100",
        openml="CIFAR-100",
        folders=("cifar100", "cifar-100-binary"),
        files={"train": ("train.bin",), "test": ("test.bin",)},
        images_shape=(3, 32, 32),
        target_names=tuple(_CIFAR100),
        class_sizes={"train": (500,) * 100, "test": (100,) * 100},
        n_labels=(20, 100),  # the superclass comes first
        descr="""\
CIFAR-100: 60,000 colour photographs of 32 x 32 pixels, with 50,000 training and 10,000 test images, and 600 images in
each of a hundred classes. A row has the 1,024 red values first, then the green values, then the blue values.

A. Krizhevsky, "Learning multiple layers of features from tiny images", University of Toronto (2009).
""",
    ),
}
