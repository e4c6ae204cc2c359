"""What is not TOML is told with its line, that line's words, and the cause where it is plain."""

import pytest

from shared.runtime.toml import NotTomlError, parse


@pytest.mark.parametrize(
    ("text", "line", "why", "words"),
    [
        ("a = 1\nday = 2017-13-28\n", 2, "there is no date 2017-13-28, which must be YYYY-MM-DD", "day = 2017-13-28"),
        ("day = 2017-02-30\n", 1, "there is no date 2017-02-30, which must be YYYY-MM-DD", "day = 2017-02-30"),
        ("day = 2017-4-28\n", 1, "there is no date 2017-4-28, which must be YYYY-MM-DD", "day = 2017-4-28"),
        ("day = 28/04/2017\n", 1, "something follows the value: texts go in double quotes, dates are YYYY-MM-DD", None),
        ('a = "x\nb = 1\n', 1, "a quote is opened and not closed on its line", 'a = "x'),
        ("b = 1\na = 'x\n", 2, "a quote is opened and not closed on its line", "a = 'x"),
        ('a = "x\r\nb = 1\r\n', 1, "a quote is opened and not closed on its line", 'a = "x'),
        ('a = """x\ny\n', 1, "three quotes are opened and never closed", 'a = """x'),
        (
            'a = """x\nb = """y"""\n',
            2,
            "this line does not fit, perhaps since three quotes above it are not closed",
            'b = """y"""',
        ),
        ("a = 1\na = 2\n", 2, "this name stands above it already, keep one", "a = 2"),
        ("[a]\n[a]\n", 2, "this name stands above it already, keep one", "[a]"),
        ("a: 1\n", 1, "a name without diacritics and spaces, =, and a value are expected", "a: 1"),
        (
            "a = True\n",
            1,
            "no value stands here that TOML knows: texts go in double quotes, true and false are written small",
            "a = True",
        ),
        ('a = "C:\\q"\n', 1, "a backslash in double quotes must be doubled", 'a = "C:\\q"'),
        ("a = [1, 2\n", 1, "unclosed array", "a = [1, 2"),
        ("[a\n", 1, "expected ']' at the end of a table declaration", "[a"),
    ],
)
def test_the_line_and_the_likely_cause_are_told(text: str, line: int, why: str, words: str | None) -> None:
    """A person finds the place without knowing a parser's words."""
    with pytest.raises(NotTomlError) as refused:
        parse(text)
    assert (refused.value.line, refused.value.why) == (line, why)
    if words is not None:
        assert str(refused.value) == f"not TOML: {why}: {words}"


@pytest.mark.parametrize(
    ("text", "why"), [("a = " + "[" * 5000, "nested too deeply"), ("a = " + "1" * 5000, "too many")]
)
def test_what_exhausts_the_parser_is_refused_too(text: str, why: str) -> None:
    """Neither depth nor digits end in a traceback."""
    with pytest.raises(NotTomlError, match=why):
        parse(text)


def test_a_long_line_is_cut() -> None:
    """A text may be a page; its beginning tells which one it is."""
    with pytest.raises(NotTomlError) as refused:
        parse('a = "' + "x" * 500 + "\n")
    assert str(refused.value).endswith(': a = "' + "x" * 75 + "…")
