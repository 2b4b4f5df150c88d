from evo_ntm.reports.charts import charts
from evo_ntm.reports.drawings.legend import legend
from evo_ntm.reports.drawings.svg import markup
from evo_ntm.reports.palette import SYMBOLS
from tests.reports.made_up import bred, searched


def test_whatever_a_chart_names_has_a_sign():
    for lineage in (searched(), bred()):
        for chart in charts(lineage).values():
            told = legend(chart)
            assert [name for name, _ in told] == list(chart.named())
            assert all(len(sign) for _, sign in told), chart.name


def test_verdicts_differ_in_shape_and_not_only_in_colour():
    signs = dict(legend(charts(searched())["trunk"]))
    drawn = [markup(signs[verdict]) for verdict in SYMBOLS]
    plain = {text.replace("#1a7fc0", "").replace("#0b9270", "").replace("#808792", "")
             .replace("#d55e00", "") for text in drawn}  # fmt: skip
    assert len(plain) == len(SYMBOLS)
