from evo_ntm.reports.drawings.svg import drawing, element, markup, title, words


def test_words_and_attributes_are_escaped():
    worse = '<script>alert("x")</script>&'
    text = markup(drawing(10, 5, words(1, 2, worse), title(worse), aria_label=worse))
    assert "<script" not in text and text.count("&lt;script&gt;") == 3
    assert 'viewBox="0 0 10 5"' in text


def test_names_of_attributes_and_numbers_are_written_as_svg_has_them():
    text = markup(element("rect", class_="a", stroke_width=1.50, x=0.123456, y=None))
    assert text == '<rect class="a" stroke-width="1.5" x="0.12" />'


def test_words_and_elements_keep_their_order():
    inside = element("b", "two")
    assert markup(element("p", "one ", inside, " three", None)) == "<p>one <b>two</b> three</p>"
