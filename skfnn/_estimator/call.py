"""Which training method was called."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """A training method: whether it does one epoch, and whether it continues an earlier training run."""

    name: str
    one_epoch: bool
    continues: bool

    def from_the_start(self):
        """The call that does the same on an estimator that is not fitted."""
        return self if self.one_epoch else FIT


FIT = Call("fit", one_epoch=False, continues=False)
PARTIAL_FIT = Call("partial_fit", one_epoch=True, continues=True)
RESUME = Call("resume", one_epoch=False, continues=True)
