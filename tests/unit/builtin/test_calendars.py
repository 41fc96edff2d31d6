"""Opening hours with exceptions and holidays, and calendar files: when somebody is there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from commsched import CommschedError, Span, Windows, zone
from commsched.builtin.calendars.ics_file import IcsFile, IcsFileSettings
from commsched.builtin.calendars.opening_hours import OpeningHours, OpeningHoursSettings

CHICAGO = zone("America/Chicago")
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def day(text: str, days: int = 1) -> Span:
    """From local midnight of a date in Chicago, so many days."""
    start = datetime.combine(date.fromisoformat(text), datetime.min.time(), CHICAGO)
    return start.astimezone(UTC), (start + timedelta(days=days)).astimezone(UTC)


def local(windows: Windows) -> list[str]:
    """Windows in Chicago time, short to read."""
    return [f"{a.astimezone(CHICAGO):%m-%d %H:%M}/{b.astimezone(CHICAGO):%m-%d %H:%M}" for a, b in windows]


def opening(within: Span, **settings: Any) -> list[str]:
    """When a shop is open."""
    weekly = {"mon-fri": ["07:30-12:00", "12:30-18:00"], "sat": ["08:00-13:00"]}
    calendar = OpeningHours(
        OpeningHoursSettings.model_validate({"weekly": weekly} | settings), name="shop", zone=CHICAGO
    )
    return local(calendar.snapshot(within, NOW).open)


def test_hours_by_weekday():
    """Open by weekday and local time; a day without hours is closed."""
    assert opening(day("2026-11-20", 3)) == [
        "11-20 07:30/11-20 12:00",
        "11-20 12:30/11-20 18:00",
        "11-21 08:00/11-21 13:00",
    ]


def test_an_exception_replaces_its_day():
    """A date has exactly the hours given for it, none for an empty list, and more than usual if it says so."""
    exceptions = {"2026-12-24": ["08:00-12:00"], "2026-12-31": [], "2026-12-27": ["10:00-11:00"]}
    assert opening(day("2026-12-24"), exceptions=exceptions) == ["12-24 08:00/12-24 12:00"]
    assert opening(day("2026-12-31"), exceptions=exceptions) == []
    assert opening(day("2026-12-27"), exceptions=exceptions) == ["12-27 10:00/12-27 11:00"]


def test_holidays_are_closed():
    """Public holidays of the region are closed, those that move and observed ones too; an exception opens one."""
    for holiday in ("2026-11-26", "2026-12-25", "2026-07-03"):
        assert opening(day(holiday), holidays="US-IL") == []
        assert opening(day(holiday)) != []
    assert opening(day("2026-11-26"), holidays="US-IL", exceptions={"2026-11-26": ["09:00-10:00"]}) == [
        "11-26 09:00/11-26 10:00"
    ]


def test_a_holiday_may_be_open_or_have_hours_of_its_own():
    """By name, on its day and on the day it is observed; another holiday on the same day still closes."""
    work = {"holidays": "US-IL", "open_on": ["Columbus Day"], "holiday_hours": {"Veterans Day": ["09:00-12:00"]}}
    assert opening(day("2026-10-12"), **work) == opening(day("2026-10-12")) != []
    assert opening(day("2026-11-11"), **work) == ["11-11 09:00/11-11 12:00"]
    assert opening(day("2026-11-26"), **work) == []
    assert opening(day("2026-07-03"), holidays="US-IL", open_on=["Independence Day"]) != []
    assert opening(day("2026-11-11"), **work, exceptions={"2026-11-11": []}) == []


def test_regions_have_holidays_of_their_own():
    """All Saints' Day closes in Bavaria and not in Berlin."""
    assert opening(day("2027-11-01"), holidays="DE-BY") == []
    assert opening(day("2027-11-01"), holidays="DE-BE") != []


def test_hours_over_midnight_reach_into_the_next_day():
    """A night of work that began before the span is still going on in it, and a closed date begins none."""
    nights = {"weekly": {"fri-sat": ["20:00-02:00"]}}
    assert opening(day("2026-11-21"), **nights) == ["11-21 00:00/11-21 02:00", "11-21 20:00/11-22 00:00"]
    assert opening(day("2026-11-21"), **nights, exceptions={"2026-11-21": []}) == ["11-21 00:00/11-21 02:00"]


