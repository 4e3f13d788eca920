"""Tests that pages and endpoints inherit; see ``cases``."""

import pytest

# These hold assertions, but are no modules of tests: without this a failure would not say what was compared.
pytest.register_assert_rewrite("tests.generic.cases", "tests.generic.counts")
