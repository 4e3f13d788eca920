"""The centre's own tables: standard metrics, requirements and known events, and how they come into the database.

``metrics.toml``, ``requirements.toml`` and ``events.toml`` are the tables; ``tables`` reads them, ``loading`` brings
the database to them. A row that a person changed stays as they left it.
"""
