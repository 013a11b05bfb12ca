"""The order of the examples in the gallery."""

ORDER = [
    "learning_curves",
    "mnist",
    "regression",
    "raw_table",
    "piecewise_linear_encoding",
    "same_clock",
    "repetitive_cycle",
    "gradient_noise",
    "choosing_a_batch_size",
    "batch_size_grid_search",
    "search_for_tables",
    "early_stopping",
    "callbacks",
    "class_weight",
    "sparse_text",
    "out_of_core",
    "federated_averaging",
]


class ReadingOrder:
    """The sort key of a file name in the gallery. A file that is not in ORDER comes last."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, filename):
        name = filename.removeprefix("plot_").removesuffix(".py")
        return (ORDER.index(name) if name in ORDER else len(ORDER)), filename
