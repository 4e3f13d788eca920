"""The schema set of the products specification that fits a file, and what it says about the file.

Source: Sentinel-2 Products Specification Document, issues 14.2 to 15, whose schemas come as one folder for an issue
("psd-14.8"); ``OLQC_Report.xsd`` and ``L2A_QUALITY.xsd`` lie beside them.

A namespace alone does not name the set: ``psd-14`` stands in all of 14.2, 14.5 and 14.8. So the schemas that declare
the root element in its namespace are found first, and the processing baseline chooses among them. Only files below the
library's own folder are read; what a product brings in ``rep_info`` is never used, nor any address in a file.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree

from mpc.msi.xmlio import XmlProblem, local_name, namespace, parse_xml

MAX_ERRORS = 20
"""Most errors told of one file."""

_MAX_DEPTH = 5
_MAX_FOLDERS = 20_000
_SCHEMA = "{http://www.w3.org/2001/XMLSchema}"
_SET = re.compile(r"(?:^|[^a-z])psd[-_ ]?v?(\d{1,2})\.(\d{1,2})(.*)", re.IGNORECASE | re.ASCII)
_PSD_NAMESPACE = re.compile(r"https?://psd-(\d+)\.sentinel2\.eo\.esa\.int/", re.ASCII)
_BASELINE = re.compile(r"(\d\d)\.(\d\d)", re.ASCII)

Version = tuple[int, int]

_ISSUES: tuple[tuple[Version, Version, Version], ...] = (
    ((0, 0), (14, 0), (14, 3)),
    ((2, 6), (14, 3), (14, 7)),
    ((4, 0), (14, 7), (15, 0)),
    ((5, 11), (15, 0), (99, 0)),
)
"""First baseline of an age, and the issues of the specification that serve it: from, and below."""

_LAST_BASELINE = (90, 0)
"""From here on baselines are those of users' own processing (99.99), which name no issue."""


@dataclass(frozen=True)
class Validation:
    """What a schema says about a file.

    Attributes:
        status: "valid", "invalid" or "no_schema".
        schema: the schema's path in the library ("psd-14.8/S2_PDI_Level-1C_Tile_Metadata.xsd"); "" without one.
        errors: the first 20, each with its line.
        reason: in one sentence, why there is no schema, or how many errors there are.
    """

    status: str
    schema: str = ""
    errors: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class SchemaSet:
    """A folder with schemas at its top.

    Attributes:
        name: path in the library.
        folder: where it is.
        version: issue of the specification; None for sets of other files (olqc, gipp).
        variant: what follows the issue in the folder's name ("-l1b"); plain sets are preferred.
    """

    name: str
    folder: Path
    version: Version | None = None
    variant: str = ""

    @cached_property
    def declarations(self) -> dict[tuple[str, str], Path]:
        """The schema file for each (namespace, local name) that may be a root element; broken schemas are left out."""
        found: dict[tuple[str, str], Path] = {}
        for path in sorted(self.folder.glob("*.xsd")):
            try:
                root = parse_xml(path.read_bytes(), what=path.name)
            except (XmlProblem, OSError):
                continue
            target = root.get("targetNamespace", "")
            for element in root.findall(f"{_SCHEMA}element"):
                found.setdefault((target, element.get("name", "")), path)
        return found


@dataclass
class _Compiled:
    """A schema that is ready for use. lxml keeps the errors of the last validation in it, hence the lock."""

    schema: Any = None
    problem: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


_compiled: dict[Path, _Compiled] = {}
_compiling = threading.Lock()


class SchemaLibrary:
    """The schema sets below one folder, found by the names of their folders.

    A folder with "psd-14.8" in its name (or that of a folder around it) is the set of that issue; other folders with
    schemas at their top are sets without an issue. Schemas are compiled when first needed and kept for the process.
    """

    def __init__(self, directory: Path | str | None) -> None:
        """``directory`` may be None, absent or empty: then every validation says "no_schema" and why."""
        self.directory = None if directory is None else Path(directory).resolve()

    @cached_property
    def sets(self) -> tuple[SchemaSet, ...]:
        """All sets, those of the specification first, by issue."""
        found = [] if self.directory is None else list(_sets_below(self.directory))
        return tuple(sorted(found, key=lambda item: (item.version is None, item.version or (0, 0), item.variant)))

    def validate(self, root: Any, *, baseline: str | None = None) -> Validation:
        """Validate a document by its root element (of :func:`mpc.msi.xmlio.parse_xml`).

        Args:
            root: the root element; it is not changed.
            baseline: processing baseline of the product ("04.00"), needed to choose between sets of one namespace.
        """
        path, reason, errors = self._choose(root, baseline)
        if path is None:
            return Validation("invalid" if errors else "no_schema", errors=errors, reason=reason)
        assert self.directory is not None
        name = path.relative_to(self.directory).as_posix()
        compiled = _compile(path, self.directory)
        if compiled.schema is None:
            return Validation("no_schema", name, reason=f"the schema {name} cannot be used: {compiled.problem}")
        with compiled.lock:
            if compiled.schema.validate(root):
                return Validation("valid", name)
            log = compiled.schema.error_log
            count = len(log)
            errors = tuple(_told(entry) for entry, _ in zip(log, range(MAX_ERRORS), strict=False))
        return Validation("invalid", name, errors, f"{count} error{'' if count == 1 else 's'} by {name}")

    def _choose(self, root: Any, baseline: str | None) -> tuple[Path | None, str, tuple[str, ...]]:
        """The schema for a root element, or why there is none and what is wrong with the element."""
        space, name = namespace(root), local_name(root)
        if not self.sets:
            where = "no folder of schemas is set" if self.directory is None else f"no schemas in {self.directory.name}"
            return None, f"{where} (MPC_SCHEMA_DIR)", ()
        fitting = [item for item in self.sets if (space, name) in item.declarations]
        if not fitting:
            return self._without(space, name)
        chosen, reason = _by_baseline(fitting, space, baseline)
        if chosen is None:
            return None, f"{reason} (root element {name})", ()
        return chosen.declarations[space, name], "", ()

    def _without(self, space: str, name: str) -> tuple[Path | None, str, tuple[str, ...]]:
        """A namespace that differs from a known one by its issue only may be right; any other is an error."""
        known = {key[0] for item in self.sets for key in item.declarations if key[1] == name}
        generations = {_PSD_NAMESPACE.sub("", target) for target in known}
        if not known or (_PSD_NAMESPACE.match(space) and _PSD_NAMESPACE.sub("", space) in generations):
            return None, f"no schema of the sets found declares {name} in the namespace {space[:200] or '(none)'}", ()
        error = f"{name} is in the namespace {space[:200] or '(none)'}, not in {' or '.join(sorted(known))}"
        return None, "the namespace of the root element is wrong", (error,)


