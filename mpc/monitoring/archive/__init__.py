"""Months past their retention: from their partition into a Parquet file, read where a plot reaches that far.

    files.py     Parquet by DuckDB: writing, verifying, reading
    touching.py  noting that something of an archived month changed
    keeping.py   the step: months that are due go, months that were touched come back (and go again when due)

PostgreSQL only: a month is a partition there, dropped as a whole. On SQLite the setting changes nothing, and the step
says so; what a backup brings from PostgreSQL is read there all the same. Roll-ups and counts of series stay.
"""
