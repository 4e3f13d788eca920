"""The version of the centre's software, as runs and reports name it."""

VERSION = "0.1.0"
