"""The lock on a home folder."""

import os
from pathlib import Path

import pytest

from motcua.local.home import HomeLock
from shared.kernel.errors import StartError


def test_locked_folder_is_refused_with_its_process(tmp_path: Path) -> None:
    """A second centre in one folder is refused with the process id of the first; after a release it can start."""
    first, second = HomeLock(tmp_path / "home"), HomeLock(tmp_path / "home")
    first.acquire()
    with pytest.raises(StartError, match=rf"already runs in .*/home \(process {os.getpid()}\).*MOTCUA_HOME"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    """The message has the reason and the setting that names another folder."""
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"file/home cannot be written \(Not a directory\)\. .* MOTCUA_HOME"):
        HomeLock(tmp_path / "file" / "home").acquire()
