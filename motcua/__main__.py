"""The command `motcua`. Exit status: 0 done, 1 a rule or check failed, 2 usage, 3 environment."""

import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from motcua.cli import parked as parked
from motcua.cli import simulate as simulate
from motcua.local.settings import MotcuaSettings
from services.sla.wording import Lang
from shared.kernel.centre import Counting, Term, TermUnit
from shared.kernel.errors import MotcuaError, Refusal, StartError
from shared.kernel.words import number_of
from shared.runtime.settings import load

# Each command imports its own parts inside its function: all of them take seconds, and most commands need few.

_INSTANTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"]

app = typer.Typer(no_args_is_help=True, add_completion=False)
out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


@app.callback()
def motcua() -> None:
    """The backbone of a public administrative centre. Settings come from the environment, prefix MOTCUA_."""


app.add_typer(parked.app, name="parked")
app.add_typer(simulate.app, name="simulate")


@app.command()
def up() -> None:
    """Run the whole centre on this machine until Ctrl-C."""
    from motcua.local.up import run_up

    raise typer.Exit(run_up(load(MotcuaSettings), out))


@app.command()
def demo(
    weeks: Annotated[int, typer.Option(min=1, max=27, help="How many weeks of the half year, at full volume.")] = 6,
    ops: Annotated[bool, typer.Option("--ops", help="With the page on which the chain is seen to flow.")] = False,
) -> None:
    """Play the centre of 2017 through a fresh centre, hold everything against what was drawn, and end by itself."""
    from motcua.lab.demo.run import run_demo
    from motcua.lab.half_year.drawing import HalfYear
    from shared.catalogue import load_centre

    settings = load(MotcuaSettings)
    raise typer.Exit(run_demo(settings, out, HalfYear(load_centre(settings.centre), weeks=weeks), ops=ops))


@app.command()
def inbox(
    dossier: Annotated[str | None, typer.Argument(help="A dossier's id or code; all if left out.")] = None,
) -> None:
    """What applicants got by SMS and e-mail."""
    from motcua.cli import inbox as read_inbox
    from shared.catalogue import load_centre

    settings = load(MotcuaSettings)
    found = read_inbox.messages(settings.home, settings.http_port, dossier)
    for line in read_inbox.told(found, load_centre(settings.centre).zone):
        out.print(line, markup=False, soft_wrap=True)
    out.print(f"{number_of(len(found), 'message')} in {settings.home.resolve() / 'inbox'}.", soft_wrap=True)


@app.command()
def prepare() -> None:
    """Make ready an existing Kafka and Postgres: database, migrations, topics, keys. May be run again."""
    from motcua.local.prepare import prepare as prepare_parts

    prepare_parts(load(MotcuaSettings), out.print)


@app.command()
def lag(
    partitions: Annotated[bool, typer.Option("--partitions", help="A line for each partition.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: the report of ops's GET /lag.")] = False,
    alarm_age: Annotated[
        float | None, typer.Option(min=0, help="Seconds: status 1 if anything has waited longer, with what it is.")
    ] = None,
) -> None:
    """How far each group is behind, since when, how fast it works it off; takes two readings, two seconds apart.

    Status 3: Kafka is silent, or the database.
    """
    import asyncio
    from contextlib import suppress
    from functools import partial

    from motcua.cli import lag as lag_reading
    from motcua.local.database import OPS
    from services.ops.lag.report import alarms

    if watch and (as_json or alarm_age is not None):
        raise typer.BadParameter("--watch shows a table until Ctrl-C: it goes without --json and --alarm-age")
    settings = load(MotcuaSettings)
    places = (settings.bootstrap, settings.database_url(OPS))
    if watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(lag_reading.watch(*places, out, partial(lag_reading.tables, by_partition=partitions)))
        return
    report = asyncio.run(lag_reading.read(*places))
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        out.print(lag_reading.tables(report, by_partition=partitions))
    found = alarms(report, age_seconds=alarm_age) if alarm_age is not None else []
    for sentence in found:
        err.print(sentence, markup=False)
    lag_reading.require_broker(report)
    if found:
        raise typer.Exit(1)


