"""How numbers and times are written: value ± uncertainty with the digits that mean something, ISO dates with UTC."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

NOTHING = "–"
MINUS = "−"
THIN = "\u202f"  # narrow no-break space between thousands
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def as_float(value: object) -> float | None:
    """A number as float; None for None, "" and what is not a number."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def grouped(text: str) -> str:
    """``"-12345.678"`` as ``"−12 345.678"``: typographic minus, thousands apart."""
    sign = MINUS if text.startswith("-") else ""
    whole, dot, fraction = text.lstrip("+-").partition(".")
    return f"{sign}{f'{int(whole):,}'.replace(',', THIN) if len(whole) > 4 else whole}{dot}{fraction}"


def number(value: object, digits: int | None = None) -> str:
    """A number for reading: integers whole, floats with ``digits`` decimals, or else about five significant digits.

    None gives "–", NaN and infinities are named: they are findings, not gaps.
    """
    if isinstance(value, int) and not isinstance(value, bool) and digits is None:
        return grouped(str(value))
    found = as_float(value)
    if found is None:
        return NOTHING if value in (None, "") else str(value)
    if not math.isfinite(found):
        return _not_finite(found)
    if digits is not None:
        return grouped(_no_negative_zero(f"{found:.{digits}f}"))
    if found == 0:
        return "0"
    if not 1e-4 <= abs(found) < 1e7:
        return _scientific(found, None, 3)
    decimals = max(0, 4 - math.floor(math.log10(abs(found))))
    text = f"{found:.{decimals}f}"
    return grouped(text.rstrip("0").rstrip(".") if "." in text else text)


def uncertainty_digits(uncertainty: float) -> int:
    """Decimal place (as power of ten) to which an uncertainty is rounded, by the three-digit rule.

    Source: Particle Data Group, Review of Particle Physics, Introduction, 5.3 "Rounding": of the three leading digits
    100 to 354 keep two digits, 355 to 949 one, 950 to 999 round up to 1000 and keep two.
    """
    exponent = math.floor(math.log10(uncertainty))
    leading = round(uncertainty / 10.0 ** (exponent - 2))
    if leading >= 1000:  # rounding carried over
        leading, exponent = leading // 10, exponent + 1
    if leading <= 354:
        return exponent - 1
    return exponent


def measured(value: object, uncertainty: object = None) -> str:
    """``value ± uncertainty``, both rounded to the place that the uncertainty supports.

    Without an uncertainty the value is written alone: the page says elsewhere why it has none. A zero uncertainty is
    written as it is given: it states an exact value.
    """
    found, spread = as_float(value), as_float(uncertainty)
    if found is None or not math.isfinite(found):
        return number(value)
    if spread is None:
        return number(found)
    if not math.isfinite(spread):
        return f"{number(found)} ± {_not_finite(spread)}"
    if spread == 0:
        return f"{number(found)} ± 0"
    spread = abs(spread)
    place = uncertainty_digits(spread)
    size = max(abs(found), spread)
    if not 1e-4 <= size < 1e7:
        return _scientific(found, spread, place)
    rounded, doubt = _round_at(found, place), _round_at(spread, place)
    decimals = max(0, -place)
    return f"{grouped(_no_negative_zero(f'{rounded:.{decimals}f}'))} ± {grouped(f'{doubt:.{decimals}f}')}"


def signed(value: object, digits: int | None = None) -> str:
    """A margin or a change: always with its sign."""
    text = number(value, digits)
    found = as_float(value)
    if found is None or not math.isfinite(found) or found <= 0:
        return text
    return f"+{text}"


def _round_at(value: float, place: int) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(place), rounding=ROUND_HALF_EVEN)


def _no_negative_zero(text: str) -> str:
    return text.lstrip("-") if text.startswith("-") and not text.strip("-0.") else text


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else ("∞" if value > 0 else f"{MINUS}∞")


def _scientific(value: float, spread: float | None, place: int) -> str:
    """``1.234 × 10⁻⁵``; with a spread both share the power, and ``place`` is the decimal place of the spread."""
    exponent = math.floor(math.log10(max(abs(value), spread or 0.0)))
    power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
    scale = Decimal(1).scaleb(-exponent)
    if spread is None:
        mantissa = f"{Decimal(repr(value)) * scale:.{place}f}".rstrip("0").rstrip(".")
        return f"{grouped(mantissa)} × {power}"
    decimals = max(0, exponent - place)
    left, right = Decimal(repr(value)) * scale, Decimal(repr(spread)) * scale
    return f"({grouped(_no_negative_zero(f'{left:.{decimals}f}'))} ± {right:.{decimals}f}) × {power}"


def duration(seconds: object) -> str:
    """A time span in the two units that matter: "120 ms", "41 s", "3 min 20 s", "2 h 01 min", "3 d 4 h"."""
    total = seconds.total_seconds() if hasattr(seconds, "total_seconds") else as_float(seconds)
    if total is None or not math.isfinite(total):
        return NOTHING
    sign, total = (MINUS if total < 0 else ""), abs(total)
    if total == 0:
        return "0 s"
    if total < 0.9995:
        return f"{sign}{total * 1000:.0f} ms" if total >= 0.001 else f"{sign}{total * 1000:.2g} ms"
    if total < 9.95:
        return f"{sign}{total:.1f} s"
    whole = round(total)
    if whole < 60:
        return f"{sign}{whole} s"
    if whole < 3600:
        return f"{sign}{whole // 60} min {whole % 60:02d} s"
    minutes = round(total / 60)
    if minutes < 24 * 60:
        return f"{sign}{minutes // 60} h {minutes % 60:02d} min"
    hours = round(total / 3600)
    return f"{sign}{hours // 24} d {hours % 24} h"


def utc(moment: object, style: str = "s") -> str:
    """A time in UTC: ``style`` "date", "min", "s" or "ms". A naive time is taken as UTC, as product metadata are."""
    if moment is None or moment == "":
        return NOTHING
    if isinstance(moment, date) and not isinstance(moment, datetime):
        return moment.isoformat()
    if not isinstance(moment, datetime):
        return str(moment)
    time = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if style == "date":
        return f"{time:%Y-%m-%d}"
    if style == "min":
        return f"{time:%Y-%m-%d %H:%M} UTC"
    if style == "ms":
        return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d} UTC"
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def size(count: object) -> str:
    """Bytes in decimal units, as disks and downloads are sold: "834 MB"."""
    found = as_float(count)
    if found is None:
        return NOTHING
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if abs(found) < 999.5 or unit == "PB":
            digits = 0 if unit == "B" or abs(found) >= 99.95 else 1
            return f"{found:.{digits}f} {unit}"
        found /= 1000
    raise AssertionError("the last unit ends the loop")
