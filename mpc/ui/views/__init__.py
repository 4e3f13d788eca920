"""Base views: an app declares a page in five to fifteen lines on top of these."""

from mpc.ui.views.base import DetailPage, Page, PolicyMixin
from mpc.ui.views.lists import ListPage

__all__ = ["DetailPage", "ListPage", "Page", "PolicyMixin"]
