"""The behaviour of a sink, which tests set over HTTP: slow, failing, without a response, or not idempotent."""

from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

SINK = "motcua sink"
"""The name that a sink reports (over HTTP at `/`, in its SMTP greeting).

A centre with a simulated clock sends messages only to servers with this name.
"""


class Behaviour(BaseModel):
    """How a sink handles the next messages.

    `takes`: whether the message is stored in the inbox. `answers`: the response, even if it contradicts `takes`.
    `delay_seconds`: delay before both. `times`: number of messages to which these three apply; later messages are
    stored and accepted without delay. For SMS only: with `idempotent` a message id is stored only once,
    `status_query` offers the query of a message's status, and `receipts` is the status in delivery receipts.
    """

    model_config = ConfigDict(extra="forbid")

    takes: bool = True
    answers: Literal["ok", "busy", "error", "refused", "nothing"] = "ok"
    delay_seconds: float = Field(default=0, ge=0, le=600)
    times: int | None = Field(default=None, ge=1)
    idempotent: bool = True
    status_query: bool = True
    receipts: Literal["delivered", "undelivered", "none"] = "delivered"


class Control:
    """The state of one sink: its current behaviour, and the number of messages that it has received, stored or not."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.requests = 0

    def next_behaviour(self) -> Behaviour:
        """Return the behaviour for a message that has just arrived. Counts the message, and one of `times`."""
        self.requests += 1
        current = self.behaviour
        if current.times is not None:
            left = current.times - 1
            success = current.model_copy(update={"takes": True, "answers": "ok", "delay_seconds": 0, "times": None})
            self.behaviour = current.model_copy(update={"times": left}) if left else success
        return current


def add_control(app: FastAPI, control: Control) -> None:
    """Add routes to a sink's HTTP app: `GET` and `PUT /behaviour`, and `GET /requests` (messages received so far)."""

    @app.get("/behaviour")
    async def behaviour() -> Behaviour:
        return control.behaviour

    @app.put("/behaviour")
    async def set_behaviour(new: Behaviour) -> Behaviour:
        control.behaviour = new
        return new

    @app.get("/requests")
    async def requests() -> dict[str, int]:
        return {"requests": control.requests}
