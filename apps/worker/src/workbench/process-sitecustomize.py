"""Without a jail every run sees the same /home/jovyan, so the SDK's fixed path for a task's arguments leads to a file of
this run instead. Loaded by Python itself before main.py; only runs of the level `process` have it on their path."""
import builtins
import os

_fixed = "/home/jovyan/arguments.json"
_open = builtins.open


def _open_arguments(file, *args, **kwargs):
    if isinstance(file, (str, bytes, os.PathLike)) and os.fspath(file) == _fixed:
        file = os.environ["PADEMELON_ARGUMENTS_FILE"]
    return _open(file, *args, **kwargs)


builtins.open = _open_arguments
