"""Several pieces of work side by side on threads, as far as the memory that they hold allows.

Decoding, counting and hashing let go of the GIL, so that threads use all cores. The largest piece begins first: what is
left at the end is small, and no core waits long for another. The calling thread only waits, so that it can say how far
the work is, and so that a stop sign reaches it at once and not after the image that is being decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True)
class Piece(Generic[Result]):
    """A piece of work. ``work`` is given the number of threads that it may use itself.

    ``cost`` is how long it takes beside the others, in any unit; ``memory`` the bytes that it holds meanwhile.
    """

    title: str
    work: Callable[[int], Result]
    cost: float
    memory: int = 0


def run_lanes(
    pieces: Sequence[Piece[Result]],
    *,
    threads: int,
    memory: int,
    progress: Callable[[float, str], None] = lambda fraction, message: None,
) -> list[Result]:
    """The results of all pieces, in their order; the first exception of a piece is raised.

    There are as many lanes as ``threads``, or as often as the piece that holds most fits into ``memory`` bytes; a lane
    may use its share of the threads. A piece that is larger than the memory has it for itself. ``progress`` is called
    in the calling thread when a piece begins, with the share of the cost that is done.
    """
    if not pieces:
        return []
    largest = max(piece.memory for piece in pieces)
    lanes = max(1, min(threads, len(pieces), memory // largest if largest else threads))
    waiting = sorted(range(len(pieces)), key=lambda index: -pieces[index].cost)
    total = sum(piece.cost for piece in pieces) or 1.0
    done: dict[int, Result] = {}
    running: dict[Future[Result], int] = {}
    pool = ThreadPoolExecutor(lanes, thread_name_prefix="lane")
    try:
        while waiting or running:
            while len(running) < lanes and waiting:
                index = waiting.pop(0)
                piece = pieces[index]
                progress(sum(pieces[i].cost for i in done) / total, piece.title)
                running[pool.submit(piece.work, max(1, threads // lanes))] = index
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                done[running.pop(future)] = future.result()
    finally:
        # After a stop sign nobody waits for an image that is being decoded.
        pool.shutdown(wait=not running, cancel_futures=True)
    return [done[index] for index in range(len(pieces))]