@app.command()
def verify(
    ledger: Annotated[
        Path | None, typer.Option(help="A client's answers: JSON lines with key, dossier_id and sequence.")
    ] = None,
) -> None:
    """Prove that nothing was lost, doubled, reordered or decided otherwise than by the rules (status 1 if not)."""
    from motcua.local.database import VERIFY
    from motcua.verification.command import run_verify
    from shared.catalogue import load_centre

    settings = load(MotcuaSettings)
    verify_url = settings.database_url(VERIFY)
    raise typer.Exit(run_verify(verify_url, settings.bootstrap, load_centre(settings.centre), out, ledger=ledger))


@app.command("check-config")
def check_config(
    folder: Annotated[Path | None, typer.Argument(help="A centre's folder; default MOTCUA_CENTRE.")] = None,
) -> None:
    """Read a centre's folder and its texts, and tell every fault with file, line and what to do (status 1)."""
    from services.notify.texts import load_texts
    from shared.catalogue import load_centre

    where = folder or load(MotcuaSettings).centre
    try:
        centre = load_centre(where)
        load_texts(centre)
    except StartError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(1) from error
    out.print(f"{where} is good: {centre.name_vi}, catalogue_version {centre.catalogue_version}.", soft_wrap=True)


@app.command()
def due(
    received: Annotated[
        datetime | None,
        typer.Option(formats=_INSTANTS, help="When it came in: local time, unless it has an offset; else now."),
    ] = None,
    procedure: Annotated[str | None, typer.Option(help="A procedure of the catalogue, by its code.")] = None,
    term: Annotated[int | None, typer.Option(min=0, help="A term of one's own, with --unit.")] = None,
    unit: Annotated[TermUnit | None, typer.Option()] = None,
    counting: Annotated[Counting, typer.Option(help="How working days count.")] = "by_hours",
    cut_off: Annotated[
        datetime | None, typer.Option(formats=["%H:%M"], help="Received later counts from the next working day.")
    ] = None,
    calendar: Annotated[str | None, typer.Option(help="A calendar of the centre; default: its own.")] = None,
    as_known_at: Annotated[
        datetime | None, typer.Option(formats=_INSTANTS, help="Leave out what became known later.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Every day counted or skipped, and why.")] = False,
    lang: Annotated[Lang, typer.Option(help="Of the explanation.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="The explanation as data.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Cases as JSON lines, answered line by line.")] = False,
    file: Annotated[Path | None, typer.Argument(help="With --jsonl: the cases; default: standard input.")] = None,
) -> None:
    """Work out one due date by the centre's calendar, or with --jsonl one for every line (docs/deadlines.md)."""
    from shared.catalogue import load_centre

    if jsonl:
        from motcua.due.lines import answer_lines

        if received or procedure or unit or term is not None or cut_off or calendar or as_known_at or as_json:
            raise typer.BadParameter("with --jsonl each line brings its own case: leave the other options out")
        answer_lines(file, lambda: load_centre(load(MotcuaSettings).centre), explain_in=lang if explain else None)
        return
    if file is not None:
        raise typer.BadParameter("a file of cases is read with --jsonl")
    if (procedure is None) == (term is None and unit is None):
        raise typer.BadParameter("give either --procedure, or --term with --unit")
    own = None
    if procedure is None:
        if unit is None or (term is None and unit != "same_day"):
            raise typer.BadParameter("a term is a number and its unit: --term 5 --unit working_day")
        try:
            own = Term(term or 0, unit, counting, cut_off.time() if cut_off else None)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    from motcua.due import one as due_date
    from shared.runtime.clock import machine_now

    centre = load_centre(load(MotcuaSettings).centre)
    rules = due_date.rules_of(centre, calendar)
    at, known_at = (due_date.in_zone(each, rules) for each in (received, as_known_at))
    found, compiled = due_date.work_out(
        centre,
        rules,
        at or machine_now().replace(second=0, microsecond=0),
        procedure=procedure,
        term=own,
        as_known_at=known_at,
    )
    said = due_date.told(found, compiled)
    if explain or as_json:
        from services.sla.domain.explanation import explain as explain_deadline
        from services.sla.explaining import view

        shown = view(explain_deadline(found, compiled, known_at), lang)
        if as_json:
            typer.echo(shown.model_dump_json(by_alias=True))
            return
        said = iter(shown.sentences)
    for sentence in said:
        out.print(sentence, markup=False, soft_wrap=True)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="An event log: .csv or .xes, either also with .gz.")],
    mapping: Annotated[Path | None, typer.Option(help="How its columns become acts (docs/replay.md).")] = None,
    centre: Annotated[Path | None, typer.Option(help="The centre's folder; default: where the mapping lies.")] = None,
    suggest_mapping: Annotated[bool, typer.Option(help="Write a first draft of a mapping, and end.")] = False,
    delimiter: Annotated[str, typer.Option(help="Between values of a CSV, for a draft.")] = ",",
    check: Annotated[bool, typer.Option("--check", help="Check the log, play nothing.")] = False,
    ops: Annotated[bool, typer.Option("--ops", help="With the page on which the chain is seen to flow.")] = False,
) -> None:
    """Play an event log through a centre of its own, or refuse it whole: every fault with its line (status 1).

    The same log again changes nothing. Ends with the log's deadlines beside ours, and every anomaly.
    """
    from motcua.lab import replay as log_replay

    if suggest_mapping:
        typer.echo(log_replay.drafted(file, delimiter=delimiter), nl=False)
        return
    if mapping is None:
        raise typer.BadParameter("give --mapping, or --suggest-mapping for a first draft of one")
    found = log_replay.planned(file, mapping, centre)
    if not check:
        from motcua.lab.replay.run import run_replay

        raise typer.Exit(run_replay(load(MotcuaSettings), out, found, file, centre or mapping.parent, ops=ops))
    for sentence in log_replay.told(found, file):
        out.print(sentence, markup=False, soft_wrap=True)
    out.print("Nothing was played.")


