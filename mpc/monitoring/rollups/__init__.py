"""Statistics of series by day and by month, kept current, and the one way in which plots read series.

statistics.py   numpy: the statistics of many buckets at once
values.py       the shown values of series, as arrays
marks.py        which days of which series changed; written in the transaction of the change
roller.py       takes marks, reckons the buckets anew
reading.py      ``read_series``: values, days or months, whichever fits, always current
"""