def test_a_whole_day_may_be_open():
    """Midnight to midnight is the whole day, also when a clock change makes it longer."""
    whole = OpeningHours(OpeningHoursSettings(weekly={"mon-sun": ["00:00-24:00"]}), name="shop", zone=CHICAGO)
    within = day("2026-10-31", 3)
    assert whole.snapshot(within, NOW).open == Windows([within])


def test_a_calendar_may_have_a_zone_of_its_own():
    """`zone` outranks the deployment's."""
    assert opening(day("2026-11-23"), weekly={"mon": ["09:00-10:00"]}, zone="Europe/Berlin") == [
        "11-23 02:00/11-23 03:00"
    ]


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("weekly", {"mon": ["9 to 5"]}, "09:00-12:30"),
        ("weekly", {"someday": []}, "mon-fri"),
        ("exceptions", {"2026-12-24": ["noon"]}, "09:00-12:30"),
        ("exceptions", {"christmas": []}, "exceptions"),
        ("holidays", "US-XX", "DE-BY"),
        ("holidays", "Illinois", "DE-BY"),
        ("open_on", ["Columbus Day"], "nowhere has no public holiday"),
        ("holiday_hours", {"Christmas Day": ["noon"]}, "09:00-12:30"),
        ("zone", "Chicago", "America/Chicago"),
    ],
)
def test_bad_hours_are_refused_with_an_example(setting, value, hint):
    """What cannot be read is refused when the configuration is, with what would be right."""
    with pytest.raises(ValidationError, match=hint):
        OpeningHoursSettings.model_validate({"weekly": {}} | {setting: value})


def test_holidays_are_called_as_in_their_country(monkeypatch):
    """Whatever language the machine speaks, so that a configuration means the same everywhere."""
    for language in ("en_US", "fr"):
        monkeypatch.setenv("LANGUAGE", language)
        closed = opening(day("2027-11-01"), holidays="DE-BY")
        assert closed == opening(day("2027-11-01"), holidays="DE-BY", holiday_hours={"Allerheiligen": []})
        assert opening(day("2027-11-01"), holidays="DE-BY", open_on=["Allerheiligen"]) != closed


def test_a_misspelt_holiday_is_refused_with_the_right_one():
    """A holiday that nobody has would never be open, and nobody would know why."""
    with pytest.raises(ValidationError, match=r"holiday called 'Columbos Day'; did you mean 'Columbus Day'\?"):
        OpeningHoursSettings.model_validate({"weekly": {}, "holidays": "US-IL", "open_on": ["Columbos Day"]})
    with pytest.raises(ValidationError, match="there is Allerheiligen, Christi Himmelfahrt"):
        OpeningHoursSettings.model_validate({"weekly": {}, "holidays": "DE-BY", "holiday_hours": {"xyz": []}})


def test_a_calendar_without_a_zone_says_so():
    """Hours without a zone mean nothing, so they are not guessed."""
    nowhere = OpeningHours(OpeningHoursSettings(weekly={}), name="shop")
    with pytest.raises(CommschedError, match="shop does not know its time zone"):
        nowhere.snapshot(day("2026-11-23"), NOW)


HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n"
MEETING = """BEGIN:VEVENT
UID:meeting
DTSTART;TZID=America/Chicago:20261020T120000
DTEND;TZID=America/Chicago:20261020T130000
RRULE:FREQ=WEEKLY;BYDAY=TU
EXDATE;TZID=America/Chicago:20261110T120000
END:VEVENT
BEGIN:VEVENT
UID:meeting
RECURRENCE-ID;TZID=America/Chicago:20261117T120000
DTSTART;TZID=America/Chicago:20261118T080000
DTEND;TZID=America/Chicago:20261118T090000
END:VEVENT
BEGIN:VEVENT
UID:meeting
RECURRENCE-ID;TZID=America/Chicago:20261124T120000
DTSTART;TZID=America/Chicago:20261124T120000
DTEND;TZID=America/Chicago:20261124T130000
STATUS:CANCELLED
END:VEVENT
"""


def event(*lines: str) -> str:
    """An event of one's own."""
    return "\n".join(["BEGIN:VEVENT", "UID:one", *lines, "END:VEVENT", ""])


