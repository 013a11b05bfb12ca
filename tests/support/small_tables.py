"""Two small tables, standardised: flowers to classify, and a line to fit."""

import numpy as np
from sklearn.datasets import load_iris, make_regression
from sklearn.preprocessing import StandardScaler

X_iris, y_iris = load_iris(return_X_y=True)
X_iris = StandardScaler().fit_transform(X_iris)
flowers = np.array(["setosa", "versicolor", "virginica"])[y_iris]

# The first two features determine the target.
X_line, y_line = make_regression(120, 4, n_informative=2, noise=5.0, random_state=0, shuffle=False)
y_line = (y_line - y_line.mean()) / y_line.std()
