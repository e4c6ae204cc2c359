"""Helpers that several test packages share. Tests import them by name, never from a conftest."""

from motcua.local.embedded.ports import free_port, free_ports
from tests.support.database import Databases, ServiceDatabase
from tests.support.unique import unique
from tests.support.waiting import eventually, eventually_sync

__all__ = ["Databases", "ServiceDatabase", "eventually", "eventually_sync", "free_port", "free_ports", "unique"]
