"""A circular Sun-synchronous orbit that passes over the tile at its sensing time: positions, velocities, attitudes.

Simple on purpose: circular, no perturbation, the Earth turning uniformly. It keeps the relations that a reader can
check: the satellite is over the tile, the attitude points the frame's Z to the Earth's centre and X along the velocity,
and inertial and Earth-fixed positions agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from rasterio.warp import transform

from processors.simulator.products.spec import ProductSpec

ORBIT_RADIUS_M = 7_167_100.0
INCLINATION = np.radians(98.57)
MEAN_MOTION = np.sqrt(3.986004418e14 / ORBIT_RADIUS_M**3)  # rad/s
EARTH_RATE = 7.2921150e-5  # rad/s


@dataclass(frozen=True)
class State:
    """Position (m), velocity (m/s), inertial and Earth-fixed; scalar-last quaternion from satellite to inertial."""

    inertial_position: np.ndarray
    inertial_velocity: np.ndarray
    fixed_position: np.ndarray
    fixed_velocity: np.ndarray
    quaternion: np.ndarray
    orbit_angle: float


def states(spec: ProductSpec, times: list[datetime]) -> list[State]:
    """States of the satellite at ``times`` (UTC)."""
    middle = spec.extent / 2
    longitude, latitude = transform(
        f"EPSG:{spec.tile.epsg}", "EPSG:4326", [spec.tile.ulx + middle], [spec.tile.uly - middle]
    )
    # argument of latitude of a descending pass over this latitude
    angle = np.pi - np.arcsin(np.sin(np.radians(latitude[0])) / np.sin(INCLINATION))
    east_of_node = np.arctan2(np.cos(INCLINATION) * np.sin(angle), np.cos(angle))
    node = np.radians(longitude[0]) + _sidereal_angle(spec.sensing_time) - east_of_node
    return [_state(when, angle + MEAN_MOTION * (when - spec.sensing_time).total_seconds(), node) for when in times]


def _sidereal_angle(when: datetime) -> float:
    days = (when - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1)
    return float(np.radians((280.46061837 + 360.98564736629 * days) % 360))


def _turn_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _state(when: datetime, angle: float, node: float) -> State:
    tilt = np.array(
        [
            [1, 0, 0],
            [0, np.cos(INCLINATION), -np.sin(INCLINATION)],
            [0, np.sin(INCLINATION), np.cos(INCLINATION)],
        ]
    )
    frame = _turn_z(node) @ tilt
    outward = frame @ np.array([np.cos(angle), np.sin(angle), 0])
    forward = frame @ np.array([-np.sin(angle), np.cos(angle), 0])
    position, velocity = ORBIT_RADIUS_M * outward, ORBIT_RADIUS_M * MEAN_MOTION * forward
    to_fixed = _turn_z(-_sidereal_angle(when))
    fixed = to_fixed @ position
    fixed_velocity = to_fixed @ velocity - np.cross([0, 0, EARTH_RATE], fixed)
    axes = np.column_stack([forward, np.cross(-outward, forward), -outward])
    return State(position, velocity, fixed, fixed_velocity, _quaternion(axes), float(angle % (2 * np.pi)))


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """Scalar-last unit quaternion of a rotation matrix, with non-negative scalar."""
    m = rotation
    squares = np.array(
        [
            1 + m[0, 0] - m[1, 1] - m[2, 2],
            1 - m[0, 0] + m[1, 1] - m[2, 2],
            1 - m[0, 0] - m[1, 1] + m[2, 2],
            1 + np.trace(m),
        ]
    )
    largest = int(np.argmax(squares))
    products = [
        [squares[0], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
        [m[0, 1] + m[1, 0], squares[1], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
        [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], squares[2], m[1, 0] - m[0, 1]],
        [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], squares[3]],
    ][largest]
    quaternion = np.array(products) / np.linalg.norm(products)
    return quaternion if quaternion[3] >= 0 else -quaternion
