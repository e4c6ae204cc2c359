"""Grid of rules to try: a range for each parameter, and every valid combination of their values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from shared.kernel.centre import PoolingRule
from shared.kernel.errors import StartError

PARAMETERS = ("pool_below", "release_from", "pool_weeks", "release_weeks", "min_stay_weeks")
_MOST_VALUES = 1000
_MOST_SETTINGS = 5000


@dataclass(frozen=True, slots=True)
class RuleGrid:
    """The rules to try, and the number of combinations left out: they would release at `pool_below` or lower."""

    rules: tuple[PoolingRule, ...]
    left_out: int


def parse_range(name: str, written: str) -> tuple[int, ...]:
    """Parse `8`, `4,6,8`, `6..14` or `6..14..2` to its numbers, ascending. Raises StartError that names the option."""
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
        raise StartError(f"--{option} {written!r} is not a range. Write 8, 4,6,8, 6..14 or 6..14..2.") from None
    return tuple(sorted(found))


def rule_grid(base: PoolingRule, ranges: Mapping[str, Sequence[int]]) -> RuleGrid:
    """Return a rule for every combination of the values in `ranges`; other parameters are as in `base`.

    Raises StartError without a valid combination, for a value that is too small, and for too many combinations.
    """
    axes = [ranges.get(name) or (getattr(base, name),) for name in PARAMETERS]
    count = 1
    for values in axes:
        count *= len(values)
    if count > _MOST_SETTINGS:
        raise StartError(f"{count:,} settings are too many. Narrow a range; the limit is {_MOST_SETTINGS:,}.")
    for name, values in zip(PARAMETERS, axes, strict=True):
        if name != "min_stay_weeks" and min(values) < 1:
            raise StartError(f"--{name.replace('_', '-')}: {name} must be at least 1.")
    rules, left_out = [], 0
    for combination in product(*axes):
        try:
            rules.append(replace(base, **dict(zip(PARAMETERS, combination, strict=True))))
        except ValueError:
            left_out += 1
    if not rules:
        pool, release = axes[0], axes[1]
        raise StartError(
            f"No setting is valid. release_from ({_text(release)}) must be above pool_below ({_text(pool)}); otherwise "
            "a department between them would be pooled and released again and again."
        )
    return RuleGrid(tuple(rules), left_out)


def _text(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))
