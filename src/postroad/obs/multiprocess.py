"""Where the workers keep their metrics, so that any of them can answer for all.

Imported before `postroad.obs.metrics`: the library looks at the environment
once, when the first metric is made.
"""

import os
import shutil
from pathlib import Path
from typing import Final

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"


def share(data: Path) -> Path:
    """Use a fresh directory below `data` for the metrics of this run."""
    folder = data / "run" / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[VARIABLE] = str(folder)
    return folder


def forget(pid: int) -> None:
    """Drop what counts only for living processes of a worker that has ended."""
    folder = os.environ.get(VARIABLE)
    if folder:
        for file in Path(folder).glob(f"gauge_live*_{pid}.db"):
            file.unlink(missing_ok=True)
