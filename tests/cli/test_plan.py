"""Which output every input gets, and which outputs are refused."""

import os
from pathlib import Path

import pytest

from vqcodec_cli.failure import RefusedError, UsageError
from vqcodec_cli.inputs import Source
from vqcodec_cli.plan import plan_jobs


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    for name in ["a.png", "a.jpg", "b.png"]:
        Path(name).write_bytes(name.encode())


def vqc(_: Source) -> str:
    return ".vqc"


def targets(
    *names: str,
    output: str | None = None,
    root: str | None = None,
    keep_suffix: bool | None = None,
) -> list[str]:
    sources = [Source(name, None if root is None else Path(root)) for name in names]
    jobs = plan_jobs(sources, output, suffix=vqc, force=True, keep_suffix=keep_suffix)
    return [job.target for job in jobs]


@pytest.mark.parametrize(
    ("name", "output", "expected"),
    [
        ("a.png", None, "a.vqc"),
        ("x/archive.tar.png", None, "x/archive.tar.vqc"),
        ("no-suffix", None, "no-suffix.vqc"),
        (".png", None, ".png.vqc"),
        ("a.png", "other.bin", "other.bin"),
        ("a.png", "out", "out/a.vqc"),
        ("a.png", "out/", "out/a.vqc"),
        ("a.png", "new/", "new/a.vqc"),
        ("x/a.png", "out", "out/a.vqc"),
        ("a.png", "-", "-"),
        ("-", None, "-"),
        ("-", "x.vqc", "x.vqc"),
        ("-", "out", "out/stdin.vqc"),
    ],
)
def test_name_of_a_single_output(name: str, output: str | None, expected: str) -> None:
    assert targets(name, output=output) == [expected]


def test_several_inputs_go_into_the_folder() -> None:
    assert targets("a.png", "x/b.png", output="out") == ["out/a.vqc", "out/b.vqc"]
    assert targets("a.png", "b.png") == ["a.vqc", "b.vqc"]


def test_every_input_has_a_suffix_of_its_own() -> None:
    sources = [Source(name) for name in ("a.png", "x/b.jpg")]
    for output, expected in ((None, ["a.up", "x/b.side"]), ("out", ["out/a.up", "out/b.side"])):
        jobs = plan_jobs(
            sources, output, suffix=lambda s: {"a.png": ".up"}.get(s.name, ".side"), force=True
        )
        assert [job.target for job in jobs] == expected


def test_where_the_output_has_a_name_nobody_is_asked_for_a_suffix() -> None:
    def never(source: Source) -> str:
        raise AssertionError(source)

    for name, output in (("a.png", "x.vqc"), ("-", None), ("a.png", "-")):
        plan_jobs([Source(name)], output, suffix=never, force=True)


def test_tree_keeps_its_shape() -> None:
    assert targets("t/a.png", "t/u/a.png", output="out", root="t") == ["out/a.vqc", "out/u/a.vqc"]


def test_single_file_of_a_folder_goes_into_a_folder() -> None:
    assert targets("t/a.png", output="new", root="t") == ["new/a.vqc"]


@pytest.mark.parametrize("output", ["new", "new/", "new/er"])
def test_folder_of_several_outputs_is_made_when_the_first_is_written(output: str) -> None:
    jobs = plan_jobs([Source("a.png"), Source("b.png")], output, suffix=vqc, force=False)
    for job in jobs:
        job.check()
    assert not Path("new").exists()
    jobs[1].write(b"1")
    assert [path.name for path in Path(output).iterdir()] == ["b.vqc"]


@pytest.mark.parametrize("output", ["a.png", "dangling"])
def test_several_inputs_do_not_go_into_what_is_no_folder(output: str) -> None:
    Path("dangling").symlink_to("nowhere")
    with pytest.raises(RefusedError, match="is not a folder"):
        targets("a.png", "b.png", output=output)


