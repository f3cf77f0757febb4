# SPDX-License-Identifier: MIT
"""Counts the arm64 instructions that a program executes, under qemu-user with the plugin icount.c.

What is fetched and built once lies in bench/ below the folder that PIPIT_CACHE names.
"""
import bisect
import collections
import fcntl
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# As icount.c: multiplies of float32, float16, SDOT/UDOT, SMMLA/UMMLA, widening SMULL/SMLAL, MUL/MLA, then loads and
# stores, other vector and floating-point instructions, and the rest.
KINDS = ["f32", "f16", "dot", "mmla", "mull", "mul", "memory", "simd", "scalar"]
MULTIPLIES = KINDS[:6]

# Cores by the name of the level: what qemu is to be, and a real board's /proc/cpuinfo.
LEVELS = {
    "a72": ("cortex-a72", "0xd08", "fp asimd evtstrm crc32 cpuid"),
    "a76": ("cortex-a76", "0xd0b", "fp asimd evtstrm crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"),
    "i8mm": ("max,sve=off", "0xd4d", "fp asimd atomics fphp asimdhp cpuid asimdrdm asimddp asimdfhm i8mm bf16"),
}


def fail(text):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {text}")


def cache(*names):
    """A path below the cache; the folder it lies in is made."""
    base = os.environ.get("PIPIT_CACHE")
    if not base:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pipit")
    path = os.path.join(base, "bench", *names)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def once(path, make):
    """Calls make(NEW) to fill the folder NEW, which then becomes path; not if path is there already."""
    with open(cache("lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(path):
            new = tempfile.mkdtemp(prefix="new.", dir=os.path.dirname(path))
            os.chmod(new, 0o755)
            try:
                make(new)
                os.rename(new, path)
            finally:
                shutil.rmtree(new, ignore_errors=True)
    return path


def run(command, **options):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, **options)


# ---- the emulator and the plugin ----

def sources():
    """A line for apt: the sources of bookworm, whose qemu-user takes plugins, where this machine has Debian from."""
    for file in glob.glob("/etc/apt/sources.list") + sorted(glob.glob("/etc/apt/sources.list.d/*")):
        with open(file, encoding="utf-8") as lines:
            match = re.search(r"^(?:URIs:|deb\s+(?:\[[^]]*\])?)\s*(\S*/debian/?)(?:\s|$)", lines.read(), re.M)
        if match:
            return f"deb-src {match[1]} bookworm main\n"
    return fail("this machine has no Debian sources in /etc/apt")


def fetch_header(new):
    """qemu-plugin.h from Debian's source package; the machine's own lists and sources stay as they are."""
    os.makedirs(os.path.join(new, "lists", "partial"))
    with open(os.path.join(new, "src.list"), "w", encoding="ascii") as file:
        file.write(sources())
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::SourceList={new}/src.list", "-o", "Dir::Etc::SourceParts=-",
           "-o", f"Dir::State::Lists={new}/lists", "-o", "APT::Sandbox::User=root"]
    print("the header of qemu's plugins, from its source package (24 MB), once", file=sys.stderr)
    run([*apt, "update"])
    run([*apt, "source", "--download-only", "qemu"], cwd=new)
    run(["tar", "-C", new, "-xJf", glob.glob(f"{new}/qemu_*.orig.tar.xz")[0], "--strip-components=3",
         "--wildcards", "*/include/qemu/qemu-plugin.h"])
    for rest in [*glob.glob(f"{new}/qemu_*"), f"{new}/src.list"]:
        os.remove(rest)
    shutil.rmtree(f"{new}/lists")


def plugin():
    """The path of the built plugin."""
    source, built = os.path.join(HERE, "icount.c"), cache("icount.so")
    if not os.path.exists(built) or os.path.getmtime(built) < os.path.getmtime(source):
        include = once(cache("qemu-plugin"), fetch_header)
        run(["gcc", "-O2", "-shared", "-fPIC", f"-I{include}", source, "-o", f"{built}.new"])
        os.rename(f"{built}.new", built)
    return built


def fetch_qemu(new):
    print("an emulator that takes plugins: Debian 12's, once", file=sys.stderr)
    run(["mmdebstrap", "--quiet", "--mode=" + ("root" if os.geteuid() == 0 else "chrootless"), "--variant=extract",
         "--include=qemu-user", "bookworm", new])


def qemu():
    """How a command starts: this machine's qemu-aarch64 if it takes plugins, else Debian 12's."""
    known = subprocess.run(["qemu-aarch64", "-h"], capture_output=True, text=True, check=False) \
        if shutil.which("qemu-aarch64") else None
    if known and "-plugin " in known.stdout:
        return ["qemu-aarch64"]
    root = once(cache("qemu-user"), fetch_qemu)
    loader = glob.glob(f"{root}/lib*/ld-linux*") or fail("the emulator has no loader")
    return [loader[0], "--library-path", ":".join(glob.glob(f"{root}/usr/lib/*-linux-gnu") +
                                                 glob.glob(f"{root}/lib/*-linux-gnu")), f"{root}/usr/bin/qemu-aarch64"]


