"""Progress: one bar that names the stage, on a terminal and nowhere else. Knows no stage."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def bar(stages: Sequence[str], quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A function to be told each stage as it begins; the bar is gone when all is done.

    Nothing is drawn where stderr is not a terminal. NO_COLOR leaves the bar without colours.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda stage: None
        return
    # Loaded only where it is seen.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task("", total=len(stages))

        def begun(stage: str) -> None:
            done = stages.index(stage) if stage in stages else None
            drawn.update(task, description=stage, completed=done, refresh=True)

        yield begun
