"""The printer: one line per epoch, or nothing."""

import math

from skfnn._training.printer import Printer

RECORD = {
    "epoch": 3,
    "loss": 0.25,
    "learning_rate": 0.1,
    "validation_loss": 0.5,
    "validation_score": 0.75,
    "seconds": 1.5,
}


def test_a_line_shows_everything_that_the_history_records():
    line = "Epoch 3/20  loss 0.250000  validation loss 0.500000  validation score 0.7500  eta 0.1  1.500 s"
    assert Printer(True, 20).line(RECORD) == line


def test_a_line_leaves_out_missing_entries():
    record = RECORD | {"learning_rate": math.nan, "validation_loss": None, "validation_score": None}
    assert Printer(True, 20).line(record) == "Epoch 3/20  loss 0.250000  1.500 s"


def test_a_printer_that_is_on_prints_epochs_and_messages(capsys):
    printer = Printer(True, 20)
    printer.epoch(RECORD)
    printer.say("Stopping.")
    printer.say(None)
    assert capsys.readouterr().out == printer.line(RECORD) + "\nStopping.\n"


def test_a_printer_that_is_off_prints_nothing(capsys):
    printer = Printer(False, 20)
    printer.epoch(RECORD)
    printer.say("Stopping.")
    assert capsys.readouterr().out == ""
