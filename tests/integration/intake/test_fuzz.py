"""What nobody thought of: generated requests never meet an error of ours, and answers are as described."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.integration.intake.office import House, Office, hear_calendar, in_process

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize(("who", "paths"), [("clerk", r"^/(dossiers|hand-overs)"), ("notify", r"^/contacts")])
async def test_generated_requests_are_answered_as_described(
    office: Office, tmp_path: Path, who: str, paths: str
) -> None:
    """Every address but the batch, whose lines no generator knows; they take the way of single acts."""
    await _fuzz(office, tmp_path, who, paths)


async def test_generated_questions_about_papers_are_answered_as_described(house: House, tmp_path: Path) -> None:
    """Once the calendar is there; before that the answer is 503."""
    async with in_process(house) as (office, context):
        await hear_calendar(context)
        await _fuzz(office, tmp_path, "leader", r"^/papers")


async def _fuzz(office: Office, tmp_path: Path, who: str, paths: str) -> None:
    fuzzer = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("run", f"{office.base}/openapi.json"),
        *("--header", f"Authorization: Bearer {office.tokens[who]}"),
        *("--checks", CHECKS, "--phases", "fuzzing", "--max-examples", "25", "--seed", "17"),
        *("--include-path-regex", paths, "--request-timeout", "60"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await fuzzer.communicate()
    assert fuzzer.returncode == 0, said.decode()[-4000:]
