"""One codebook: its start, its averages, its dead codes, its zero vector."""

import math

import pytest
import torch
from torch import Tensor

from vqcodec.quantizers.codebook import Codebook
from vqcodec_kernels import nearest_code


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def clusters() -> Tensor:
    """Rows around seven centres and around zero, (N, 3)."""
    centres = torch.cat([torch.zeros(1, 3), torch.randn(7, 3) * 5])
    return (centres[:, None] + 0.1 * torch.randn(8, 40, 3)).reshape(-1, 3)


def error(book: Codebook, rows: Tensor) -> float:
    """Mean squared distance to the nearest vector, by comparing with every vector in float64."""
    distances = torch.cdist(rows.double(), book.vectors.double())
    return float(distances.min(1).values.square().mean())


def test_start_finds_clusters(clusters: Tensor) -> None:
    few, many = Codebook(24, 3), Codebook(24, 3)
    few.start(clusters, iterations=1)
    many.start(clusters, iterations=10)
    energy = float(clusters.square().mean() * 3)
    assert error(many, clusters) < error(few, clusters) < 0.3 * energy
    assert error(many, clusters) < 0.05 * energy


def test_start_is_a_fixed_point_of_lloyd(clusters: Tensor) -> None:
    book = Codebook(8, 3)
    book.start(clusters, iterations=50)
    codes = nearest_code(clusters, book.vectors)
    for code in range(1, 8):
        if bool((codes == code).any()):
            torch.testing.assert_close(book.vectors[code], clusters[codes == code].mean(0))


def test_start_leaves_averages_that_agree_with_the_vectors(clusters: Tensor) -> None:
    book = Codebook(8, 3)
    book.start(clusters)
    assert float(book.share.sum()) == pytest.approx(1, abs=1e-6)
    used = book.share > 0
    used[0] = False
    torch.testing.assert_close(book.sums[used] / book.share[used, None], book.vectors[used])


def test_start_with_fewer_rows_than_codes() -> None:
    book = Codebook(16, 2)
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [-5.0, 6.0]])
    book.start(rows)
    assert error(book, rows) < 1e-12
    assert bool(book.vectors.isfinite().all())


def test_update_is_an_exponential_average() -> None:
    book = Codebook(3, 2, decay=0.75)
    rows = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 8.0], [7.0, 7.0]])
    codes = torch.tensor([1, 1, 2, 0])
    book.vectors[1:] = torch.tensor([[2.0, 2.0], [0.0, 4.0]])
    book.share.copy_(torch.tensor([0.5, 0.25, 0.25]))
    book.sums.copy_(book.vectors * book.share[:, None])
    book.update(rows, codes)
    # share: 0.75 * old + 0.25 * (1, 2, 1) / 4; sums: 0.75 * old + 0.25 * sum of rows / 4
    torch.testing.assert_close(book.share, torch.tensor([0.4375, 0.3125, 0.25]))
    wanted = torch.tensor([[0.625, 0.375], [0.0, 1.25]]) / torch.tensor([[0.3125], [0.25]])
    torch.testing.assert_close(book.vectors[1:], wanted)
    assert book.vectors[0].tolist() == [0, 0]


def test_codes_move_and_zero_stays(clusters: Tensor) -> None:
    book = Codebook(24, 3)
    book.start(clusters)
    before = book.vectors.clone()
    shifted = clusters + 1
    for _ in range(150):
        codes = nearest_code(shifted, book.vectors)
        book.update(shifted, codes)
        book.restart(shifted, codes)
        assert not bool(book.vectors[0].any())
        assert bool(book.vectors.isfinite().all())
    used = torch.unique(nearest_code(shifted, book.vectors))
    used = used[used > 0]
    assert len(used) >= 8
    assert bool(((book.vectors - before)[used].norm(dim=1) > 0.1).all())
    assert error(book, shifted) < 0.25 * stale(before, shifted)


