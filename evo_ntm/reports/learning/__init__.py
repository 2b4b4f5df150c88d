"""How machines learn by gradients beside each other, after the figures of Graves et al. (2014)."""

from evo_ntm.reports.learning.champion import Champion, read_champion
from evo_ntm.reports.learning.charts import charts
from evo_ntm.reports.learning.documents import write_all
from evo_ntm.reports.learning.learner import Course, Learner, last_trained, read_course

__all__ = [
    "Champion", "Course", "Learner", "charts", "last_trained", "read_champion", "read_course",
    "write_all",
]  # fmt: skip
