"""Long lines of a script are broken at their brackets and mean the same."""

import ast

import pytest

from engine.export.wrapping import WIDTH, wrapped

NAMES = ", ".join(f"number_{place}" for place in range(12))


@pytest.mark.parametrize(
    "line",
    [
        f"    x = f({NAMES})",
        f'weights = [g("a, (b", "it\'s ["), *h.parameters({NAMES})]',
        f'o = kind([{{"params": [{NAMES}], "lr": 0.1}}, {{"params": [a], "lr": [0.2, (1, 2)]}}], b=(1, 2))',
        f"y = f(a) + [{NAMES}]",
    ],
)
def test_it_means_the_same_in_lines_that_fit(line):
    lines = list(wrapped([line]))
    assert len(lines) > 3
    assert all(len(each) <= WIDTH for each in lines)
    assert ast.dump(ast.parse("\n".join(lines).strip())) == ast.dump(ast.parse(line.strip()))


def test_what_fits_or_cannot_be_broken_stays():
    sum_ = f"x = {' + '.join(NAMES.split(', ') * 2)}"
    filtered = f"x = [y for y in ({NAMES})]"
    for line in ("x = f(a, b)", "", sum_, filtered):
        assert list(wrapped([line])) == [line]
