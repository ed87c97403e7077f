"""Cluster: the pieces of a plan on the workers of a Dask scheduler. Knows not what a piece is made of.

The workers need this program and no common disk: a piece comes back as it is kept. What a worker did not finish is done
by another.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from engine.sweeping.folder import SweepError
from engine.sweeping.pieces import Outcome, piece
from engine.sweeping.plans import Plan

_ANSWERS_WITHIN = 10  # seconds
_PATIENCE = 30  # seconds without a worker after which a cluster is given up
_LOOKS = 2  # seconds between two looks at whether it still answers


class GoneError(Exception):
    """The cluster does not answer any more."""

    def __init__(self) -> None:
        super().__init__("The scheduler is gone, or all of its workers are")


def on_cluster(plan: Plan, left: Iterator[int], address: str) -> Iterator[Outcome]:
    """The pieces of these numbers as they are done.

    Errors: SweepError where no scheduler answers; GoneError where it stops answering.
    """
    try:
        from distributed import Client
    except ImportError:
        raise SweepError("--scheduler needs the extra sweep: pip install 'inference-margin[sweep]'.") from None
    try:
        client = Client(address, timeout=_ANSWERS_WITHIN, name="sweep")
    except (OSError, TimeoutError, ValueError):
        raise SweepError(f"No scheduler answers at {address}. Start one with: dask scheduler") from None
    try:
        yield from _done(client, plan, left)
    except GeneratorExit:
        raise
    except Exception as error:
        # What a cluster breaks with is of many kinds; a defect of ours keeps its own.
        if isinstance(error, OSError | TimeoutError) or type(error).__module__.partition(".")[0] in _THEIRS:
            raise GoneError from error
        raise
    finally:
        with suppress(Exception):
            client.close(timeout=2)


_THEIRS = ("distributed", "concurrent", "asyncio", "tornado")


def _itself(plan: Plan) -> Plan:
    return plan


def _done(client: Any, plan: Plan, left: Iterator[int]) -> Iterator[Outcome]:
    from distributed import wait

    client.wait_for_workers(1, timeout=_PATIENCE)
    # As the outcome of a task and not as data, because a worker that dies with data takes them along.
    sent = client.submit(_itself, plan, pure=False)
    waiting, seen = set[Any](), time.monotonic()
    while True:
        # A few ahead of every core, so that none waits, and no more, so that memory stays bounded.
        cores = sum(client.ncores().values())
        for number in left:
            waiting.add(client.submit(piece, sent, number, pure=False))
            if len(waiting) >= 2 * max(cores, 1):
                break
        if not waiting:
            return
        with suppress(TimeoutError):
            done, waiting = wait(waiting, timeout=_LOOKS, return_when="FIRST_COMPLETED")
            for future in done:
                yield future.result()
            seen = time.monotonic()
        if client.status != "running" or (not cores and time.monotonic() - seen > _PATIENCE):
            raise GoneError
