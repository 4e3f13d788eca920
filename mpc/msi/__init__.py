"""The instrument and its formats: bands, names of products and files, SAFE reading, metadata, reports, masks, images.

Pure: no Django, no Celery, no settings.
"""
