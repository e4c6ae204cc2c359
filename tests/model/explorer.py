"""Breadth-first exploration of a state machine: every reachable state, and the shortest history of a broken promise."""

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """A transition. Without faults, the system takes fair steps only; a fault is not fair."""

    words: str
    fair: bool
    after: S


class Machine(Protocol[S]):
    """What `explore` needs of a model."""

    def start(self) -> S:
        """Return the first state."""

    def steps(self, state: S) -> Iterator[Step[S]]:
        """Yield every step that is possible in a state."""

    def broken(self, state: S) -> str | None:
        """Return the promise that a state breaks, or None."""

    def is_good(self, state: S) -> bool:
        """Return whether everything is done as promised."""


@dataclass(frozen=True, slots=True)
class Result:
    """The number of explored states; the broken promise with its shortest history, or None."""

    states: int
    broken: str | None = None
    history: tuple[str, ...] = ()


def explore(machine: Machine[S], *, limit: int = 2_000_000) -> Result:
    """Visit every reachable state, and check that fair steps lead from each to a good one.

    Raises RuntimeError if there are more than `limit` states.
    """
    first = machine.start()
    numbers: dict[S, int] = {first: 0}
    parents: list[tuple[int, str]] = [(-1, "")]
    fair_from: list[list[int]] = [[]]
    good: list[int] = []
    pending: deque[S] = deque([first])

    def history(number: int) -> tuple[str, ...]:
        words: list[str] = []
        while number > 0:
            number, last = parents[number]
            words.append(last)
        return tuple(reversed(words))

    visited = -1
    while pending:
        state = pending.popleft()
        visited += 1
        if (promise := machine.broken(state)) is not None:
            return Result(len(numbers), promise, history(visited))
        if machine.is_good(state):
            good.append(visited)
        for step in machine.steps(state):
            number = numbers.get(step.after)
            if number is None:
                number = numbers[step.after] = len(parents)
                if number > limit:
                    raise RuntimeError(f"more than {limit} states")
                parents.append((visited, step.words))
                fair_from.append([])
                pending.append(step.after)
            if step.fair:
                fair_from[number].append(visited)
    leads_to_good = set(good)
    backwards = deque(good)
    while backwards:
        for number in fair_from[backwards.popleft()]:
            if number not in leads_to_good:
                leads_to_good.add(number)
                backwards.append(number)
    stuck = next((number for number in range(len(parents)) if number not in leads_to_good), None)
    if stuck is not None:
        return Result(len(numbers), "From here no step leads to the promised end.", history(stuck))
    return Result(len(numbers))
