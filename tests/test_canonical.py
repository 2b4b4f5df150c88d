"""JSON of which equal values are equal bytes."""

import json
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo_ntm.canonical import canonical

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(told=st.dictionaries(st.text(max_size=5), leaves | st.lists(leaves, max_size=3), max_size=5))
def test_what_is_told_in_any_order_is_one_line_that_reads_back(told):
    line = canonical(told)
    assert line == canonical(dict(reversed(told.items())))
    assert json.loads(line) == told
    assert line.isascii() and "\n" not in line


def test_a_number_that_is_not_finite_is_refused_where_none_may_be():
    assert canonical([inf]) == "[Infinity]"
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical([inf], finite=True)
