"""The environment in which tests and refreshes run notebooks: nobody's progress, no hub, the same every time."""

import os
from pathlib import Path

from utils.paths import ROOT
from utils.personal_files import OTHER_MODELS
from utils.sampling import VARIABLE as SHARE

NO_NETWORK = ROOT / "tests" / "no_network"


def isolated_environment(folder: Path) -> dict[str, str]:
    """Variables for a kernel that must not see its author's files or reach another machine.

    folder: an empty folder that takes what the run writes about a learner.
    What the author's shell says about models and questions is emptied, which counts as not set.
    """
    return dict.fromkeys((*OTHER_MODELS, "COURSE_API_KEY", SHARE), "") | {
        "COURSE_PROGRESS": str(folder / "progress.json"),
        "COURSE_LEDGER": str(folder / "ledger.json"),
        "IPYTHONDIR": str(folder / "ipython"),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": _path_with(NO_NETWORK, ROOT),
    }


def _path_with(*folders: Path) -> str:
    # First the folder whose sitecustomize.py refuses the network, then this checkout rather than an installed one.
    wanted = [str(folder) for folder in folders]
    present = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(wanted + [entry for entry in present if entry and entry not in wanted])
