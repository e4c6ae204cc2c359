"""`motcua replay`: plays an event log in a centre of its own, and compares the log's deadlines with the due dates."""

from motcua.lab.replay.input import load_plan, mapping_draft
from motcua.lab.replay.report import plan_report

__all__ = ["load_plan", "mapping_draft", "plan_report"]
