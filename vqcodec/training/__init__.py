"""Training: a place with signals of one medium becomes a file of weights."""

from vqcodec.training.generator import train_generator
from vqcodec.training.progress import Progress
from vqcodec.training.restoring import train_restorer
from vqcodec.training.run import state_path, train

__all__ = ["Progress", "state_path", "train", "train_generator", "train_restorer"]
