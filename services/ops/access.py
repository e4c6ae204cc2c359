"""The roles that may see the centre as a whole."""

from typing import Annotated

from fastapi import Depends

from shared.contracts.envelope import Role
from shared.service.keys import Principal, require

VIEWER_ROLES: tuple[Role, ...] = ("ops", "leader", "auditor")
"""Roles with access to the lag, the views and the page, which contain no data of a single dossier or person."""

Viewer = Annotated[Principal, Depends(require(*VIEWER_ROLES))]
"""The type of a route's argument that only a key of one of these roles may fill."""
