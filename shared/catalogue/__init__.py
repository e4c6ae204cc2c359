"""A centre's configuration, read from `config/<centre>/`: all of it, checked, or none of it."""

from shared.catalogue.files import CentreFiles, Problem, Problems, Row, read_files, read_rows
from shared.catalogue.load import load_centre
from shared.kernel.centre import (
    Centre,
    Counter,
    Department,
    Pooling,
    Procedure,
    ProcedureStep,
    Requirement,
    Term,
    Thresholds,
)

__all__ = [
    "Centre",
    "CentreFiles",
    "Counter",
    "Department",
    "Pooling",
    "Problem",
    "Problems",
    "Procedure",
    "ProcedureStep",
    "Requirement",
    "Row",
    "Term",
    "Thresholds",
    "load_centre",
    "read_files",
    "read_rows",
]