def test_several_inputs_cannot_share_standard_output() -> None:
    with pytest.raises(UsageError, match="standard output"):
        targets("a.png", "b.png", output="-")


def test_records_and_an_output_cannot_share_standard_output() -> None:
    def target(name: str, output: str | None) -> str:
        (job,) = plan_jobs([Source(name)], output, suffix=vqc, force=True, as_json=True)
        return job.target

    for name, output in (("a.png", "-"), ("-", None)):
        with pytest.raises(UsageError, match="--json"):
            target(name, output)
    assert target("-", "x.vqc") == "x.vqc"


def test_two_inputs_cannot_share_an_output() -> None:
    clash = r"a\.png and a\.jpg would both go to a\.vqc"
    with pytest.raises(UsageError, match=f"{clash}$"):
        targets("a.png", "a.jpg")
    with pytest.raises(UsageError, match=f"{clash}; --keep-suffix keeps them apart$"):
        targets("a.png", "a.jpg", keep_suffix=False)
    os.symlink("out", "link")
    sources = [Source("t/a.png", Path("t")), Source("u/a.png", Path("u"))]
    with pytest.raises(UsageError, match="would both go"):
        plan_jobs(sources, "out", suffix=vqc, force=True)
    with pytest.raises(UsageError, match=r"to out/a\.vqc$"):
        plan_jobs(sources, "out", suffix=vqc, force=True, keep_suffix=False)


def test_kept_suffixes() -> None:
    both = ("a.png", "a.jpg")
    assert targets(*both, keep_suffix=True) == ["a.png.vqc", "a.jpg.vqc"]
    assert targets(*both, output="out", keep_suffix=True) == ["out/a.png.vqc", "out/a.jpg.vqc"]
    assert targets("no-suffix", keep_suffix=True) == ["no-suffix.vqc"]
    assert targets("a.png", output="x.vqc", keep_suffix=True) == ["x.vqc"]


@pytest.mark.parametrize("same", ["a.png", "./a.png", "out/../a.png", "hard.png", "soft.png"])
def test_output_that_is_an_input_is_refused_by_whatever_name(same: str) -> None:
    os.link("a.png", "hard.png")
    os.symlink("a.png", "soft.png")
    with pytest.raises(UsageError, match="is an input"):
        targets("a.png", output=same)
    assert Path("a.png").read_bytes() == b"a.png"


def test_output_that_is_another_input_is_refused() -> None:
    Path("b.vqc").touch()
    with pytest.raises(UsageError, match=r"b\.vqc is an input"):
        targets("b.png", "b.vqc")


def test_folders_of_a_tree_are_made_and_others_are_not() -> None:
    inside = plan_jobs([Source("t/u/a.png", Path("t"))], "out", suffix=vqc, force=False)[0]
    inside.write(b"1")
    assert Path("out/u/a.vqc").read_bytes() == b"1"
    alone = plan_jobs([Source("a.png")], "missing/a.vqc", suffix=vqc, force=False)[0]
    for act in (alone.check, lambda: alone.write(b"1")):
        with pytest.raises(RefusedError, match="no folder"):
            act()
    assert not Path("missing").exists()


@pytest.mark.parametrize("output", ["both.vqc", "both.png", "x/both.JPEG", "both.tiff"])
def test_several_inputs_do_not_go_into_what_looks_like_a_file(output: str) -> None:
    for names, root in ((("a.png", "b.png"), None), (("out/a.png",), "out")):
        with pytest.raises(UsageError, match=f"{output} looks like a file: give -o {output}/"):
            targets(*names, output=output, root=root)
    assert targets("a.png", "b.png", output=output + "/") == [f"{output}/a.vqc", f"{output}/b.vqc"]
    assert targets("a.png", output="both.vqc") == ["both.vqc"]
    assert targets("a.png", "b.png", output="2024.05") == ["2024.05/a.vqc", "2024.05/b.vqc"]
