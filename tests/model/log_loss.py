"""A model of log loss: a relay, one partition whose broker loses acknowledged records, and one reader.

Each event is the first of its own dossier, so a reader that skips it notices nothing by sequences: only the position
in the log shows the loss. The order of the events of one dossier is not part of this model.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.model.explorer import Step

Rows = tuple[int, ...]

_LONGEST_LOG = 8
"""A rule that is missing may publish events without end; then no further ones are sent."""


@dataclass(frozen=True, slots=True)
class Produced:
    """A produce request: its rows, whether its relay still waits for it, and its base offset once Kafka appended it."""

    rows: Rows
    awaited: bool
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """The stored position of the reader (next offset, last id), what it applied, and its state in memory.

    `compared` is False from a start or a lost connection on, until the reader compared its last record with the log.
    """

    next_offset: int = 0
    last_id: int = 0
    applied: frozenset[int] = frozenset()
    compared: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """`history` is the number of committed events; `end` and `last` are what the relay stored about the partition.

    `compared` is False from a lost connection of the relay on, until it compared the log.
    """

    history: int = 0
    outbox: Rows = ()
    log: Rows = ()
    end: int = 0
    last: int = 0
    requests: tuple[Produced, ...] = ()
    leads: bool = False
    compared: bool = False
    halted: bool = False
    reader: Reader = Reader()
    faults: int = 0


class LogLoss:
    """The protocol against log loss. `without` removes one of its rules, which must break a promise."""

    RULES = frozenset(
        {
            "the base offset of each acknowledgement is compared",
            "the log is compared when a relay starts",
            "the log is compared while the relay is idle",
            "the log is compared before an acknowledgement after a lost connection counts",
            "the last id is compared, not only the end",
            "the reader compares its last record after a lost connection",
            "repair queues lost events again",
            "repair moves readers back",
        }
    )

    def __init__(self, *, events: int = 2, faults: int = 2, batch: int = 2, without: str | None = None) -> None:
        assert without is None or without in self.RULES
        self._events, self._faults, self._batch = events, faults, batch
        self._rules = self.RULES - {without}

    def start(self) -> State:
        """Return the state of an empty centre."""
        return State()

    def broken(self, state: State) -> str | None:
        """Return the broken safety promise. Loss is not one: a halted service or a stopped reader makes it visible."""
        unknown = [event for event in state.reader.applied if event > state.history]
        return f"the reader applied {unknown}, which no act committed" if unknown else None

    def is_good(self, state: State) -> bool:
        """Return whether every event was committed, published and applied, and nothing is halted."""
        every = frozenset(range(1, self._events + 1))
        return (
            state.history == self._events
            and not state.outbox
            and not state.requests
            and not state.halted
            and state.reader.applied == every
            and every <= frozenset(state.log)
        )

    def steps(self, state: State) -> Iterator[Step[State]]:
        """Yield the steps of acts, relay, broker, reader and operator, and the faults that are left."""
        if not state.halted and state.history < self._events:
            event = state.history + 1
            yield Step(f"act {event} commits", True, replace(state, history=event, outbox=(*state.outbox, event)))
        yield from self._relay(state)
        yield from self._broker(state)
        yield from self._reader(state)
        if (state.halted or state.reader.stopped) and not any(request.awaited for request in state.requests):
            yield Step("the operator repairs the log", True, self._repaired(state))
        if state.faults < self._faults:
            yield from self._fault(replace(state, faults=state.faults + 1))

    def _relay(self, state: State) -> Iterator[Step[State]]:
        if state.halted:
            return
        if not state.leads:
            started = replace(state, leads=True, compared=True)
            if self._has("the log is compared when a relay starts"):
                started = self._compared(started)
            yield Step("a relay starts", True, started)
            return
        awaited = [request for request in state.requests if request.awaited]
        if not awaited and self._has("the log is compared while the relay is idle"):
            yield Step("the idle relay compares the log", True, self._compared(state))
        if not awaited and state.outbox and len(state.log) < _LONGEST_LOG:
            request = Produced(state.outbox[: self._batch], awaited=True)
            yield Step(f"the relay sends {request.rows}", True, replace(state, requests=(*state.requests, request)))
        for request in awaited:
            if request.base is not None:
                yield Step("the relay gets the acknowledgement", True, self._acknowledged(state, request, request.base))

    def _acknowledged(self, state: State, request: Produced, base: int) -> State:
        rest = replace(state, requests=_without(state.requests, request))
        if not state.compared and self._has(
            "the log is compared before an acknowledgement after a lost connection counts"
        ):
            compared = self._compared(rest)
            if compared.halted:
                return compared
            rest = replace(rest, compared=True)
        if self._has("the base offset of each acknowledgement is compared"):
            if base < state.end:
                return _halt(rest)
            # records between were written by an earlier relay of this history: each is known
            if any(event > state.history for event in state.log[state.end : base]):
                return _halt(rest)
        outbox = tuple(event for event in state.outbox if event not in request.rows)
        return replace(rest, outbox=outbox, end=base + len(request.rows), last=request.rows[-1])

    def _compared(self, state: State) -> State:
        if len(state.log) < state.end:
            return _halt(state)
        compares_ids = self._has("the last id is compared, not only the end")
        if compares_ids and state.end and state.log[state.end - 1] != state.last:
            return _halt(state)
        if len(state.log) > state.end:
            return replace(state, end=len(state.log), last=state.log[-1], compared=True)
        return replace(state, compared=True)

    def _broker(self, state: State) -> Iterator[Step[State]]:
        for request in state.requests:
            if request.base is not None:
                continue
            log = state.log + request.rows
            others = _without(state.requests, request)
            if request.awaited:
                others = (*others, replace(request, base=len(state.log)))
            yield Step(f"Kafka appends {request.rows}", True, replace(state, log=log, requests=others))
            if not request.awaited:
                lost = _without(state.requests, request)
                yield Step(f"the late request {request.rows} is lost", True, replace(state, requests=lost))

    def _reader(self, state: State) -> Iterator[Step[State]]:
        reader = state.reader
        if reader.stopped:
            return
        at, log = reader.next_offset, state.log
        if not reader.compared:
            compares = self._has("the reader compares its last record after a lost connection")
            same = at == 0 or (at <= len(log) and log[at - 1] == reader.last_id)
            after = replace(reader, compared=True, stopped=compares and not same)
            yield Step("the reader compares its last record", True, replace(state, reader=after))
        elif at > len(log):
            yield Step("the reader stops: the log ends too early", True, replace(state, reader=_stop(reader)))
        elif at < len(log):
            event = log[at]
            after = replace(reader, next_offset=at + 1, last_id=event, applied=reader.applied | {event})
            yield Step(f"the reader applies {event} at offset {at}", True, replace(state, reader=after))

    def _repaired(self, state: State) -> State:
        """Repair with every service stopped: the reader reads the whole log again, and drops what it has applied.

        No smaller step back is safe: the log can be cut again, and filled by a late request, before the repair.
        """
        lost = [event for event in range(1, state.history + 1) if event not in state.log and event not in state.outbox]
        outbox = (*lost, *state.outbox) if self._has("repair queues lost events again") else state.outbox
        reader = replace(state.reader, compared=False, stopped=False)
        if self._has("repair moves readers back"):
            reader = replace(reader, next_offset=0, last_id=0)
        return replace(
            state,
            outbox=outbox,
            end=len(state.log),
            last=state.log[-1] if state.log else 0,
            leads=False,
            halted=False,
            reader=reader,
        )

    def _fault(self, state: State) -> Iterator[Step[State]]:
        # a request that Kafka has appended is acknowledged or not: its relay ends without an answer
        ended = tuple(replace(request, awaited=False) for request in state.requests if request.base is None)
        if state.leads:
            yield Step("the relay ends", False, replace(state, leads=False, requests=ended))
        for cut in range(1, len(state.log) + 1):
            log, reader = state.log[:-cut], replace(state.reader, compared=False)
            words = f"the broker restarts without its last {cut}"
            # the relay's client sends again what was not acknowledged, or the relay ends
            surviving = tuple(request for request in state.requests if request.base is None or request.base < len(log))
            restarted = replace(state, log=log, reader=reader, requests=surviving)
            yield Step(words, False, replace(restarted, compared=False))
            if all(request.awaited for request in surviving):
                yield Step(f"{words}, unnoticed by the relay", False, restarted)
            yield Step(
                f"{words}, the relay ends", False, replace(state, log=log, reader=reader, leads=False, requests=ended)
            )

    def _has(self, rule: str) -> bool:
        return rule in self._rules


def _without(requests: tuple[Produced, ...], request: Produced) -> tuple[Produced, ...]:
    at = requests.index(request)
    return requests[:at] + requests[at + 1 :]


def _halt(state: State) -> State:
    """Halt the service: acts, relay and workers stop. Requests under way may still be appended."""
    requests = tuple(replace(request, awaited=False) for request in state.requests if request.base is None)
    return replace(state, halted=True, leads=False, requests=requests)


def _stop(reader: Reader) -> Reader:
    return replace(reader, stopped=True)
