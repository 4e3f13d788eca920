"""The trend explorer: what of a metric is shown, how it is drawn, how two parts of it compare."""
