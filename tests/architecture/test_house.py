"""Rules that the linter cannot check: file sizes, pure domains, links, and the bans of its own configuration."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, SERVICES, imported, names, sources, texts

MAX_LINES = {"shared": 350, "services": 350, "motcua": 350, "tests": 400}
LONGER: dict[str, str] = {}
"""Longer files, each with its reason."""

PAGES = ("*.md", "docs/*.md", "docs/adr/*.md", "config/*.md")

OWN_CONNECTION = {"shared/messaging/membership.py", "shared/messaging/relay.py"}
"""The modules with a session-level lock, on a dedicated connection."""
_OF_SESSION = re.compile(
    r"advisory_(un)?lock|set_config|add_listener|\bset (session|role|time zone)\b|^(un)?listen \w|^(reset|discard) \w",
    re.IGNORECASE,
)

PURE = frozenset(
    {
        *("__future__", "abc", "bisect", "collections", "contextlib", "copy", "dataclasses", "datetime", "decimal"),
        *("enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "itertools", "math", "operator", "re"),
        *("string", "textwrap", "types", "typing", "unicodedata", "uuid", "zoneinfo", "json", "calendar", "numbers"),
    }
)
"""The standard library modules that a domain may import: none reads a clock, draws random numbers or does I/O."""


def test_file_is_not_too_long() -> None:
    """A file has at most 350 lines, a test 400."""
    long = {
        str(path.relative_to(ROOT)): lines
        for room, most in MAX_LINES.items()
        for path in sources(room)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > most
    }
    assert {path: lines for path, lines in long.items() if path not in LONGER} == {}
    assert set(LONGER) <= set(long), "an exception that is no longer needed"


@pytest.mark.parametrize("service", SERVICES)
def test_domain_is_pure(service: str) -> None:
    """A domain imports only the pure standard library, shared.kernel and itself."""
    allowed = ("shared.kernel.", f"services.{service}.domain.")
    impure = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(f"services/{service}/domain")
        for name in imported(path)
        if name.split(".")[0] not in PURE and not f"{name}.".startswith(allowed)
    }
    assert impure == set()


def test_domain_is_synchronous() -> None:
    """A domain has no coroutine."""
    waiting = [
        str(path.relative_to(ROOT))
        for service in SERVICES
        for path in sources(f"services/{service}/domain")
        if "async def" in path.read_text(encoding="utf-8")
    ]
    assert waiting == []


@pytest.mark.parametrize(
    "line",
    [
        "import time\ntime.time()",
        "from time import time_ns\ntime_ns()",
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "import datetime\ndatetime.datetime.today()",
        "from datetime import datetime\ndatetime.utcnow()",
        "from datetime import date\ndate.today()",
        "from uuid import uuid4\nuuid4()",
        "import uuid\nuuid.uuid1()",
        'import os\nos.environ["A"]',
        'from os import getenv\ngetenv("A")',
    ],
)
def test_linter_rejects_banned_call_in_domain(line: str) -> None:
    """The linter's configuration bans clocks, random ids and the environment in a domain."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ruff")),
            "check",
            "--no-cache",
            "--stdin-filename",
            "services/sla/domain/x.py",
            "-",
        ],
        input=f'"""A module with one banned call."""\n\n{line}\n',
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "TID251" in done.stdout


def test_session_state_is_set_only_on_dedicated_connections() -> None:
    """Pooled connections have no session-level locks, settings or listeners, because the pool does not reset them."""
    using = {
        str(path.relative_to(ROOT))
        for path in sources("shared", "services")
        if any(_OF_SESSION.search(word) for word in (*texts(path), *names(path)))
    }
    assert using == OWN_CONNECTION
    assert [path for path in OWN_CONNECTION if "create_pool" in names(ROOT / path)] == []


@pytest.mark.parametrize(
    "page",
    [page.relative_to(ROOT) for folder in ("", "docs", "docs/adr", "config") for page in (ROOT / folder).glob("*.md")],
)
def test_link_of_page_names_existing_file(page: str) -> None:
    """Each relative link of a page names an existing file."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []


def test_decision_record_is_listed() -> None:
    """Each decision record is in the table of its folder and has the section on what would overturn it."""
    folder = ROOT / "docs/adr"
    listed = (folder / "README.md").read_text(encoding="utf-8")
    for record in sorted(folder.glob("0*.md")):
        assert record.name in listed
        assert "## What would overturn it" in record.read_text(encoding="utf-8"), record.name


def test_exception_of_linter_has_a_reason() -> None:
    """A `noqa` comment has a reason, and a `type: ignore` names its error code."""
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources("shared", "services", "motcua")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if ("# noqa" in line and " - " not in line.split("# noqa", 1)[1]) or line.rstrip().endswith("# type: ignore")
    ]
    assert bare == []
