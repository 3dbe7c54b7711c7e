"""Nothing leaves the machine: the system calls of a build, a question and a server, as strace saw them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.fake_llm import FakeLlm, copying

CALL = re.compile(r"\b(?:connect|sendto|sendmsg|sendmmsg)\((.*)")
PEER = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
TRACING = {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "none"}
LOOPBACK = re.compile(r"127\.|::1$|::ffff:127\.|0\.0\.0\.0$|::$")


@pytest.fixture(autouse=True)
def _needs_strace() -> None:
    assert shutil.which("strace"), "install strace: apt-get install strace"


def traced(log: Path, *words: str) -> list[str]:
    return [
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",  # stops at these calls alone: three times as fast
        "-e",
        "trace=connect,sendto,sendmsg,sendmmsg",
        "-o",
        str(log),
        sys.executable,
        "-m",
        *words,
    ]


def peers(log: Path) -> set[str]:
    """Every network address that a system call named."""
    calls = [m[1] for m in map(CALL.search, log.read_text("utf-8", "replace").splitlines()) if m]
    return {a or b for call in calls for a, b in PEER.findall(call)}


def outside(log: Path) -> set[str]:
    return {p for p in peers(log) if not LOOPBACK.match(p)}


def test_the_log_would_show_a_call_outside(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = tmp_path / "leak.py"
    script.write_text(
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.connect(('192.0.2.1', 9))\n"
    )
    words = traced(log, "leak")
    subprocess.run(words, cwd=tmp_path, check=False, capture_output=True)
    assert outside(log) == {"192.0.2.1"}


def test_building_and_asking_open_no_connection(tmp_path: Path, one_document: Path) -> None:
    log, index = tmp_path / "log", str(tmp_path / "index")
    built = subprocess.run(
        traced(log, "index", "build", "--knowledge", str(one_document), "--index", index),
        cwd=ROOT,
        check=False,
    )
    assert built.returncode == 0
    assert outside(log) == set()
    with FakeLlm(say=copying) as model:  # a language model on loopback, and tracing asked for
        asked = subprocess.run(
            traced(log, "bot", "ask", "Qui finance COMPASS ?", "--index", index),
            cwd=ROOT,
            env={**os.environ, **TRACING, "REPERE_LLM": "openai:fake", "REPERE_LLM_URL": f"{model.url}/v1"},
            check=False,
        )
    assert asked.returncode == 0
    assert len(model.prompts) == 1
    assert outside(log) == set()


def test_serving_talks_to_loopback_alone(tmp_path: Path, index_dir: Path) -> None:
    log = tmp_path / "log"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = traced(log, "bot", "serve", "--index", str(index_dir), "--port", str(port))
    server = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    watchdog = threading.Timer(120, os.killpg, (server.pid, signal.SIGKILL))
    watchdog.start()
    try:
        assert server.stdout is not None
        assert str(port) in server.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            assert page.status == 200
        body = json.dumps({"data": ["Qui finance COMPASS ?", []]}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/gradio_api/call/ask", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as reply:
            event = json.load(reply)["event_id"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/gradio_api/call/ask/{event}") as reply:
            assert "Pays-Bas" in reply.read().decode()
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # strace and the server it watches; the log is written already
        server.wait()
        watchdog.cancel()
    assert outside(log) == set()
