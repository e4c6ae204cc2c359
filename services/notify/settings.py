"""The settings of notify, from the environment (NOTIFY_…)."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class NotifySettings(ServiceSettings):
    """The addresses of intake and of the providers, and what the SMS provider offers. Seconds are machine time.

    Key and password files contain only the secret. Without `receipt_key_file` no delivery receipts are accepted.
    """

    model_config = SettingsConfigDict(env_prefix="NOTIFY_")

    port: int = 8104

    intake_url: str = Field(min_length=1)
    intake_key_file: Path
    send_seconds: float = Field(default=10.0, gt=0, le=120)
    """The time limit for an answer of a provider, and of intake."""
    lease_seconds: float = Field(default=60.0, gt=0)
    """How long the messages of a sender that died stay leased; at least three times `send_seconds`."""

    smtp_host: str = Field(min_length=1)
    smtp_port: int = Field(ge=1, le=65535)
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    smtp_user: str | None = None
    smtp_password_file: Path | None = None
    smtp_receipt_window_seconds: float = Field(default=900.0, gt=0)

    sms_url: str = Field(min_length=1)
    sms_key_file: Path | None = None
    sms_idempotent: bool = True
    sms_status_query: bool = True
    sms_settled_seconds: float = Field(default=60.0, gt=0)
    """After this time the SMS provider's answer that it has no such message is final."""
    sms_receipt_window_seconds: float = Field(default=900.0, gt=0)
    receipt_key_file: Path | None = None

    @property
    def lease(self) -> timedelta:
        """`lease_seconds` as a duration."""
        return timedelta(seconds=self.lease_seconds)
