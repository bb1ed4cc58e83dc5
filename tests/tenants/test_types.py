import subprocess
import sys

from conftest import PACKAGE


def test_the_package_is_typed_throughout(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--cache-dir", str(tmp_path), "bedrail_callback"],
        cwd=PACKAGE, capture_output=True, text=True,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
