"""The service itself: one process plans, sends and serves the pages, on one port."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from test_links import ask

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    """The shipped deployment, copied."""
    for name in ("config", "plugins", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def service(folder, *arguments):
    command = [sys.executable, "-m", "commsched", "--deployment", str(folder), "run", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)


def port_of(process):
    """The port that the service says it serves on."""
    for line in process.stderr:
        if found := re.search(r"served on 127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise AssertionError("it serves no pages")


def test_it_serves_until_it_is_stopped(folder):
    """Pages from the first moment, behind the address that was given; SIGTERM ends both the engine and the pages."""
    process = service(folder, "--port", "0", "--public-url", "http://localhost:8000/")
    try:
        port = port_of(process)
        with urlopen(f"http://127.0.0.1:{port}/style.css", timeout=20) as answer:
            assert "color-scheme" in answer.read().decode()
        assert ask(f"http://127.0.0.1:{port}/m/nothing")[0] == 404
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert "Stopped." in said
    assert "nothing" not in said, "what was asked for is a secret, and in no log"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--public-url", "ftp://x.example"), "write an address"),
        (("--public-url", "http://garage.example"), "need https://"),
        (("--public-url", "https://garage.example/pages"), "without a path"),
    ],
)
def test_an_address_that_cannot_be(folder, arguments, said):
    """One sentence, and nothing is begun."""
    process = service(folder, *arguments)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert said in errors
    assert "Traceback" not in errors


def test_a_port_that_is_taken(folder):
    """It says which, and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = service(folder, "--port", str(taken.getsockname()[1]))
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert "name another with --port" in errors
