"""``commsched tick``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("tick")
@click.option("--at", metavar="TIME", help="As if it were then: what is due by then goes now.")
@click.option(
    "--accept",
    type=click.IntRange(0),
    metavar="N",
    help="Let a new or edited rule write to up to N customers on its first day.",
)
def tick(session: Session, at: str | None, accept: int | None) -> int:
    """Do what is due now, once: plan whoever is due, send what is due, write down what came of it.

    A rule that is new, or not what it was when the store last saw it, is named with how many customers it
    would write to on its first day; above `first_day` of the configuration nothing goes without --accept.
    The exit code is 1 if a message could not be rendered or a policy failed.

    Example: commsched tick
    """
    from commsched.cli.accepting import admit
    from commsched.cli.output import counted
    from commsched.engine.feedback import Feedback
    from commsched.engine.local import SWEEP_BATCH, presence
    from commsched.engine.pulse import TICK, Pulse
    from commsched.signals import listening

    app = session.app(session.moment(at))
    now = app.clock.now()
    admit(session.warn, app, accept)
    app.remember_rules()
    pulse = Pulse(app.store, app.clock, TICK)
    with listening(pulse.hear):
        pulled = app.pull(now)
        synced = app.sync(now)
        loop = app.loop()
        with presence(app.store, app.folder, now, loop.lease):
            app.hearing.ask(now, loop.calls.run)
            loop.sweep(now, SWEEP_BATCH)
            loop.wait(now)
            report = loop.tick(now)
    pulse.end()
    told = Feedback(app.store, app.configuration.feedback).send(now)
    parts = [f"{counted(report.planned, 'customer')} looked at", f"{report.sent:,} sent"]
    parts += [
        f"{count:,} {words}"
        for count, words in (
            (synced.written + synced.removed, "written to calendars"),
            (synced.moved, "moved in a calendar"),
            (synced.cancelled, "cancelled in a calendar"),
            (report.refused, "refused by their channel"),
            (report.later, "to be tried again"),
            (report.in_doubt, "in doubt"),
            (told.told, "corrections reported to their sources"),
            (report.overtaken, "planned again because something new came in"),
        )
        if count
    ]
    problems = list(report.problems)
    if pulled.rejects:
        problems.append(f"{pulled.rejects:,} lines from the sources were not taken in; var/rejects says why")
    problems += [f"the source {name} could not be read" for name in pulled.failed]
    problems += [*synced.problems, *told.problems]
    for problem in problems:
        session.warn(problem)
    session.say(", ".join(parts) + ".", report=report)
    return 1 if problems else 0
