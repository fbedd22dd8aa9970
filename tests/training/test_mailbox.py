"""What waits between two threads stays small, and nothing that matters is lost."""

from __future__ import annotations

import threading

import numpy as np

from engine.training.events import Evaluated, Progress, Snapshot, State
from engine.training.mailbox import Mailbox


def progress(first: int, count: int = 2) -> Progress:
    step = np.arange(first, first + count)
    return Progress(step, step / 10, epoch=first, lr=0.1, steps_per_second=1.0, seconds_left=1.0)


def test_events_come_once_and_in_order():
    box = Mailbox()
    sent = [State("running"), progress(1), Evaluated(2, 1, {}), progress(3), State("paused")]
    for event in sent:
        box.put(event)
    assert [id(event) for event in box.drain()] == [id(event) for event in sent]
    assert box.drain() == []


def test_only_the_newest_snapshot_waits():
    box = Mailbox()
    for step in range(5):
        box.put(Snapshot(step, 1))
        box.put(State("running"))
    events = box.drain()
    assert [event.step for event in events if isinstance(event, Snapshot)] == [4]
    assert len(events) == 6


def test_progress_is_merged_when_nobody_reads():
    box = Mailbox(pending=16)
    for turn in range(10_000):
        box.put(progress(1 + 2 * turn))
        assert len(box) <= 17
    box.put(Evaluated(20_000, 1, {}))
    events = box.drain()
    parts = [event for event in events if isinstance(event, Progress)]
    assert np.concatenate([part.step for part in parts]).tolist() == list(range(1, 20_001))
    assert np.allclose(np.concatenate([part.loss for part in parts]), np.arange(1, 20_001) / 10)
    assert parts[-1].epoch == 19_999
    assert isinstance(events[-1], Evaluated)


def test_other_events_are_never_lost():
    box = Mailbox(pending=8)
    for epoch in range(500):
        box.put(progress(1 + 2 * epoch))
        box.put(Evaluated(epoch, epoch, {}))
    events = box.drain()
    assert [event.epoch for event in events if isinstance(event, Evaluated)] == list(range(500))
    steps = np.concatenate([event.step for event in events if isinstance(event, Progress)])
    assert steps.tolist() == list(range(1, 1001))


def test_a_writer_and_a_reader():
    box = Mailbox(pending=4)
    found: list = []

    def write() -> None:
        for turn in range(2000):
            box.put(progress(1 + 2 * turn))

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        found += box.drain()
    writer.join()
    found += box.drain()
    assert np.concatenate([event.step for event in found]).tolist() == list(range(1, 4001))


def test_a_box_says_whether_what_waits_is_urgent_and_whether_its_picture_was_seen():
    box = Mailbox()
    box.put(progress(1))
    box.put(Evaluated(1, 1, {"loss": 0.5}))
    assert (box.pressing, box.unseen) == (False, False)
    box.put(Snapshot(1, 1))
    assert (box.pressing, box.unseen) == (False, True)
    rung = []
    box.bell = lambda: rung.append(box.pressing)
    box.put(progress(3))
    assert rung == []
    box.put(State("paused"))
    assert rung == [True]
    assert box.pressing
    box.drain()
    assert (box.pressing, box.unseen) == (False, False)
