"""Training: a folder of pictures becomes a file of weights."""

from vqcodec.training.progress import Progress
from vqcodec.training.recipes import RECIPES, Recipe, find_recipe
from vqcodec.training.run import state_path, train

__all__ = ["RECIPES", "Progress", "Recipe", "find_recipe", "state_path", "train"]
