"""Pages that a person looks at: one signal beside what codecs make of it, or a folder's results."""

from vqcodec.report.comparison import check_fits, comparison_page
from vqcodec.report.folder import folder_page, worst_first
from vqcodec.report.trial import Entry, Trial, run_trial, trial_steps
from vqcodec.report.usage import Usage, find_usage

__all__ = [
    "Entry",
    "Trial",
    "Usage",
    "check_fits",
    "comparison_page",
    "find_usage",
    "folder_page",
    "run_trial",
    "trial_steps",
    "worst_first",
]
