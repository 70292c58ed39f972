"""Tasks that go on until they are told otherwise: run after run, by a schedule, paused, resumed and killed.

That nothing happens to a task is seen by another one of the same kind to which it happens meanwhile.
"""

from datetime import datetime, timedelta, timezone

import wallaroo
from notebook import assert_html, new_workspace, statuses, unique, wait_for, word, zipped

SHORT = """
import time
print(open("/home/jovyan/arguments.json").read(), flush=True)
time.sleep(0.5)
"""


def cell_packaging(n):
    """has an orchestration that takes half a second"""
    n.wl = wallaroo.Client()
    new_workspace(n.wl, "tasks")
    content = zipped({"main.py": SHORT, "requirements.txt": ""})
    n.orchestration = n.wl.upload_orchestration(bytes_buffer=content, name=unique("short"), file_name="short.zip")
    wait_for("packaging", lambda: n.orchestration.status() == "ready", 400)


def continuous(n, name):
    return n.orchestration.run_continuously(name=unique(name), json_args={"name": name})


def ended(task):
    """Numbers of the runs that are over."""
    return {run._pod_id for run in task.last_runs(limit=100) if word(run._status) != "running"}


def runs(task):
    return {run._pod_id for run in task.last_runs(limit=100)}


def wait_for_further_runs(task, count=2):
    before = ended(task)
    wait_for(f"{count} further runs", lambda: len(ended(task) - before) >= count, 60)


def cell_continuous(n):
    """keeps a continuous task running: a new run follows the end of the one before"""
    n.kept, n.other = continuous(n, "kept"), continuous(n, "other")
    assert word(n.kept.status()) == "started", n.kept.status()
    wait_for_further_runs(n.kept)
    newest_first = n.kept.last_runs()
    assert set(statuses(n.kept)[1:]) == {"success"}, statuses(n.kept)
    for newer, older in zip(newest_first, newest_first[1:]):
        assert newer._created_at > older._updated_at, (newer._created_at, older._updated_at)
    assert '"kept"' in newest_first[1].logs()[0], newest_first[1].logs()
    assert word(n.kept.status()) == "started", n.kept.status()
    assert_html(n.kept, "Continuous Run")
    assert_html(n.wl.list_tasks(), n.kept.name(), "Continuous Run")


def cell_pause_continuous(n):
    """pauses a continuous task: its run goes on to its end, and none follows until it is resumed"""
    assert n.kept._pause() is n.kept
    assert word(n.kept.status()) == "paused", n.kept.status()
    before = runs(n.kept)
    wait_for_further_runs(n.other)
    assert runs(n.kept) == before and ended(n.kept) == before, statuses(n.kept)
    assert set(statuses(n.kept)) == {"success"}, statuses(n.kept)
    assert n.kept._resume() is n.kept
    assert word(n.kept.status()) == "started", n.kept.status()
    wait_for_further_runs(n.kept, count=1)
    assert runs(n.kept) > before


def cell_kill_continuous(n):
    """kills a continuous task: no further run is started"""
    assert word(n.kept.kill()) == "pending_kill"
    before = runs(n.kept)
    wait_for_further_runs(n.other)
    assert runs(n.kept) == before and ended(n.kept) == before, statuses(n.kept)
    assert word(n.kept.status()) == "pending_kill", n.kept.status()
    assert n.kept.id() not in [task.id() for task in n.wl.list_tasks()]
    assert n.kept.id() in [task.id() for task in n.wl.list_tasks(killed=True)]
    n.other.kill()


def cell_pause_scheduled(n):
    """lets the slot of a paused schedule pass, and runs that of one that was resumed"""
    slot = datetime.now(timezone.utc) + timedelta(seconds=10)
    schedule = f"{slot.second} {slot.minute} {slot.hour} {slot.day} {slot.month} {slot.year}"
    paused, resumed = (
        n.orchestration.run_scheduled(name=unique("slot"), schedule=schedule, json_args={}) for _ in range(2)
    )
    assert word(paused.status()) == "started", paused.status()
    paused._pause(), resumed._pause()
    assert [word(task.status()) for task in (paused, resumed)] == ["paused"] * 2
    assert_html(resumed._resume(), "Scheduled Run", schedule)
    assert word(resumed.status()) == "started", resumed.status()
    wait_for("the slot's run", lambda: statuses(resumed) == ["success"], 60)
    assert resumed.last_runs()[0]._created_at >= slot.replace(microsecond=0)
    assert statuses(paused) == []
    # The slot is not made up.
    assert word(paused._resume().status()) == "started"
    assert statuses(paused) == []
    assert [word(task.kill()) for task in (paused, resumed)] == ["pending_kill"] * 2


def cell_schedule_over(n):
    """takes the tutorial's schedule, whose year is over: the task is started and has no run"""
    task = n.orchestration.run_scheduled(name=unique("over"), schedule="0 0 12 1-15 2 2024", json_args={})
    assert word(task.status()) == "started", task.status()
    assert_html(task, "Scheduled Run", "0 0 12 1-15 2 2024", "unknown")
    assert statuses(task) == []
    assert word(task.kill()) == "pending_kill"
