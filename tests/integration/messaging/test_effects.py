"""Each fact takes effect once, in its dossier's order, and one bad record holds up its own dossier alone."""

from tests.support.delivery import dossier, step
from tests.support.shell import Shell

A, B, C = dossier(1), dossier(2), dossier(3)


async def test_a_duplicate_takes_effect_once(shell: Shell) -> None:
    """A relay that dies between sending and deleting leaves copies; a second effect of one would break this."""
    topic = await shell.topic()
    first, second = step(A, 1), step(A, 2)
    await shell.send(topic, first, second, first, second)
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        await shell.send(topic, second)
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "2"]
    assert await shell.held() == []
