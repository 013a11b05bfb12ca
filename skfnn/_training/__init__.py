"""What happens between two epochs; this part works on arrays and numbers and knows no estimator."""
