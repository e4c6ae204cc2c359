"""Drawing lots, the same for the same words: nothing drawn elsewhere changes what is drawn here."""

import math
from collections.abc import Mapping, Sequence
from random import Random
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_NORMAL = NormalDist()


class Lots:
    """A row of lots of its own for each list of words (a seed, a week, a dossier). Only `Random.random` is used: what
    it gives for a seed is promised for all releases of Python."""

    __slots__ = ("_random",)

    def __init__(self, *words: object) -> None:
        self._random = Random("/".join(map(str, words)))

    def share(self) -> float:
        """From 0 (included) to 1 (not included)."""
        return self._random.random()

    def happens(self, chance: float) -> bool:
        """Whether something of that chance happens."""
        return self._random.random() < chance

    def between(self, least: float, most: float) -> float:
        """Any number from `least` up to `most`."""
        return least + (most - least) * self._random.random()

    def whole(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return least + int((most - least + 1) * self._random.random())

    def one_of(self, values: Sequence[T]) -> T:
        """One of them, each as likely as any other."""
        return values[int(len(values) * self._random.random())]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """One of the keys, as likely as its weight says."""
        mark = self._random.random() * sum(weights.values())
        for value, weight in weights.items():
            mark -= weight
            if mark < 0:
                return value
        return value  # rounding: the last one

    def in_shape(self, shape: Sequence[float]) -> float:
        """From 0 to 1 (not included), as dense in each of its equal parts as the shape says."""
        part = self.weighted(dict(enumerate(shape)))
        return (part + self._random.random()) / len(shape)

    def around(self, median: float, spread: float) -> float:
        """Log-normal: half below the median, never below 0."""
        return median * math.exp(spread * _NORMAL.inv_cdf(max(self._random.random(), 1e-12)))

    def number(self, mean: float) -> int:
        """How many come where `mean` are expected and nobody knows of the others (Poisson, by Knuth's product)."""
        end, product, count = math.exp(-mean), self._random.random(), 0
        while product > end:
            product *= self._random.random()
            count += 1
        return count
