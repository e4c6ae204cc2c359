"""How a sink behaves, set over its control address: slow, failing, silent, lying or forgetful, as asked."""

from typing import Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

SINK = "motcua sink"
"""What a sink calls itself (over HTTP at `/`, in its SMTP greeting): a set centre sends to nobody else."""


class Behaviour(BaseModel):
    """`takes`: whether the message reaches the inbox. `answers`: what the sender is told, which may be a lie.

    `delay_seconds` comes before anything else. `times`: how many messages it holds for, then all is well again.
    The last three are an SMS provider's: whether it knows repeated keys, can be asked, and reports arrivals.
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
    """The behaviour in force; `for_next` counts a message against it."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.requests = 0

    def for_next(self) -> Behaviour:
        """The behaviour for the message that has just come."""
        self.requests += 1
        current = self.behaviour
        if current.times is not None:
            left = current.times - 1
            well = current.model_copy(update={"takes": True, "answers": "ok", "delay_seconds": 0, "times": None})
            self.behaviour = current.model_copy(update={"times": left}) if left else well
        return current


def add_control(app: FastAPI, control: Control) -> None:
    """`GET` and `PUT /behaviour`, and `GET /requests` (how many messages were offered, taken or not)."""

    @app.get("/behaviour")
    async def behaviour() -> Behaviour:
        return control.behaviour

    @app.put("/behaviour")
    async def behave(wanted: Behaviour) -> Behaviour:
        control.behaviour = wanted
        return wanted

    @app.get("/requests")
    async def requests() -> dict[str, int]:
        return {"requests": control.requests}
