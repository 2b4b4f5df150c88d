"""What keeping a run costs: that every figure is measured, each beside what it may come to."""

import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def costs(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.delitem(sys.modules, "store_costs", raising=False)
    import store_costs

    small = {"BIRTHS": 4, "WEIGHTS": 4_000, "DEEP": 12, "WIDE": 5, "GENERATIONS": 2, "WEIGHED": 2}
    for name, number in {**small, "ALONE": 500}.items():
        monkeypatch.setattr(store_costs, name, number)
    return store_costs


def test_every_figure_is_measured(costs):
    rows = {row["what"]: row for row in costs.costs(1)}
    limited = [what for what, row in rows.items() if row["at most"] is not None]
    told = ["publish 4 births of ", *["rows of a birth, "] * 3, "share of tasks/copy.yaml, ",
            "rows of the whole of 60 births", "lineage of 12 births",
            "status of 60 births"]  # fmt: skip
    assert len(limited) == len(told)
    assert all(map(str.startswith, limited, told))
    assert all(row["came to"] >= 0 and row["unit"] for row in rows.values())
    assert 0 < rows["share of tasks/copy.yaml, 2 generations"]["came to"] < 100
    assert all(60 < row["came to"] < 600 for what, row in rows.items() if "of a birth" in what)