@pytest.fixture
def read(tmp_path: Path):
    """When a calendar file says that it is open."""

    def snapshot(events: str, within: Span, **settings: Any) -> list[str]:
        (tmp_path / "bays.ics").write_text(f"{HEAD}{events}END:VCALENDAR\n".replace("\n", "\r\n"), newline="")
        model = IcsFileSettings.model_validate({"path": "bays.ics", "mode": "open"} | settings)
        return local(IcsFile(model, name="bays", folder=tmp_path, zone=CHICAGO).snapshot(within, NOW).open)

    return snapshot


def test_recurring_events_follow_the_clock_of_their_zone(read):
    """Weekly at noon is noon before and after a clock change; left-out, moved and cancelled instances are respected."""
    assert read(MEETING, day("2026-10-25", 40)) == [
        "10-27 12:00/10-27 13:00",
        "11-03 12:00/11-03 13:00",
        "11-18 08:00/11-18 09:00",
        "12-01 12:00/12-01 13:00",
    ]


def test_an_instance_that_was_put_where_the_rule_does_not_begin_counts(read):
    """The first time of this series is no Tuesday, and does not count; one that was moved there does."""
    clock = ";TZID=America/Chicago:"
    series = event(f"DTSTART{clock}20261102T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=3")
    assert read(series, day("2026-11-01", 12)) == ["11-03 09:00/11-03 10:00", "11-10 09:00/11-10 10:00"]
    moved = event(f"RECURRENCE-ID{clock}20261103T090000", f"DTSTART{clock}20261102T090000", "DURATION:PT1H")
    assert read(series + moved, day("2026-11-01", 12)) == ["11-02 09:00/11-02 10:00", "11-10 09:00/11-10 10:00"]


def test_events_close_what_is_open(read):
    """In the mode `closed`, events are cut out of the hours."""
    hours = {"mon-fri": ["07:30-18:00"]}
    assert read(MEETING, day("2026-11-03"), mode="closed", hours=hours) == [
        "11-03 07:30/11-03 12:00",
        "11-03 13:00/11-03 18:00",
    ]
    assert read(MEETING, day("2026-11-07", 2), mode="closed", hours=hours) == []
    assert read(MEETING, day("2026-11-07"), mode="closed") == ["11-07 00:00/11-08 00:00"]


def test_open_events_count_inside_the_hours_only(read):
    """In the mode `open`, hours limit what events open."""
    assert read(MEETING, day("2026-11-03"), hours={"tue": ["12:30-20:00"]}) == ["11-03 12:30/11-03 13:00"]


def test_events_that_take_no_time_or_are_off_do_not_count(read):
    """Transparent and cancelled events are as good as none."""
    at = ("DTSTART:20261103T180000Z", "DTEND:20261103T190000Z")
    assert read(event(*at, "TRANSP:TRANSPARENT"), day("2026-11-03")) == []
    assert read(event(*at, "STATUS:CANCELLED"), day("2026-11-03")) == []
    assert read(event(*at, "STATUS:TENTATIVE"), day("2026-11-03")) == ["11-03 12:00/11-03 13:00"]


def test_whole_days_are_those_of_the_calendar(read):
    """An all-day event is from local midnight to local midnight; its end is the day after its last."""
    days = event("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261226")
    assert read(days, day("2026-12-20", 10)) == ["12-24 00:00/12-26 00:00"]
    one = event("DTSTART;VALUE=DATE:20261224")
    assert read(one, day("2026-12-20", 10)) == ["12-24 00:00/12-25 00:00"]


def test_floating_times_are_those_of_the_calendar(read):
    """A time without a zone is local; a length may stand for an end; `zone` outranks the deployment's."""
    floating = event("DTSTART:20261103T120000", "DURATION:PT90M")
    assert read(floating, day("2026-11-03")) == ["11-03 12:00/11-03 13:30"]
    assert read(floating, day("2026-11-03"), zone="America/New_York") == ["11-03 11:00/11-03 12:30"]


