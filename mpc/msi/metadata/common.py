"""What the three readers share: finding elements by local name, and believing a value only when it can be true.

Only the root and its children carry the namespace of the products specification, so every path here goes by local
names. A value that cannot be true (not a number, out of its bounds, a date of the year 1) becomes None and leaves a
line "element: value '..' is .." in the list of problems; a value that is not there becomes None in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mpc.msi.bands import BANDS
from mpc.msi.names import InvalidName, parse_datatake_id
from mpc.msi.records import Gipp, Radiometry
from mpc.msi.xmlio import local_name, namespace, parse_xml

MAX_TEXT = 500
"""Longest name, identifier or address that is taken from metadata, in characters."""

MAX_PROBLEMS = 100
"""Most problems told of one file."""

YEARS = (2013, 2100)
"""Years in which a date of the mission can lie."""

_LEVELS = ("L0", "L1A", "L1B", "L1C", "L2A")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}(?:\.0*)?", re.ASCII)
_TIME = re.compile(
    r"(?:UTC=)?(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_BASELINE = re.compile(r"\d\d\.\d\d", re.ASCII)
_QUANTIFICATION = ("QUANTIFICATION_VALUE", "BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE")
_BAND_NAMES = {str(band.band_id): band.name for band in BANDS}


class MetadataProblem(ValueError):
    """Well-formed XML that is not the metadata that was asked for."""


class Facts:
    """One metadata file: finds elements, judges values and collects what is wrong with them.

    Paths are local names parted by "/", from the root or from ``base``; ``.//NAME`` finds at any depth.
    """

    def __init__(self, data: bytes, *, what: str, kind: str, suffix: str, problems: list[str] | None) -> None:
        """Parse ``data`` and make sure that its root is ``Level-<level>_<suffix>``.

        Raises:
            XmlProblem: the file is not XML, or too large.
            MetadataProblem: the root is another.
        """
        self.root = parse_xml(data, what=what)
        self.name = local_name(self.root)
        self.namespace = namespace(self.root)
        self._problems = problems
        self._told = 0
        match = re.fullmatch(rf"Level-(\w{{1,2}})_{suffix}", self.name)
        self.level = f"L{match[1]}" if match else ""
        if self.level not in _LEVELS:
            raise MetadataProblem(f"{what} is no {kind} metadata: its root element is {_shown(self.name)}")

    def doubt(self, element: str, value: str, why: str) -> None:
        """Note that ``value`` of ``element`` cannot be used."""
        self._told += 1
        if self._problems is None or self._told > MAX_PROBLEMS + 1:
            return
        if self._told > MAX_PROBLEMS:
            self._problems.append("further problems of this file are not listed")
        else:
            self._problems.append(f"{element}: value {_shown(value)} is {why}")

    def find(self, *paths: str, base: Any = None) -> Any | None:
        """The first element at the first path that leads anywhere."""
        for path in paths:
            found = (self.root if base is None else base).find(_wildcards(path))
            if found is not None:
                return found
        return None

    def all(self, path: str, base: Any = None) -> Iterator[Any]:
        """Every element at ``path``."""
        return iter((self.root if base is None else base).iterfind(_wildcards(path)))

    def text(self, *paths: str, base: Any = None) -> str | None:
        """Text at a path without blanks around it; None if absent, empty or longer than :data:`MAX_TEXT`."""
        element = self.find(*paths, base=base)
        return None if element is None else self.text_of(element)

    def text_of(self, element: Any) -> str | None:
        return self._bounded(local_name(element), (element.text or "").strip())

    def attribute(self, element: Any, name: str, *, needed: bool = True) -> str | None:
        """An attribute without blanks around it; its absence is a problem when it is ``needed``."""
        value = element.get(name)
        where = f"{local_name(element)}/@{name}"
        if value is None:
            if needed:
                self.doubt(where, "", "missing")
            return None
        return self._bounded(where, value.strip())

    def number(
        self, *paths: str, base: Any = None, low: float = -1e12, high: float = 1e12, unit: str = ""
    ) -> float | None:
        """A finite number from ``low`` to ``high`` at a path."""
        element = self.find(*paths, base=base)
        return None if element is None else self.number_of(element, low=low, high=high, unit=unit)

    def number_of(self, element: Any, *, low: float = -1e12, high: float = 1e12, unit: str = "") -> float | None:
        return self.judge(local_name(element), element.text, low=low, high=high, unit=unit)

    def judge(
        self, where: str, text: str | None, *, low: float = -1e12, high: float = 1e12, unit: str = ""
    ) -> float | None:
        """``text`` as a finite number from ``low`` to ``high``."""
        text = (text or "").strip()
        if not text:
            return None
        value = float(text) if len(text) <= 64 and _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(value):
            self.doubt(where, text, "not a finite number")
            return None
        if not low <= value <= high:
            self.doubt(where, text, f"outside {low:g} to {high:g}{' ' if unit else ''}{unit}")
            return None
        return value

    def percentage(self, *paths: str, base: Any = None) -> float | None:
        return self.number(*paths, base=base, low=0, high=100, unit="%")

    def integer(self, *paths: str, base: Any = None, low: int = 0, high: int = 10**12) -> int | None:
        """A whole number from ``low`` to ``high`` at a path."""
        element = self.find(*paths, base=base)
        text = "" if element is None else (element.text or "").strip()
        return self.whole(local_name(element), text, low=low, high=high) if text else None

    def whole(self, where: str, text: str, *, low: int, high: int) -> int | None:
        """``text`` as a whole number from ``low`` to ``high``."""
        if not _INTEGER.fullmatch(text):
            self.doubt(where, text, "not a whole number")
            return None
        value = int(text.partition(".")[0])
        if not low <= value <= high:
            self.doubt(where, text, f"outside {low} to {high}")
            return None
        return value

    def time(self, *paths: str, base: Any = None) -> datetime | None:
        """A UTC time at a path; years outside :data:`YEARS` cannot be true."""
        element = self.find(*paths, base=base)
        text = "" if element is None else (element.text or "").strip()
        if not text:
            return None
        value, why = read_time(text)
        if why:
            self.doubt(local_name(element), text, why)
        return value

    def band(self, element: Any, attribute: str = "bandId") -> str | None:
        """Band name by the number in an attribute; ``bandId`` and ``band_id`` both occur."""
        other = "band_id" if attribute == "bandId" else "bandId"
        value = element.get(attribute, element.get(other))
        if value is None:
            self.doubt(f"{local_name(element)}/@{attribute}", "", "missing")
            return None
        name = _BAND_NAMES.get(value.strip())
        if name is None:
            self.doubt(f"{local_name(element)}/@{attribute}", value, "no band number (0 to 12)")
        return name

    def by_band(
        self, elements: Iterator[Any], attribute: str = "bandId", *, low: float = -1e12, high: float = 1e12
    ) -> dict[str, float]:
        """Numbers by band, in the order of band numbers; of two for one band the first counts."""
        values: dict[str, float] = {}
        for element in elements:
            band = self.band(element, attribute)
            if band is None:
                continue
            if band in values:
                self.doubt(local_name(element), element.text or "", f"a second one for {band}")
                continue
            value = self.number_of(element, low=low, high=high)
            if value is not None:
                values[band] = value
        return in_band_order(values)

    def datatake(self, element: Any | None) -> tuple[str | None, int | None]:
        """Identifier of a ``Datatake`` or ``Datatake_Info`` element and the absolute orbit in it."""
        text = None if element is None else self.attribute(element, "datatakeIdentifier")
        if not text:
            return None, None
        try:
            return text, parse_datatake_id(text).absolute_orbit
        except InvalidName as problem:
            self.doubt("@datatakeIdentifier", text, f"no datatake identifier ({problem})"[:300])
            return text, None

    def baseline(self, *paths: str, base: Any = None) -> str | None:
        text = self.text(*paths, base=base)
        if text is None or _BASELINE.fullmatch(text):
            return text
        self.doubt("PROCESSING_BASELINE", text, "no baseline of the form 05.11")
        return None

    def radiometry(self, section: Any | None, gains: Any | None = None) -> Radiometry:
        """The radiometric facts anywhere below ``section``; gains below ``gains`` where they stand elsewhere."""
        if section is None and gains is None:
            return Radiometry()
        if section is None:
            return Radiometry(physical_gains=self._gains(gains))
        offset = "BOA_ADD_OFFSET" if self.level == "L2A" else "RADIO_ADD_OFFSET"
        return Radiometry(
            quantification=self._divisor(section, *_QUANTIFICATION),
            aot_quantification=self._divisor(section, "AOT_QUANTIFICATION_VALUE", "L2A_AOT_QUANTIFICATION_VALUE"),
            wvp_quantification=self._divisor(section, "WVP_QUANTIFICATION_VALUE", "L2A_WVP_QUANTIFICATION_VALUE"),
            offsets=self.by_band(self.all(f".//{offset}", section), "band_id", low=-65535, high=65535),
            u=self.number(".//Reflectance_Conversion/U", base=section, low=0.1, high=10),
            solar_irradiance=self.by_band(self.all(".//SOLAR_IRRADIANCE", section), low=1, high=10_000),
            physical_gains=self._gains(section if gains is None else gains),
            special_values=self._special_values(section),
        )

    def gipps(self, section: Any | None) -> tuple[Gipp, ...]:
        """``GIPP_List`` with type and version of each file."""
        if section is None:
            return ()
        return tuple(
            Gipp(
                name=self.text_of(item) or "",
                type=self.attribute(item, "type") or "",
                version=self.attribute(item, "version") or "",
            )
            for item in self.all("GIPP_List/GIPP_FILENAME", section)
        )

    def auxiliary(self, section: Any | None) -> dict[str, str]:
        """Every other entry of ``Auxiliary_Data_Info`` by its name; values of one name are parted by blanks."""
        values: dict[str, list[str]] = {}
        for entry in () if section is None else section:
            if local_name(entry) == "GIPP_List":
                continue
            for item in entry.iter("{*}*"):
                text = (item.text or "").strip()
                if text and len(item) == 0 and (kept := self._bounded(local_name(item), text)):
                    values.setdefault(local_name(item), []).append(kept)
        return {name: " ".join(texts) for name, texts in values.items()}

    def content(self, section: Any | None) -> dict[str, float]:
        """Every number of ``Image_Content_QI`` by its name; texts such as the retrieval method are left out."""
        values: dict[str, float] = {}
        for item in () if section is None else section:
            name = local_name(item)
            if name.endswith(("_METHOD", "_SOURCE")) or len(item):
                continue
            percent = name.endswith("PERCENTAGE")
            value = self.number_of(item, low=0 if percent else -1e12, high=100 if percent else 1e12)
            if value is not None:
                values[name] = value
        return values

    def _divisor(self, section: Any, *names: str) -> float | None:
        return self.number(*(f".//{name}" for name in names), base=section, low=1, high=1e6)

    def _gains(self, section: Any) -> dict[str, float]:
        plain = list(self.all(".//PHYSICAL_GAINS", section))
        if plain and plain[0].get("bandId") is None and plain[0].get("band_id") is None:
            return self._gains_in_bands(section)
        return self.by_band(iter(plain), low=1e-6, high=1e6)

    def _gains_in_bands(self, section: Any) -> dict[str, float]:
        """In datastrips the band's number stands at the element around the gain."""
        values: dict[str, float] = {}
        for item in self.all(".//Spectral_Band_Information", section):
            band = self.band(item)
            gain = self.number("PHYSICAL_GAINS", base=item, low=1e-6, high=1e6)
            if band is not None and gain is not None:
                values.setdefault(band, gain)
        return in_band_order(values)

    def _special_values(self, section: Any) -> dict[str, int]:
        values = {}
        for item in self.all(".//Special_Values", section):
            name = self.text("SPECIAL_VALUE_TEXT", base=item)
            value = self.integer("SPECIAL_VALUE_INDEX", base=item, low=0, high=65535)
            if name and value is not None:
                values[name] = value
        return values

    def _bounded(self, where: str, text: str) -> str | None:
        if len(text) > MAX_TEXT:
            self.doubt(where, text, f"longer than {MAX_TEXT} characters")
            return None
        return text or None


