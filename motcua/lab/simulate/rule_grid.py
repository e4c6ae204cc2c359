"""The rules that are tried: ranges of each parameter, and every combination of them that is a rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from shared.kernel.centre import PoolingRule
from shared.kernel.errors import StartError

PARAMETERS = ("pool_below", "release_from", "pool_weeks", "release_weeks", "min_stay_weeks")
_MOST_VALUES = 1000
_MOST_SETTINGS = 5000


@dataclass(frozen=True, slots=True)
class Grid:
    """The rules to try, and how many combinations are none, since they would release below where they pool."""

    rules: tuple[PoolingRule, ...]
    left_out: int


def values(name: str, written: str) -> tuple[int, ...]:
    """`8`, `4,6,8`, `6..14` or `6..14..2`, ascending. Raises StartError that names the option."""
    found: set[int] = set()
    try:
        for part in written.split(","):
            ends = [int(end) for end in part.split("..")]
            if len(ends) > 3 or min(ends) < 0 or (len(ends) == 3 and ends[2] < 1):
                raise ValueError(part)
            last = ends[1] if len(ends) > 1 else ends[0]
            step = ends[2] if len(ends) == 3 else 1
            if last < ends[0] or (last - ends[0]) // step > _MOST_VALUES:
                raise ValueError(part)
            found |= set(range(ends[0], last + 1, step))
    except ValueError:
        option = name.replace("_", "-")
        raise StartError(f"--{option} {written!r}: write a number, 4,6,8 or 6..14 or 6..14..2") from None
    return tuple(sorted(found))


def grid(base: PoolingRule, ranges: Mapping[str, Sequence[int]]) -> Grid:
    """Every combination; a parameter without a range stays as in `base`.

    Raises StartError where none is a rule, for a parameter that can be none, and for too many.
    """
    tried = [ranges.get(name) or (getattr(base, name),) for name in PARAMETERS]
    count = 1
    for values_ in tried:
        count *= len(values_)
    if count > _MOST_SETTINGS:
        raise StartError(f"{count:,} settings are too many, {_MOST_SETTINGS:,} at most: narrow a range")
    for name, values_ in zip(PARAMETERS, tried, strict=True):
        if name != "min_stay_weeks" and min(values_) < 1:
            raise StartError(f"--{name.replace('_', '-')}: 0 is no {name}, the least is 1")
    rules, left_out = [], 0
    for combination in product(*tried):
        try:
            rules.append(replace(base, **dict(zip(PARAMETERS, combination, strict=True))))
        except ValueError:
            left_out += 1
    if not rules:
        pool, release = tried[0], tried[1]
        raise StartError(
            f"no setting is a rule: release_from ({_told(release)}) must lie above pool_below ({_told(pool)}), or a "
            "department between them would be pooled and released for ever"
        )
    return Grid(tuple(rules), left_out)


def _told(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
