"""``Satellite_Ancillary_Data_Info`` of the datastrip: time correlation, ephemeris, attitudes, temperatures."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from lxml import etree

from processors.simulator import instrument
from processors.simulator.products.orbit import State, states
from processors.simulator.products.spec import ProductSpec, iso_ms
from processors.simulator.products.xmltree import add, add_all

_MARGIN = timedelta(seconds=2)
_NEVER = "1980-01-06T00:00:00"


def add_ancillary(parent: etree._Element, spec: ProductSpec) -> None:
    """All lists, sampled from two seconds before the datastrip to two seconds after it."""
    rng = np.random.default_rng([11, spec.seed, *spec.datastrip_id.encode()])
    begin = (spec.datastrip_start - _MARGIN).replace(microsecond=0)
    seconds = int((spec.datastrip_stop + _MARGIN - begin).total_seconds()) + 1
    each_second = [begin + timedelta(seconds=s) for s in range(seconds)]
    _add_time_correlation(parent, spec, each_second)
    _add_ephemeris(parent, spec, each_second, rng)
    _add_attitudes(parent, spec, each_second, rng)
    _add_thermal(parent, spec, each_second[::10], rng)
    add(parent, "ANC_DATA_REF", ".//ANC_DATA/", {"metadataLevel": "Standard"})


def gps(spec: ProductSpec, when: datetime) -> str:
    """GPS time of a UTC time as metadata write it: no zone, no trailing zeros."""
    moment = when + timedelta(seconds=instrument.leap_seconds(spec.start))
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return text.rstrip("0").rstrip(".")


def _triple(values: np.ndarray, form: str = ".15g") -> str:
    return " ".join(format(value, form) for value in values.tolist())


def _add_time_correlation(parent: etree._Element, spec: ProductSpec, times: list[datetime]) -> None:
    table = add(parent, "Time_Correlation_Data_List", None, {"metadataLevel": "Standard"})
    for index, when in enumerate(times):
        entry = add(table, "Time_Correlation_Data")
        add(entry, "NSM", "KALMAN_FILTER")
        add(entry, "QUALITY_INDEX", 77, {"unit": "ns"})
        utc = when.strftime("%Y-%m-%dT%H:%M:%SZ")
        add_all(
            entry, [("TDOP", 1), ("IMT", 679_793_776_337 + index), ("GPS_TIME", gps(spec, when)), ("UTC_TIME", utc)]
        )


def _add_ephemeris(parent: etree._Element, spec: ProductSpec, times: list[datetime], rng: np.random.Generator) -> None:
    ephemeris = add(parent, "Ephemeris", None, {"metadataLevel": "Standard"})
    numbers = add(ephemeris, "GPS_Number_List")
    span = (gps(spec, times[0]), gps(spec, times[-1]))
    for name, (first, last) in (("GPS-A", span), ("GPS-B", (_NEVER, _NEVER))):
        add_all(add(numbers, "Gps_Number", None, {"id": name}), [("GPS_TIME_START", first), ("GPS_TIME_END", last)])
    points = add(ephemeris, "GPS_Points_List")
    for when, state in zip(times, states(spec, times), strict=True):
        _add_gps_point(points, gps(spec, when), state, rng)
    # the AOCS samples fall between those of the receiver
    shifted = [when + timedelta(microseconds=330_892) for when in times]
    table = add(ephemeris, "AOCS_Ephemeris_List")
    for when, state in zip(shifted, states(spec, shifted), strict=True):
        entry = add(table, "AOCS_Ephemeris")
        add_all(entry, [("VALID_FLAG", "true"), ("OPSOL_QUALITY", 2)])
        add(entry, "POSITION_VALUES", _triple(state.inertial_position), {"unit": "m"})
        add(entry, "VELOCITY_VALUES", _triple(state.inertial_velocity), {"unit": "m/s"})
        add(entry, "GPS_TIME", gps(spec, when))
        add(entry, "ORBIT_ANGLE", f"{state.orbit_angle:.15g}", {"unit": "rad"})


def _add_gps_point(parent: etree._Element, when: str, state: State, rng: np.random.Generator) -> None:
    point = add(parent, "GPS_Point")
    add(point, "POSITION_VALUES", _triple(np.rint(state.fixed_position * 1000), ".0f"), {"unit": "mm"})
    add(point, "POSITION_ERRORS", _triple(rng.integers(1200, 3500, 3), "d"), {"unit": "mm"})
    add(point, "VELOCITY_VALUES", _triple(np.rint(state.fixed_velocity * 1000), ".0f"), {"unit": "mm/s"})
    add(point, "VELOCITY_ERRORS", _triple(rng.integers(15, 50, 3), "d"), {"unit": "mm/s"})
    add(point, "GPS_TIME", when)
    add(point, "NSM", "KALMAN_FILTER")
    add_all(point, [("QUALITY_INDEX", 6), ("GDOP", 2), ("PDOP", 2), ("TDOP", 1), ("NOF_SV", 8)])
    add(point, "TIME_ERROR", int(rng.integers(5, 10)), {"unit": "ns"})


def _add_attitudes(
    parent: etree._Element, spec: ProductSpec, each_second: list[datetime], rng: np.random.Generator
) -> None:
    attitudes = add(parent, "Attitudes")
    corrected = add(attitudes, "Corrected_Attitudes", None, {"metadataLevel": "Standard"})
    tenths = [when + timedelta(milliseconds=100 * k) for when in each_second for k in range(10)]
    track = states(spec, tenths)
    for when, state in zip(tenths, track, strict=True):
        entry = add(corrected, "Values")
        add_all(
            entry,
            [
                ("QUATERNION_VALUES", _triple(state.quaternion)),
                ("QUATERNION_VALIDITY", "true"),
                ("GPS_TIME", gps(spec, when)),
                ("INUSE_FLAGS", "true true false true false false false true true true true"),
                ("AOCS_MODE", 2),
                ("AOCS_SUBMODE", 3),
                ("INNOVATION_STR1", _triple(rng.normal(0, 4e-5, 3), ".6e")),
                ("INNOVATION_STR2", _triple(rng.normal(0, 4e-5, 3), ".6e")),
                ("ATTITUDE_QUALITY_INDICATOR", "TWO_VALID_STR"),
            ],
        )
    raw = add(attitudes, "Raw_Attitudes", None, {"metadataLevel": "Expertise"})
    trackers = add(raw, "STR_List")
    for name in ("STR1", "STR2", "STR3"):
        tracker = add(trackers, "STR", None, {"strId": name})
        if name != "STR3":  # the third one is off and reports its status only
            _add_star_tracker(tracker, spec, tenths, track, rng)
        _add_tracker_status(tracker, len(each_second))
    gyros = add(raw, "IMU_List")
    for name in ("IMU1", "IMU2", "IMU3", "IMU4"):
        _add_gyro(add(gyros, "IMU", None, {"imuId": name}), spec, each_second, rng)


def _add_star_tracker(
    parent: etree._Element, spec: ProductSpec, times: list[datetime], track: list[State], rng: np.random.Generator
) -> None:
    table = add(parent, "Attitude_Data_List")
    for when, state in zip(times[::2], track[::2], strict=True):
        scalar_first = np.roll(state.quaternion + rng.normal(0, 1e-5, 4), 1)
        entry = add(table, "Attitude_Data")
        add(entry, "QUATERNION_VALUES", _triple(scalar_first / np.linalg.norm(scalar_first)))
        add(entry, "ANGULAR_RATE", "0.00341796875 0.05322265625 -0.015625", {"unit": "deg/s"})
        add_all(
            entry,
            [
                ("GPS_TIME", gps(spec, when + timedelta(microseconds=48_807))),
                ("JULIAN_DATE", 0),
                ("ATTITUDE_QUALITY", "VALIDATT"),
                ("RATE_QUALITY", "FILTERED_RATE"),
                ("VALIDITY_RATE", 1),
            ],
        )


def _add_tracker_status(parent: etree._Element, count: int) -> None:
    table = add(parent, "Status_And_Health_Data_List")
    for _ in range(count):
        entry = add(table, "Status_And_Health_Data")
        add_all(entry, [("OP_MODE", "NAT"), ("TEC_MODE", "COOLER_OFF")])
        for name, value in (("TARGET", 0), ("DETECTOR", 85), ("OPTICS", 38), ("HOUSING", 44)):
            add(entry, name, value, {"unit": "°C"})
        add(entry, "SYNC_SOURCE", "PRIMARY")
        add(entry, "SECONDS_SINCE_TIME_SYNC", 0, {"unit": "s"})
        stars = [("TRACKABLE_STARS", 21), ("TRACKED_STARS", 16), ("IDENTIFIED_STARS", 16), ("USED_STARS", 16)]
        add_all(entry, [*stars, ("ATT_RESULT", "SUCCESS"), ("ID_RESULT", "LDLE")])


def _add_gyro(parent: etree._Element, spec: ProductSpec, times: list[datetime], rng: np.random.Generator) -> None:
    angle = int(rng.integers(-900_000_000, 900_000_000))
    for when in times:
        angle += 165_000 + int(rng.integers(-900, 900))
        entry = add(parent, "Value")
        moment = gps(spec, when + timedelta(microseconds=301_529))
        add_all(entry, [("FILTERED_ANGLE", angle), ("RAW_ANGLE", angle + 78_000), ("GPS_TIME", moment)])
        readings = add(entry, "Temperatures")
        for name, value in (
            ("ORGANISER", 1510.672),
            ("SIA", 1423.076),
            ("OPTICAL_SOURCE", 1565.958),
            ("BOARD", 1527.904),
            ("VOLTAGE_OFFSET", 4),
            ("VOLTAGE", 2501.512),
        ):
            add(readings, name, value, {"unit": "mV"})
        add_all(
            readings, [("ACQUISITION", 2), ("VALIDITY", "true"), ("TIME", iso_ms(when + timedelta(milliseconds=254)))]
        )
        # this field is known junk in real files too
        add_all(
            entry,
            [
                ("TIME", f"1983-09-16T20:14:{int(rng.integers(10, 59))}"),
                ("ACQUISITION", 2),
                ("VALIDITY", "true"),
                ("HEALTH_STATUS_BITS", "false " * 7 + "false"),
                ("HEALTH_STATUS_BITS_VALIDITY", "true"),
            ],
        )


_FPA = (("FPA", "fpaId", "VNIR", -82.323, 6540), ("FPA", "fpaId", "SWIR", -74.9121, 6980))
_FEE = (("FEE", "feeId", "VNIR", 22.5639, 7704), ("FEE", "feeId", "SWIR", 51, 16383))
# list, element, attribute, ids, temperature, raw counts (as products up to 02.06 carry them), unit
_SENSORS = (
    ("Mirror_List", "Mirror", "mirrorId", ("1", "2", "3"), 20.3072, 6704, "°C"),
    ("ThSensor_List", "ThSensor", "sensorId", ("+X-Z", "-X-Z", "+Y", "-Y", "+Z"), 20.2977, 6709, "°C"),
    ("Splitter_List", "Splitter", "splitterId", ("bot+X", "top-X"), 20.304, 6713, "°C"),
    ("CSM_Diffuser_List", "CSM_Diffuser", "diffuserId", ("0", "1", "2"), 20, 7234, "Ohm"),
    ("IMU_Sensorplate_List", "IMU_Sensorplate", None, (), 23, 7682, "Ohm"),
    ("STR_Sensorplate_List", "STR_Sensorplate", "sensorplateId", ("0", "1", "2"), 23, 7698, "Ohm"),
    ("STR_Baseplate_List", "STR_Baseplate", None, (), 23, 7710, "Ohm"),
    ("STR_Backplate_List", "STR_Backplate", None, (), 23, 7656, "Ohm"),
)


def _add_thermal(parent: etree._Element, spec: ProductSpec, times: list[datetime], rng: np.random.Generator) -> None:
    thermal = add(parent, "Thermal_Data", None, {"metadataLevel": "Expertise"})
    calibrated = spec.baseline > "02.06"  # older files carry raw counts that are labelled as degrees

    def add_samples(owner: etree._Element, wrapper: str, celsius: float, counts: int, unit: str) -> None:
        for when in times:
            sample = add(owner, wrapper)
            drift = round(float(rng.normal(0, 0.004)), 4) if isinstance(celsius, float) else 0
            add(sample, "T", f"{celsius + drift:g}" if calibrated else counts, {"unit": unit})
            add(sample, "GPS_TIME", gps(spec, when + timedelta(microseconds=24_763)) if calibrated else _NEVER)

    focal_planes = add(thermal, "FPA_List")
    for name, key, identifier, celsius, counts in (*_FPA, *_FEE):
        add_samples(add(focal_planes, name, None, {key: identifier}), "Value", celsius, counts, "°C")
    for list_name, name, attribute, identifiers, celsius, counts, unit in _SENSORS:
        table = add(thermal, list_name)
        if attribute is None:
            add_samples(table, name, celsius, counts, unit)
        else:
            for identifier in identifiers:
                add_samples(add(table, name, None, {attribute: identifier}), "Value", celsius, counts, unit)