def read_time(text: str) -> tuple[datetime | None, str]:
    """A date of metadata as an aware UTC time, or None and what is wrong with it.

    Takes ``2018-06-29T00:02:41.024Z``, with or without zone and fraction, and with ``UTC=`` before it.
    """
    match = _TIME.fullmatch(text.strip()) if len(text) <= 64 else None
    if match is None:
        return None, "not a date and time"
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if not YEARS[0] <= year < YEARS[1]:
        return None, f"a date outside {YEARS[0]} to {YEARS[1]}"
    leap = second == 60
    microsecond = int((match[7] or "0").ljust(6, "0")[:6])
    try:
        value = datetime(year, month, day, hour, minute, 59 if leap else second, microsecond, UTC)
        zone = match[8]
        if zone and zone != "Z":
            shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
            value = value - shift if zone[0] == "+" else value + shift
    except (ValueError, OverflowError) as problem:
        return None, f"not a date and time ({problem})"
    return value + timedelta(seconds=1) if leap else value, ""


def in_band_order(values: dict[str, Any]) -> dict[str, Any]:
    """The same mapping with its bands in the order of their numbers."""
    return {band.name: values[band.name] for band in BANDS if band.name in values}


def _wildcards(path: str) -> str:
    deep = path.startswith(".//")
    parts = "/".join(f"{{*}}{part}" for part in (path[3:] if deep else path).split("/"))
    return f".//{parts}" if deep else parts


def _shown(value: str) -> str:
    value = " ".join(value.split())
    return repr(value if len(value) <= 80 else f"{value[:60]}.. ({len(value)} characters)")
