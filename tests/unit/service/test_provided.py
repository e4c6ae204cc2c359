"""Objects of the process that routes depend on."""

import pytest
from fastapi import FastAPI

from shared.service.provided import provide


def test_two_objects_of_one_type_are_refused() -> None:
    """A route would get either of them."""
    with pytest.raises(ValueError, match="Two objects of type str"):
        provide(FastAPI(), ["one", 1, "two"])
