"""Runs one notebook: calls its cells in order and appends one JSON line per cell to a report.

Usage: runner.py <notebook> <SDK generation> <report file>
"""

import importlib
import io
import json
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path

OUTPUT_LIMIT = 4000


class Namespace:
    """What the cells of one notebook share; reading a name that a failed cell did not leave says so."""

    def __init__(self, generation):
        self.generation = generation
        self.failed = []

    def __getattr__(self, name):
        raise AssertionError(f"{name!r} is missing because an earlier cell failed: {', '.join(self.failed) or name}")


class Tee(io.StringIO):
    def write(self, text):
        sys.__stdout__.write(text)
        return super().write(text)


def cells_of(module, generation):
    for name, member in list(vars(module).items()):
        if name.startswith("cell_") and getattr(member, "generation", generation) == generation:
            yield name, member


def run_cell(name, cell, namespace):
    output = Tee()
    try:
        with redirect_stdout(output):
            cell(namespace)
        return {"cell": name, "outcome": "passed", "output": ""}
    except BaseException:  # a cell that calls sys.exit() has failed as well
        namespace.failed.append(name)
        text = output.getvalue() + traceback.format_exc()
        return {"cell": name, "outcome": "failed", "output": text[-OUTPUT_LIMIT:]}


def main():
    notebook, generation, report = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).parent))
    namespace = Namespace(generation)
    module = importlib.import_module(notebook)
    with open(report, "a", encoding="utf-8") as lines:
        for name, cell in cells_of(module, generation):
            lines.write(json.dumps(run_cell(name, cell, namespace)) + "\n")
            lines.flush()


if __name__ == "__main__":
    main()
