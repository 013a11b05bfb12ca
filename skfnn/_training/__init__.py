"""What happens at the border of an epoch; knows arrays and numbers, no estimator."""
