"""Reading images through GDAL (rasterio), with everything that GDAL complains about kept beside the pixels.

A damaged JPEG 2000 may hand back wrong pixels and raise nothing, and only GDAL's messages say so. Where they go:

* In the calling thread, rasterio passes them to the loggers ``rasterio._err`` and ``rasterio._env`` at level INFO,
  which is off by default; :func:`collect_gdal_errors` listens there. With ``logging.disable`` in force only the
  exception remains.
* In decoding threads of GDAL's own (``GDAL_NUM_THREADS`` above 1) they go to the process's standard error, the read
  raises nothing and the pixels are wrong. Hence GDAL always decodes in the calling thread here, and several threads
  mean several readers, each with a dataset of its own and a strip of whole block rows.

What GDAL does not notice at all is a hole of zeros within the data: :func:`mpc.msi.jp2.check_codestream` finds those.

Only the JPEG 2000 and GeoTIFF drivers are tried (public samples hold TIFF under the name .jp2): a file that is in truth
a virtual raster could make GDAL open any other file or address.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.windows import Window

DRIVERS = ("JP2OpenJPEG", "GTiff")
MAX_IMAGE_BYTES = 1 << 30
"""More than this, decoded, is not read at once: a full tile takes 241 MB a band and 362 MB in true colour."""
ERROR_LOGGERS = ("rasterio._err", "rasterio._env")

# What a driver recognised but could not open is its own error; only a stranger goes on to the next driver.
_STRANGER = "not recognized as"
_GDAL_OPTIONS = {
    "GDAL_NUM_THREADS": "1",
    # No look at the neighbours: side files could change what an image means, and listing a large zip is slow.
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
}

Transform = tuple[float, float, float, float, float, float]


class ImageError(OSError):
    """An image could not be read; the text says which and why."""


@dataclass(frozen=True)
class ImageFrame:
    """What the header of an image says; nothing is decoded for it.

    Attributes:
        shape: (rows, columns); (0, 0) when the image could not be opened.
        transform: a, b, c, d, e, f with x = a column + b row + c and y = d column + e row + f, in the units of the
            projection, for the upper left corner of pixels; None where the image has no position.
        errors: GDAL's messages and the exception's text; empty when all went well.
    """

    shape: tuple[int, int] = (0, 0)
    layers: int = 0
    dtype: str = ""
    epsg: int | None = None
    transform: Transform | None = None
    driver: str = ""
    block_shape: tuple[int, int] = (0, 0)
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageRead:
    """A whole image, or why there is none.

    Attributes:
        array: (rows, columns), or (layers, rows, columns) when there are several; None after an exception.
        dtype, shape, epsg, transform: as in :class:`ImageFrame`; shape is (rows, columns).
        gdal_errors: GDAL's error messages. If any, the array cannot be trusted even without an exception.
        exception: text of the exception that ended the reading.
    """

    array: NDArray[Any] | None
    dtype: str
    shape: tuple[int, int]
    epsg: int | None
    transform: Transform | None
    gdal_errors: tuple[str, ...] = ()
    exception: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every pixel was read and nothing complained."""
        return self.array is not None and not self.gdal_errors and self.exception is None


@dataclass
class _Listener(logging.Filter):
    """Sits on rasterio's loggers and keeps what arrives for the threads that listen.

    A filter rather than a handler: it sees a record before the level that the application chose is applied again, so
    that listening makes no log louder.
    """

    active: threading.local = field(default_factory=threading.local)
    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    levels: dict[str, int] = field(default_factory=dict)

    def filter(self, record: logging.LogRecord) -> bool:
        lists: list[list[str]] = getattr(self.active, "lists", [])
        if lists and record.levelno >= logging.INFO:
            message = _message(record)
            for messages in lists:
                if message not in messages:
                    messages.append(message)
        return record.levelno >= self._usual_level(record.name)

    def _usual_level(self, name: str) -> int:
        own = self.levels.get(name, logging.NOTSET)
        parent = logging.getLogger(name).parent
        return own or (parent.getEffectiveLevel() if parent else logging.WARNING)

    @contextmanager
    def undone_if(self, forgiven: Callable[[Exception], bool]) -> Iterator[None]:
        """Swallow an exception that is forgiven, and forget what was heard on the way to it."""
        before = [(messages, len(messages)) for messages in getattr(self.active, "lists", [])]
        try:
            yield
        except Exception as error:
            if not forgiven(error):
                raise
            for messages, length in before:
                del messages[length:]

    def start(self, messages: list[str]) -> None:
        with self.lock:
            if self.users == 0:
                for name in ERROR_LOGGERS:
                    logger = logging.getLogger(name)
                    self.levels[name] = logger.level
                    logger.addFilter(self)
                    if not logger.isEnabledFor(logging.INFO):
                        logger.setLevel(logging.INFO)
            self.users += 1
        if not hasattr(self.active, "lists"):
            self.active.lists = []
        self.active.lists.append(messages)

    def stop(self, messages: list[str]) -> None:
        self.active.lists[:] = [kept for kept in self.active.lists if kept is not messages]
        with self.lock:
            self.users -= 1
            if self.users == 0:
                for name in ERROR_LOGGERS:
                    logger = logging.getLogger(name)
                    logger.removeFilter(self)
                    logger.setLevel(self.levels.pop(name))

    # A dataclass with eq=True has no hash, and logging compares filters by identity.
    __hash__ = object.__hash__


