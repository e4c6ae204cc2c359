"""Errors in TOML have the line, its text and the likely cause."""

import pytest

from shared.runtime.toml import NotTomlError, parse


@pytest.mark.parametrize(
    ("text", "line", "why", "line_text"),
    [
        ("a = 1\nday = 2017-13-28\n", 2, "2017-13-28 is not a date; write YYYY-MM-DD", "day = 2017-13-28"),
        ("day = 2017-02-30\n", 1, "2017-02-30 is not a date; write YYYY-MM-DD", "day = 2017-02-30"),
        ("day = 2017-4-28\n", 1, "2017-4-28 is not a date; write YYYY-MM-DD", "day = 2017-4-28"),
        (
            "day = 28/04/2017\n",
            1,
            "unexpected text after the value; write texts in double quotes, and dates as YYYY-MM-DD",
            None,
        ),
        ('a = "x\nb = 1\n', 1, "a quote is not closed on its line", 'a = "x'),
        ("b = 1\na = 'x\n", 2, "a quote is not closed on its line", "a = 'x"),
        ('a = "x\r\nb = 1\r\n', 1, "a quote is not closed on its line", 'a = "x'),
        ('a = """x\ny\n', 1, "three quotes are never closed", 'a = """x'),
        (
            'a = """x\nb = """y"""\n',
            2,
            "invalid line; perhaps three quotes above it are not closed",
            'b = """y"""',
        ),
        ("a = 1\na = 2\n", 2, "the name is already defined above; remove one", "a = 2"),
        ("[a]\n[a]\n", 2, "the name is already defined above; remove one", "[a]"),
        ("a: 1\n", 1, "write a name without diacritics and spaces, then = and a value", "a: 1"),
        (
            "a = True\n",
            1,
            "invalid value; write texts in double quotes, and true or false in small letters",
            "a = True",
        ),
        ('a = "C:\\q"\n', 1, "write each backslash in double quotes twice", 'a = "C:\\q"'),
        ("a = [1, 2\n", 1, "unclosed array", "a = [1, 2"),
        ("[a\n", 1, "expected ']' at the end of a table declaration", "[a"),
    ],
)
def test_error_has_the_line_and_the_likely_cause(text: str, line: int, why: str, line_text: str | None) -> None:
    """An error has the line, its text and a cause in plain words."""
    with pytest.raises(NotTomlError) as refused:
        parse(text)
    assert (refused.value.line, refused.value.why) == (line, why)
    if line_text is not None:
        assert str(refused.value) == f"not TOML: {why}: {line_text}"


@pytest.mark.parametrize(
    ("text", "why"), [("a = " + "[" * 5000, "nested too deeply"), ("a = " + "1" * 5000, "too many")]
)
def test_text_that_exhausts_the_parser_is_rejected(text: str, why: str) -> None:
    """Too deep nesting and too many digits are errors like others."""
    with pytest.raises(NotTomlError, match=why):
        parse(text)


def test_long_line_is_truncated() -> None:
    """The message contains at most 80 characters of the line."""
    with pytest.raises(NotTomlError) as refused:
        parse('a = "' + "x" * 500 + "\n")
    assert str(refused.value).endswith(': a = "' + "x" * 75 + "…")
