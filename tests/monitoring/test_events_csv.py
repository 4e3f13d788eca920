"""Events from CSV files: what an export holds comes back; what is wrong is said with its line; nothing runs."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from mpc.accounts.models import AuditEntry
from mpc.accounts.roles import Role
from mpc.monitoring.events import csvfile, services
from mpc.monitoring.models import MissionEvent
from tests import factories

pytestmark = pytest.mark.django_db
HEAD = "kind,title,start\n"


def exported() -> str:
    answer = factories.client(Role.VIEWER).get("/trends/events/?format=csv")
    return b"".join(answer.streaming_content).decode()


def facts() -> list[tuple]:
    rows = MissionEvent.objects.filter(withdrawn_at=None).order_by("start", "title")
    return [tuple(str(getattr(row, name)) for name in services.FIELDS) for row in rows]


def test_an_export_comes_back_as_it_was() -> None:
    factories.mission_event(0, title='=HYPERLINK("x")', text="two\nlines, “quoted”", bands=["B11", "B8A"])
    factories.mission_event(1, unit="", detectors=["01", "12"], end=factories.START.replace(year=2027), verified=False)
    factories.mission_event(2, title="-1", source="@sum")
    before, text = facts(), exported()
    assert "'=HYPERLINK" in text
    assert [row.known for row in csvfile.read_csv(text).rows] == [True, True, True]
    MissionEvent.objects.all().delete()
    read = csvfile.read_csv(text.replace("\n", "\r\n"))
    assert read.wrong == ()
    services.import_events(factories.person(Role.OPERATOR), read.new)
    assert facts() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty"),
        ("\n\n", "The file is empty"),
        (HEAD, "nothing below it"),
        ("title,start\na,2026-01-01", "kind is missing"),
        ("a;b;c\n1;2;3", "kind, title, start are missing"),
        ("kind,title,start,price\nother,a,2026-01-01,1", "No such column: price"),
        ("kind,title,start,start\nother,a,2026-01-01,2026-01-01", "start stands twice"),
        (HEAD + "other,a\x00b,2026-01-01", "NUL"),
        (HEAD + 'other,"' + "x" * 200_000 + '",2026-01-01', "is no CSV: field larger"),
        (HEAD + "other,a,2026-01-01\n" * 2001, "more than 2000 events"),
        ("x" * 1_000_001, "more than 1000000 characters"),
    ],
)
def test_what_is_no_table_of_events_is_refused(text: str, words: str) -> None:
    with pytest.raises(csvfile.Unreadable, match=words):
        csvfile.read_csv(text)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("party,a,2026-01-01,,,,", "kind: Value 'party' is not a valid choice"),
        ("other,,2026-01-01,,,,", "title: This field cannot be blank"),
        (f"other,{'x' * 121},2026-01-01,,,,", "title: Ensure this value has at most 120"),
        ("other,a,tomorrow,,,,", "start: “tomorrow” is no time"),
        ("other,a,2026-13-01,,,,", "is no time"),
        ("other,a,0001-01-01T00:00:00+14:00,,,,", "outside of all times"),
        ("other,a,2026-01-02,2026-01-01,,,", "end: It ends before it starts"),
        ("other,a,2026-01-01,,XYZ,,", "unit: “XYZ” is no unit"),
        ("other,a,2026-01-01,,,B99,", "bands: not known: B99"),
        ('other,a,2026-01-01,,,"[1",', "bands: this is no list"),
        ("other,a,2026-01-01,,,,maybe", "verified: “maybe” is neither"),
        ("other,a,2026-01-01", "3 cells, but 7 columns"),
        ("other,a,2026-01-01,,,,,,,", "10 cells, but 7 columns"),
    ],
)
def test_a_wrong_line_is_said_and_the_others_stay(line: str, words: str) -> None:
    text = f"kind,title,start,end,unit,bands,verified\n{line}\nother,good,2026-01-01,,,,yes\n"
    read = csvfile.read_csv(text)
    assert [(row.line, row.fields["title"]) for row in read.rows] == [(3, "good")]
    assert [wrong.line for wrong in read.wrong] == [2]
    assert words in read.wrong[0].text


def test_ways_to_write_the_same() -> None:
    text = (
        "Kind;Title;Start;Bands;Detectors;Unit\n"
        "SWIR decontamination;Warm up;2026-09-01;b11 B12;1 12;s2a\n"
        "decontamination;Warm up;2026-09-01T02:00:00+02:00;B12 B11;01 12;S2A\n"
    )
    first, second = csvfile.read_csv(text).rows
    assert first.fields["bands"] == ["B11", "B12"]
    assert first.fields["detectors"] == ["01", "12"]
    assert (first.known, second.known) == (False, True), "both lines are one event"


def test_files_that_are_no_text_are_refused() -> None:
    with pytest.raises(csvfile.Unreadable, match="not UTF-8 .byte 0 is 0xff"):
        csvfile.decoded(b"\xff\xfek\x00i\x00")
    with pytest.raises(csvfile.Unreadable, match="at most 1000000"):
        csvfile.decoded(b"x" * 1_000_001)
    assert csvfile.decoded("\ufeffkind".encode()) == "kind"


# --- Page and command ------------------------------------------------------------------------------------------------
def test_the_page_shows_first_and_writes_when_confirmed() -> None:
    browser = factories.client(Role.QC_ENGINEER)
    factories.mission_event(0, kind="other", title="known", unit="", start=datetime(2026, 9, 2, tzinfo=UTC))
    text = HEAD + "other,known,2026-09-02\nother,<b>new</b>,2026-09-03\nwrong,x,2026-09-03\n"
    file = SimpleUploadedFile("events.csv", text.encode(), content_type="text/csv")
    html = browser.post("/trends/events/import/", {"file": file}).content.decode()
    assert MissionEvent.objects.count() == 1, "it is only shown"
    assert "<strong>1</strong> new event" in html
    assert "Line 4" in html
    assert "&lt;b&gt;new&lt;/b&gt;" in html
    assert "here already" in html
    answer = browser.post("/trends/events/import/", {"text": text, "confirm": "1"})
    assert answer.status_code == 302
    assert MissionEvent.objects.filter(origin="csv", created_by=browser.user).count() == 1


def test_a_file_that_is_too_large_is_refused_by_the_page() -> None:
    file = SimpleUploadedFile("events.csv", b"x" * 1_000_001)
    answer = factories.client(Role.QC_ENGINEER).post("/trends/events/import/", {"file": file})
    assert answer.status_code == 422
    assert "at most 1000000" in answer.content.decode()


def test_the_command_imports_and_names_what_is_wrong(tmp_path: Path) -> None:
    factories.person(Role.OPERATOR, name="olga")
    path = tmp_path / "events.csv"
    path.write_text(HEAD + "other,a,2026-09-01\nother,b,never\n")
    told, wrong = StringIO(), StringIO()
    with pytest.raises(SystemExit):
        call_command("import_events", str(path), "--dry-run", stdout=told, stderr=wrong)
    assert told.getvalue() == "1 would be imported, 0 here already, 1 wrong\n"
    assert wrong.getvalue().startswith("line 3: start: “never” is no time")
    assert not MissionEvent.objects.exists()
    path.write_text(HEAD + "other,a,2026-09-01\n")
    for count in (1, 0):
        told = StringIO()
        call_command("import_events", str(path), "--user", "olga", stdout=told)
        assert told.getvalue() == f"{count} imported, {1 - count} here already, 0 wrong\n"
    assert AuditEntry.objects.get(action="monitoring.events_import").actor.username == "olga"
    for bad, words in ((tmp_path / "nothing.csv", "No such file"), (tmp_path, "")):
        with pytest.raises(CommandError, match=words) as refused:
            call_command("import_events", str(bad))
        assert refused.value.returncode == 2
