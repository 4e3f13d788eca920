"""All inspections. Importing the package registers them, in the order in which reports show them within a group."""

from qc.checks.inspections import (  # noqa: F401, I001 - the order is that of the report
    manifest,
    xml_files,
    identity,
    images,
    raster,
    geometry,
    radiometry,
    scene,
    footprints,
    sensor,
    metadata,
    gipp,
    olqc,
)
