"""Requirements: what a metric must be, since when and by which document."""
