"""One running centre a folder."""

import os
from pathlib import Path

import pytest

from motcua.local.home import HomeLock
from shared.kernel.errors import StartError


def test_a_second_centre_on_the_folder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    """Whatever its ports; once the first has let go, the next may have it."""
    first, second = HomeLock(tmp_path / "home"), HomeLock(tmp_path / "home")
    first.acquire()
    with pytest.raises(StartError, match=rf"already runs in .*/home \(process {os.getpid()}\).*MOTCUA_HOME"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """With the reason and the setting that names another."""
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"file/home cannot be written \(Not a directory\): .* MOTCUA_HOME"):
        HomeLock(tmp_path / "file" / "home").acquire()
