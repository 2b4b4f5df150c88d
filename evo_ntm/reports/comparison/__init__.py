"""Runs side by side over seeds: how often they solve their task, at what cost, and how surely."""

from evo_ntm.reports.comparison.comparison import Comparison, Contrast, Test, compare
from evo_ntm.reports.comparison.groups import Difference, Group
from evo_ntm.reports.comparison.rates import Cost, Interval
from evo_ntm.reports.comparison.results import Result

__all__ = [
    "Comparison", "Contrast", "Cost", "Difference", "Group", "Interval", "Result", "Test",
    "compare",
]  # fmt: skip
