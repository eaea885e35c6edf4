"""Rate and distortion of vqcodec beside other codecs, from the bytes of real files."""

from vqcodec.evaluation.contestants import Contestant, codec_contestant
from vqcodec.evaluation.curves import BdRate, bd_rate, value_at
from vqcodec.evaluation.machine import circumstances
from vqcodec.evaluation.measure import Measurement, Point, evaluate, measure
from vqcodec.evaluation.peers import PEERS, find_peer
from vqcodec.evaluation.plot import plot_curves
from vqcodec.evaluation.report import Summary, as_csv, as_json, as_markdown, summarize

__all__ = [
    "PEERS",
    "BdRate",
    "Contestant",
    "Measurement",
    "Point",
    "Summary",
    "as_csv",
    "as_json",
    "as_markdown",
    "bd_rate",
    "circumstances",
    "codec_contestant",
    "evaluate",
    "find_peer",
    "measure",
    "plot_curves",
    "summarize",
    "value_at",
]