def wanted_issues(baseline: str | None) -> tuple[Version, Version] | None:
    """Issues of the specification that serve a baseline: from, and below; None for a baseline that names none.

    >>> wanted_issues("05.09")
    ((14, 7), (15, 0))
    """
    match = _BASELINE.fullmatch(baseline or "")
    number = (int(match[1]), int(match[2])) if match else None
    if number is None or number >= _LAST_BASELINE:
        return None
    return next((low, below) for first, low, below in reversed(_ISSUES) if number >= first)


def _by_baseline(fitting: list[SchemaSet], space: str, baseline: str | None) -> tuple[SchemaSet | None, str]:
    """Of the sets that declare an element, the one for a baseline; or None and why none of them is."""
    issued = [item for item in fitting if item.version is not None]
    specification = _PSD_NAMESPACE.match(space)
    if not issued:
        return fitting[0], ""
    if specification and int(specification[1]) >= 15:
        return _newest(issued), ""
    issues = wanted_issues(baseline)
    in_range = [item for item in issued if issues and issues[0] <= (item.version or (0, 0)) < issues[1]]
    if in_range:
        return _newest(in_range), ""
    if not specification or (issues is None and len({item.version for item in issued}) == 1):
        return _newest(issued), ""
    names = ", ".join(item.name for item in issued)
    if issues is None:
        said = f"baseline {baseline!r} names no issue" if baseline else "the baseline is not known"
        return None, f"{said}, and the namespace fits several schema sets: {names}"
    (low, low_minor), (below, below_minor) = issues
    return None, (
        f"baseline {baseline} is served by an issue of the specification from {low}.{low_minor} to below "
        f"{below}.{below_minor}; of the sets found only {names} have the namespace of the file"
    )


def _newest(sets: list[SchemaSet]) -> SchemaSet:
    return max(sets, key=lambda item: (item.version or (0, 0), not item.variant))


def _sets_below(directory: Path) -> Iterator[SchemaSet]:
    for count, (path, folders, files) in enumerate(os.walk(directory)):
        if count >= _MAX_FOLDERS:
            return
        folder = Path(path)
        inside = folder.relative_to(directory)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "rep_info")
        if len(inside.parts) >= _MAX_DEPTH:
            folders.clear()
        if not any(name.endswith(".xsd") for name in files):
            continue
        issue = next(filter(None, (_SET.search(part) for part in (*reversed(inside.parts), directory.name))), None)
        name = inside.as_posix() if inside.parts else directory.name
        if issue is None:
            yield SchemaSet(name, folder)
            continue
        folders.clear()  # below lie the dictionaries that the schemas import
        yield SchemaSet(name, folder, (int(issue[1]), int(issue[2])), issue[3])


class _OnlyBelow(etree.Resolver):
    """Lets a schema import files below the library's folder, and nothing else."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.refused: list[str] = []

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        url = system_url or ""
        path = url.removeprefix("file://")
        if "://" not in path and Path(path).resolve().is_relative_to(self.directory):
            return None  # the default: read the local file
        self.refused.append(url)
        raise ValueError(f"{url} lies outside the folder of schemas")


def _compile(path: Path, directory: Path) -> _Compiled:
    with _compiling:
        if path not in _compiled:
            _compiled[path] = _Compiled(*_compile_now(path, directory))
        return _compiled[path]


def _compile_now(path: Path, directory: Path) -> tuple[Any, str]:
    resolver = _OnlyBelow(directory)
    parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False)
    parser.resolvers.add(resolver)
    try:
        return etree.XMLSchema(etree.parse(str(path), parser)), ""
    except (etree.LxmlError, OSError, ValueError) as error:
        if resolver.refused:
            return None, f"it imports {resolver.refused[0]}, which is not below the folder of schemas: not fetched"
        return None, str(error)[:300]


def _told(entry: Any) -> str:
    message = entry.message if len(entry.message) <= 400 else f"{entry.message[:400]}.."
    return f"line {entry.line}: {message}"
