"""Tell how a machine came to be, what it does, and how runs did beside each other."""

from collections.abc import Callable, Sequence
from pathlib import Path

from evo_ntm.errors import ReportError, RunError, refuse_text
from evo_ntm.evolution.workers import backend_of
from evo_ntm.reports.chapters import Lineage
from evo_ntm.reports.comparison import Comparison
from evo_ntm.reports.comparison import compare as compare_runs
from evo_ntm.reports.documents import make_folder, require_place
from evo_ntm.reports.explaining.explaining import explain as explain_genome
from evo_ntm.reports.explanation import Explanation
from evo_ntm.reports.exports import export as export_rows
from evo_ntm.reports.lineage import lineage as lineage_of
from evo_ntm.runs.store import open_run
from evo_ntm.tasks import Task
from evo_ntm.verbs.opening import about, opened, task_of

REPORT = "report.html"
SCORES = ".scores.json"

Heard = Callable[[str], None]


def lineage(
    run: Path | str,
    *,
    birth: int | None = None,
    explain: bool = True,
    html: Path | str | None = None,
    report: bool = False,
    export: Path | str | None = None,
    task: Task | None = None,
    progress: Heard | None = None,
) -> Lineage:
    """Tell how a birth of a run came to be: its champion, if no other is named.

    `report` writes it as a page into the run, `html` to a file of that name; what took long to
    measure is kept beside the page. `export` names a folder for the phylogeny, births and
    generations in the formats of other programs, and for the figures. Without `explain` what the
    machine does is not put into words. `task` is one's own, as in `evolve`; `progress` hears what
    is being done. A run that goes on is not disturbed. Raises RunError and ReportError where there
    is no such birth, no finished generation, or a file cannot be written.
    """
    folder, tell = Path(run), progress or (lambda _: None)
    opening = open_run(folder)
    pages = [folder / REPORT] if report else []
    pages += [Path(html)] if html is not None else []
    for page in pages:
        require_place(page)
    if export is not None:
        make_folder(Path(export))
    kept = _sidecar(pages[0] if pages else folder / REPORT)
    beside = kept if pages or kept.exists() else None
    with about(folder):
        told = lineage_of(opening, birth, beside, explain=explain, progress=progress, task=task)
    if pages:
        from evo_ntm.reports.html import write_page

        for page in pages:
            tell(f"writing {page}")
            write_page(told, page)
    if export is not None:
        from evo_ntm.reports.prints import write_figures

        tell(f"writing to {export}")
        export_rows(opening, Path(export))
        write_figures(told, Path(export))
    return told


def explain(
    path: Path | str,
    *,
    birth: int | None = None,
    threads: int | None = None,
    task: Task | None = None,
    progress: Heard | None = None,
) -> Explanation:
    """Say in words what a machine does: its program, what its parts are worth, where it fails.

    `task` is one's own, as in `evolve`. Raises GenomeError or RunError where the path holds no
    genome, or a genome that knows of no task.
    """
    genome, experiment = opened(Path(path), birth)
    if experiment is None:
        raise RunError(f"{path}: expected a genome with its experiment, but the file has none")
    with about(path):
        task = task_of(experiment, task)
        return explain_genome(genome, experiment, task=task, backend=backend_of(experiment.run),
                              threads=threads or experiment.run.threads,
                              progress=progress)  # fmt: skip


def compare(
    paths: Sequence[Path | str],
    *,
    html: Path | str | None = None,
    csv: Path | str | None = None,
    latex: Path | str | None = None,
    export: Path | str | None = None,
) -> Comparison:
    """Put runs side by side over their seeds: how often they solve their task, and at what cost.

    A path is a run or a folder of runs; those that differ in nothing but the seed are a group.
    `html`, `csv` and `latex` name files to write, `export` a folder for the figures. Raises
    RunError where there is no run, ReportError where a file cannot be written.
    """
    refuse_text(paths, "runs, or folders of runs", RunError)
    if not paths:
        raise ReportError("expected at least one run to compare, but came none")
    files = [Path(file) for file in (html, csv, latex) if file is not None]
    for file in files:
        require_place(file)
    if export is not None:
        make_folder(Path(export))
    told = compare_runs([Path(path) for path in paths])
    if csv is not None or latex is not None:
        from evo_ntm.reports.comparison.files import as_csv, as_latex
        from evo_ntm.reports.documents import write_document

        for target, write in ((csv, as_csv), (latex, as_latex)):
            if target is not None:
                write_document(Path(target), write(told))
    if html is not None:
        from evo_ntm.reports.comparison.page import write_page

        write_page(told, Path(html))
    if export is not None:
        from evo_ntm.reports.comparison.prints import write_figures

        write_figures(told, Path(export))
    return told


def _sidecar(page: Path) -> Path:
    return page.with_name(page.stem + SCORES)
