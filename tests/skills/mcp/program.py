"""An MCP server as a program, in the shapes of the specification of 2025-06-18 ("stdio"), well-behaved or not: the
first argument says how, the second names a file for the numbers of its processes. Only the standard library, so that it
starts at once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}}
NAMES = ("search", "environment", "folder", "huge", "hang", "die", "echo_secret")
TOOLS = [
    *({"name": n, "description": n, "inputSchema": SCHEMA, "annotations": {"readOnlyHint": True}} for n in NAMES),
    {"name": "delete", "description": "Removes a page.", "inputSchema": SCHEMA},
]


def text_of(name, arguments):
    if name == "search":
        return f"cart: its limit was lowered ({arguments.get('query')})"
    if name == "environment":
        return "\n".join(f"{k}={v}" for k, v in sorted(os.environ.items()))
    if name == "folder":
        return str(Path.cwd())
    if name == "huge":
        return "x" * 20_000_000
    if name == "hang":
        time.sleep(600)
    if name == "die":
        sys.exit(f"Error: the page server is gone; token {os.environ.get('WIKI_TOKEN')}")
    raise AssertionError(name)


def result_of(asked, modern):
    method, params = asked["method"], asked.get("params", {})
    if method == "initialize" and not modern:
        return {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "program", "version": "1"},
        }
    if method == "server/discover" and modern:
        return {
            "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
            "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
        }  # fmt: skip
    more = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"} if modern else {}
    if method == "tools/list":
        return {"tools": TOOLS, **more}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": text_of(params["name"], params.get("arguments", {}))}], **more}
    return None


def serve(modern=False):
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" not in asked:
            continue
        result = result_of(asked, modern)
        lost = {"error": {"code": -32601, "message": f"no method {asked['method']}"}}
        answer = {"jsonrpc": "2.0", "id": asked["id"], **({"result": result} if result is not None else lost)}
        print(json.dumps(answer), flush=True)


def note(path, *pids):
    with Path(path).open("a") as file:
        file.write("".join(f"{pid}\n" for pid in pids))


def main(way, path):
    note(path, os.getpid())
    if way == "stubborn":  # nothing but the last signal ends it, and it has a child in its group and one that left it
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sleep = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
        note(path, subprocess.Popen(sleep).pid, subprocess.Popen(sleep, start_new_session=True).pid)
        time.sleep(600)
    if way == "leaves a child":
        sleep = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
        note(path, subprocess.Popen(sleep, stdin=subprocess.DEVNULL, start_new_session=True).pid)
    if way == "exits":
        sys.exit("Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'wiki'")
    if way == "exits in silence":
        sys.exit(3)
    if way == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "garbage":
        print("Listening on port 8080", flush=True)
        time.sleep(600)
    if way == "garbage for ever":
        while True:
            sys.stdout.write("na " * 10_000)
    if way == "banner":
        print("Welcome to the wiki\n{}", flush=True)
    if way == "complains for ever":
        while True:
            sys.stderr.write("Error: still not ready\n" * 1000)
    serve(modern=way == "modern")


main(*sys.argv[1:3])
