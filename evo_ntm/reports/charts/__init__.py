"""All charts of a lineage, by their names, in the order in which they are told."""

from evo_ntm.reports.chapters import Lineage
from evo_ntm.reports.charts import history, selection, trunk
from evo_ntm.reports.charts.layers import Chart


def charts(lineage: Lineage) -> dict[str, Chart]:
    """Chart all that a lineage has chapters of."""
    found: list[Chart | None] = []
    if lineage.history.generations:
        found.append(history.fitness(lineage.history))
    if lineage.trunk.steps:
        found.append(trunk.trunk(lineage.trunk))
    if any(use.attempts for use in lineage.operators):
        found.append(trunk.operators(lineage.operators))
    if lineage.population is not None:
        found.append(selection.population(lineage.population))
        if lineage.population.ancestors_back:
            found.append(selection.ancestors(lineage.population))
    if lineage.search is not None:
        found.append(selection.search(lineage.search, lineage.header.generations))
        found.append(selection.displacement(lineage.search.displacement))
    found.append(history.strategy(lineage.history))
    if lineage.species is not None and lineage.species.generations:
        found.append(selection.species(lineage.species))
    if lineage.generalisation is not None and lineage.generalisation.sizes:
        found.append(history.generalisation(lineage.generalisation))
    return {chart.name: chart for chart in found if chart is not None}
