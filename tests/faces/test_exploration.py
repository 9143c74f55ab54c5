"""The page of somebody who explored a scenario by hand still tells what real kubectl, curl and jq are answered."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.faces import exploration

pytestmark = pytest.mark.faces
PAGE = Path(__file__).parent / "exploration.md"
NEEDED = ("kubectl", "curl", "jq", "bash")


@pytest.fixture(scope="module")
def shell() -> Iterator[Mapping[str, str]]:
    for program in NEEDED:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here")
    with exploration.served() as (_, environ):
        yield environ


@pytest.mark.parametrize("step", exploration.STEPS, ids=lambda s: s.command[:40])
def test_what_led_on_is_still_answered_and_stands_in_the_page(shell: Mapping[str, str], step: exploration.Step) -> None:
    lines, page = exploration.answer(step, shell), PAGE.read_text(encoding="utf-8")
    asked = f"$ {step.command.strip()}\n"
    assert asked in page
    told = page.partition(asked)[2].partition("```")[0].splitlines()
    for pattern in step.decides:
        assert any(re.search(pattern, line) for line in lines), (pattern, lines[:20])
        assert any(re.search(pattern, line) for line in told), f"{pattern} is not in the page"


def test_every_line_that_serve_prints_to_be_tried_works(tmp_path: Path) -> None:
    """As pasted into another terminal: the exports first, then each line; none fails, none is empty."""
    for program in NEEDED:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here")
    gumshoe = [sys.executable, "-m", "bot.cli.main"]
    environ = {**os.environ, "HOME": str(tmp_path)}
    command = [*gumshoe, "simulate", "exception-in-release", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            said: list[str] = []
            while "Ctrl-C ends it." not in said:
                line = server.stdout.readline()
                assert line, "it ended before it had said everything"
                said.append(line.rstrip("\n"))
            exports = [line.strip() for line in said if line.startswith("  export ")]
            tries = [line.strip() for line in said if line.startswith(("  kubectl ", "  curl "))]
            assert len(exports) == 2
            assert len(tries) >= 10
            for each in tries:
                script = ["bash", "-c", "\n".join((*exports, each))]
                done = subprocess.run(script, capture_output=True, text=True, timeout=60, env=environ)
                assert done.returncode == 0, (each, done.stderr)
                assert done.stdout.strip(), each
                assert '"error"' not in done.stdout[:60], (each, done.stdout[:300])
            (asked,) = [line.split()[1:] for line in said if line.startswith("  gumshoe investigate ")]
            done = subprocess.run([*gumshoe, *asked, "--quiet"], capture_output=True, text=True, timeout=180)
            assert done.returncode == 0, done.stderr
            assert "code_defect_in_release" in done.stdout
        finally:
            server.terminate()
            server.wait(20)
