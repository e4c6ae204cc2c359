"""`motcua replay`: checks an event log, plays it through a centre of its own, verifies the centre, compares dates."""

from motcua.lab.replay.input import load_plan, mapping_draft
from motcua.lab.replay.report import plan_report

__all__ = ["load_plan", "mapping_draft", "plan_report"]
