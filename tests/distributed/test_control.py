"""Steering a run through a file: every order arrives once, whole, and a bad line harms nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from engine.distributed.control import NAME, Control, forget_orders, give_order, order_line
from engine.errors import FileError, ParameterError


class Wheel:
    """Something that is steered and remembers how."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.pace = 0.0

    def pause(self) -> None:
        self.told.append("pause")

    def resume(self) -> None:
        self.told.append("resume")

    def step(self) -> None:
        self.told.append("step")

    def stop(self) -> None:
        self.told.append("stop")

    def set(self, name: str, value: Any) -> None:
        if name == "unknown":
            raise ParameterError("It cannot be changed.")
        self.told.append((name, value))


def test_orders_arrive_once_and_in_order(tmp_path: Path) -> None:
    wheel, control = Wheel(), Control(tmp_path)
    control(wheel)
    assert wheel.told == []
    for do in ("pause", "step", "resume"):
        give_order(tmp_path, do)
    control(wheel)
    give_order(tmp_path, "set", name="lr", value=0.05)
    give_order(tmp_path, "pace", value=3)
    give_order(tmp_path, "stop")
    control(wheel)
    control(wheel)
    assert wheel.told == ["pause", "step", "resume", ("lr", 0.05), "stop"]
    assert wheel.pace == 3


def test_a_half_written_line_waits_for_its_end(tmp_path: Path) -> None:
    wheel, control = Wheel(), Control(tmp_path)
    line = order_line("set", name="lr", value=0.5)
    (tmp_path / NAME).write_bytes(line[:9])
    control(wheel)
    assert wheel.told == []
    (tmp_path / NAME).write_bytes(line)
    control(wheel)
    assert wheel.told == [("lr", 0.5)]


def test_what_is_no_order_is_left_out(tmp_path: Path) -> None:
    wheel, control = Wheel(), Control(tmp_path)
    bad = [
        b"{",
        b"[]",
        b'{"do":"explode"}',
        b'{"do":"set"}',
        b'{"do":"pace","value":"fast"}',
        b"\xff\xfe",
        b"7",
    ]
    (tmp_path / NAME).write_bytes(b"\n".join([*bad, order_line("set", name="unknown", value=1)]))
    give_order(tmp_path, "pause")
    control(wheel)
    assert wheel.told == ["pause"]
    with pytest.raises(ValueError, match="no order 'explode'"):
        give_order(tmp_path, "explode")


def test_a_process_that_takes_anothers_place_hears_what_holds(tmp_path: Path) -> None:
    for do in ("pause", "step"):
        give_order(tmp_path, do)
    give_order(tmp_path, "set", name="lr", value=0.1)
    wheel, control = Wheel(), Control(tmp_path, again=True)
    control(wheel)
    assert wheel.told == ["pause", ("lr", 0.1)]
    give_order(tmp_path, "step")
    control(wheel)
    assert wheel.told[-1] == "step"


def test_several_may_steer_at_once(tmp_path: Path) -> None:
    def steer(who: int) -> None:
        for number in range(50):
            give_order(tmp_path, "set", name=f"{who}", value=number)

    threads = [threading.Thread(target=steer, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wheel = Wheel()
    Control(tmp_path)(wheel)
    assert sorted(wheel.told) == sorted((f"{who}", number) for who in range(4) for number in range(50))


def test_a_new_run_does_not_hear_what_the_last_one_was_told(tmp_path: Path) -> None:
    give_order(tmp_path, "stop")
    forget_orders(tmp_path)
    wheel = Wheel()
    Control(tmp_path)(wheel)
    assert wheel.told == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="written"):
        give_order(tmp_path / "file", "stop")
