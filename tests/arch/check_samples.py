#!/usr/bin/env python3
"""Do the sample configurations load, each by the program that it is for?

The identities, keys and lists that a sample names are made for it in a folder
of its own, by the programs themselves.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import tree


def problems(root, programs):
    samples = sorted(Path(root, "config").glob("*.yaml"))
    if not samples:
        yield "config/: holds no sample"
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch, "made")
        try:
            relay_key = make_mesh(Path(programs), made)
        except (OSError, subprocess.CalledProcessError) as error:
            yield f"no mesh to try the samples with: {said(error)}"
            return
        for sample in samples:
            yield from loads(sample, Path(programs), made, relay_key,
                             Path(scratch, sample.stem))


def said(error):
    return getattr(error, "stderr", "") or error


def zs(program, *words):
    return subprocess.run([program, *map(str, words)], check=True, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=20).stdout


def make_mesh(programs, made):
    zs(programs / "zs", "mesh", "create", "sample", "--dir", made)
    zs(programs / "zs", "mesh", "add", "node", "--dir", made)
    mesh = re.search(r"\b[0-9a-f]{64}\b",
                     zs(programs / "zs", "id", made / "node.zs", "--json")
                     + zs(programs / "zs", "id", made / "node.zs"))
    zs(programs / "zs-relay", "init", made / "relay", "--host", "192.0.2.1",
       "--mesh", mesh[0])
    return next((made / "relay").glob("*.key"))


def loads(sample, programs, made, relay_key, folder):
    folder.mkdir()
    shutil.copy(sample, folder)
    body = sample.read_text(encoding="utf-8")
    for name in re.findall(r"^\s*identity:\s*([\w.-]+\.zs)\b", body, re.M):
        shutil.copy2(made / "node.zs", folder / name)
    for name in re.findall(r"\bkey:\s*([\w.-]+\.key)\b", body):
        shutil.copy2(relay_key, folder / name)
    is_relay = re.search(r"^relay:", body, re.M)
    program = programs / ("zs-relay" if is_relay else "zs-edge")
    done = subprocess.run(
        [program, "-c", folder / sample.name, "--check"], check=False,
        text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
    if done.returncode:
        yield f"config/{sample.name}: {program.name} --check: exit " \
              f"{done.returncode}: {done.stderr.strip()}"


if __name__ == "__main__":
    tree.main(problems, "PROGRAMS")