def _message(record: logging.LogRecord) -> str:
    """GDAL's own words where rasterio wrapped them as (number, message), else the whole line."""
    wrapped = isinstance(record.args, tuple) and len(record.args) == 2 and isinstance(record.args[1], str)
    text = record.args[1] if wrapped else record.getMessage()  # type: ignore[index]
    return str(text).strip().replace("`", "'")


_LISTENER = _Listener()


@contextmanager
def collect_gdal_errors() -> Iterator[list[str]]:
    """Within this context, the error messages of GDAL in this thread are appended to the list that it hands out."""
    messages: list[str] = []
    _LISTENER.start(messages)
    try:
        yield messages
    finally:
        _LISTENER.stop(messages)


@contextmanager
def open_image(gdal_path: str) -> Iterator[Any]:
    """A rasterio dataset, by one of the permitted drivers, decoding in this thread.

    Raises:
        rasterio.errors.RasterioError: it cannot be opened.
    """
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(**_GDAL_OPTIONS))
        yield stack.enter_context(_first_that_opens(gdal_path))


def _first_that_opens(gdal_path: str) -> Any:
    for driver in DRIVERS[:-1]:
        with _LISTENER.undone_if(lambda error: isinstance(error, RasterioError) and _STRANGER in str(error)):
            return rasterio.open(gdal_path, driver=driver)
    return rasterio.open(gdal_path, driver=DRIVERS[-1])


def describe_image(gdal_path: str) -> ImageFrame:
    """Header of an image; never raises: an image that cannot be opened has shape (0, 0) and ``errors``."""
    with collect_gdal_errors() as messages:
        try:
            with open_image(gdal_path) as dataset:
                frame = _frame(dataset)
        except (RasterioError, OSError, ValueError) as error:
            return ImageFrame(errors=_with(messages, _text(error)))
    return replace(frame, errors=tuple(messages))


def read_image(
    gdal_path: str, *, threads: int = 1, max_bytes: int = MAX_IMAGE_BYTES, frame: ImageFrame | None = None
) -> ImageRead:
    """The whole image at full resolution; never raises, but says what went wrong.

    Args:
        gdal_path: plain path or ``/vsizip/...`` (:meth:`mpc.msi.container.Container.gdal_path`).
        threads: readers at work at once, each on whole block rows with a dataset of its own.
        max_bytes: an image that needs more is not read, and ``exception`` says so.
        frame: what :func:`describe_image` said of it, where that is known already.
    """
    frame = frame or describe_image(gdal_path)
    nothing = ImageRead(None, frame.dtype, frame.shape, frame.epsg, frame.transform, frame.errors)
    if not frame.layers:
        return replace(nothing, exception=frame.errors[-1] if frame.errors else "the image holds no layer")
    rows, columns = frame.shape
    need = frame.layers * rows * columns * np.dtype(frame.dtype).itemsize
    if need > max_bytes:
        text = f"the image has {frame.layers} x {rows} x {columns} pixels and needs {need} bytes, more than {max_bytes}"
        return replace(nothing, exception=text)
    array = np.empty((frame.layers, rows, columns), frame.dtype)
    strips = _strips(rows, frame.block_shape[0], threads)
    if len(strips) == 1:
        results = [_read_strip(gdal_path, array, strips[0])]
    else:
        with ThreadPoolExecutor(len(strips), thread_name_prefix="image") as pool:
            results = list(pool.map(lambda strip: _read_strip(gdal_path, array, strip), strips))
    messages = tuple(dict.fromkeys((*frame.errors, *(text for result in results for text in result[0]))))
    exception = next((result[1] for result in results if result[1]), None)
    if exception is not None:
        return replace(nothing, gdal_errors=messages, exception=exception)
    return replace(nothing, array=array[0] if frame.layers == 1 else array, gdal_errors=messages)


