"""Several processes that share a batch: order, failures, deaths, and none that stays behind."""

import multiprocessing
import os
import threading
import time
from contextlib import closing

import pytest
from deadly import Order, obey

from vqcodec_cli.batch import Outcome, run_batch
from vqcodec_cli.failure import IO
from vqcodec_cli.processes import in_processes


def outcomes(orders: list[Order], *, count: int) -> dict[int, Outcome]:
    """The outcome of each order by its number; afterwards no process is left."""
    found = dict(in_processes(obey, list(enumerate(orders)), count=count))
    assert multiprocessing.active_children() == []
    return found


def test_processes_stay_and_share_the_work() -> None:
    found = outcomes([Order(str(number)) for number in range(30)], count=2)
    assert sorted(found) == list(range(30))
    assert [found[number].text for number in range(30)] == [f"did {n}" for n in range(30)]
    workers = {outcome.record["process"] for outcome in found.values()}
    assert 1 <= len(workers) <= 2
    assert os.getpid() not in workers


def test_one_that_dies_is_named_and_the_rest_is_done() -> None:
    words = ["work", "die", "work", "exit", "refuse", "die", "work", "work", "die"]
    orders = [Order(f"file {number}", word) for number, word in enumerate(words)]
    found = outcomes(orders, count=2)
    said = {number: outcome.text for number, outcome in found.items()}
    assert {n: said[n] for n, word in enumerate(words) if word == "work"} == {
        n: f"did file {n}" for n, word in enumerate(words) if word == "work"
    }
    for number in (1, 5, 8):
        assert said[number] == "the process that worked on it was ended by SIGKILL"
    assert said[3] == "the process that worked on it ended with exit code 3"
    assert said[4] == "will not"
    bad = [number for number, word in enumerate(words) if word != "work"]
    assert [found[number].code for number in bad] == [IO] * len(bad)
    assert found[1].record["input"] == "file 1"


def test_more_processes_than_items_are_not_started() -> None:
    assert len(outcomes([Order("only")], count=50)) == 1
    assert outcomes([], count=2) == {}


def test_an_early_end_ends_those_that_work() -> None:
    orders = [Order("first"), *(Order(str(number), "sleep") for number in range(3))]
    began = time.monotonic()
    with closing(in_processes(obey, list(enumerate(orders)), count=2)) as attempts:
        assert next(attempts)[0] == 0
        assert len(multiprocessing.active_children()) == 2
    assert multiprocessing.active_children() == []
    assert time.monotonic() - began < 300
    assert threading.active_count() < 10


def test_what_is_printed_has_the_order_of_the_items(capsys: pytest.CaptureFixture[str]) -> None:
    def backwards(work: object, todo: list[tuple[int, Order]]) -> object:
        for number, order in reversed(todo):
            yield number, Outcome({"input": order.name}, f"did {order.name}")

    orders = [Order(name) for name in "abcd"]
    known = {1: Outcome({"input": "b", "skipped": True}, "b is there")}
    kept: list[int] = []
    code = run_batch(
        orders,
        obey,
        label="x",
        as_json=False,
        known=known,
        spread=backwards,  # type: ignore[arg-type]
        keep=lambda number, _: kept.append(number),
    )
    assert code == 0
    assert capsys.readouterr().out == "did a\nb is there\ndid c\ndid d\n"
    assert kept == [1, 3, 2, 0]
