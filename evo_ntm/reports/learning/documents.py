"""What is known of learners on disk: the figures as SVG and PNG, and their numbers as CSV."""

import csv
from collections.abc import Iterable, Sequence
from functools import partial
from io import StringIO
from pathlib import Path

from evo_ntm.experiment.model import told_rows
from evo_ntm.reports.documents import make_folder, write_document
from evo_ntm.reports.learning.champion import Champion
from evo_ntm.reports.learning.charts import charts
from evo_ntm.reports.learning.learner import Learner
from evo_ntm.reports.pictures import write_picture
from evo_ntm.reports.prints import FORMATS, draw


def write_all(
    learners: Sequence[Learner], folder: Path, champion: Champion | None = None
) -> list[Path]:
    """Write every figure and `learning.csv` and `exam.csv` into a folder, over what is there.

    Raises ReportError.
    """
    make_folder(folder)
    texts = {"learning.csv": learning_csv(learners, champion), "exam.csv": exam_csv(learners)}
    for name, text in texts.items():
        write_document(folder / name, text)
    written = [folder / name for name in texts]
    for name, chart in charts(learners, champion).items():
        for kind in FORMATS:
            path = folder / f"{name}.{kind}"
            write_picture(path, partial(draw, chart))
            written.append(path)
    return written


def learning_csv(learners: Sequence[Learner], champion: Champion | None = None) -> str:
    """Tell of every look at every machine; what is not known is empty."""
    rows: list[tuple[object, ...]] = [
        (learner.name, course.seed, *look)
        for learner in learners
        for course in learner.courses
        for look in zip(course.sequences, course.bits, course.validation, strict=True)
    ]
    if champion is not None:
        rows += [(f"{champion.name}, evolving", "", *point, "") for point in champion.evolved]
        rows += [(f"{champion.name}, tuned after that", "", sequences, "", bits)
                 for sequences, bits in champion.tuned]  # fmt: skip
    return _csv(["machine", "seed", "sequences", "bits", "validation_bits"], rows)


def exam_csv(learners: Sequence[Learner]) -> str:
    """Tell of every part of every exam."""
    return _csv(
        ["machine", "seed", "trained_sequences", "part", "rows", "sequences", "wrong_bits", "bits",
         "bits_by_chance"],
        ((learner.name, course.seed, course.kept, row.name, told_rows(row.rows), row.sequences,
          row.wrong_bits, row.bits, row.measures.get("chance"))
         for learner in learners for course in learner.courses for row in course.exam),
    )  # fmt: skip


def _csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(["" if value != value else value for value in row] for row in rows)
    return text.getvalue()
