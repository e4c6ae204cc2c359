"""Seeded random streams. Each name has a stream of its own, so a draw in one never changes a draw in another."""

import math
from collections.abc import Mapping, Sequence
from random import Random
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_NORMAL = NormalDist()


class RandomStream:
    """A reproducible stream of random values, named by a seed and words such as a week or a dossier.

    Only `Random.random` is used: for a given seed, all releases of Python give the same values.
    """

    __slots__ = ("_random",)

    def __init__(self, *name: object) -> None:
        self._random = Random("/".join(map(str, name)))

    def happens(self, probability: float) -> bool:
        """Return true with this probability (0 to 1), drawn at random."""
        return self._random.random() < probability

    def uniform(self, least: float, most: float) -> float:
        """Draw a real number from `least` up to `most`, uniformly."""
        return least + (most - least) * self._random.random()

    def integer(self, least: int, most: int) -> int:
        """Draw an integer from `least` to `most`, both included, all with the same probability."""
        return least + int((most - least + 1) * self._random.random())

    def choice(self, values: Sequence[T]) -> T:
        """Draw one of the values, all with the same probability."""
        return values[int(len(values) * self._random.random())]

    def weighted_choice(self, weights: Mapping[T, float]) -> T:
        """Draw one of the keys, with probabilities in proportion to their weights."""
        mark = self._random.random() * sum(weights.values())
        for value, weight in weights.items():
            mark -= weight
            if mark < 0:
                return value
        return value  # rounding: the last one

    def from_histogram(self, bins: Sequence[float]) -> float:
        """Draw a number from 0 up to 1 (not included). `bins` are the weights of equal parts of that range."""
        part = self.weighted_choice(dict(enumerate(bins)))
        return (part + self._random.random()) / len(bins)

    def lognormal(self, median: float, sigma: float) -> float:
        """Draw a number from a log-normal distribution. `sigma` is the standard deviation of the logarithm."""
        return median * math.exp(sigma * _NORMAL.inv_cdf(max(self._random.random(), 1e-12)))

    def poisson(self, mean: float) -> int:
        """Draw a count from a Poisson distribution with this mean, by Knuth's algorithm."""
        end, product, count = math.exp(-mean), self._random.random(), 0
        while product > end:
            product *= self._random.random()
            count += 1
        return count
