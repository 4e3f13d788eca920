"""The daily digest: what it says of a day, when it is made, to whom it goes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from mpc.accounts.models import AuditEntry
from mpc.accounts.roles import Role
from mpc.monitoring.digests import mailing, making, registry
from mpc.monitoring.digests.content import Day, Section, as_json, as_text, cell, fact, from_json, grid
from mpc.monitoring.digests.sections.absent import holes
from mpc.monitoring.models import (
    Alert,
    ChangePoint,
    Compliance,
    ComplianceChange,
    Digest,
    DigestMail,
    Metric,
    MissionEvent,
    Requirement,
    Series,
    Subscription,
    Waiver,
    Watch,
)
from mpc.products.models import Product
from mpc.runs.models import Run, State, Worker
from tests import factories

DAY = date(2026, 9, 1)
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
NEXT = datetime(2026, 9, 2, 0, 30, tzinfo=UTC)


def section(key: str, now: datetime = NEXT) -> Section:
    found = {s.key: s for s in registry.gather_all(Day(DAY, now))}
    return found[key]


def facts(of: Section) -> dict[str, Any]:
    return {f.label: f.cell.value for f in of.facts}


def rows(of: Section, title: str) -> list[list[Any]]:
    (table,) = [t for t in of.tables if t.title == title]
    return [[one.value for one in row] for row in table.rows]


def ended(n: int, state: str = State.SUCCEEDED, **values: Any) -> Run:
    return factories.run(n, state=state, finished_at=values.pop("finished_at", NOON), **values)


def arrived(n: int, when: datetime = NOON, **values: Any) -> Product:
    product = factories.product(n, **values)
    Product.objects.filter(pk=product.pk).update(taken_in=when)
    return product


def series(**values: Any) -> Series:
    metric, _ = Metric.objects.get_or_create(code="image.mean_reflectance", defaults={"name": "Mean reflectance"})
    return Series.objects.get_or_create(metric=metric, **{"unit": "S2B", "band": "B02", **values})[0]


def change(kind: str = "step", **values: Any) -> ChangePoint:
    own = {"detector": kind, "version": "1", "mode": "live", "time": NOON, "found_at": NOON}
    span = {"interval_start": NOON, "interval_end": NOON}
    return ChangePoint.objects.create(
        series=values.pop("series", None) or series(), kind=kind, **{**own, **span, **values}
    )


def requirement() -> Requirement:
    return Requirement.objects.get_or_create(
        code="R-1", defaults={"title": "Stripes", "metric": series().metric, "document": "a document"}
    )[0]


def subscriber(name: str, *roles: Role, **values: Any) -> Any:
    person = factories.person(*(roles or (Role.VIEWER,)), name=name)
    Subscription.objects.create(user=person, **{"digest": True, **values})
    return person


NOT_A_LIST = {
    "Units of which something was expected": "leads to all products",
    "No worker": "leads to the page of the workers",
    "Series too short for a detector": "has a row for each set of detectors",
}


def something_of_everything(run: Run) -> None:
    """On the day: alerts, changes, cells, events, waivers, watched series; and some on other days."""
    for n, when in enumerate((NOON, NOON, NOON - timedelta(days=1))):
        alert = {"unit": "S2B", "severity": 30, "time": when, "opened_at": when, "last_seen_at": when}
        Alert.objects.create(title=f"alert {n}", **alert)
        Alert.objects.create(title=f"closed {n}", state="closed", closed_at=when, **alert)
        change(found_at=when)
        change("noise", mode="shadow", found_at=when)
        change("silence", found_at=when)
        Watch.objects.create(
            series=series(band=f"B0{n + 4}"),
            looked_at=when,
            run=run,
            too_little="drift",
            failed="step: odd" if n else "",
        )
        event = MissionEvent.objects.create(kind="gipp", title=f"event {n}", start=when, unit="S2B")
        MissionEvent.objects.filter(pk=event.pk).update(created_at=when)
    lasting = {"start": NOON - timedelta(days=5), "end": NOON + timedelta(days=5)}
    MissionEvent.objects.create(kind="outage", title="lasts", origin="table", **lasting)
    own = {"requirement": requirement(), "computed_at": NOON}
    for n, state in enumerate(Compliance.State):
        of = Compliance.objects.create(unit="S2B", band=f"B{n + 1:02d}", state="met", **own)
        of.state, of.breach_on = state, DAY + timedelta(days=30 * n)
        of.save()
    for n in range(3):
        days = {"valid_from": DAY - timedelta(days=9), "valid_to": DAY + timedelta(days=20 * n)}
        Waiver.objects.create(title=f"waiver {n}", reason="known", requirement=requirement(), **days)


@pytest.mark.django_db
class TestWhatItSays:
    def test_runs_and_products_of_the_day_are_counted(self) -> None:
        product = arrived(0, unit="S2A")
        arrived(1, NOON - timedelta(days=1), unit="S2B")
        ended(0, product=product, verdict="PASSED")
        ended(1, product=product, verdict="FAILED")
        ended(2, State.FAILED, product=product)
        ended(3, State.CANCELLED, product=product)
        ended(4, product=product, finished_at=NOON + timedelta(days=1))
        found = section("ran")
        assert facts(found) == {
            "Runs ended": 4,
            "of them succeeded": 2,
            "of them failed": 1,
            "of them cancelled": 1,
            "Products arrived": 1,
            "Arrivals refused": 0,
            "Runs not ended yet, when this was made": 0,
        }
        assert rows(found, "By kind of run") == [["Quality control of a product", 2, 1, 1]]
        assert rows(found, "Products") == [["S2A", "L1C", 1, 1, 1, 1, 0]]
        assert rows(found, "Why runs failed") == [
            ["Quality control of a product", "cannot succeed with these inputs", 1]
        ]
        assert (found.sign, found.summary) == ("failed", "4 runs ended, 1 failed and 1 product arrived")

    def test_every_number_leads_to_a_list_with_as_many_rows(self) -> None:
        for n, state in enumerate((State.SUCCEEDED, State.SUCCEEDED, State.FAILED)):
            run = ended(n, state, product=arrived(n), verdict="FAILED" if n == 0 else "")
        something_of_everything(run)
        browser = factories.client(Role.VIEWER)
        led: list[tuple[str, int, str]] = []
        for found in registry.gather_all(Day(DAY, NEXT)):
            led += [(f.label, f.cell.value, f.cell.url) for f in found.facts]
            cells = [(c, table.title) for table in found.tables for row in table.rows for c in row]
            led += [(title, c.value, c.url) for c, title in cells]
            led += [(table.title, table.total, table.url) for table in found.tables]
        shown = {(label, value, url) for label, value, url in led if url and isinstance(value, int)}
        shown -= {entry for entry in shown if entry[0] in NOT_A_LIST}
        assert len(shown) >= 40
        for label, value, url in sorted(shown):
            answer = browser.get(f"{url}&format=json" if "?" in url else f"{url}?format=json")
            listed = json.loads(b"".join(answer.streaming_content))
            assert len(listed) == value, f"{label}: {value} lead to {len(listed)} at {url}"

    def test_what_was_found(self) -> None:
        Alert.objects.create(title="S2B: step", unit="S2B", severity=30, time=NOON, opened_at=NOON, last_seen_at=NOON)
        old = {"time": NOON - timedelta(days=9), "opened_at": NOON - timedelta(days=9), "last_seen_at": NOON}
        Alert.objects.create(title="old", state="closed", closed_at=NOON, **old)
        change()
        change(explained="explained", time=NOON - timedelta(days=1))
        change(kind="noise", mode="shadow")
        change(found_at=NOON - timedelta(days=1))
        MissionEvent.objects.create(kind="gipp", title="R2EQOG 0171", start=NOON, unit="S2B")
        found = section("found")
        assert facts(found) == {
            "Alerts opened": 1,
            "Alerts that came back": 0,
            "Alerts closed": 1,
            "Changes found": 2,
            "of them unexplained": 1,
            "Changes found in shadow": 1,
            "Requirements that stand otherwise": 0,
            "Mission events of the day": 1,
            "Mission events that became known": 0,
        }
        assert rows(found, "Changes by kind") == [["step", 1, 0, 1]]
        assert (found.sign, found.summary) == ("failed", "1 alert opened and 1 unexplained change")

    def test_a_cell_that_changes_its_state_is_written_down(self) -> None:
        own = {"requirement": requirement(), "unit": "S2B", "band": "B02"}
        for hour, state in enumerate(("met", "met", "breached", "breached", "waived")):
            Compliance.objects.update_or_create(
                **own, defaults={"state": state, "computed_at": NOON + timedelta(hours=hour)}
            )
        # The first "met" is no news, and neither is what stays.
        assert list(ComplianceChange.objects.order_by("at").values_list("before", "after", "at__hour")) == [
            ("met", "breached", 14),
            ("breached", "waived", 16),
        ]
        found = section("found")
        assert [row[3:5] for row in rows(found, "Requirements that stand otherwise")] == [
            ["not met", "waived"],
            ["met", "not met"],
        ]
        assert found.sign == "failed"

    def test_a_first_look_that_is_bad_is_news(self) -> None:
        own = {"requirement": requirement(), "computed_at": NOON}
        Compliance.objects.create(unit="S2A", state="breached", **own)
        Compliance.objects.create(unit="S2B", state="too_few", **own)
        assert [(c.unit, c.before, c.after) for c in ComplianceChange.objects.all()] == [("S2A", "", "breached")]

    def test_what_is_missing_is_named(self) -> None:
        arrived(0, unit="S2A")
        arrived(1, NOON - timedelta(days=3), unit="S2B")
        arrived(2, NOON - timedelta(days=40), unit="S2C")  # too long ago to expect anything
        change("silence", time=NOON - timedelta(days=2), text="no value for 3 days")
        change("silence", series=series(band="B03"), gone_at=NOON)
        Worker.objects.create(
            name="w", host="h", pid=1, process_started=0.0, queues=["default", "intake"], last_seen_at=NOON,
            stopped_at=NOON,
        )  # fmt: skip
        Worker.objects.update(started_at=NOON - timedelta(hours=12))
        found = section("missing")
        assert found.sign == "failed"
        assert found.summary == (
            "nothing came of S2B, 1 series fell silent, no worker for 12 h 00 min and no worker for the queue qc"
        )
        assert [row[0] for row in rows(found, "Units of which nothing came")] == ["S2B"]
        assert rows(found, "No worker") == [
            ["all queues", "2026-09-01 12:00", "2026-09-02 00:00"],
            ["qc", "the whole day", ""],
        ]
        assert rows(found, "Series that fell silent")[0][1:] == ["S2B B02", "2026-08-30 12:00", "no value for 3 days"]

    def test_a_new_centre_says_that_nothing_is_known(self) -> None:
        found = {s.key: s for s in registry.gather_all(Day(DAY, NEXT))}
        assert "nothing says that one was due" in found["missing"].gaps[0]
        assert found["little"].gaps == (
            "No requirement has been judged yet.",
            "The detectors have not looked at any series yet.",
        )
        assert (found["ran"].sign, found["ran"].summary) == ("idle", "no run ended and no product arrived")
        # That nothing was found says nothing where nobody looked.
        assert {key: found[key].sign for key in ("missing", "found", "ahead")} == dict.fromkeys(
            ("missing", "found", "ahead"), "not_checked"
        )
        assert found["found"].summary == "nothing was looked at"

    def test_silence_counts_where_somebody_looked(self) -> None:
        Watch.objects.create(series=series(), looked_at=NOON, run=ended(0))
        Compliance.objects.create(requirement=requirement(), unit="S2A", state="met", value=1.0, computed_at=NOON)
        assert {key: section(key).sign for key in ("found", "ahead")} == {"found": "passed", "ahead": "passed"}

    def test_too_little_data_and_what_comes(self) -> None:
        own = {"requirement": requirement(), "computed_at": NOON}
        Compliance.objects.create(unit="S2A", state="too_few", count=2, why="2 values in 90 days", **own)
        soon, late = DAY + timedelta(days=80), DAY + timedelta(days=100)
        Compliance.objects.create(unit="S2B", state="at_risk", breach_on=soon, breach_from=DAY, **own)
        Compliance.objects.create(unit="S2C", state="at_risk", breach_on=late, **own)
        for title, days in (("ends", 30), ("later", 31), ("ended", -1)):
            Waiver.objects.create(
                title=title, reason="known", requirement=requirement(), valid_from=DAY - timedelta(days=9),
                valid_to=DAY + timedelta(days=days),
            )  # fmt: skip
        little, ahead = section("little"), section("ahead")
        assert rows(little, "Requirements with too few values") == [["Stripes", "S2A", "all", 2, "2 values in 90 days"]]
        assert (little.sign, facts(little)["with too few values"]) == ("warning", 1)
        assert rows(ahead, "Breaches expected") == [["Stripes", "S2B", "all", "2026-11-20", "2026-09-01 to open", 80]]
        assert [row[0] for row in rows(ahead, "Waivers that end")] == ["ends"]
        assert ahead.summary == "1 breach expected within 90 days and 1 waiver ends within 30 days"

    def test_series_that_nobody_could_look_at_are_named(self) -> None:
        run = ended(0)
        looked = {"looked_at": NOON, "run": run}
        Watch.objects.create(series=series(), too_little="drift, step", **looked)
        Watch.objects.create(series=series(band="B03"), too_little="drift, step", failed="noise: too odd", **looked)
        Watch.objects.create(series=series(band="B04"), **looked | {"looked_at": NOON - timedelta(days=1)})
        series(band="B05", count=3)
        series(band="B06")  # without values: nothing to look at
        found = section("little")
        said = {label: value for label, value in facts(found).items() if "equirement" not in label}
        assert said == {
            "with too few values": 0,
            "never measured": 0,
            "Series that the detectors watch": 3,
            "looked at since the day began": 2,
            "too short for a detector": 2,
            "on which a detector failed": 1,
            "not looked at yet": 1,
        }
        assert rows(found, "Series too short for a detector") == [["drift, step", 2]]
        assert rows(found, "Series on which a detector failed")[0][1:3] == ["S2B B03", "noise: too odd"]
        assert (found.sign, found.summary) == ("failed", "detectors failed on 1 series and 1 series not looked at")

    def test_a_section_that_fails_says_so_and_the_others_stand(self, monkeypatch: Any, caplog: Any) -> None:
        monkeypatch.setattr(registry, "_sections", dict(registry._sections))

        def broken(day: Day) -> Section:
            raise RuntimeError("the disk is gone")

        registry.register_section(15, "broken", "Broken", broken)
        found = {s.key: s for s in registry.gather_all(Day(DAY, NEXT))}
        assert (found["broken"].sign, found["broken"].summary) == ("error", "could not be gathered")
        assert "the disk is gone" in caplog.text
        assert found["broken"].gaps[0].rpartition(" ")[2].rstrip(".") in caplog.text
        assert found["ran"].sign == "idle"


def test_content_survives_json() -> None:
    table = grid("Runs", ("Kind", "Runs"), [["drill", cell(n)] for n in range(41)])
    sections = [Section("x", "X", "passed", "all", (fact("Runs", 0),), (table,), ("a gap",))]
    kept = from_json(json.loads(json.dumps(as_json(sections))))
    assert kept == sections
    assert (len(table.rows), table.left_out, table.total) == (40, 1, 41)
    assert "and 1 more" in as_text(DAY, NEXT, kept)


def test_holes_in_a_day() -> None:
    def at(minute: int) -> datetime:
        return NOON + timedelta(minutes=minute)

    spans = [(at(0), at(20)), (at(5), at(10)), (at(29), at(40))]  # nine minutes are a restart
    assert holes(spans, at(0), at(50)) == [(at(40), at(50))]
    assert holes([], at(0), at(50)) == [(at(0), at(50))]
    assert holes([(at(0), at(50))], at(0), at(50)) == []


# --- When ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
class TestWhenItIsMade:
    @pytest.fixture(autouse=True)
    def _centre(self) -> None:
        arrived(0, NOON)

    @pytest.mark.parametrize(
        ("now", "days"),
        [
            (datetime(2026, 9, 2, 0, 9, tzinfo=UTC), []),  # what ended just before midnight is still being written
            (datetime(2026, 9, 2, 0, 11, tzinfo=UTC), [1]),
            (datetime(2026, 9, 4, 9, tzinfo=UTC), [1, 2, 3]),
            (datetime(2026, 9, 20, 9, tzinfo=UTC), [13, 14, 15, 16, 17, 18, 19]),
        ],
    )
    def test_days_that_are_over_and_have_none(self, now: datetime, days: list[int]) -> None:
        assert making.missing_days(now) == [date(2026, 9, day) for day in days]

    def test_a_day_has_one(self) -> None:
        first, created = making.make(DAY, now=NEXT)
        again, twice = making.make(DAY, now=NEXT)
        assert (created, twice, again.pk, Digest.objects.count()) == (True, False, first.pk, 1)
        assert making.missing_days(NEXT) == []

    def test_a_day_that_is_not_over_has_none(self) -> None:
        with pytest.raises(making.NotOver, match="2026-09-01 is not over"):
            making.make(DAY, now=NOON)

    def test_the_sweeper_makes_and_sends_it_once(self, monkeypatch: Any) -> None:
        from mpc.jobs import periodic_steps

        monkeypatch.setattr(timezone, "now", lambda: NEXT)
        subscriber("reader")
        (step,) = [s for s in periodic_steps() if s.name == "monitoring.digests"]
        step.function()
        step.function()
        assert (Digest.objects.get().day, len(mail.outbox)) == (DAY, 1)


@pytest.mark.django_db
def test_processes_that_make_one_at_once_keep_one(monkeypatch: Any) -> None:
    """While this one gathers, another keeps its own."""
    gather = making.draft
    other: list[Digest] = []

    def meanwhile(day: date, now: datetime) -> Digest:
        other.append(factories.digest(0))
        return gather(day, now)

    monkeypatch.setattr(factories, "making_digests", type("Kept", (), {"draft": staticmethod(gather)}))
    monkeypatch.setattr(making, "draft", meanwhile)
    made, created = making.make(DAY, now=NEXT)
    assert (created, made.pk) == (False, other[0].pk)
    assert Digest.objects.count() == 1


# --- Mail ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
class TestMail:
    def digest(self) -> Digest:
        return factories.digest(0)

    def test_it_goes_once_to_each_who_wants_it_and_may_see_it(self) -> None:
        digest = self.digest()
        subscriber("wants")
        subscriber("twice")
        Subscription.objects.create(user=subscriber("also"), digest=True)
        subscriber("not", digest=False)
        subscriber("off", active=False)
        subscriber("hook", channel="webhook")
        Subscription.objects.create(user=factories.person(name="norole"), digest=True)
        gone = subscriber("gone")
        gone.is_active = False
        gone.save()
        assert mailing.send(digest, NEXT) == 3
        assert mailing.send(digest, NEXT) == 0
        assert sorted(m.to[0] for m in mail.outbox) == [f"{n}@example.org" for n in ("also", "twice", "wants")]
        digest.refresh_from_db()
        assert digest.mailed_at == NEXT

    def test_what_it_says(self, settings: Any) -> None:
        settings.MPC_SITE_URL = "https://mpc.example.org"
        arrived(0)
        ended(0, product=arrived(1))
        subscriber("wants")
        mailing.send(self.digest(), NEXT)
        (letter,) = mail.outbox
        assert letter.subject == "[S2 MPC] 2026-09-01: no worker for 12 h 00 min"
        assert "WHAT RAN: 1 run ended and 2 products arrived" in letter.body
        assert "https://mpc.example.org/trends/digests/2026-09-01/" in letter.body
        ((html, kind),) = letter.alternatives
        assert kind == "text/html"
        assert 'href="https://mpc.example.org/runs/?state=succeeded' in html

    def test_a_letter_that_fails_is_tried_again_and_the_others_go(self, monkeypatch: Any) -> None:
        digest = self.digest()
        for name in ("anna", "bert"):
            subscriber(name)
        send = mail.EmailMultiAlternatives.send

        def refuse(self: Any, *args: Any) -> int:
            if self.to == ["anna@example.org"]:
                raise ConnectionRefusedError("no server")
            return send(self, *args)

        with monkeypatch.context() as patch:
            patch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
            assert mailing.send(digest, NEXT) == 1
        digest.refresh_from_db()
        assert digest.mailed_at is None
        assert DigestMail.objects.get(user__username="anna").error == "no server"
        assert mailing.send_due(NEXT) == 1
        assert [m.to[0] for m in mail.outbox] == ["bert@example.org", "anna@example.org"]
        digest.refresh_from_db()
        assert digest.mailed_at is not None

    def test_a_letter_that_another_process_writes_is_left_to_it_for_ten_minutes(self) -> None:
        digest, person = self.digest(), subscriber("wants")
        DigestMail.objects.create(digest=digest, user=person, begun_at=NEXT)
        assert mailing.send(digest, NEXT + timedelta(minutes=9)) == 0
        assert mailing.send(digest, NEXT + timedelta(minutes=10)) == 1

    def test_old_digests_are_not_mailed(self) -> None:
        self.digest()
        subscriber("wants")
        assert mailing.send_due(NEXT + timedelta(days=3)) == 0


# --- Command and pages -----------------------------------------------------------------------------------------------
@pytest.mark.django_db
class TestCommand:
    def test_it_makes_prints_and_mails(self, capsys: Any) -> None:
        subscriber("wants")
        call_command("digest", "--day", "2026-09-01", "--mail")
        said = capsys.readouterr()
        assert said.out.startswith("Daily digest of 2026-09-01 (UTC), made ")
        assert "WHAT RAN: no run ended" in said.out
        assert said.err == "1 letters sent\n"
        actions = set(AuditEntry.objects.values_list("action", "actor_name"))
        assert {("monitoring.digest_make", "local"), ("monitoring.digest_mail", "local")} <= actions

    def test_as_json(self, capsys: Any) -> None:
        call_command("digest", "--day", "2026-09-01", "--json", user=factories.person(Role.OPERATOR).username)
        said = json.loads(capsys.readouterr().out)
        assert (said["day"], said["mailed_at"]) == ("2026-09-01", None)
        assert [s["key"] for s in said["sections"]] == ["missing", "found", "ran", "little", "ahead"]

    def test_today_is_shown_and_not_kept(self, capsys: Any) -> None:
        call_command("digest", "--day", "today")
        assert f"Daily digest of {making.today():%Y-%m-%d}" in capsys.readouterr().out
        assert not Digest.objects.exists()

    @pytest.mark.parametrize(
        "arguments", [("--day", "tomorrow"), ("--day", "2999-01-01"), ("--day", "today", "--mail")]
    )
    def test_what_is_no_past_day_is_refused(self, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError) as refused:
            call_command("digest", *arguments)
        assert refused.value.returncode == 2


@pytest.mark.django_db
def test_the_page_leads_to_its_neighbours_and_to_the_lists() -> None:
    for n in range(3):
        factories.digest(n)
    page = factories.client(Role.VIEWER).get(reverse("monitoring:digest", kwargs={"day": "2026-09-02"}))
    html = page.content.decode()
    assert 'rel="prev" href="/trends/digests/2026-09-01/"' in html
    assert 'rel="next" href="/trends/digests/2026-09-03/"' in html
    assert "finished_since=2026-09-02" in html


@pytest.mark.django_db
def test_the_page_as_json() -> None:
    digest = factories.digest(0)
    browser = factories.client(Role.VIEWER)
    assert browser.get(f"{digest.get_absolute_url()}?format=json").json()["day"] == "2026-09-01"
    assert browser.get(f"{digest.get_absolute_url()}?format=xml").status_code == 400


@pytest.mark.django_db
def test_a_future_day_cannot_be_made_from_the_page() -> None:
    answer = factories.client(Role.OPERATOR).post(reverse("monitoring:digest-make"), {"day": "2999-01-01"})
    assert answer.status_code == 400
    assert not Digest.objects.exists()
