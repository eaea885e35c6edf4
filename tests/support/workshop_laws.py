"""What the workshop of every medium must keep: laws over what its first recipe trains on.

tests/vqcodec/media/test_workshop_laws.py asks them of every registered medium by name.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vqcodec.errors import InputError, MissingDependencyError
from vqcodec.evaluation import find_measures
from vqcodec.media.base import Medium
from vqcodec.media.workshop import Contestant, Recipe, Workshop

__all__ = ["WORKSHOP_LAWS", "Shop"]


class Shop:
    """A workshop, its medium, and a folder of signals that its first recipe can train on."""

    def __init__(
        self, medium: Medium, workshop: Workshop, folder: Path, signals: Sequence[Any]
    ) -> None:
        self.medium, self.workshop, self.folder = medium, workshop, folder
        self.recipe: Recipe = next(iter(workshop.recipes.values()))
        suffix, format = next(iter(medium.formats.items()))
        for number, signal in enumerate(signals):
            (folder / f"{number:02}{suffix}").write_bytes(medium.write(signal, format=format))
        self.files = sorted(folder.iterdir())
        self.comparable = [workshop.read(path.read_bytes()) for path in self.files]


def recipes_are_of_the_medium(shop: Shop) -> None:
    for recipe in shop.workshop.recipes.values():
        config = recipe.model
        assert config.medium.kind == shop.medium.name
        shop.medium.check_model(config)
        assert len(recipe.crop) in (0, len(shop.medium.axes))
        if recipe.crop:
            assert config.positions(recipe.crop)


def batches_are_what_a_model_takes(shop: Shop) -> None:
    recipe = shop.recipe
    batches, whole = shop.workshop.open_data(shop.folder, recipe, 5)
    batch = batches.batch(3)
    assert (batch.dtype, batch.device.type) == (torch.float32, "cpu")
    assert tuple(batch.shape) == (3, recipe.model.medium.channels, *recipe.crop)
    span = shop.medium.span or (-math.inf, math.inf)
    assert span[0] <= float(batch.min()) < float(batch.max()) <= span[1]
    signals = list(whole)
    assert len(signals) == len(shop.files)
    for signal in signals:
        assert signal.dtype == torch.float32
        assert len(signal) == recipe.model.medium.channels
        assert recipe.model.positions(tuple(signal.shape[1:]))


def batches_depend_on_the_seed_and_the_step_alone(shop: Shop) -> None:
    first, same, other, later = (
        shop.workshop.open_data(shop.folder, shop.recipe, seed)[0] for seed in (5, 5, 6, 5)
    )
    batch = first.batch(4)
    assert torch.equal(batch, same.batch(4))
    assert not torch.equal(batch, other.batch(4))
    assert not torch.equal(batch, first.batch(4))
    for batches in (first, later):
        batches.go_on(7)
    assert torch.equal(first.batch(4), later.batch(4))


def files_that_cannot_be_read_are_told_once(shop: Shop) -> None:
    bad = shop.folder / f"bad{shop.files[0].suffix}"
    bad.write_bytes(shop.files[0].read_bytes()[:9])
    told: list[Path] = []
    try:
        batches, whole = shop.workshop.open_data(
            shop.folder,
            shop.recipe,
            0,
            skipped=lambda path, why: told.append(path) if why else None,
        )
        batches.batch(2)
        assert len(list(whole)) == len(shop.files)
        assert told == [bad]
        with pytest.raises((InputError, OSError), match=bad.name):
            list(shop.workshop.open_data(shop.folder, shop.recipe, 0)[1])
    finally:
        bad.unlink()


def a_place_without_signals_is_refused(shop: Shop) -> None:
    empty = shop.folder / "empty"
    empty.mkdir()
    try:
        with pytest.raises(InputError, match="empty"):
            shop.workshop.open_data(empty, shop.recipe, 0)
    finally:
        empty.rmdir()


def distortion_is_a_scalar_that_can_be_learned_from(shop: Shop) -> None:
    batches, _ = shop.workshop.open_data(shop.folder, shop.recipe, 0)
    original = batches.batch(2)
    try:
        distortion = shop.workshop.distortion(shop.recipe)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    found = []
    for strength in (0.05, 0.2):
        noise = torch.randn(original.shape, generator=torch.Generator().manual_seed(1))
        decoded = (original + strength * noise).requires_grad_()
        value = distortion(decoded, original, (decoded - original).square().mean())
        (slope,) = torch.autograd.grad(value, decoded)
        assert value.shape == ()
        assert slope.isfinite().all()
        assert slope.any()
        found.append(float(value.detach()))
    assert 0 < found[0] < found[1]


def a_preview_is_a_picture_or_nothing(shop: Shop) -> None:
    batches, _ = shop.workshop.open_data(shop.folder, shop.recipe, 0)
    original = batches.batch(3)
    shown = shop.workshop.preview(original, 1 - original)
    if shown is not None:
        assert shown.dtype == np.uint8
        assert shown.ndim == 3
        assert shown.shape[2] in (1, 3)


def measures_tell_near_from_far(shop: Shop) -> None:
    workshop = shop.workshop
    names = [measure.name for measure in workshop.measures]
    assert len(set(names)) == len(names)
    assert set(workshop.default_measures) <= set(names)
    one = shop.comparable[0]
    far = _coarsest(shop)(one)
    for measure in workshop.measures:
        try:
            best, worse = measure.of(one, one), measure.of(far, one)
        except MissingDependencyError:
            assert measure.package is not None
            continue
        if math.isnan(best):
            # No opinion of such a signal: a model of listeners may hear no speech in it.
            assert measure.package is not None
            continue
        assert measure.worth(worse) < measure.worth(best)
        assert all(measure.low <= value for value in (best, worse))
        assert all(value <= measure.high or math.isinf(value) for value in (best, worse))
        assert measure.fits(one.extent)
        assert measure.text(worse)


def peers_are_whole_codecs(shop: Shop) -> None:
    """Every one that can run here: its files decode to the same extent, and grow."""
    workshop = shop.workshop
    assert set(workshop.default_peers) <= set(workshop.peers)
    for name in workshop.peers:
        peer = _peer(workshop, name)
        if peer is None:
            continue
        assert peer.name == name
        for signal in shop.comparable[:2]:
            ends = [peer.encode(signal, peer.ladder[at]) for at in (0, -1)]
            assert 0 < len(ends[0]) <= len(ends[1])
            decoded = [workshop.comparable(peer.decode(data)) for data in ends]
            assert {d.extent for d in decoded} == {signal.extent}
            # Not of the error: some codecs make a sound anew, by what is heard of it.
            measure = find_measures(workshop)[0]
            near = [measure.worth(measure.of(d, signal)) for d in decoded]
            assert near[0] <= near[1]


def rates_count_bytes(shop: Shop) -> None:
    rate, one = shop.workshop.rate, shop.comparable[0]
    assert rate.of(200, one) == pytest.approx(2 * rate.of(100, one))
    assert rate.of(100, one) > 0
    assert all(a < b for a, b in itertools.pairwise(rate.table))
    assert rate.unit
    assert rate.title


def comparable_signals_stay_as_they_are(shop: Shop) -> None:
    for signal in shop.comparable:
        again = shop.workshop.comparable(signal)
        assert again.extent == signal.extent
        assert np.array_equal(shop.medium.unwrap(again), shop.medium.unwrap(signal))
        assert shop.medium.side_chunks(again, facts=True) == shop.medium.side_chunks(
            signal, facts=False
        )


def panels_are_drawn_side_by_side(shop: Shop) -> None:
    one = shop.comparable[0]
    drawn = shop.workshop.draw([("original", one), ("decoded", _coarsest(shop)(one))])
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError):
        shop.workshop.draw([])


def exhibits_hold_everything_they_show(shop: Shop) -> None:
    """Elements that are closed, and name no other file or host."""
    shown = shop.workshop.exhibit(shop.comparable[0])
    parser = _Elements()
    parser.feed(shown)
    parser.close()
    assert parser.seen
    assert parser.open == []
    assert all(source.startswith("data:") for source in parser.sources)


class _Elements(HTMLParser):
    """The elements of a text that are not closed at its end, and what they are to load."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _peer(workshop: Workshop, name: str) -> Contestant | None:
    try:
        return workshop.peers[name]()
    except MissingDependencyError:
        return None


def _coarsest(shop: Shop) -> Callable[[Any], Any]:
    """What the first peer that runs here makes of a signal in its smallest file."""
    peers = (_peer(shop.workshop, name) for name in shop.workshop.peers)
    peer = next((peer for peer in peers if peer is not None), None)
    if peer is None:
        pytest.skip(f"no other codec of a {shop.medium.name} is installed")
    return lambda signal: shop.workshop.comparable(peer.decode(peer.encode(signal, peer.ladder[0])))


WORKSHOP_LAWS: tuple[Callable[[Shop], None], ...] = (
    recipes_are_of_the_medium,
    batches_are_what_a_model_takes,
    batches_depend_on_the_seed_and_the_step_alone,
    files_that_cannot_be_read_are_told_once,
    a_place_without_signals_is_refused,
    distortion_is_a_scalar_that_can_be_learned_from,
    a_preview_is_a_picture_or_nothing,
    measures_tell_near_from_far,
    peers_are_whole_codecs,
    rates_count_bytes,
    comparable_signals_stay_as_they_are,
    panels_are_drawn_side_by_side,
    exhibits_hold_everything_they_show,
)
