"""Run one message sink until SIGTERM: `python -m motcua.local.sinks smtp|sms`. It listens on loopback by default."""

import argparse
import asyncio
import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from motcua.local.sinks.behaviour import Control, add_control
from motcua.local.sinks.inbox import Inbox
from motcua.local.sinks.sms import create_sms_simulator
from motcua.local.sinks.smtp import SmtpSink


def main() -> int:
    """Parse the command line and run the sink until SIGTERM.

    Return the exit status: 0 after an orderly stop, 3 if a port is taken or a file cannot be read.
    """
    parser = argparse.ArgumentParser(prog="python -m motcua.local.sinks", description=__doc__)
    parser.add_argument("kind", choices=["smtp", "sms"])
    parser.add_argument("--home", type=Path, required=True, help="home folder (MOTCUA_HOME), which contains the inbox")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 inside a container")
    parser.add_argument("--port", type=int, help="port to listen on; default 2525 (smtp) or 8190 (sms)")
    parser.add_argument(
        "--control-port", type=int, default=8191, help="HTTP port for setting the behaviour of the SMTP sink"
    )
    parser.add_argument("--receipt-url", help="URL to which the SMS simulator sends delivery receipts")
    parser.add_argument("--receipt-key-file", type=Path, help="file with the bearer key for the delivery receipts")
    options = parser.parse_args()
    inbox = Inbox(options.home)
    try:
        if options.kind == "sms":
            key = options.receipt_key_file.read_text().strip() if options.receipt_key_file else ""
            app = create_sms_simulator(inbox, receipt_url=options.receipt_url, receipt_key=key)
            asyncio.run(_serve(app, options.host, options.port or 8190))
        else:
            asyncio.run(_smtp(inbox, options.host, options.port or 2525, options.control_port))
    except OSError as error:
        print(f"The {options.kind} sink cannot start: {error}", file=sys.stderr)  # noqa: T201 - output of a command
        return 3
    return 0


async def _smtp(inbox: Inbox, host: str, port: int, control_port: int) -> None:
    control = Control()
    app = FastAPI(title="SMTP sink", docs_url=None, redoc_url=None)
    add_control(app, control)
    sink = SmtpSink(inbox, control, host=host, port=port)
    await sink.start()
    try:
        await _serve(app, host, control_port)
    finally:
        sink.close()


async def _serve(app: FastAPI, host: str, port: int) -> None:
    listener = socket.create_server(
        (host, port)
    )  # bound here, since uvicorn would exit the process if the port is taken
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
