"""Small help to build metadata trees with lxml: the namespace rules of the PSD and bytes that never change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lxml import etree

XSI = "http://www.w3.org/2001/XMLSchema-instance"
BAND_UNIT = "W/m²/µm"


def psd_root(local_name: str, namespace: str) -> etree._Element:
    """Root of a metadata file; its children made by :func:`section` carry the namespace too, deeper elements none."""
    root = etree.Element(f"{{{namespace}}}{local_name}", nsmap={"n1": namespace, "xsi": XSI})
    root.set(f"{{{XSI}}}schemaLocation", f"{namespace} {namespace.rsplit('/', 1)[1]}")
    return root


def section(root: etree._Element, name: str, **attributes: str) -> etree._Element:
    """A direct child of the root, in the root's namespace."""
    return etree.SubElement(root, f"{{{etree.QName(root).namespace}}}{name}", attributes)


def add(
    parent: etree._Element, name: str, text: object = None, attributes: Mapping[str, str] | None = None
) -> etree._Element:
    """A child without namespace; ``text`` is written as ``str`` does."""
    child = etree.SubElement(parent, name, dict(attributes or {}))
    if text is not None:
        child.text = str(text)
    return child


def add_all(parent: etree._Element, items: Iterable[tuple[str, object]]) -> None:
    """Several plain children in order."""
    for name, text in items:
        add(parent, name, text)


def to_bytes(root: etree._Element) -> bytes:
    """The file: UTF-8, indented by two spaces."""
    etree.indent(root, "  ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=False) + b"\n"
