"""Queue at a counter: first come, first served, with any number of officers. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Waits:
    """The wait and the end of service of each replication (row) and person (column), in the unit of the arrivals."""

    waited: Floats
    ended: Floats


def serve(arrivals: Floats, services: Floats, officers: int) -> Waits:
    """Serve people in the order of `arrivals` (ascending), each by the officer who is free first. Return the waits.

    `services` has a row of service times for each replication of the same arrivals. Everyone waits until served, also
    after closing time, and no service is interrupted. Raises ValueError if `officers` is below 1.
    """
    if officers < 1:
        raise ValueError("a queue needs at least one officer")
    replications, people = services.shape
    free = np.full((replications, officers), -np.inf)
    waited, ended = np.empty((replications, people)), np.empty((replications, people))
    for place in range(people):
        began = np.maximum(free[:, 0], arrivals[place])
        waited[:, place] = began - arrivals[place]
        free[:, 0] = ended[:, place] = began + services[:, place]
        if officers > 1:
            free.sort(axis=1)  # the officer who is free first comes first
    return Waits(waited, ended)
