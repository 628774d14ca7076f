"""Where a run's time went: every worker's wall time divided into parts, and for whom and why it waited."""

from predictor.accounting.account import KINDS, Account
from predictor.accounting.keeping import from_data, to_data
from predictor.accounting.parts import KINDS_OF_WAITING, PART_KEYS, PARTS, UNACCOUNTED, WAIT_LABELS, kind_of
from predictor.accounting.words import answer

__all__ = [
    "KINDS",
    "KINDS_OF_WAITING",
    "PARTS",
    "PART_KEYS",
    "UNACCOUNTED",
    "WAIT_LABELS",
    "Account",
    "answer",
    "from_data",
    "kind_of",
    "to_data",
]