def read_overview(gdal_path: str, max_pixels: int = 512) -> NDArray[Any]:
    """A reduced image for quick-looks, at most ``max_pixels`` on its longer side; pixels are averaged.

    (rows, columns), or (layers, rows, columns). Never for class masks: the average of two classes is a third.

    Raises:
        ImageError: it cannot be read, or GDAL complained while it was.
    """
    with collect_gdal_errors() as messages:
        try:
            with open_image(gdal_path) as dataset:
                shrink = max(1.0, max(dataset.shape) / max_pixels)
                rows, columns = (max(1, round(length / shrink)) for length in dataset.shape)
                array = dataset.read(out_shape=(dataset.count, rows, columns), resampling=Resampling.average)
        except (RasterioError, OSError, ValueError) as error:
            raise ImageError(f"{gdal_path}: {'; '.join(_with(messages, _text(error)))}") from error
    if messages:
        raise ImageError(f"{gdal_path}: {'; '.join(messages)}")
    return array[0] if len(array) == 1 else array


def read_window(gdal_path: str, layer: int, row: int, column: int, rows: int, columns: int) -> NDArray[Any]:
    """One layer (from 1) of one window at full resolution: (rows, columns).

    Raises:
        ImageError: the window or layer lies outside, or it cannot be read, or GDAL complained while it was.
    """
    with collect_gdal_errors() as messages:
        try:
            with open_image(gdal_path) as dataset:
                if not 1 <= layer <= dataset.count:
                    raise ImageError(f"{gdal_path}: there is no layer {layer} of {dataset.count}")
                inside = 0 <= row < row + rows <= dataset.height and 0 <= column < column + columns <= dataset.width
                if not inside:
                    raise ImageError(
                        f"{gdal_path}: the window of {rows} x {columns} pixels at row {row}, column {column} leaves the"
                        f" image of {dataset.height} x {dataset.width}"
                    )
                array = dataset.read(layer, window=Window(column, row, columns, rows))
        except (RasterioError, ValueError) as error:
            raise ImageError(f"{gdal_path}: {'; '.join(_with(messages, _text(error)))}") from error
    if messages:
        raise ImageError(f"{gdal_path}: {'; '.join(messages)}")
    return array


def _frame(dataset: Any) -> ImageFrame:
    transform = dataset.transform
    return ImageFrame(
        shape=(dataset.height, dataset.width),
        layers=dataset.count,
        dtype=dataset.dtypes[0] if dataset.count else "",
        epsg=dataset.crs.to_epsg() if dataset.crs else None,
        transform=None if transform.is_identity else tuple(transform)[:6],
        driver=dataset.driver,
        block_shape=dataset.block_shapes[0] if dataset.count else (0, 0),
    )


def _strips(rows: int, block_rows: int, threads: int) -> list[tuple[int, int]]:
    """(first row, rows) of at most ``threads`` strips of whole block rows, as equal as may be."""
    blocks = -(-rows // max(1, block_rows))
    count = max(1, min(threads, blocks))
    edges = [min(rows, round(blocks * part / count) * max(1, block_rows)) for part in range(count + 1)]
    return [(first, last - first) for first, last in pairwise(edges)]


def _read_strip(gdal_path: str, array: NDArray[Any], strip: tuple[int, int]) -> tuple[list[str], str | None]:
    """Read rows of all layers into ``array``: GDAL's messages, and the exception's text."""
    first, count = strip
    with collect_gdal_errors() as messages:
        try:
            with open_image(gdal_path) as dataset:
                window = Window(0, first, dataset.width, count)
                dataset.read(window=window, out=array[:, first : first + count])
        except (RasterioError, OSError, ValueError, MemoryError) as error:
            return messages, _text(error)
    return messages, None


def _text(error: BaseException) -> str:
    """rasterio says "Read failed. See previous exception": the cause is what happened."""
    return str(error.__cause__ or error) or type(error).__name__


def _with(messages: list[str], text: str) -> tuple[str, ...]:
    return tuple(messages) if text in messages else (*messages, text)
