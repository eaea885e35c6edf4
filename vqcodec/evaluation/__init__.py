"""Rate and distortion of vqcodec beside other codecs, from the bytes of real files."""

from vqcodec.evaluation.curves import BdRate, bd_rate, value_at
from vqcodec.evaluation.earlier import read_earlier
from vqcodec.evaluation.lookup import find_measures, find_peer
from vqcodec.evaluation.machine import circumstances
from vqcodec.evaluation.match import match_size
from vqcodec.evaluation.measure import Measurement, Point, evaluate, measure
from vqcodec.evaluation.own import codec_contestant, is_own
from vqcodec.evaluation.plot import plot_curves
from vqcodec.evaluation.published import PublishedCurve, PublishedPoint, read_published
from vqcodec.evaluation.report import as_csv, as_json
from vqcodec.evaluation.results import Results
from vqcodec.evaluation.summary import Seconds, Summary, summarize
from vqcodec.evaluation.tables import as_markdown

__all__ = [
    "BdRate",
    "Measurement",
    "Point",
    "PublishedCurve",
    "PublishedPoint",
    "Results",
    "Seconds",
    "Summary",
    "as_csv",
    "as_json",
    "as_markdown",
    "bd_rate",
    "circumstances",
    "codec_contestant",
    "evaluate",
    "find_measures",
    "find_peer",
    "is_own",
    "match_size",
    "measure",
    "plot_curves",
    "read_earlier",
    "read_published",
    "summarize",
    "value_at",
]
