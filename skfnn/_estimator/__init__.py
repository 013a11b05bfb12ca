"""scikit-learn's side: parameters, data, targets, fitted attributes."""
