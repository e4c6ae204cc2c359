"""The command `motcua`: its subcommands, and the exit status of each kind of failure.

Exit status: 0 done, 1 a rule or check failed, 2 wrong usage, 3 the environment lacks something.
"""

import logging
import sys

import typer

from motcua.cli import parked, simulate
from motcua.cli.check_config import check_config
from motcua.cli.console import err
from motcua.cli.demo import demo
from motcua.cli.due import due
from motcua.cli.events import events
from motcua.cli.inbox import inbox
from motcua.cli.lag_command import lag
from motcua.cli.prepare import prepare
from motcua.cli.replay import replay
from motcua.cli.topics import topics
from motcua.cli.up import up
from motcua.cli.verify import verify
from shared.kernel.errors import MotcuaError, StartError

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def motcua() -> None:
    """The backbone of a public administrative centre.

    Settings are environment variables with the prefix MOTCUA_ (docs/operations.md).
    """


for command in (up, demo, inbox, prepare, lag, verify, check_config, due, replay, topics, events):
    app.command()(command)
app.add_typer(parked.app, name="parked")
app.add_typer(simulate.app, name="simulate")


def main() -> None:
    """Run the command on the process's arguments, then end the process with the exit status.

    An expected failure is one message on standard error, without a traceback.
    """
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # its log repeats the error message
    try:
        app()
    except StartError as error:
        _end(str(error), 3)
    except OSError as error:  # such as a full disk or a folder without permission
        _end(f"Operating system error: {error}", 3)
    except MotcuaError as error:
        _end(str(error), 1)


def _end(message: str, status: int) -> None:
    err.print(message, markup=False)
    sys.exit(status)
