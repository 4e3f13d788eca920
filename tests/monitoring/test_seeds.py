"""The centre's own tables: what they say, and how they come into the database and leave people's changes alone."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from mpc.accounts.models import AuditEntry
from mpc.accounts.roles import Role
from mpc.monitoring.models import EventKind, Metric, MissionEvent, Requirement, RequirementLimit, Statistic
from mpc.monitoring.requirements.limits import limits_of, replace_limits
from mpc.monitoring.seeds import loading, tables
from mpc.msi.bands import BANDS
from tests import factories

BAND_NAMES = {band.name for band in BANDS}


# --- What they say ---------------------------------------------------------------------------------------------------
def test_each_requirement_stands_on_a_metric_and_a_document() -> None:
    codes = {row["code"] for row in tables.metrics()}
    for row in tables.requirements():
        fields = row.fields
        assert fields["metric"] in codes, fields["code"]
        assert fields["document"], fields["code"]
        assert fields["statistic"] in Statistic.values, fields["code"]
        assert {band for _, band, *_ in row.limits} <= BAND_NAMES | {""}, fields["code"]
        assert fields["verified"] or fields.get("note"), f"{fields['code']} is unverified without a word why"


def test_the_values_of_the_mission() -> None:
    """Against the dossier: SNR at Lref (1.2), the requirement table (5.3), the targets of level 2A (7)."""
    limits = {
        (row.fields["code"], unit, band): rest for row in tables.requirements() for unit, band, *rest in row.limits
    }
    snr = dict(zip(
        [b.name for b in BANDS], [129, 154, 168, 142, 117, 89, 105, 174, 72, 114, 50, 100, 100], strict=True,
    ))  # fmt: skip
    assert {band: low for (code, _, band), (low, *_) in limits.items() if code == "RAD-SNR"} == snr
    assert limits["RAD-ABS", "", ""] == [None, 5.0, None, 3.0]
    assert limits["GEO-ABS", "", ""] == [None, 12.5, None, None]
    assert limits["GEO-ABS-UNREF", "", ""][1] == 20.0
    assert limits["GEO-APRIORI", "", ""][1] == 2000.0
    assert limits["GEO-MT", "", ""][1] == limits["GEO-MS", "", ""][1] == 0.3
    assert limits["IMG-MTF", "", "B02"][:2] == [0.15, 0.30]
    assert limits["IMG-MTF", "", "B01"][:2] == [None, 0.45]
    assert (limits["DARK-STAB", "", "B02"][1], limits["DARK-STAB", "", "B11"][1]) == (1.0, 5.0)
    assert (limits["RAD-INTERBAND", "", ""][1], limits["RAD-MULTITEMP", "", ""][1]) == (3.0, 1.0)
    assert (limits["RAD-LIN", "", ""][1], limits["RAD-XTALK", "", ""][1]) == (1.0, 0.5)
    # 100 % over the signal to noise ratio, as the note says.
    for band, low in snr.items():
        assert limits["RAD-FPN", "", band][1] == pytest.approx(100 / low, abs=5e-4)
    statistic = {row.fields["code"]: row.fields["statistic"] for row in tables.requirements()}
    assert (statistic["GEO-ABS"], statistic["GEO-MS"]) == ("p9545", "p9973")


def test_what_is_only_quoted_or_remembered_is_unverified() -> None:
    verified = {row.fields["code"]: row.fields["verified"] for row in tables.requirements()}
    assert {c for c, seen in verified.items() if seen} == {
        "RAD-ABS", "RAD-INTERBAND", "RAD-MULTITEMP", "GEO-ABS", "GEO-ABS-UNREF", "GEO-APRIORI", "GEO-MT", "GEO-MS",
        "L2A-AOT-2010", "L2A-WV-2010", "L2A-SR-2010",
    }  # fmt: skip


def test_known_events_have_a_kind_and_a_source() -> None:
    found = {row["key"]: row for row in tables.events()}
    assert {row["kind"] for row in found.values()} <= set(EventKind.values)
    assert all(row["source"] and row["start"].utcoffset().total_seconds() == 0 for row in found.values())
    assert found["launch-s2b"]["start"].isoformat() == "2017-03-07T00:00:00+00:00"
    assert found["baseline-05.11"]["start"].isoformat() == "2024-07-23T07:00:00+00:00"
    assert not found["baseline-05.13"]["verified"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[requirement]]\ncode = "A"', "lacks title"),
        ('[[requirement]]\ncode="A"\ntitle="A"\nmetric="m"\ndocument="d"\nlimits=[{}]', "a limit says nothing"),
        ('[[requirement]]\ncode="A"\ntitle="A"\nmetric="m"\ndocument="d"\nlimits=[{lo=1}]', "no field lo"),
        (
            '[[requirement]]\ncode="A"\ntitle="A"\nmetric="m"\ndocument="d"\nlimits=[{low=1},{bands=["",""],low=2}]',
            "two limits of all",
        ),
        ('[[requirement]]\ncode="A"\ntitle="A"\nmetric="m"\ndocument="d"\nlimits=[]\nlimit=1', "no such field: limit"),
    ],
)
def test_a_wrong_table_is_refused_with_the_row(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "requirements.toml"
    path.write_text(text)
    with pytest.raises(tables.BadTable, match=words):
        tables.requirements(path)


# --- How they are loaded ---------------------------------------------------------------------------------------------
@pytest.fixture
def loaded(db: None) -> None:
    loading.load()


@pytest.mark.django_db
def test_loading_a_second_time_changes_nothing(django_assert_max_num_queries) -> None:
    first = loading.load()
    assert {c.what for c in first} == {"new"}
    assert Requirement.objects.filter(from_table=True).count() == len(tables.requirements()) == 22
    assert MissionEvent.objects.filter(origin="table").count() == len(tables.events())
    history = (Requirement.history.count(), RequirementLimit.history.count(), Metric.history.count())
    with django_assert_max_num_queries(8):
        assert loading.load() == []
    assert (Requirement.history.count(), RequirementLimit.history.count(), Metric.history.count()) == history


def test_what_differs_is_shown_and_then_brought_back(loaded: None) -> None:
    Requirement.objects.filter(code="RAD-ABS").update(title="Something else")
    RequirementLimit.objects.filter(requirement__code="RAD-ABS").update(high=7.0)
    shown = loading.load(dry_run=True)
    assert [(c.code, c.what) for c in shown] == [("RAD-ABS", "changed")]
    assert shown[0].before == {"title": "Something else", "limits": [["", "", None, 7.0, None, 3.0]]}
    assert limits_of(Requirement.objects.get(code="RAD-ABS"))[0][3] == 7.0, "a dry run changed something"
    loading.load()
    again = Requirement.objects.get(code="RAD-ABS")
    assert (again.title, limits_of(again)) == (
        "Absolute radiometric uncertainty", (("", "", None, 5.0, None, 3.0),)
    )  # fmt: skip


def test_what_a_person_changed_stays(loaded: None) -> None:
    person = factories.person(Role.ESL_EXPERT)
    mine = Requirement.objects.get(code="GEO-ABS")
    mine.edited, mine.window_days, mine._history_user = True, 30, person
    mine.save()
    replace_limits(mine, [("", "", None, 10.0, None, None)], person)
    event = MissionEvent.objects.get(key="table:launch-s2a")
    event.title, event._history_user = "Start of S2A", person
    event.save()
    found = {(c.kind, c.code): c.what for c in loading.load()}
    assert found == {
        ("requirement", "GEO-ABS"): "kept: a person changed it", ("event", "launch-s2a"): "kept: a person changed it"
    }  # fmt: skip
    mine.refresh_from_db()
    assert (mine.window_days, limits_of(mine)[0][3]) == (30, 10.0)
    assert MissionEvent.objects.get(pk=event.pk).title == "Start of S2A"


def test_a_requirement_that_left_the_table_is_kept_and_named(loaded: None) -> None:
    metric = Metric.objects.get(code="dark.dsnu")
    Requirement.objects.create(code="OLD", title="Old", metric=metric, document="d", from_table=True)
    assert [(c.code, c.what) for c in loading.load()] == [("OLD", "not in the table any more: kept")]


def test_after_a_migration_it_is_loaded(db: None, settings) -> None:
    loading.load_after_migration()
    assert not Requirement.objects.exists(), "tests ask for the tables"
    settings.MPC_LOAD_TABLES = True
    loading.load_after_migration()
    assert Requirement.objects.count() == 22
    assert not AuditEntry.objects.filter(action="monitoring.load_requirements").exists()


def test_the_command_shows_and_loads(db: None) -> None:
    person = factories.person(Role.ESL_EXPERT, name="erika")
    told = StringIO()
    call_command("load_requirements", "--dry-run", "--user", "erika", stdout=told)
    assert "requirement GEO-ABS: new" in told.getvalue()
    assert "would change" in told.getvalue()
    assert not Requirement.objects.exists()
    call_command("load_requirements", "--user", "erika", stdout=StringIO())
    assert Requirement.objects.count() == 22
    assert AuditEntry.objects.get(action="monitoring.load_requirements").actor == person
    RequirementLimit.objects.filter(requirement__code="GEO-MT").update(high=0.4)
    told = StringIO()
    call_command("load_requirements", stdout=told)
    assert "requirement GEO-MT: changed\n    limits: " in told.getvalue()
    told = StringIO()
    call_command("load_requirements", stdout=told)
    assert told.getvalue() == "nothing to change\n"
