"""The learning-rate schedules: which eta the next epoch uses."""


def constant(eta_0, progress, power_t):
    """eta_0, always."""
    return eta_0


def invscaling(eta_0, progress, power_t):
    """eta_0 / (t + 1)^power_t, with t the rows that training has gone through so far."""
    return eta_0 / (progress["t"] + 1.0) ** power_t


def adaptive(eta_0, progress, power_t):
    """eta_0, divided by 5 every time that training stalled (see the monitor)."""
    return eta_0 * progress["rate_scale"]


SCHEDULES = {"constant": constant, "invscaling": invscaling, "adaptive": adaptive}

# "adaptive" divides by this number, down to this learning rate.
ADAPTIVE_DIVISOR = 5.0
ADAPTIVE_SMALLEST = 1e-6