@app.command()
def topics(
    bootstrap: Annotated[
        str | None, typer.Option(help="The cluster; default MOTCUA_KAFKA or the local broker.")
    ] = None,
    replication: Annotated[int | None, typer.Option(min=1, help="Copies of each record.")] = None,
) -> None:
    """Create the topics with their partitions and settings; refuse those that differ (status 1)."""
    import asyncio

    from shared.contracts.topics import ALL_TOPICS
    from shared.messaging.admin import TopicsDifferError, create_topics

    settings = load(MotcuaSettings)
    where = bootstrap or settings.bootstrap
    try:
        created = asyncio.run(create_topics(where, ALL_TOPICS, replication=replication or settings.kafka_replication))
    except TopicsDifferError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(1) from error
    for topic in ALL_TOPICS:
        out.print(f"{topic.name}: {topic.partitions} partitions, {'created' if topic.name in created else 'as wanted'}")


@app.command()
def events(rewrite: Annotated[bool, typer.Option("--write", help="Write the files instead.")] = False) -> None:
    """Check (or --write) the event catalogue and the frozen schemas of this source tree. Status 1: they differ."""
    from motcua.cli import events as catalogue

    catalogue.events(rewrite)


def main() -> None:
    """Run the command; what was expected to go wrong is one sentence on stderr, never a traceback."""
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # what it logs, the sentence says
    try:
        app()
    except StartError as error:
        err.print(str(error), markup=False)
        sys.exit(3)
    except OSError as error:  # a full disk, a folder without rights
        err.print(f"The machine refused: {error}", markup=False)
        sys.exit(3)
    except Refusal as error:
        err.print(error.detail, markup=False)
        sys.exit(1)
    except MotcuaError as error:
        err.print(str(error), markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
