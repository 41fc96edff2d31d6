"""The one composition root: a deployment's folder becomes a running commsched."""

from __future__ import annotations

import gc
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from commsched.config import Configuration, load_configuration
from commsched.delivery.breakers import down_media
from commsched.delivery.compose import Composer, Letterhead
from commsched.engine.booking import Desk, resources_of
from commsched.engine.calendars import Calendars
from commsched.engine.channels import carriers, first_of, medium_of
from commsched.engine.clock import Clock, SystemClock
from commsched.engine.feedback import note_refused
from commsched.engine.hearing import Hearing
from commsched.engine.loop import Loop
from commsched.engine.seeking import Fruitless
from commsched.engine.sources import Pulled, hash_of, hear, pull, stale
from commsched.engine.sync import Sync, Synced
from commsched.engine.virtual import Recording, RecordingSettings
from commsched.engine.waiting import match
from commsched.errors import TemplateError
from commsched.loading import Plugins, fingerprint, load_plugins
from commsched.making import policies_of, words_of
from commsched.model.decisions import Plan
from commsched.model.facts import AnyFact, Unit
from commsched.model.vocabulary import MUST_TELL
from commsched.planning.plan import plan
from commsched.planning.world import Pause, World
from commsched.plugin.base import Calendar, Source
from commsched.plugin.channel import Channel, WebhookAnswer, WebhookRequest
from commsched.plugin.view import Department, Snapshot
from commsched.render.context import Context
from commsched.render.links import Links
from commsched.render.mail import Mailbox
from commsched.render.renderer import Renderer
from commsched.rules.rule import Rule
from commsched.store import queries, slots
from commsched.store.checks import Checker
from commsched.store.intake import Batch, Origin, from_lines, read
from commsched.store.keys import ensure_link_keys, link_keys
from commsched.store.ledgers import append, ledgers
from commsched.store.retention import before, retain_daily
from commsched.store.store import Store, instant, micros
from commsched.store.suppression import Gone, ensure_key
from commsched.timing.civil import start_of_day, zone
from commsched.timing.durations import parse_exact
from commsched.timing.windows import Span

LIVE_FROM = "live_from"


