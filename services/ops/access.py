"""The roles that may read the routes and the page of ops, and the check of a request's API key against them."""

from typing import Annotated

from fastapi import Depends

from shared.kernel.vocabulary import Role
from shared.service.keys import Principal, require

VIEWER_ROLES: tuple[Role, ...] = ("ops", "leader", "auditor")
"""Roles with access to the lag, the views and the page, which contain no data of a single dossier or person."""

Viewer = Annotated[Principal, Depends(require(*VIEWER_ROLES))]
"""The type of a route's argument that only a key of one of these roles may fill."""
