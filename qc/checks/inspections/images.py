"""Are all images there, and can each be read in full?"""

from __future__ import annotations

from mpc.msi.bands import BANDS
from qc.checks.finding import Finding, failed, not_checked, passed, warning
from qc.checks.inspections.common import base, baseline_number, number, reasons, some
from qc.checks.registry import inspection
from qc.checks.structure import check_structure
from qc.checks.subject import Subject

PRODUCT = ("product",)

JPEG_2000 = ("jp2", "j2k")

L1C_IMAGES = frozenset((band.name, band.gsd) for band in BANDS)

L2A_IMAGES = frozenset(
    [("B02", 10), ("B03", 10), ("B04", 10), ("B08", 10), ("AOT", 10), ("WVP", 10)]
    + [(name, 20) for name in ("B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12", "AOT", "WVP", "SCL")]
    + [(name, 60) for name in ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B09", "B11", "B12")]
    + [(name, 60) for name in ("AOT", "WVP", "SCL")]
)
"""B10 sees no ground and has no image at L2A."""

FIRST_WITH_TCI = (2, 4)
L2A_B01_AT_20M = (4, 0)


def expected_images(level: str | None, baseline: str | None, layout: str) -> frozenset[tuple[str, int]]:
    """The images that a granule of this level must have, as (name, resolution)."""
    version = baseline_number(baseline)
    if level == "L2A":
        with_b01 = version is not None and version >= L2A_B01_AT_20M
        return L2A_IMAGES | {("TCI", 10), ("TCI", 20), ("TCI", 60)} | ({("B01", 20)} if with_b01 else set())
    # The true colour image came with the compact names.
    with_tci = layout == "compact" and (version is None or version >= FIRST_WITH_TCI)
    return L1C_IMAGES | ({("TCI", 10)} if with_tci else set())


@inspection(
    id="format.images.present",
    title="Every image of the level is there",
    group="format",
    kinds=PRODUCT,
    reference="Products Specification Document, image data of level 1C and 2A",
)
def images_present(subject: Subject) -> Finding:
    if not subject.safe.granules:
        return failed("at least one granule", "none", "the product holds no granule", where="GRANULE")
    expected = expected_images(subject.level, subject.baseline, subject.safe.layout)
    absent: list[str] = []
    wanted = 0
    for granule in subject.safe.granules:
        prefix = f"{granule.tile} " if len(subject.safe.granules) > 1 else ""
        wanted += len(expected)
        absent += [
            f"{prefix}{name} {resolution} m"
            for name, resolution in sorted(expected, key=lambda key: (key[1], key[0]))
            if (name, resolution) not in granule.images
        ]
    there = {base(path).rsplit(".", 1)[0] for granule in subject.safe.granules for path in granule.images.values()}
    listed = [
        base(name)
        for name in (subject.product.record.image_files if subject.product.record else ())
        if base(name) not in there
    ]
    text = f"{number(wanted, 'image')}"
    if absent or listed:
        message = f"{number(len(absent), 'image')} of level {subject.level} absent" if absent else ""
        if listed:
            message += f"{'; ' if message else ''}{number(len(listed), 'image')} listed in the metadata not there"
        return failed(
            text, f"{len(absent) or len(listed)} absent", message, where=some(absent or listed), items=absent + listed
        )
    surplus = [f"{g.tile} B10" for g in subject.safe.granules for name, _ in g.images if name == "B10"]
    if subject.level == "L2A" and surplus:
        return warning(text, "all there, and B10", "level 2A has no image of B10", where=some(surplus))
    return passed(text, "all there")


@inspection(
    id="format.images.readable",
    title="Every image can be read in full",
    group="format",
    kinds=PRODUCT,
    reference="ISO/IEC 15444-1, annexes A and I; GDAL's error stream",
)
def images_readable(subject: Subject) -> Finding:
    images = subject.pixels.images
    if not images:
        return not_checked("no image in this product")
    broken = [image for image in images if image.problems]
    expected = f"{number(len(images), 'image')} decoded"
    if broken:
        return failed(
            expected,
            f"{len(broken)} not",
            f"{broken[0].label}: {reasons(broken[0].problems)}"
            + (f"; and {len(broken) - 1} more" if len(broken) > 1 else ""),
            where=some(image.label for image in broken),
            items=[{"image": i.label, "file": i.path, "bytes": i.size, "problems": list(i.problems)} for i in broken],
        )
    reduced = [image.label for image in images if image.reduced]
    return passed(
        expected,
        "all",
        "walked through and decoded without an error or a warning of GDAL"
        + (
            f"; {some(reduced)} decoded as small as the picture: its checksum and its codestream prove it whole"
            if reduced
            else ""
        ),
    )


@inspection(
    id="format.images.encoding",
    title="Images are JPEG 2000",
    group="format",
    kinds=PRODUCT,
    reference="Products Specification Document, image data: JPEG 2000 (ISO/IEC 15444-1)",
)
def images_encoding(subject: Subject) -> Finding:
    known = [image for image in subject.pixels.images if image.format]
    if not known:
        return not_checked("no image could be opened")
    others = [image for image in known if image.format not in JPEG_2000]
    expected = f"{number(len(known), 'image')} in JPEG 2000"
    if others:
        return failed(
            expected,
            f"{len(others)} not",
            f"{others[0].label} is a {others[0].format.upper()} file under the name of a JPEG 2000",
            where=some(image.label for image in others),
            items=[{"image": image.label, "file": image.path, "format": image.format} for image in others],
        )
    return passed(expected, "all")


@inspection(
    id="format.masks.present",
    title="Every mask is there",
    group="format",
    kinds=PRODUCT,
    reference="Products Specification Document, quality masks (Pixel_Level_QI of the tile metadata)",
)
def masks_present(subject: Subject) -> Finding:
    if not subject.safe.granules:
        return not_checked("no granule in this product")
    absent: list[str] = []
    wanted = 0
    for granule, tile in zip(subject.safe.granules, subject.tiles, strict=True):
        there = {base(path) for path in granule.masks.values()}
        listed = {base(path) for _, path in tile.record.mask_files} if tile.record else set()
        footprints = {f"MSK_DETFOO of {band.name}" for band in BANDS if ("DETFOO", band.name) not in granule.masks}
        missing = {name for name in listed - there if "DETFOO" not in name}
        wanted += len(listed | there)
        absent += sorted(footprints) + sorted(missing)
    if absent:
        return failed(
            "13 detector footprints a tile and every mask that its metadata list",
            f"{len(absent)} absent",
            f"{number(len(absent), 'mask')} absent",
            where=some(absent),
            items=absent,
        )
    return passed("13 detector footprints a tile and every mask that its metadata list", f"{wanted} there")


@inspection(
    id="format.masks.structure",
    title="Raster masks are whole",
    group="format",
    kinds=PRODUCT,
    reference="ISO/IEC 15444-1, annexes A and I",
)
def masks_whole(subject: Subject) -> Finding | None:
    paths = [
        path
        for granule in subject.safe.granules
        for path in granule.masks.values()
        if path.lower().endswith(".jp2") and subject.safe.container.exists(path)
    ]
    if not paths:
        if any(granule.masks for granule in subject.safe.granules):
            return None  # GML masks are looked at by format.xml.wellformed
        return not_checked("no mask in this product")
    # A quality mask of 10 m takes 919 MB decoded: its codestream is walked through instead.
    broken = [(path, problems) for path in paths if (problems := check_structure(subject.safe, path).problems)]
    if broken:
        return failed(
            f"{number(len(paths), 'mask')} whole",
            f"{len(broken)} not",
            f"{base(broken[0][0])}: {reasons(broken[0][1])}",
            where=some(base(path) for path, _ in broken),
            items=[{"file": path, "problems": list(problems)} for path, problems in broken],
        )
    return passed(f"{number(len(paths), 'mask')} whole", "all", "codestreams walked through, not decoded")
