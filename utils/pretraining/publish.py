"""Ships a trained run: `python -m utils.pretraining.publish --run FOLDER` copies it to models/ and writes checksums.

Optimiser state and training state stay behind; the log goes along, for the curve of how reading appeared.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from utils.checksums import CHECKSUMS, checksum_lines
from utils.models import GENERATOR
from utils.paths import write_atomically

CHECKED = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
)
LOG = "log.jsonl"


def publish(run: Path, folder: Path = GENERATOR) -> None:
    """Copies the model files to `folder` and writes their checksums.  Raises FileNotFoundError for a missing one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*CHECKED, LOG):
        shutil.copyfile(run / name, folder / f"{name}.tmp")
        os.replace(folder / f"{name}.tmp", folder / name)
    sums = checksum_lines({name: (folder / name).read_bytes() for name in CHECKED})
    write_atomically(folder / CHECKSUMS, sums)


def main(arguments: list[str]) -> int:
    """Publishes the run named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m utils.pretraining.publish", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run")
    publish(parser.parse_args(arguments).run)
    print(f"shipped to {GENERATOR.name}; now run python -m utils.pretraining.evaluate --card")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