def test_other_zones_and_long_events(read):
    """An event in another zone is where it belongs; one that began long before the span still counts in it."""
    berlin = event("DTSTART;TZID=Europe/Berlin:20261103T120000", "DTEND;TZID=Europe/Berlin:20261103T130000")
    assert read(berlin, day("2026-11-03")) == ["11-03 05:00/11-03 06:00"]
    closed = event("DTSTART;VALUE=DATE:20260101", "DTEND;VALUE=DATE:20270101")
    assert read(closed, day("2026-11-03")) == ["11-03 00:00/11-04 00:00"]


def test_a_time_that_the_clock_skips_begins_after_the_gap(read):
    """02:30 on the night of the change to summer time is 03:00."""
    night = event("DTSTART;TZID=America/Chicago:20270314T023000", "DTEND;TZID=America/Chicago:20270314T040000")
    assert read(night, day("2027-03-14")) == ["03-14 03:00/03-14 04:00"]


WINTER = """BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16011104T020000
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
TZOFFSETFROM:{summer}
TZOFFSETTO:{winter}
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010311T020000
RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
TZOFFSETFROM:{winter}
TZOFFSETTO:{summer}
END:DAYLIGHT
END:VTIMEZONE
"""
OWN = event("DTSTART;TZID=Customized Time Zone:20261027T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=2")


def test_a_zone_that_the_document_defines(read):
    """With its clock changes; the same name in another document is another zone, before or behind the events."""
    chicago, denver = WINTER.format(summer="-0500", winter="-0600"), WINTER.format(summer="-0600", winter="-0700")
    assert read(chicago + OWN, day("2026-10-20", 20)) == ["10-27 09:00/10-27 10:00", "11-03 09:00/11-03 10:00"]
    assert read(OWN + denver, day("2026-10-20", 20)) == ["10-27 10:00/10-27 11:00", "11-03 10:00/11-03 11:00"]
    with pytest.raises(CommschedError, match="the zone 'Customized Time Zone' of the event one is not known"):
        read(OWN, day("2026-10-20", 20))


def test_zones_as_windows_calls_them(read):
    """Outlook writes its own names; they mean the zones of the tz database."""
    berlin = event("DTSTART;TZID=W. Europe Standard Time:20261103T120000", "DURATION:PT1H")
    assert read(berlin, day("2026-11-03")) == ["11-03 05:00/11-03 06:00"]


@pytest.mark.parametrize("field", ["RDATE", "EXDATE"])
def test_an_unknown_zone_is_refused_wherever_it_stands(read, field):
    """The library would take the time for one of the event's own zone."""
    one = event("DTSTART:20261103T120000Z", "DURATION:PT1H", f"{field};TZID=Nowhere/At-All:20261104T120000")
    with pytest.raises(CommschedError, match="Nowhere/At-All"):
        read(one, day("2026-11-03"))


def test_more_dates_and_periods(read):
    """RDATE adds to a rule, also with a length of its own, and EXDATE takes away."""
    more = event(
        "DTSTART;TZID=America/Chicago:20261102T090000",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY;COUNT=3",
        "RDATE;TZID=America/Chicago:20261106T150000",
        "RDATE;VALUE=PERIOD:20261107T150000Z/20261107T180000Z",
        "EXDATE;TZID=America/Chicago:20261103T090000",
    )
    assert read(more, day("2026-11-01", 9)) == [
        "11-02 09:00/11-02 10:00",
        "11-04 09:00/11-04 10:00",
        "11-06 15:00/11-06 16:00",
        "11-07 09:00/11-07 12:00",
    ]


def test_a_length_in_hours_is_exact(read):
    """A night shift of eight hours ends an hour later by the clock when that goes forward; one with an end does not."""
    night = ("DTSTART;TZID=America/Chicago:20270313T220000",)
    assert read(event(*night, "DURATION:PT8H"), day("2027-03-13", 2)) == ["03-13 22:00/03-14 07:00"]
    fixed = event(*night, "DTEND;TZID=America/Chicago:20270314T060000")
    assert read(fixed, day("2027-03-13", 2)) == ["03-13 22:00/03-14 06:00"]


