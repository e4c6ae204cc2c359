"""Generated requests: no internal error, and responses match the OpenAPI description."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.integration.intake.deployment import Deployment, IntakeClient, in_process, store_calendar

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize(("who", "paths"), [("clerk", r"^/(dossiers|hand-overs)"), ("notify", r"^/contacts")])
async def test_generated_requests_get_described_responses(
    client: IntakeClient, tmp_path: Path, who: str, paths: str
) -> None:
    """Every route but the batch, whose lines OpenAPI does not describe; they are parsed like single acts."""
    await _fuzz(client, tmp_path, who, paths)


async def test_generated_queries_of_papers_get_described_responses(deployment: Deployment, tmp_path: Path) -> None:
    """With a calendar; without one the response is 503."""
    async with in_process(deployment) as (client, context):
        await store_calendar(context)
        await _fuzz(client, tmp_path, "leader", r"^/papers")


async def _fuzz(client: IntakeClient, tmp_path: Path, who: str, paths: str) -> None:
    fuzzer = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("run", f"{client.base}/openapi.json"),
        *("--header", f"Authorization: Bearer {client.tokens[who]}"),
        *("--checks", CHECKS, "--phases", "fuzzing", "--max-examples", "25", "--seed", "17"),
        *("--include-path-regex", paths, "--request-timeout", "60"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await fuzzer.communicate()
    assert fuzzer.returncode == 0, output.decode()[-4000:]
