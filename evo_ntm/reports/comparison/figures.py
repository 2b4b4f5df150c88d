"""Interactive figures of a comparison, for its page and for notebooks."""

from plotly.graph_objects import Figure

from evo_ntm.reports.comparison.charts import charts
from evo_ntm.reports.comparison.comparison import Comparison
from evo_ntm.reports.figures import draw


def figures(comparison: Comparison) -> dict[str, Figure]:
    """Draw all that there is of a comparison, by the names of the charts."""
    return {name: draw(chart) for name, chart in charts(comparison).items()}