class App:
    """A deployment, loaded. Raises :class:`ConfigurationError` with everything that is wrong.

    ``store`` replaces the configured database; with ``recording``, channels keep what they are handed (simulations).
    Rules that have problems of the codes in ``tolerate`` are loaded all the same (``check``).
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock | None = None,
        store: Store | None = None,
        recording: bool = False,
        tolerate: frozenset[str] = frozenset(),
    ) -> None:
        self.folder = folder.resolve()
        self.clock = clock or SystemClock()
        self.configuration: Configuration = load_configuration(self.folder)
        self.public_url = self.configuration.deployment.public_url
        self.plugins: Plugins = load_plugins(self.folder)
        self.vocabulary, self.services, self.rules = words_of(self.folder, self.configuration, tolerate)
        self.renderer = self._renderer()
        made = self.plugins.make
        self.channels: dict[str, Channel[Any]] = {
            one.label: made(Channel, one, self.folder, self._zone) for one in self.configuration.channels
        }
        if recording:
            media = {name: RecordingSettings(medium=medium_of(channel)) for name, channel in self.channels.items()}
            self.channels = {name: Recording(settings, name=name) for name, settings in media.items()}
        self.policies = policies_of(self.plugins, self.configuration, self.vocabulary, self.folder)
        self.calendars: dict[str, Calendar[Any]] = {
            one.label: made(Calendar, one, self.folder, self._zone) for one in self.configuration.calendars
        }
        self.sources: dict[str, Source[Any]] = {
            one.label: made(Source, one, self.folder, self._zone) for one in self.configuration.sources
        }
        self._given_store = store
        self.reader = Calendars(self.calendars)
        self._bases: dict[int, World] = {}
        self._fruitless = Fruitless()

    @cached_property
    def store(self) -> Store:
        """The database, brought to the newest version."""
        secret = self.configuration.erasure.key
        store = self._given_store or Store(self.configuration.deployment.store, folder=self.folder, secret=secret)
        store.prepare()
        return store

    @property
    def departments(self) -> dict[str, Department]:
        """The departments, with the place's zone where they name none."""
        place = self.configuration.deployment.zone
        return {name: one.department(name, place) for name, one in self.configuration.departments.items()}

    @cached_property
    def fresh(self) -> dict[str, timedelta]:
        """How old the last word of a source may be, of those that say so."""
        return {one.label: parse_exact(one.fresh) for one in self.configuration.sources if one.fresh}

    @property
    def checker(self) -> Checker:
        """Checks facts that come in."""
        return Checker(self.vocabulary, region=self.configuration.deployment.region, gone=Gone(lambda: self.store))

    @property
    def composer(self) -> Composer:
        """Writes messages."""
        settings = self.configuration.deployment
        name, address = parseaddr(settings.sender)
        letterhead = Letterhead(Mailbox(name, address), settings.unsubscribe)
        return Composer(self.renderer, letterhead, settings.locale, self.links)

    @property
    def links(self) -> Links | None:
        """Makes and reads customers' links; ``None`` where nobody could reach their pages."""
        return Links(self.public_url, link_keys(self.store)) if self.public_url else None

    def loop(self, new_id: Callable[[str], str] | None = None) -> Loop:
        """The loop over this deployment's store."""
        # What is loaded by now stays for the life of the process; the collector need not walk through it again.
        gc.collect()
        gc.freeze()
        ensure_link_keys(self.store)
        ensure_key(self.store)
        return Loop(
            self.store,
            self.world,
            self.channels,
            self.composer,
            self.plugins.tell,
            new_id or (lambda _key: secrets.token_hex(16)),
            parse_exact(self.configuration.deployment.lease),
            lambda now: match(self.desk, self.store, now, self._fruitless).again,
            self.desk_in,
            rates=self.configuration.rates,
            live=isinstance(self.clock, SystemClock),
        )

    def world(self, connection: Connection) -> World:
        """The world as it stands: configuration, calendars, and what the store says of pauses, breakers and rules."""
        now = self.clock.now()
        base, silent = self.base(now), stale(connection, self.fresh, now)
        pauses = tuple(Pause(row.scope, instant(row.since), row.by) for row in queries.pauses(connection))
        paused = {pause.scope for pause in pauses}
        return base.as_it_stands(
            hash_of(base.hash, silent),
            stale=silent,
            since=self._since(queries.rules(connection), queries.setting(connection, LIVE_FROM), now),
            pauses=pauses,
            down=down_media(queries.outages(connection), base.carriers, paused, now),
            breakers={row.policy: instant(row.until) for row in queries.breakers(connection)},
        )

    def plans(self, customers: Sequence[str] | None, now: datetime, world: World | None = None) -> Iterator[Plan]:
        """The plans of some or all customers at an instant; writes nothing."""
        with self.store.read() as connection:
            seen = world or self.world(connection)
            wanted = customers if customers is not None else queries.customers(connection)
            for chunk in queries.chunks(wanted):
                for ledger in ledgers(connection, chunk):
                    yield plan(ledger, seen, now)

    def remember_rules(self) -> None:
        """Write down which rules there are, from when each counts, and from when the deployment is live."""
        now = self.clock.now()
        with self.store.write() as connection:
            known = queries.rules(connection)
            live = queries.setting(connection, LIVE_FROM)
            if live is None:
                live = (self._live_from() or now).isoformat()
                queries.put_setting(connection, LIVE_FROM, live)
                first = datetime.fromisoformat(live)
            else:
                first = now
            queries.put_rules(connection, [_rule_row(rule, known, first) for rule in self.rules])
            self._remember_resources(connection)

    def desk(self) -> Desk:
        """What is needed to look for free times; what there is to book is written down, where that is new."""
        with self.store.read() as connection:
            world, new = self.world(connection), slots.known(connection) != self._resources
        if new:
            self._remember_anew()
        return self.desk_in(world)

    def desk_in(self, world: World) -> Desk:
        """The same, in a world that is known already."""
        return Desk(world, self.snapshot)

    @property
    def _resources(self) -> slots.Resources:
        return resources_of(self.configuration.capacity, self.services)

    def _remember_anew(self) -> None:
        # In a transaction of its own: it locks calendars, and facts lock ledgers before calendars.
        with self.store.write() as connection:
            self._remember_resources(connection)

    def _remember_resources(self, connection: Connection) -> None:
        slots.remember(connection, self._resources, self.clock.now())

    def take_in(self, path: Path, source: str | None, mapping: Path | None = None) -> Iterator[Batch]:
        """Take a file's facts in, a batch and a transaction at a time; yields each batch when it is durable."""
        origin = Origin(source or path.name, self.clock.now())
        yield from self._durable(read(path, self.checker, origin, mapping))
        self.hear(source or "", self.clock.now())

    def pull(self, now: datetime) -> Pulled:
        """Take in what the sources have."""
        return pull(self.store, self.sources, self._take_lines, self.folder, now)

    def limits(self, now: datetime) -> dict[str, datetime]:
        """Before when facts are too old to be kept, by type; of the types that are not kept for ever."""
        lengths = self.configuration.retention.lengths
        return {name: before(length, now, self._zone) for name, length in lengths.items()}

    def retain(self, now: datetime) -> None:
        """Delete what is too old, once a day."""
        if limits := self.limits(now):
            retain_daily(self.store, limits, now)

    def hear(self, source: str, now: datetime) -> None:
        """Write down that a source was heard of, if it is one that says how fresh it must be."""
        if source in self.fresh:
            hear(self.store, source, now)

    def _take_lines(self, label: str, lines: Iterable[bytes], name: str, now: datetime) -> Iterator[Batch]:
        return self._durable(from_lines(label, lines, self.checker, Origin(name, now)))

    @cached_property
    def _sync(self) -> Sync:
        return Sync(self.store, self.calendars, self.services, self.plugins.tell)

    def sync(self, now: datetime) -> Synced:
        """Bring our appointments in step with the calendars that keep them, in both directions."""
        return self._sync.run(now)

    @cached_property
    def hearing(self) -> Hearing:
        """What comes in at the channels."""
        asked, units = next(iter(self.configuration.departments)), self.configuration.deployment.units
        silenced = frozenset(self.vocabulary.purposes) - MUST_TELL
        unit: Unit = "mi" if units == "mi" else "km"
        tell, world = self.plugins.tell, self.world
        return Hearing(self.store, self.channels, asked, unit, tell, world, self.snapshot, silenced)

    def heard(self, channel: str, request: WebhookRequest) -> WebhookAnswer:
        """Take a provider's call in; the answer is for the provider, and what it told is durable.

        Raises :class:`commsched.errors.UnknownName`, and :class:`Forged` where the signature is not valid.
        """
        return self.hearing.called(channel, request, self.clock.now())

    def record(
        self, facts: Iterable[tuple[str, AnyFact]], first: Callable[[Connection], object] = lambda _: None
    ) -> list[AnyFact]:
        """Append facts that a person stated here; returns those that were new.

        ``first`` is asked in the same transaction; if it raises, nothing is appended.
        """
        with self.store.read() as connection:
            new_resources = slots.known(connection) != self._resources
        if new_resources:
            self._remember_anew()
        with self.store.write() as connection:
            first(connection)
            new = append(connection, facts, self.clock.now())
            note_refused(connection, new, self.configuration.feedback, self.clock.now())
        for fact in new:
            self.plugins.tell("received", event=fact)
        return new

    def _durable(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            new = self.record(batch.facts)
            yield replace(batch, facts=[("", fact) for fact in new])

    def _renderer(self) -> Renderer:
        settings = self.configuration.deployment

        def prepare(environment: object) -> None:
            for function in self.plugins.functions("prepare_templates"):
                function(environment)

        return Renderer(self.folder / "templates", settings.name, locale=settings.locale, prepare=prepare)

    @property
    def _zone(self) -> ZoneInfo:
        return self.configuration.deployment.zone

    def _live_from(self) -> datetime | None:
        day = self.configuration.deployment.live_from
        return start_of_day(day, self._zone) if day else None

    def _since(self, known: Mapping[str, int], live: str | None, now: datetime) -> dict[str, datetime]:
        """From when each rule counts; one that was never loaded counts from now on."""
        start = self._live_from() or (datetime.fromisoformat(live) if live else now)
        since = {}
        for rule in self.rules:
            names = [name for name in (rule.name, *rule.was) if name in known]
            first = min((instant(known[name]) for name in names), default=now if known else start)
            stated = start_of_day(rule.since, self._zone) if rule.since else first
            since[rule.name] = max(start, stated)
        return since

    def snapshot(self, name: str, within: Span, now: datetime) -> Snapshot:
        """When any declared calendar is open, read afresh; one that cannot be read is stale, not empty."""
        return self.reader.snapshot(name, within, now)

    def base(self, now: datetime) -> World:
        """The world without what the store says; calendars are read for whole years, so that its hash stands still."""
        named = sorted({one.calendar for one in self.configuration.departments.values() if one.calendar})
        snapshots = self.reader.standing(named, now)
        base = self._bases.get(now.year)
        if base is None or base.calendars is not snapshots:
            templates = {name: self.renderer.digest(name) for name in self.renderer.names()}
            settings = self.configuration.deployment
            base = World(
                hash=fingerprint(self.folder, self.configuration, self.rules, self.policies, snapshots, templates),
                name=settings.name,
                rules=self.rules,
                services=self.services,
                policies=self.policies,
                vocabulary=self.vocabulary,
                departments=self.departments,
                calendars=snapshots,
                channels=first_of(self.channels),
                carriers=carriers(self.channels),
                templates=templates,
                mentions=self.renderer.mentions,
                zone=settings.zone,
                region=settings.region,
                locale=settings.locale,
                units=settings.units,
                horizon=parse_exact(settings.horizon),
                hold_back=parse_exact(settings.hold_back),
                only_to=frozenset(settings.only_to),
                extra_facts=self.plugins.functions("extra_facts"),
                text=self._phrase,
                time_limit=settings.policy_seconds,
            )
            self._bases[now.year] = base
        return base

    def _phrase(self, text: str, department: str, variables: Mapping[str, object]) -> str:
        """A text that stands in a rule of a department: a service by its name, times by the clock of their place."""
        service, where = self.services.get(str(variables.get("service", ""))), variables.get("place_zone")
        named = {"service": service.name} if service is not None else {}
        place = zone(str(where)) if where else None
        try:
            seen = Context({**variables, **named}, self._zone, place=place, department=self.departments.get(department))
            return self.renderer.phrase(text, seen)
        except TemplateError as error:
            return f"{text} ({error.detail})"


def _rule_row(rule: Rule, known: Mapping[str, int], first: datetime) -> dict[str, object]:
    since = min((known[name] for name in rule.was if name in known), default=micros(first))
    return {"name": rule.name, "since": since, "digest": rule.digest}
