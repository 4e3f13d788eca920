"""The product under inspection: facts read when an inspection first asks for them, and kept.

Nothing is read twice in a run: each XML file is parsed once for its metadata, each image is decoded once
(:mod:`qc.checks.pixels`). Broken contents never raise here; they become a ``problem`` that inspections report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from mpc.msi.container import ContainerError
from mpc.msi.metadata import MetadataProblem, read_datastrip_metadata, read_product_metadata, read_tile_metadata
from mpc.msi.names import InvalidName, ProductName, parse_product_name
from mpc.msi.olqc import read_olqc_report, report_kind
from mpc.msi.records import DatastripMetadata, Gipp, OlqcReport, ProductMetadata, Radiometry, TileMetadata
from mpc.msi.safe import DatastripParts, GranuleParts, ManifestEntry, SafeProduct, read_manifest
from mpc.msi.schemas import SchemaLibrary
from mpc.msi.xmlio import XmlProblem, parse_xml
from qc.checks.digests import Digests
from qc.checks.pixels import PixelFacts, PixelOptions, read_pixels
from qc.checks.settings import QcParams

Record = TypeVar("Record", ProductMetadata, TileMetadata, DatastripMetadata)

MAX_XML_BYTES = 64 * 2**20
XML_SUFFIXES = (".xml", ".safe", ".gml", ".xsd", ".xsl", ".xhtml")


@dataclass(frozen=True)
class Reading(Generic[Record]):
    """One metadata file. ``record`` is None when it could not be read, and then ``problem`` says why.

    ``absurd`` lists single facts that were left out because they cannot be ("element: value … is …").
    """

    path: str | None
    record: Record | None
    problem: str = ""
    absurd: tuple[str, ...] = ()


@dataclass(frozen=True)
class ManifestReading:
    """The manifest: its entries, or why there are none. ``path`` is None when the product has no manifest."""

    path: str | None
    entries: tuple[ManifestEntry, ...] = ()
    problem: str = ""


class Subject:
    """One product, folder or zip, with all that inspections may ask of it.

    ``progress(fraction, message)`` is called while pixels are read (0 to 1 of that step).
    """

    def __init__(
        self,
        safe: SafeProduct,
        *,
        schemas: SchemaLibrary | None = None,
        params: QcParams | None = None,
        threads: int = 1,
        progress: Callable[[float, str], None] = lambda fraction, message: None,
    ) -> None:
        self.safe = safe
        self.schemas = schemas
        self.params = params or QcParams()
        self.threads = threads
        self.progress = progress

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """ "product" or "datastrip"."""
        return self.safe.kind

    @cached_property
    def name(self) -> ProductName | None:
        """The product's name taken apart; None where it follows no convention."""
        try:
            return parse_product_name(self.safe.name)
        except InvalidName:
            return None

    @cached_property
    def level(self) -> str | None:
        """Level by the metadata, else by the name."""
        return next((record.level for record in self._records if record.level), self.safe.level)

    @cached_property
    def baseline(self) -> str | None:
        """Processing baseline by the metadata ("05.09"), else by the name."""
        return next((r.baseline for r in self._records if r.baseline), self.name.baseline if self.name else None)

    @cached_property
    def unit(self) -> str | None:
        """The satellite by the name of the product, else by the metadata ("S2A")."""
        if self.name:
            return self.name.unit
        return next((r.unit for r in self._records if r.unit), None)

    @cached_property
    def datatake_start(self) -> datetime | None:
        """Start of the datatake, by the metadata."""
        return next((r.datatake_start for r in self._records if r.datatake_start), None)

    @property
    def _records(self) -> list[ProductMetadata | DatastripMetadata]:
        """What could be read of the product and its datastrips, the product first."""
        strips = [reading.record for reading in self.datastrips if reading.record is not None]
        return [self.product.record, *strips] if self.product.record is not None else [*strips]

    # -- metadata --------------------------------------------------------------------------------------------------

    @cached_property
    def product(self) -> Reading[ProductMetadata]:
        """MTD_MSIL1C or MTD_MSIL2A; a stand-alone datastrip has none."""
        return self._read(self.safe.product_metadata, read_product_metadata, "product metadata")

    @cached_property
    def datastrips(self) -> tuple[Reading[DatastripMetadata], ...]:
        return tuple(
            self._read(part.metadata, read_datastrip_metadata, f"metadata of datastrip {part.id}")
            for part in self.safe.datastrips
        )

    @cached_property
    def tiles(self) -> tuple[Reading[TileMetadata], ...]:
        """One for each of ``safe.granules``, in their order; a datastrip's granules (L0 to L1B) are no tiles."""
        if self.kind != "product":
            return ()
        return tuple(
            self._read(part.metadata, read_tile_metadata, f"metadata of tile {part.id}") for part in self.safe.granules
        )

    @cached_property
    def metadata(self) -> tuple[Reading[Any], ...]:
        """All metadata files of the product, tile and datastrip that there are or should be."""
        of_product = (self.product,) if self.kind == "product" else ()
        return (*of_product, *self.datastrips, *self.tiles)

    @cached_property
    def radiometry(self) -> Radiometry | None:
        """Quantification, offsets and gains: the product's, for a stand-alone datastrip its own."""
        if self.product.record:
            return self.product.record.radiometry
        return next((r.record.radiometry for r in self.datastrips if r.record), None)

    @cached_property
    def gipps(self) -> tuple[Gipp, ...]:
        """The GIPP list of the product, else that of its datastrip."""
        if self.product.record and self.product.record.gipps:
            return self.product.record.gipps
        return next((r.record.gipps for r in self.datastrips if r.record and r.record.gipps), ())

    def _read(self, path: str | None, read: Callable[..., Any], what: str) -> Reading[Any]:
        container = self.safe.container
        if path is None or not container.exists(path):
            return Reading(path, None, f"there is no {what}" + (f" ({path})" if path else ""))
        if container.size(path) == 0:
            return Reading(path, None, f"{path} is empty (0 bytes)")
        absurd: list[str] = []
        try:
            record = read(container.read(path, limit=MAX_XML_BYTES), problems=absurd, what=path)
        except (XmlProblem, MetadataProblem, ContainerError) as error:
            return Reading(path, None, str(error))
        return Reading(path, record, "", tuple(absurd))

    # -- XML and manifest ------------------------------------------------------------------------------------------

    @cached_property
    def xml_files(self) -> tuple[str, ...]:
        """All members that are XML by their name."""
        return tuple(name for name in self.safe.container.names() if name.lower().endswith(XML_SUFFIXES))

    def parse(self, path: str) -> tuple[Any, str]:
        """(root element, "") of an XML member, or (None, what is wrong with it). Not kept: trees are large."""
        container = self.safe.container
        try:
            return parse_xml(container.read(path, limit=MAX_XML_BYTES), what=path), ""
        except (XmlProblem, ContainerError) as error:
            return None, str(error)

    @cached_property
    def manifest(self) -> ManifestReading:
        path = self.safe.manifest_path
        if path is None:
            return ManifestReading(None, (), "no manifest.safe in this product")
        try:
            return ManifestReading(path, tuple(read_manifest(self.safe)))
        except (XmlProblem, ContainerError) as error:
            return ManifestReading(path, (), str(error))

    @cached_property
    def digests(self) -> Digests:
        """Digests of the files that the manifest lists, as far as they are there."""
        return Digests(self.safe.container, self.manifest.entries)

    # -- on-line quality control -----------------------------------------------------------------------------------

    @cached_property
    def olqc(self) -> tuple[OlqcReport, ...]:
        """Every report of the on-line quality control, of datastrips first, then of granules."""
        parts: list[tuple[str, DatastripParts | GranuleParts]] = []
        parts += [("datastrip", part) for part in self.safe.datastrips]
        parts += [("granule", part) for part in self.safe.granules]
        return tuple(self._olqc_report(path, scope) for scope, part in parts for path in part.reports.values())

    def _olqc_report(self, path: str, scope: str) -> OlqcReport:
        try:
            data = self.safe.container.read(path, limit=MAX_XML_BYTES)
        except ContainerError as error:
            return OlqcReport(
                report_kind(path), scope, "", path, "ERROR", "", "", "", None, (), readable=False, problem=str(error)
            )
        return read_olqc_report(data, path=path, scope=scope, schemas=self.schemas, baseline=self.baseline)

    # -- pixels ----------------------------------------------------------------------------------------------------

    @cached_property
    def pixels(self) -> PixelFacts:
        """What the one pass over all images found; files are hashed for the check of digests meanwhile."""
        options = PixelOptions(statistics=self.params.statistics, pictures=self.params.quicklook, threads=self.threads)
        tiles = tuple(reading.record for reading in self.tiles)
        digests = self.digests if self.params.checksums else None
        return read_pixels(self.safe, tiles, self.radiometry, options, self.progress, digests)
