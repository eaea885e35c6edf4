"""Jobs side by side: order, bounds, torch's threads, and what happens when one fails."""

import threading
from collections.abc import Iterator

import pytest
import torch

from vqcodec.errors import InputError
from vqcodec.workers import in_order, side_by_side


@pytest.mark.parametrize(
    ("threads", "jobs", "workers", "share"),
    [(1, 9, 1, 1), (2, 1, 1, 2), (2, 9, 2, 1), (5, 2, 2, 2), (4, 4, 4, 1), (3, 0, 1, 3)],
)
def test_threads_are_shared(threads: int, jobs: int, workers: int, share: int) -> None:
    before = torch.get_num_threads()
    with side_by_side(threads, jobs=jobs) as (submit, count):
        assert count == workers
        assert {submit(torch.get_num_threads).result() for _ in range(5)} == {share}
    assert torch.get_num_threads() == before
    assert submit_elsewhere() == before


def submit_elsewhere() -> int:
    """How many threads torch has in a thread that is begun now."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_what_is_no_number_of_threads_is_refused(threads: object) -> None:
    with pytest.raises(InputError, match="threads must be a whole number from 1"):
        side_by_side(threads, jobs=3).__enter__()  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_have_the_order_of_items_and_few_are_ahead(threads: int) -> None:
    drawn: list[int] = []

    def items() -> Iterator[int]:
        for number in range(40):
            drawn.append(number)
            yield number

    taken = []
    with side_by_side(threads, jobs=40) as (submit, workers):
        for result in in_order(submit, workers, lambda number: number * number, items()):
            taken.append(result)
            assert len(drawn) - len(taken) <= (2 * workers if workers > 1 else 0)
    assert taken == [number * number for number in range(40)]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_job_that_fails_ends_it(threads: int) -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        done.append(number)
        return number

    def run() -> None:
        with side_by_side(threads, jobs=1000) as (submit, workers):
            for _ in in_order(submit, workers, work, range(1000)):
                pass

    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="three"):
        run()
    assert len(done) < 12
    assert torch.get_num_threads() == before
    assert threading.active_count() < 20