# ---- counting ----

class Count:
    """Instructions by kind: .threads[THREAD] and .blocks[ADDRESS, LENGTH], each a Counter; .runs of each block."""

    def __init__(self):
        self.threads = collections.defaultdict(collections.Counter)
        self.blocks = collections.defaultdict(collections.Counter)
        self.runs = collections.Counter()
        self.maps = {}

    def read(self, path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                word, *rest = line.split()
                if word == "map":
                    self.maps[int(rest[0], 16)] = (int(rest[1], 16), line.split(maxsplit=3)[3].rstrip("\n"))
                else:
                    self.add_block(rest)
        return self

    def add_block(self, words):
        key = int(words[0], 16), int(words[1])
        kinds = dict(zip(KINDS, map(int, words[2:2 + len(KINDS)])))
        for word in words[3 + len(KINDS):]:
            thread, runs = map(int, word.split(":"))
            self.runs[key] += runs
            for kind, count in kinds.items():
                self.threads[thread][kind] += count * runs
                self.blocks[key][kind] += count * runs

    def all(self):
        return sum(self.threads.values(), collections.Counter())

    def per(self, other, times):
        """(self - other) / times: what one inference takes, when self did so many more than other."""
        result = Count()
        result.maps = self.maps
        for name in "threads", "blocks":
            mine, theirs = getattr(self, name), getattr(other, name)
            for key, kinds in mine.items():
                less = theirs.get(key, {})
                getattr(result, name)[key] = collections.Counter(
                    {kind: (count - less.get(kind, 0)) / times for kind, count in kinds.items()})
        result.runs = collections.Counter({key: (runs - other.runs[key]) / times for key, runs in self.runs.items()})
        return result


def count(command, level, root, environment=None, said=""):
    """Runs an arm64 command; root holds its libraries; said is its standard input."""
    with tempfile.TemporaryDirectory(prefix="icount.") as folder:
        file = os.path.join(folder, "counts")
        emulate = [*qemu(), "-L", root, "-cpu", LEVELS[level][0], "-plugin", f"{plugin()},out={file}"]
        result = subprocess.run([*emulate, *command], input=said.encode(), capture_output=True,
                                env={**os.environ, **(environment or {})}, check=False)
        if result.returncode:
            fail(f"{' '.join(command)}: status {result.returncode}\n{result.stderr.decode(errors='replace')[-2000:]}")
        return Count().read(file)


def per_inference(command, level, root, times=1, environment=None):
    """command(N) runs N inferences; the counts of one are those of 1 + times less those of 1."""
    first = count(command(1), level, root, environment)
    return count(command(1 + times), level, root, environment).per(first, times)


# ---- who is it? ----

class Symbols:
    """Names of the functions at addresses of a counted program."""

    def __init__(self, maps):
        self.starts = sorted(maps)
        self.maps = maps
        self.tables = {}

    def table(self, path):
        if path not in self.tables:
            lines = subprocess.run(["nm", "--defined-only", "-C", path], capture_output=True, text=True,
                                   check=False).stdout
            lines += subprocess.run(["nm", "-D", "--defined-only", "-C", path], capture_output=True, text=True,
                                    check=False).stdout
            entries = sorted((int(a, 16), n) for a, k, n in
                             (line.split(maxsplit=2) for line in lines.splitlines()) if k in "tTwWiu" and n[0] != "$")
            self.tables[path] = [entry[0] for entry in entries], [entry[1] for entry in entries]
        return self.tables[path]

    def place(self, address):
        """The file at an address and the address within it; the first segment of a library is linked at 0."""
        at = bisect.bisect_right(self.starts, address) - 1
        if at < 0:
            return None, address
        path = self.maps[self.starts[at]][1]
        base = min(start for start, (offset, file) in self.maps.items() if file == path)
        return path, address - base

    def name(self, address):
        path, offset = self.place(address)
        if not path:
            return "?"
        addresses, names = self.table(path)
        at = bisect.bisect_right(addresses, offset) - 1
        return names[at].split(".constprop")[0] if at >= 0 else os.path.basename(path)


def functions(counted):
    """Instructions of each function, by its name."""
    symbols, result = Symbols(counted.maps), collections.defaultdict(collections.Counter)
    for (address, _), kinds in counted.blocks.items():
        if any(kinds.values()):
            result[symbols.name(address)].update(kinds)
    return result
