"""Queue at a counter: first come, first served, with any number of officers. Computes in memory only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Waits:
    """The wait (`waited`) and the end of service (`ended`) of each person, with a row per replication.

    Both are in the unit of time of the arrivals.
    """

    waited: Floats
    ended: Floats


def serve(arrivals: Floats, services: Floats, officers: int) -> Waits:
    """Simulate the service of people in the order of `arrivals` (ascending), each by the officer who is free first.

    `services` has a row of service times for each replication, with a column per person. Everyone is served, also after
    closing time, and no service is interrupted. Raises ValueError for fewer than one officer.
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
