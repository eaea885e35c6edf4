"""Recipes for pictures: models that can be, crops that their distortion can measure."""

import pytest

from vqcodec.media.picture.distortion import PictureDistortion
from vqcodec.media.picture.recipes import RECIPES
from vqcodec.model.config import ModelConfig


def test_the_first_recipe_is_for_photographs() -> None:
    assert list(RECIPES) == ["photo", "photo-psnr", "digits"]


@pytest.mark.parametrize("name", RECIPES)
def test_models_survive_a_file(name: str) -> None:
    model = RECIPES[name].model
    assert ModelConfig.from_text(model.to_text(), model.analysis_text()) == model
    assert model.medium.kind == "picture"


@pytest.mark.parametrize("name", RECIPES)
def test_crops_fit_the_model_and_the_distortion(name: str) -> None:
    recipe = RECIPES[name]
    PictureDistortion(recipe.distortion)
    if recipe.crop:
        stride = recipe.model.synthesis.stride
        assert [side % step for side, step in zip(recipe.crop, stride, strict=True)] == [0, 0]
        assert len(set(recipe.crop)) == 1, "crops are transposed"
    if "ms-ssim" in recipe.distortion:
        # It looks at five scales with a window of 11.
        assert min(recipe.crop) > 160
