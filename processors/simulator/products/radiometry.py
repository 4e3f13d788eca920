"""Elements on radiometry that product and datastrip metadata share: offsets, irradiances, spectral responses."""

from __future__ import annotations

from lxml import etree

from processors.simulator import instrument
from processors.simulator.instrument import BAND_ID, BAND_NAMES, GSD
from processors.simulator.products.pixels import OFFSET
from processors.simulator.products.spec import ProductSpec
from processors.simulator.products.xmltree import BAND_UNIT, add


def add_display_order(parent: etree._Element) -> None:
    order = add(parent, "Image_Display_Order")
    for name, value in (("RED_CHANNEL", 3), ("GREEN_CHANNEL", 2), ("BLUE_CHANNEL", 1)):
        add(order, name, value)


def add_offsets(parent: etree._Element, list_name: str, element_name: str) -> None:
    """One offset per band; here alone the attribute is called ``band_id``."""
    offsets = add(parent, list_name)
    for band in BAND_NAMES:
        add(offsets, element_name, OFFSET, {"band_id": str(BAND_ID[band])})


def add_reflectance_conversion(parent: etree._Element, spec: ProductSpec) -> None:
    conversion = add(parent, "Reflectance_Conversion")
    add(conversion, "U", f"{instrument.sun_distance_correction(spec.start):.15g}")
    table = add(conversion, "Solar_Irradiance_List")
    for band, value in instrument.solar_irradiance(spec.unit, spec.baseline).items():
        add(table, "SOLAR_IRRADIANCE", f"{value:g}", {"bandId": str(BAND_ID[band]), "unit": BAND_UNIT})


def add_spectral_information(parent: etree._Element, spec: ProductSpec) -> None:
    table = add(parent, "Spectral_Information_List")
    for band in BAND_NAMES:
        physical = "B8A" if band == "B8A" else f"B{int(band[1:])}"
        row = add(table, "Spectral_Information", None, {"bandId": str(BAND_ID[band]), "physicalBand": physical})
        add(row, "RESOLUTION", GSD[band])
        span = instrument.wavelength(spec.unit, band)
        limits = add(row, "Wavelength")
        for name, value in (("MIN", span.minimum), ("MAX", span.maximum), ("CENTRAL", span.central)):
            add(limits, name, f"{value:g}", {"unit": "nm"})
        response = add(row, "Spectral_Response")
        add(response, "STEP", 1, {"unit": "nm"})
        add(response, "VALUES", " ".join(f"{v:g}" for v in instrument.spectral_response(spec.unit, band)))
