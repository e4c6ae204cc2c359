"""How long people wait at a counter: a queue served in the order of arrival, by any number of officers. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Waits:
    """Of each replication (row) and each person (column), in the arrivals' unit: the wait, and when service ended."""

    waited: Floats
    ended: Floats


def serve(arrivals: Floats, services: Floats, officers: int) -> Waits:
    """Serve people in the order of `arrivals` (ascending), each by the first officer who is free.

    `services` has a row for each replication of the same arrivals. Nobody leaves, and no service is broken off: who
    waits at closing time is still served. Raises ValueError without an officer.
    """
    if officers < 1:
        raise ValueError("a queue without an officer is never served")
    replications, people = services.shape
    free = np.full((replications, officers), -np.inf)
    waited, ended = np.empty((replications, people)), np.empty((replications, people))
    for place in range(people):
        began = np.maximum(free[:, 0], arrivals[place])
        waited[:, place] = began - arrivals[place]
        free[:, 0] = ended[:, place] = began + services[:, place]
        if officers > 1:
            free.sort(axis=1)  # the one who is free first stands first
    return Waits(waited, ended)
