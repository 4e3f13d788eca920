"""What the mission is watched with.

Metric 1---* Series 1---* Measurement *---1 Run, *---1 Product
  |             |  1---* Rollup           one row a day and a month, what plots read
  |             |  1---* DirtyBucket      what the roller has to look at
  |             |  1---* ChangePoint      what a detector found, explained by a MissionEvent or not
  |             `---1---* AlertPart *---1 Alert 1---* AlertNote
  `---* Requirement 1---* RequirementLimit
              1---* Compliance            one cell of the matrix
              1---* ComplianceChange      when a cell began to stand otherwise
RefusedMeasurement *---1 Run  a number that could not stand in a series, and why
Waiver         a known limit of the data, which excuses a breach until a day
Subscription 1---* Notification *---1 Alert
Watch, WatchMark                          what the detectors saw last, and what they look at next
DetectorSetting, DrillRecord              how detectors are set, and what they are worth
Digest 1---* DigestMail                   one a day: what was looked at and what was found; to whom it was sent
MissionEvent   what happened; those of the system are derived from FirstSeen
"""

from mpc.monitoring.models.alerts import Alert, AlertNote, AlertPart, Severity
from mpc.monitoring.models.archive import ArchivedMonth
from mpc.monitoring.models.changes import ChangePoint, DetectorMode, DetectorSetting, DrillRecord
from mpc.monitoring.models.digests import Digest, DigestMail
from mpc.monitoring.models.events import EventKind, FirstSeen, MissionEvent
from mpc.monitoring.models.metrics import (
    Direction,
    Measurement,
    MeasurementQuerySet,
    Metric,
    MetricQuerySet,
    Series,
)
from mpc.monitoring.models.notifications import Notification, Subscription
from mpc.monitoring.models.refusals import RefusedMeasurement
from mpc.monitoring.models.requirements import Compliance, Requirement, RequirementLimit, Statistic, Waiver
from mpc.monitoring.models.rollups import DirtyBucket, Resolution, Rollup
from mpc.monitoring.models.standing import ComplianceChange
from mpc.monitoring.models.watching import Watch, WatchMark

__all__ = [
    "Alert",
    "AlertNote",
    "AlertPart",
    "ArchivedMonth",
    "ChangePoint",
    "Compliance",
    "ComplianceChange",
    "DetectorMode",
    "DetectorSetting",
    "Digest",
    "DigestMail",
    "Direction",
    "DirtyBucket",
    "DrillRecord",
    "EventKind",
    "FirstSeen",
    "Measurement",
    "MeasurementQuerySet",
    "Metric",
    "MetricQuerySet",
    "MissionEvent",
    "Notification",
    "RefusedMeasurement",
    "Requirement",
    "RequirementLimit",
    "Resolution",
    "Rollup",
    "Series",
    "Severity",
    "Statistic",
    "Subscription",
    "Waiver",
    "Watch",
    "WatchMark",
]