def test_a_first_time_that_the_rule_does_not_know_is_none(read):
    """RFC 5545 leaves it open; it is as in libical and ical4j. Where a date is added by hand, it counts."""
    weekly = ("DTSTART:20261103T120000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=1")
    assert read(event(*weekly), day("2026-11-02", 4)) == ["11-04 06:00/11-04 07:00"]
    both = event(*weekly, "RDATE:20261103T120000Z")
    assert read(both, day("2026-11-02", 4)) == ["11-03 06:00/11-03 07:00", "11-04 06:00/11-04 07:00"]


@pytest.mark.parametrize(
    "rule", ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=4", "FREQ=HOURLY;BYMINUTE=" + ",".join(map(str, range(13)))]
)
def test_what_would_never_end_is_refused(read, rule):
    """Nobody has an appointment every second; a calendar that says so would keep us busy for ever."""
    with pytest.raises(CommschedError, match="comes again in less than five minutes"):
        read(event("DTSTART:20261103T120000Z", "DURATION:PT1S", f"RRULE:{rule}"), day("2026-11-03"))
    assert read(event("DTSTART:20261103T120000Z", "DURATION:PT1S", f"RRULE:{rule};COUNT=9"), day("2026-11-03"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no components"),
        ("hello", "hello"),
        ("BEGIN:VCARD\nFN:Ann\nEND:VCARD\n", "not an iCalendar file"),
        (HEAD + event("SUMMARY:no time") + "END:VCALENDAR\n", "DTSTART"),
        (
            HEAD + event("DTSTART:20261103T120000Z", "RRULE:FREQ=SOMETIMES") + "END:VCALENDAR\n",
            "RRULE of the event one",
        ),
        (HEAD + event("DTSTART;TZID=Nowhere/At-All:20261103T120000", "DURATION:PT1H") + "END:VCALENDAR\n", "Nowhere"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_and_never_an_empty_calendar(tmp_path, text, why):
    """The error names the calendar, the file and what is wrong with it."""
    (tmp_path / "bays.ics").write_text(text)
    calendar = IcsFile(IcsFileSettings(path="bays.ics"), name="bays", folder=tmp_path, zone=CHICAGO)
    with pytest.raises(CommschedError, match=f"(?s)calendar bays cannot be read from bays.ics: .*{why}"):
        calendar.snapshot(day("2026-11-03"), NOW)


def test_a_missing_file_is_an_error(tmp_path):
    """A file that is not there is not an empty calendar."""
    calendar = IcsFile(IcsFileSettings(path="none.ics"), name="bays", folder=tmp_path, zone=CHICAGO)
    with pytest.raises(CommschedError, match=r"cannot be read from none\.ics"):
        calendar.snapshot(day("2026-11-03"), NOW)


def test_a_span_that_begins_now_is_laid_out_once_a_day(tmp_path, monkeypatch):
    """What begins a minute later is cut from the same; what is cut is what would be laid out afresh."""
    path = tmp_path / "bays.ics"
    path.write_text(f"{HEAD}{MEETING}END:VCALENDAR\n".replace("\n", "\r\n"), newline="")
    laid_out: list[Span] = []
    lay_out = IcsFile._lay_out
    monkeypatch.setattr(IcsFile, "_lay_out", lambda *given: laid_out.append(given[2]) or lay_out(*given))

    def made() -> IcsFile:
        return IcsFile(IcsFileSettings(path="bays.ics", mode="open"), name="bays", folder=tmp_path, zone=CHICAGO)

    calendar, noon = made(), datetime(2026, 10, 27, 16, 30, tzinfo=UTC)
    spans = [(noon + timedelta(minutes=n), noon + timedelta(days=30, minutes=n)) for n in (0, 1, 31, 60, 200)]
    found = [calendar.snapshot(within, NOW).open for within in spans]
    assert laid_out == [(datetime(2026, 10, 27, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC))]
    assert found == [made().snapshot(within, NOW).open for within in spans]
    assert [local(one)[0] for one in found[1:4]] == [
        "10-27 12:00/10-27 13:00",
        "10-27 12:01/10-27 13:00",
        "10-27 12:30/10-27 13:00",
    ]
    laid_out.clear()
    calendar.snapshot((noon + timedelta(days=1), noon + timedelta(days=30)), NOW)
    path.write_text(path.read_text(encoding="utf-8").replace("T120000", "T110000"), encoding="utf-8")
    calendar.snapshot(spans[0], NOW)
    assert len(laid_out) == 2
