"""The configuration of a centre, loaded from `config/<centre>/`: completely and checked, or not at all."""

from shared.catalogue.loader import load_centre
from shared.kernel.centre import Centre

__all__ = ["Centre", "load_centre"]
