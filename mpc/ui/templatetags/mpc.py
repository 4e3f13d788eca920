"""``{% load mpc %}``: signs, numbers, times, plots, forms and permissions, written the same way on every page."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, FileInput
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from mpc.ui import access, figures, focal, numbers, rows, signs

register = template.Library()


# --- Signs -----------------------------------------------------------------------------------------------------------
@register.simple_tag
def tag(status: Any, label: str = "", kind: str = "", title: str = "") -> SafeString:
    """The sign of a status: ``{% tag report.verdict %}``, ``{% tag alert.state label="new" kind="fail" %}``."""
    sign = signs.sign_for(status, str(label), kind)
    hint = format_html(' title="{}"', title) if title else ""
    return format_html('<span class="tag {}"{}>{}</span>', sign.kind, hint, sign.label)


@register.simple_tag
def unit(name: Any) -> SafeString:
    """A satellite with the square that it has everywhere: ``{% unit "S2B" %}``."""
    text = str(name or "").upper()
    if not text:
        return format_html("{}", numbers.NOTHING)
    return format_html('<span class="unit u{}">{}</span>', text[-1:].lower(), text)


@register.simple_tag
def bar(fraction: Any, label: str = "") -> SafeString:
    """How far: ``{% bar run.fraction %}`` with 0 to 1; None draws a bar that only says "at work"."""
    found = numbers.as_float(fraction)
    if found is None:
        return format_html(
            '<div class="bar unsure" role="progressbar" aria-label="{}"><i></i></div>', label or "at work"
        )
    percent = f"{100 * min(1.0, max(0.0, found)):.0f}"
    return format_html(
        '<div class="bar" role="progressbar" aria-label="{}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{}">'
        '<i style="width:{}%"></i></div>',
        *(label or "progress", percent, percent),
    )


_ICONS = {
    "menu": "M4 7h16M4 12h16M4 17h16",
    "theme": "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 4v16M12 8h6.500M12 12h8M12 16h6.500",
    "close": "M6 6l12 12M18 6L6 18",
    "search": "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.5 16.5L21 21",
    "download": "M12 4v11m0 0l-4-4m4 4l4-4M5 20h14",
    "columns": "M4 5h16v14H4zM10 5v14M15 5v14",
    "filter": "M4 6h16l-6 7v5l-4 2v-7z",
    "star": "M12 4l2.5 5.2 5.7.8-4.1 4 1 5.6-5.1-2.7L6.900 19.600l1-5.600-4.100-4 5.700-.800z",
    "copy": "M9 9h10v10H9zM5 15V5h10",
    "upload": "M12 16V5m0 0L8 9m4-4l4 4M5 20h14",
    "link": "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A small line drawing that stands beside a word or a label, never alone without one."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" aria-hidden="true">'
        '<path d="{}"/></svg>',
        _ICONS[name],
    )


# --- Numbers and times -----------------------------------------------------------------------------------------------
@register.filter
def measured(value: Any, uncertainty: Any = None) -> str:
    """``{{ m.value|measured:m.uncertainty }}`` -> 0.211 ± 0.006."""
    return numbers.measured(value, uncertainty)


@register.filter
def number(value: Any, digits: Any = None) -> str:
    """``{{ count|number }}`` -> 18 204 113; ``{{ cloud|number:1 }}`` -> 12.4."""
    return numbers.number(value, None if digits in (None, "") else int(digits))


@register.filter
def signed(value: Any, digits: Any = None) -> str:
    """``{{ margin|signed:3 }}`` -> +0.056."""
    return numbers.signed(value, None if digits in (None, "") else int(digits))


@register.filter
def utc(moment: Any, style: str = "s") -> SafeString | str:
    """``{{ product.sensing_start|utc }}`` -> 2026-11-21 10:03:11 UTC; styles "date", "min", "s", "ms"."""
    text = numbers.utc(moment, style)
    if not hasattr(moment, "isoformat"):
        return text
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), text)


@register.filter
def duration(seconds: Any) -> str:
    """``{{ run.seconds|duration }}`` -> 3 min 20 s; takes a timedelta too."""
    return numbers.duration(seconds)


@register.filter
def bytesize(count: Any) -> str:
    """``{{ product.size|bytesize }}`` -> 834 MB."""
    return numbers.size(count)


@register.filter
def percent(fraction: Any, digits: Any = 0) -> str:
    """``{{ 0.62|percent }}`` -> 62 %."""
    found = numbers.as_float(fraction)
    return numbers.NOTHING if found is None else f"{numbers.number(100 * found, int(digits))} %"


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """``{{ values|get:band }}``: one entry of a dictionary, None when it is not there."""
    return mapping.get(key) if hasattr(mapping, "get") else None


# --- Pictures --------------------------------------------------------------------------------------------------------
@register.simple_tag
def plot(element_id: str, source: Any, height: int = 260, label: str = "", empty: str = "") -> SafeString:
    """A plot: ``{% plot "trend" figure_url %}`` fetches JSON from there, ``{% plot "h" figure %}`` carries a figure.

    The page also has ``{% include "partials/plotly.html" %}`` in its ``scripts`` block.
    """
    if isinstance(source, str):
        data = format_html('data-src="{}"', source)
        script: SafeString | str = ""
    else:
        data = format_html('data-json="#{}-data"', element_id)
        script = _json_script(figures.plain(source), f"{element_id}-data")
    return format_html(
        '{}<div class="plotbox" id="{}" {} data-height="{}" data-empty="{}" style="min-height:{}px" role="group"'
        ' aria-label="{}">'
        '<p class="plot-note">Drawing…</p></div>',
        *(script, element_id, data, height, empty, height, label or element_id),
    )


def _json_script(value: Any, element_id: str) -> SafeString:
    text = json.dumps(value, allow_nan=False).translate({ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"})
    return format_html('<script type="application/json" id="{}">{}</script>', element_id, mark_safe(text))  # noqa: S308


@register.inclusion_tag("partials/focal_plane.html")
def focal_plane(grid: focal.FocalPlane) -> dict[str, Any]:
    """The band by detector grid of ``mpc.ui.focal.focal_plane(...)``, with its scale."""
    return {"grid": grid}


# --- Addresses -------------------------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def query_replace(context: Context, **changes: Any) -> str:
    """The query of this address with changes: ``{% query_replace page=2 %}``; None or "" takes a parameter out."""
    params = context["request"].GET.copy()
    for key, value in changes.items():
        if value is None or value == "":
            params.pop(key, None)
        elif isinstance(value, list | tuple):
            params.setlist(key, [str(v) for v in value])
        else:
            params[key] = str(value)
    return f"?{params.urlencode()}"


# --- Tables ----------------------------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def table_rows(context: Context, table: Any) -> SafeString:
    """The rows of a table on the page that is shown: ``{% table_rows table %}``."""
    return rows.body_of(table, context)


# --- Who may ---------------------------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def may(context: Context, action: str, obj: Any = None) -> bool:
    """``{% may "runs.cancel" run as may_cancel %}``."""
    return access.allowed(context["request"].user, action, obj)


@register.simple_tag(takes_context=True)
def why_not(context: Context, action: str, obj: Any = None) -> str:
    """Why this person may not, in words: ``{% why_not "runs.cancel" run as why %}``."""
    return access.reason(context["request"].user, action, obj)


@register.inclusion_tag("partials/act.html", takes_context=True)
def act(
    context: Context,
    action: str,
    title: str,
    url: str,
    obj: Any = None,
    confirm: str = "",
    main: bool = False,
    danger: bool = False,
    key: str = "",
    link: bool = False,
) -> dict[str, Any]:
    """A button that does something, or, for who may not, the same button shut with the reason beside it.

    ``{% act "runs.cancel" "Cancel…" cancel_url run confirm="Stop run 48? What it has done is dropped." danger=True %}``
    posts to ``url`` (``link=True``: goes there). ``key`` is one letter that presses it.
    """
    request = context["request"]
    open_to_user = access.allowed(request.user, action, obj)
    return {
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "open": open_to_user,
        "why": "" if open_to_user else access.reason(request.user, action, obj),
        "title": title,
        "url": url,
        "confirm": confirm,
        "main": main,
        "danger": danger,
        "key": key,
        "link": link,
    }


# --- Forms -----------------------------------------------------------------------------------------------------------
@register.inclusion_tag("partials/field.html")
def field(bound: BoundField, label: str = "", hint: str | None = None) -> dict[str, Any]:
    """One field of a form: label, control, help and what is wrong, tied together; ``hint=""`` leaves the help out."""
    hint = bound.help_text if hint is None else hint
    widget = bound.field.widget
    choices_inside = getattr(widget, "use_fieldset", False)
    described = " ".join(
        ([f"{bound.auto_id}-help"] if hint else []) + ([f"{bound.auto_id}-error"] if bound.errors else [])
    )
    attrs: dict[str, Any] = {}
    if described and not choices_inside:
        attrs["aria-describedby"] = described
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attrs),
        "label": label or bound.label,
        "hint": hint,
        "check": isinstance(widget, CheckboxInput),
        "group": choices_inside,
        "file": isinstance(widget, FileInput),
        "several": getattr(widget, "allow_multiple_selected", False),
        "hidden": bound.is_hidden,
    }


@register.inclusion_tag("partials/form_fields.html")
def form_fields(form: Any) -> dict[str, Any]:
    """All fields of a form with what is wrong with the whole above them."""
    return {"form": form}


# --- Small parts -----------------------------------------------------------------------------------------------------
@register.simple_tag
def copy_button(text: Any, label: str = "Copy") -> SafeString:
    """A button that puts ``text`` on the clipboard."""
    return format_html(
        '<button type="button" class="copy" data-copy="{}" title="{}">{}</button>', text, label, icon("copy")
    )


@register.simple_tag
def steps(names: Any, current: str) -> SafeString:
    """The way of a workflow with the present step marked: ``{% steps "Draft,Checked,Approved" gipp.state %}``."""
    titles = [name.strip() for name in names.split(",")] if isinstance(names, str) else [str(name) for name in names]
    here = str(current).strip().lower()
    rows = ((mark_safe(' class="now" aria-current="step"') if t.lower() == here else "", t) for t in titles)
    return format_html('<ol class="steps">{}</ol>', format_html_join("", "<li{}>{}</li>", rows))
