"""The catalogue of metrics as people see and edit it: pages, REST, and the history of what was changed."""
