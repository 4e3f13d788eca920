"""Reader of user product metadata (``MTD_MSIL1C.xml``, ``MTD_MSIL2A.xml``, ``S2A_OPER_MTD_SAFL1C_..xml``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mpc.msi.metadata.common import Facts
from mpc.msi.records import ProductMetadata, QualityFlag
from mpc.msi.xmlio import local_name

MAX_FOOTPRINT_POINTS = 20_000


def read_product_metadata(
    data: bytes, *, problems: list[str] | None = None, what: str = "product metadata"
) -> ProductMetadata:
    """The facts of a user product.

    They stand in ``General_Info/Product_Info`` (identity, datatake, granules), ``General_Info/
    Product_Image_Characteristics`` (radiometry), ``Geometric_Info/Product_Footprint``, ``Auxiliary_Data_Info`` and
    ``Quality_Indicators_Info``. The first L2A products put ``L2A_`` before some of these names.

    Args:
        data: the file.
        problems: gets a line for each value that cannot be true.
        what: name of the file for messages.

    Raises:
        XmlProblem: not XML, or refused.
        MetadataProblem: the root is not ``Level-.._User_Product``.
    """
    facts = Facts(data, what=what, kind="product", suffix="User_Product", problems=problems)
    info = _section(facts, "General_Info/Product_Info", "General_Info/L2A_Product_Info")
    datatake = facts.find("Datatake", base=info)
    datatake_id, absolute_orbit = facts.datatake(datatake)
    granules = list(_granules(facts, info))
    quality = _section(facts, "Quality_Indicators_Info")
    auxiliary = facts.find("Auxiliary_Data_Info", "L2A_Auxiliary_Data_Info")
    return ProductMetadata(
        root=facts.name,
        namespace=facts.namespace,
        product_uri=facts.text("PRODUCT_URI", "PRODUCT_URI_2A", base=info) or "",
        level=_level(facts, info),
        baseline=facts.baseline("PROCESSING_BASELINE", base=info),
        generation_time=facts.time("GENERATION_TIME", base=info),
        product_start_time=facts.time("PRODUCT_START_TIME", base=info),
        spacecraft=facts.text("Datatake/SPACECRAFT_NAME", base=info),
        datatake_id=datatake_id,
        datatake_type=facts.text("Datatake/DATATAKE_TYPE", base=info),
        datatake_start=facts.time("Datatake/DATATAKE_SENSING_START", base=info),
        relative_orbit=facts.integer("Datatake/SENSING_ORBIT_NUMBER", base=info, low=1, high=143),
        orbit_direction=facts.text("Datatake/SENSING_ORBIT_DIRECTION", base=info),
        absolute_orbit=absolute_orbit,
        image_files=tuple(_image_files(facts, granules)),
        datastrip_ids=_attributes(facts, granules, "datastripIdentifier"),
        granule_ids=_attributes(facts, granules, "granuleIdentifier"),
        radiometry=facts.radiometry(
            facts.find("General_Info/Product_Image_Characteristics", "General_Info/L2A_Product_Image_Characteristics")
        ),
        footprint=_footprint(facts),
        cloud_cover=facts.percentage("Cloud_Coverage_Assessment", base=quality),
        snow_cover=facts.percentage("Snow_Coverage_Assessment", base=quality),
        degraded_anc=facts.percentage("Technical_Quality_Assessment/DEGRADED_ANC_DATA_PERCENTAGE", base=quality),
        degraded_msi=facts.percentage("Technical_Quality_Assessment/DEGRADED_MSI_DATA_PERCENTAGE", base=quality),
        quality_flags=tuple(_quality_flags(facts, quality)),
        failed_reports=tuple(_failed_reports(facts, quality)),
        gipps=facts.gipps(auxiliary),
        auxiliary=facts.auxiliary(auxiliary),
        doi=facts.text("PRODUCT_DOI", base=info),
        content=facts.content(facts.find("Image_Content_QI", base=quality)),
    )


def _section(facts: Facts, *paths: str) -> Any:
    """A part of the file; an element without children stands for one that is absent."""
    found = facts.find(*paths)
    return facts.root.makeelement("absent") if found is None else found


def _level(facts: Facts, info: Any) -> str:
    """The level of the root element, which decides the structure; the text beside it should say the same."""
    text = facts.text("PROCESSING_LEVEL", base=info)
    if text is not None and not text.startswith(f"Level-{facts.level[1:]}"):
        facts.doubt("PROCESSING_LEVEL", text, f"not the level of the root element ({facts.name})")
    return facts.level


def _granules(facts: Facts, info: Any) -> Iterator[Any]:
    """``Granule`` since 02.04, ``Granules`` before (several in a product); with s or z in the name around them."""
    for name in ("Product_Organisation", "Product_Organization", "L2A_Product_Organisation"):
        for organisation in facts.all(f".//{name}", info):
            yield from organisation.iter("{*}Granule", "{*}Granules")


def _image_files(facts: Facts, granules: list[Any]) -> Iterator[str]:
    for granule in granules:
        for item in granule.iter("{*}IMAGE_FILE", "{*}IMAGE_FILE_2A", "{*}IMAGE_ID", "{*}IMAGE_ID_2A"):
            text = facts.text_of(item)
            if text:
                yield text


def _attributes(facts: Facts, granules: list[Any], name: str) -> tuple[str, ...]:
    values = (facts.attribute(granule, name) for granule in granules)
    return tuple(dict.fromkeys(value for value in values if value))


def _footprint(facts: Facts) -> tuple[tuple[float, float], ...]:
    """The file gives latitude and longitude in turn; a footprint with one impossible corner is none at all."""
    element = facts.find("Geometric_Info/Product_Footprint/Product_Footprint/Global_Footprint/EXT_POS_LIST")
    if element is None:
        return ()
    texts = (element.text or "").split()
    if not texts:
        return ()
    if len(texts) % 2 or len(texts) > 2 * MAX_FOOTPRINT_POINTS:
        facts.doubt("EXT_POS_LIST", element.text or "", f"no list of latitudes and longitudes ({len(texts)} numbers)")
        return ()
    points = []
    for latitude_text, longitude_text in zip(texts[::2], texts[1::2], strict=True):
        latitude = facts.judge("EXT_POS_LIST", latitude_text, low=-90, high=90, unit="degrees of latitude")
        longitude = facts.judge("EXT_POS_LIST", longitude_text, low=-360, high=360, unit="degrees of longitude")
        if latitude is None or longitude is None:
            return ()
        points.append((longitude, latitude))
    return tuple(points)


def _quality_flags(facts: Facts, quality: Any) -> Iterator[QualityFlag]:
    """``quality_check[@checkType]`` since 02.06; elements such as ``SENSOR_QUALITY_FLAG`` before."""
    inspections = facts.find("Quality_Control_Checks/Quality_Inspections", base=quality)
    for item in () if inspections is None else inspections:
        name = local_name(item)
        if name == "quality_check":
            kind = facts.attribute(item, "checkType")
        else:
            kind = name.removesuffix("_FLAG") if name.endswith("_FLAG") else None
        if kind:
            yield QualityFlag(kind, facts.text_of(item) or "")


def _failed_reports(facts: Facts, quality: Any) -> Iterator[str]:
    failed = facts.find("Quality_Control_Checks/Failed_Inspections", base=quality)
    for item in () if failed is None else failed.iter("{*}REPORT_FILENAME"):
        text = facts.text_of(item)
        if text:
            yield text
