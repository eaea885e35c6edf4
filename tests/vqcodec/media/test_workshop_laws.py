"""Every medium's workshop, that of the made-up one among them, keeps its laws."""

from collections.abc import Callable

import pytest
from laws import EXAMPLES
from workshop_laws import WORKSHOP_LAWS, Shop

from vqcodec.media.registry import MEDIA, find_medium, find_workshop


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shop]:
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MEDIA, "sawtooth", "sawtooth")
        for name, example in EXAMPLES.items():
            folder = tmp_path_factory.mktemp(name)
            made[name] = Shop(find_medium(name), find_workshop(name), folder, example.training())
    return made


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("law", WORKSHOP_LAWS, ids=lambda law: law.__name__)
def test_law(name: str, law: Callable[[Shop], None], shops: dict[str, Shop]) -> None:
    law(shops[name])


def test_recipes_have_names_of_their_own(shops: dict[str, Shop]) -> None:
    names = [name for shop in shops.values() for name in shop.workshop.recipes]
    assert len(set(names)) == len(names)
