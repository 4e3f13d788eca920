"""One file that holds everything: all tables, uploads and files of runs; written while the site runs, restored at once.

The file is a gzipped tar, readable on SQLite and PostgreSQL alike:

    about.json                    what made it, the state of its migrations, tables and their columns
    tables/<table>/000001.jsonl   rows in the order of the columns, one JSON array a line, some megabytes a part
    files/uploads/...             uploads, as below MPC_UPLOADS_DIR
    files/runs/...                artifacts of runs, as below MPC_RUNS_DIR
    files/measurements/...        archived months of measurements, as below MPC_MEASUREMENTS_DIR
    index/000001.jsonl            name, size and SHA-256 of the members since the last index; after every thousand
    manifest.json                 last: rows a table, files, digests of the indexes; without it the file is no backup

Neither writing nor reading holds more than a part of a table in memory. Not in it: the products that are read where
they lie, the secret key, mail, caches and static files.
"""

from mpc.housekeeping.backup.format import BackupError, BadArchive
from mpc.housekeeping.backup.restoring import Restored, restore
from mpc.housekeeping.backup.writing import Written, write_backup

__all__ = ["BackupError", "BadArchive", "Restored", "Written", "restore", "write_backup"]