def stale(vectors: Tensor, rows: Tensor) -> float:
    """Mean squared distance to the nearest of these vectors."""
    return float(torch.cdist(rows, vectors).min(1).values.square().mean())


def test_share_stays_a_distribution(clusters: Tensor) -> None:
    book = Codebook(8, 3)
    for _ in range(20):
        book.update(clusters, nearest_code(clusters, book.vectors))
        assert float(book.share.sum()) == pytest.approx(1, abs=1e-5)


def dead_book(rows: Tensor) -> Codebook:
    """A codebook whose codes 3 and 5 lie far from every row and have not been used for long."""
    book = Codebook(8, 3)
    book.start(rows)
    for code in (3, 5):
        book.vectors[code] = 1e4 * code
        book.share[code] = 1e-7
        book.sums[code] = book.vectors[code] * book.share[code]
    return book


def revive(book: Codebook, rows: Tensor) -> None:
    book.restart(rows, nearest_code(rows, book.vectors))


def test_dead_codes_are_moved_halfway_to_rows(clusters: Tensor) -> None:
    book = dead_book(clusters)
    before = book.vectors.clone()
    halfway = (clusters + before[nearest_code(clusters, before)]) / 2
    alive = [code for code in range(8) if code not in (3, 5) and float(book.share[code]) > 0.01]
    revive(book, clusters)
    assert book.restarts >= 2
    for code in (3, 5):
        assert bool((book.vectors[code] == halfway).all(1).any()), "a restarted code is halfway"
    assert torch.equal(book.vectors[alive], before[alive])


def test_restarted_codes_live_where_rows_have_many_dimensions() -> None:
    torch.manual_seed(0)
    book = Codebook(64, 48)
    book.start(torch.randn(4096, 48))
    book.share[:32], book.share[32:] = 1 / 64, 1e-7
    book.vectors[32:] = 1e4
    revive(book, torch.randn(512, 48))
    assert book.restarts == 32
    codes = nearest_code(torch.randn(4096, 48), book.vectors)
    chosen = torch.bincount(codes, minlength=64)[32:]
    assert bool((chosen > 0.03 * 4096 / 64).all()), "none would be called dead again"


def test_restarted_codes_stay_put_when_nothing_chooses_them(clusters: Tensor) -> None:
    book = dead_book(clusters)
    revive(book, clusters)
    moved = book.vectors[[3, 5]].clone()
    book.update(clusters, torch.zeros(len(clusters), dtype=torch.int64))
    torch.testing.assert_close(book.vectors[[3, 5]], moved)


def test_restarted_codes_move_to_what_chooses_them(clusters: Tensor) -> None:
    book = dead_book(clusters)
    revive(book, clusters)
    far = clusters.abs().max()
    for _ in range(5):
        book.update(clusters, nearest_code(clusters, book.vectors))
        assert float(book.vectors.abs().max()) <= float(far)


def test_restarted_codes_are_not_dead_at_once(clusters: Tensor) -> None:
    book = dead_book(clusters)
    revive(book, clusters)
    count = book.restarts
    revive(book, clusters)
    assert book.restarts == count


def test_restart_with_fewer_rows_than_dead_codes(clusters: Tensor) -> None:
    book = Codebook(8, 3)
    book.share.zero_()
    book.share[0] = 1
    revive(book, clusters[:2])
    assert book.restarts == 2
    assert sorted(map(tuple, book.vectors[1:3].tolist())) == sorted(
        map(tuple, (clusters[:2] / 2).tolist())
    )


def test_bits_are_those_of_a_distribution() -> None:
    book = Codebook(4, 1)
    book.share.copy_(torch.tensor([0.5, 0.25, 0.25, 0.0]))
    bits = book.bits()
    assert float((2.0**-bits).sum()) == pytest.approx(1, abs=1e-6)
    assert bits[:3].tolist() == pytest.approx([1, 2, 2], abs=0.01)
    assert math.log2(4) < float(bits[3]) < 20, "an unused code is dear and not impossible"
