"""One array within one bound through every setting of one coder, in a process of its own.

Prints one line of JSON: of each setting its bytes, the error that it reached, PSNR and seconds.
A coder that crashes takes nothing else with it.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]


def largest_error(values: Values, back: Values) -> float:
    """The largest error; infinite where another value than the original is not finite."""
    if back.shape != values.shape or back.dtype != values.dtype:
        return math.inf
    exact = np.asarray(back == values)
    if values.dtype.kind == "f":
        exact = exact | (np.isnan(values) & np.isnan(back))
    if exact.all():
        return 0.0
    off = np.abs(back[~exact].astype(np.float64) - values[~exact].astype(np.float64))
    return float(off.max()) if np.isfinite(off).all() else math.inf


def keeps(values: Values, back: Values, bound: float) -> bool:
    """Whether every value is within the bound; without one, whether every bit is the same."""
    if bound:
        return largest_error(values, back) <= bound
    return back.dtype == values.dtype and back.tobytes() == values.tobytes()


def psnr(values: Values, back: Values) -> float | None:
    """Decibels over the range of the finite values; None without any error or with NaN."""
    known = np.isfinite(values)
    wanted = values[known].astype(np.float64)
    mean = float(np.square(back[known].astype(np.float64) - wanted).mean())
    spread = float(wanted.max() - wanted.min())
    return 10 * math.log10(spread**2 / mean) if 0 < mean < math.inf else None


def measure(setting: Any, values: Values, bound: float) -> dict[str, Any]:
    """One setting, once there and back; seconds are those of the processor."""
    begin = time.process_time()
    data = setting.encode()
    middle = time.process_time()
    back = np.ascontiguousarray(setting.decode(data))
    end = time.process_time()
    return {
        "setting": setting.name,
        "default": setting.default,
        "bytes": sum(map(len, data)),
        "kept": keeps(values, back, bound),
        "error": largest_error(values, back),
        "psnr": psnr(values, back),
        "encode_s": middle - begin,
        "decode_s": end - middle,
    }


def main() -> None:
    from bench.array_peers import CODERS

    path, coder, bound = sys.argv[1:]
    values = np.load(path)
    rows = []
    for setting in CODERS[coder](values, float(bound)):
        try:
            rows.append(measure(setting, values, float(bound)))
        except (RuntimeError, ValueError, TypeError, MemoryError) as failure:
            rows.append({"setting": setting.name, "failed": f"{failure!r}"[:200]})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "peak_mb": round(peak)}))


if __name__ == "__main__":
    main()
