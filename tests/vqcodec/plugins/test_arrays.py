"""What the plug-ins for hosts of arrays have in common."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("host", ["zarr", "numcodecs"])
def test_without_its_host_a_plug_in_says_what_to_install(host: str) -> None:
    code = f"import sys; sys.modules[{host!r}] = None; import vqcodec.plugins.{host}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    wanted = f"vqcodec.plugins.{host} needs {host}: pip install 'vqcodec[{host}]'"
    assert last == f"vqcodec.errors.MissingDependencyError: {wanted}"
