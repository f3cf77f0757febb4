# SPDX-License-Identifier: MIT
"""The kinds of guests that tests/vm/run boots, and how Pipit is built for each."""
import functools
import json
import os
import pathlib
import platform
import subprocess
import typing

from machine import GuestError

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOST = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
OTHER = {"bookworm": "trixie"}.get(platform.freedesktop_os_release().get("VERSION_CODENAME"), "bookworm")


def output_of(*command):
    """Runs a step; what it prints. What it says on the way goes through."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise GuestError(f"{command[0]} failed with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout.strip()


def make(folder):
    """Builds what is installed, and the tests' own programs; returns the tree for the guest's root, and the webcam."""
    output_of("ninja", "-C", str(folder), "build.ninja")  # configures again what has changed
    targets = json.loads(output_of("meson", "introspect", str(folder), "--targets"))
    files = [os.path.relpath(file, folder) for target in targets for file in target["filename"]
             if target["installed"] or "/tests/vm/" in file]
    output_of("ninja", "-C", str(folder), *files)
    tree = folder / "vm-tree"
    output_of("rm", "-rf", str(tree))
    output_of("meson", "install", "-C", str(folder), "--no-rebuild", "--quiet", "--destdir", str(tree))
    return tree, folder / "tests/vm/webcam"


@functools.cache
def build(folder):
    """For this machine. Of the tests' own programs some run here."""
    if not (folder / "build.ninja").exists():
        output_of("meson", "setup", str(folder), "-Dtests=enabled")
    return *make(folder), [folder / "app/pipit"]


@functools.cache
def build_arm64(folder):
    """By the cross compiler, beside the folder for this machine."""
    folder = folder.with_name(folder.name + "-arm64")
    output_of(str(ROOT / "app/setup"), "cross")
    output_of(str(ROOT / "cross/configure"), str(folder))
    return *make(folder), [ROOT / "cross/qemu-aarch64", output_of(str(ROOT / "cross/sysroot")), folder / "app/pipit"]


@functools.cache
def build_other(folder):
    """By the compiler and against the libraries of the other Debian, with which it runs here as well."""
    tree = folder / f"vm-tree-{OTHER}"
    box = pathlib.Path(output_of(str(HERE / "build-in"), OTHER, HOST, str(tree)))
    loader = next((box / "usr/lib").glob("*-linux-gnu/ld-linux-*"))
    command = [loader, "--library-path", f"{loader.parent}:{tree}/usr/local/lib", tree / "usr/local/bin/pipit"]
    return tree, tree / "usr/local/bin/webcam", command


class Kind(typing.NamedTuple):
    suite: str  # "": this machine's
    arch: str
    build: typing.Callable  # of Meson's folder for this machine; returns (the guest's files, the webcam, pipit as run here)
    screens: tuple = ("virtio", "bochs")
    arguments: str = ""  # of the kernel


KINDS = {
    "native": Kind("", HOST, build),
    "other": Kind(OTHER, HOST, build_other),  # the other one of the two Debian releases that Pipit is made for
    "arm64": Kind("", "arm64", build_arm64),
}
if HOST == "arm64":
    del KINDS["arm64"]
