"""The part that knows scikit-learn: parameters, data, targets, fitted attributes."""
