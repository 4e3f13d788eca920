"""Template tags: what they write, and that nothing they are given becomes markup."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from django import forms
from django.template import Context, Template

from mpc.ui.focal import focal_plane

HOSTILE = "<script>alert(1)</script>"


def show(source: str, **values) -> str:
    return Template("{% load mpc %}" + source).render(Context(values)).strip()


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ('{% tag "PASSED" %}', '<span class="tag pass">PASSED</span>'),
        ('{% tag "not_checked" %}', '<span class="tag idle">not checked</span>'),
        ('{% tag "new" kind="fail" label="new alert" %}', '<span class="tag fail">new alert</span>'),
        ('{% tag "error" title="no schema" %}', '<span class="tag broken" title="no schema">error</span>'),
        ('{% unit "S2B" %}', '<span class="unit ub">S2B</span>'),
        ('{% unit "" %}', "–"),
        ("{{ 0.21123|measured:0.0061 }}", "0.211 ± 0.006"),
        ("{{ 0.0561|signed:3 }}", "+0.056"),
        ("{{ 41|duration }}", "41 s"),
        ("{{ 834000000|bytesize }}", "834 MB"),
        ("{{ 0.62|percent }}", "62 %"),
        ("{{ x|utc }}", '<time datetime="2026-11-21T10:03:11+00:00">2026-11-21 10:03:11 UTC</time>'),
        ("{{ missing|utc }}", "–"),
        ("{{ values|get:'B01' }}", "7"),
    ],
)
def test_tags_write(source, html):
    assert show(source, x=datetime(2026, 11, 21, 10, 3, 11, tzinfo=UTC), values={"B01": 7}, missing=None) == html


@pytest.mark.parametrize(("fraction", "width"), [(0.62, "62%"), (7, "100%"), (-1, "0%")])
def test_a_bar_stays_between_its_ends(fraction, width):
    assert f"width:{width}" in show("{% bar f %}", f=fraction)


def test_a_bar_without_a_fraction_only_says_at_work():
    html = show("{% bar None %}")
    assert "unsure" in html
    assert "aria-valuenow" not in html


@pytest.mark.parametrize(
    "source",
    [
        "{% tag x %}",
        "{% unit x %}",
        "{% bar 0.5 x %}",
        "{% copy_button x %}",
        "{% plot 'p' x %}",
        "{% plot 'p' figure %}",
        "{% steps x x %}",
        "{{ x|utc }}",
        "{{ x|measured }}",
        "{{ x|number }}",
    ],
)
def test_hostile_text_never_becomes_markup(source):
    assert "<script>alert" not in show(source, x=HOSTILE, figure={"data": [{"name": HOSTILE, "x": [1]}]})


def test_a_plot_carries_its_figure_or_its_address():
    html = show("{% plot 'trend' address height=200 %}", address="/t/?m=1&u=2")
    assert 'data-src="/t/?m=1&amp;u=2"' in html
    html = show("{% plot 'h' figure empty='nothing yet' %}", figure={"data": [{"y": [1.5, float("nan")]}]})
    inside = re.search(r'<script type="application/json" id="h-data">(.*?)</script>', html)
    assert json.loads(inside[1]) == {"data": [{"y": [1.5, None]}]}
    assert 'data-json="#h-data"' in html
    assert 'data-empty="nothing yet"' in html


def test_query_replace_keeps_what_it_does_not_change(request_of):
    request = request_of("/d/?unit=S2A&unit=S2B&page=3&q=a%26b")
    assert show("{% query_replace page=2 %}", request=request) == "?unit=S2A&amp;unit=S2B&amp;page=2&amp;q=a%26b"
    assert show("{% query_replace page=None unit='S2C' %}", request=request) == "?unit=S2C&amp;q=a%26b"


def test_a_button_posts_for_who_may(request_of):
    html = show(
        '{% act "runs.cancel" "Cancel…" "/runs/1/cancel/" confirm="Stop?" danger=True key="x" %}',
        request=request_of("/", "runs.cancel"),
        csrf_token="token",
    )
    assert 'action="/runs/1/cancel/"' in html
    assert 'value="token"' in html
    assert 'data-confirm="Stop?"' in html
    assert 'data-page-key="x"' in html


def test_a_button_is_shut_with_the_reason_for_who_may_not(request_of):
    html = show('{% act "runs.cancel" "Cancel…" "/runs/1/cancel/" %}', request=request_of("/"))
    assert "disabled" in html
    assert "To runs.cancel takes another role." in html
    assert "/runs/1/cancel/" not in html


def test_may_and_why_not(request_of):
    source = '{% may "a.b" as can %}{{ can }} {% why_not "a.b" as why %}{{ why }}'
    assert show(source, request=request_of("/", "a.b")) == "True"
    assert show(source, request=request_of("/")) == "False To a.b takes another role."


class Form(forms.Form):
    name = forms.CharField(help_text="as in the metadata")
    band = forms.MultipleChoiceField(choices=[("1", "B01")], widget=forms.CheckboxSelectMultiple, required=False)
    sure = forms.BooleanField(required=False)
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_field_is_tied_to_its_label_help_and_error():
    html = show("{% form_fields form %}", form=Form({}))
    assert '<label for="id_name">Name' in html
    assert re.search(r'<input[^>]*aria-describedby="id_name-help id_name-error"[^>]*aria-invalid="true"', html)
    assert 'id="id_name-help">as in the metadata' in html
    assert 'id="id_name-error">This field is required.' in html
    assert "<legend>Band" in html
    assert html.count('name="secret"') == 1
    assert 'for="id_secret"' not in html


def test_the_focal_plane_is_a_table_to_those_who_cannot_see_it():
    plane = focal_plane(
        {("B11", "07"): 0.21, ("B01", "01"): 0.1}, "stripe index", "%", limit=0.15, url=lambda b, d: f"/{b}/{d}/"
    )
    html = show("{% focal_plane plane %}", plane=plane)
    assert html.count('role="row"') == 14
    assert html.count('role="cell"') == 13 * 12
    assert 'href="/B11/07/"' in html
    assert "B11 detector 7: 0.21 %, over its limit" in html
    assert "Outlined: over its limit (1)." in html
