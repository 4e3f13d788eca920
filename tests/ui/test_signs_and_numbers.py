"""How statuses, numbers, times and sizes are written."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from mpc.ui import numbers, signs

NARROW = "\u202f"


@pytest.mark.parametrize(
    ("status", "kind", "label"),
    [
        ("passed", "pass", "passed"),
        ("PASSED", "pass", "PASSED"),
        ("FAILED", "fail", "FAILED"),
        ("INCOMPLETE", "warn", "INCOMPLETE"),
        ("warning", "warn", "warning"),
        ("not_checked", "idle", "not checked"),
        ("error", "broken", "error"),
        ("queued", "idle", "queued"),
        ("running", "busy", "running"),
        ("succeeded", "pass", "succeeded"),
        ("cancelled", "idle", "cancelled"),
        ("timed_out", "fail", "timed out"),
        ("a word nobody named", "idle", "a word nobody named"),
        (None, "idle", "unknown"),
        ("", "idle", "unknown"),
    ],
)
def test_a_status_has_a_shape_and_a_word(status, kind, label):
    assert signs.sign_for(status) == signs.Sign(kind, label)


def test_label_and_kind_can_be_given():
    assert signs.sign_for("new", label="new alert", kind="fail") == signs.Sign("fail", "new alert")
    with pytest.raises(ValueError, match="purple"):
        signs.sign_for("new", kind="purple")


def test_no_word_has_two_signs():
    words = [word for words in signs._WORDS.values() for word in words.split()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (0.21123, 0.0061, "0.211 ± 0.006"),  # leading digits 610: one digit
        (0.21123, 0.0021, "0.2112 ± 0.0021"),  # 210: two digits
        (0.827, 0.119, "0.83 ± 0.12"),  # the examples of the Particle Data Group's rule
        (0.827, 0.367, "0.8 ± 0.4"),
        (0.9, 0.0952, "0.90 ± 0.10"),
        (0.5, 0.0354, "0.500 ± 0.035"),
        (0.5, 0.0355, "0.50 ± 0.04"),
        (1234.56, 30, "1235 ± 30"),
        (123456.0, 300, f"123{NARROW}460 ± 300"),
        (-0.041, 0.02, "−0.041 ± 0.020"),
        (0.0, 0.5, "0.0 ± 0.5"),
        (3.2e-9, 4e-10, "(3.2 ± 0.4) × 10⁻⁹"),
        (5.0, 0, "5 ± 0"),
        (5.25, None, "5.25"),
        (None, 0.1, "–"),
        (math.nan, 0.1, "NaN"),
        (1.0, math.inf, "1 ± ∞"),
        ("0.5", "0.1", "0.50 ± 0.10"),
    ],
)
def test_a_value_keeps_the_digits_that_its_uncertainty_supports(value, uncertainty, text):
    assert numbers.measured(value, uncertainty) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0, None, "0"),
        (1284, None, "1284"),
        (18204113, None, f"18{NARROW}204{NARROW}113"),
        (-20000, None, f"−20{NARROW}000"),
        (12.3456789, None, "12.346"),
        (12.3456789, 1, "12.3"),
        (-0.0001, 1, "0.0"),
        (0.00001234, None, "1.234 × 10⁻⁵"),
        (math.inf, None, "∞"),
        (None, None, "–"),
        ("", None, "–"),
        ("text", None, "text"),
        (True, None, "True"),
    ],
)
def test_a_number_is_written_for_reading(value, digits, text):
    assert numbers.number(value, digits) == text


@pytest.mark.parametrize(("value", "text"), [(0.0561, "+0.056"), (-0.2, "−0.200"), (0, "0.000"), (None, "–")])
def test_a_margin_has_its_sign(value, text):
    assert numbers.signed(value, 3) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.12, "120 ms"),
        (0.9999, "1.0 s"),
        (4.26, "4.3 s"),
        (41, "41 s"),
        (59.7, "1 min 00 s"),
        (200, "3 min 20 s"),
        (7260, "2 h 01 min"),
        (7200, "2 h 00 min"),
        (273600, "3 d 4 h"),
        (timedelta(minutes=5), "5 min 00 s"),
        (-30, "−30 s"),
        (None, "–"),
    ],
)
def test_a_duration_is_told_in_the_units_that_matter(seconds, text):
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("moment", "style", "text"),
    [
        (datetime(2026, 11, 21, 10, 3, 11, 24000, UTC), "s", "2026-11-21 10:03:11 UTC"),
        (datetime(2026, 11, 21, 10, 3, 11, 24000, UTC), "ms", "2026-11-21 10:03:11.024 UTC"),
        (datetime(2026, 11, 21, 10, 3, 11, tzinfo=timezone(timedelta(hours=2))), "min", "2026-11-21 08:03 UTC"),
        (datetime(2026, 11, 21, 10, 3), "date", "2026-11-21"),
        (date(2026, 11, 21), "s", "2026-11-21"),
        (None, "s", "–"),
    ],
)
def test_a_time_is_iso_with_utc(moment, style, text):
    assert numbers.utc(moment, style) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_600, "1.0 MB"), (834_000_000, "834 MB"), (None, "–")],
)
def test_a_size_is_told_in_decimal_units(count, text):
    assert numbers.size(count) == text
