# SPDX-License-Identifier: MIT
"""A guest in QEMU: starts it, runs shell scripts in it, takes pictures of its screens.

There is no hardware virtualisation: everything is emulated, and a guest second of work may take long. Limits are
therefore generous, and are there only so that nothing waits for ever.
"""
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
QEMU = {
    "amd64": ["qemu-system-x86_64", "-M", "q35", "-cpu", "max"],
    "arm64": ["qemu-system-aarch64", "-M", "virt,gic-version=3", "-cpu", "cortex-a72"],
}
# Without no_timer_check a kernel on a busy host finds its timer dead and gives up.
KERNEL = {"amd64": "console=ttyS0 no_timer_check", "arm64": "console=ttyAMA0"}
SCREENS = {
    "virtio": ["-device", "virtio-gpu-pci,id=virtio,max_outputs=2"],
    "bochs": ["-device", "bochs-display,id=bochs"],
}


QUIET_BOOT = 30  # seconds, on two cores with nothing else to do; where it took longer, all limits are longer


class GuestError(Exception):
    """A script in the guest failed, or the guest itself."""


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Qmp:
    """QEMU's own control socket (QEMU Machine Protocol)."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while line := self.file.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise GuestError(f"QEMU: {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise GuestError("QEMU has ended")


class Machine:
    """One booted guest. tree: a folder laid over its root; results: where logs and pictures go."""

    def __init__(self, image, arch, results, screens=("virtio", "bochs"), append=""):
        self.results = pathlib.Path(results)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pipit-vm-"))
        self.share = self.folder / "share"
        (self.share / "commands").mkdir(parents=True)
        self.results.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "agent", self.share)
        self.console = self.results / f"console-{len(list(self.results.glob('console-*'))) + 1}.log"  # of each boot
        self.console.touch()
        self.number = 0
        self.process = None
        self.port = None
        self.pace = 1.0
        self.command_line = self.build_command_line(pathlib.Path(image), arch, screens, append)

    def build_command_line(self, image, arch, screens, append):
        line = QEMU[arch] + [
            "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd.img"),
            "-append", f"root=/dev/vda rw loglevel=5 {KERNEL[arch]} panic=-1 mitigations=off nokaslr audit=0 "
            "modprobe.blacklist=bochs systemd.default_timeout_start_sec=900 sysctl.kernel.hung_task_timeout_secs=40 "
            f"vm-agent {append}",
            "-drive", f"file={image}/root.img,format=raw,if=none,id=root,snapshot=on,cache=unsafe",
            "-device", "virtio-blk-pci,drive=root", "-device", "virtio-rng-pci",
            "-fsdev", f"local,id=host,path={self.share},security_model=none,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={self.folder}/agent,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=agent",
            "-serial", f"file:{self.console}",
            "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
        ]
        for screen in screens:
            line += SCREENS[screen]
        return line

    def start(self, limit=900):
        """Boots; returns the guest's own uptime when it was ready."""
        with open(self.results / "qemu.log", "wb") as log:
            self.process = subprocess.Popen(self.command_line, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        end = time.monotonic() + limit
        while not (self.folder / "agent").exists() or not (self.folder / "qmp").exists():
            if self.process.poll() is not None or time.monotonic() > end:
                raise GuestError("QEMU did not start: " + (self.results / "qemu.log").read_text(errors="replace"))
            time.sleep(0.05)
        self.qmp = Qmp(self.folder / "qmp")
        self.port = socket.socket(socket.AF_UNIX)
        self.port.connect(str(self.folder / "agent"))
        self.answers = self.port.makefile("r")
        begin = time.monotonic()
        uptime = float(self.answer(limit).split()[1])
        self.pace = max(1.0, (time.monotonic() - begin) / QUIET_BOOT)
        return uptime

    def answer(self, limit, script="its start"):
        self.port.settimeout(limit)
        try:
            line = self.answers.readline()
        except TimeoutError:
            line = ""
        if not line:
            self.save_logs()
            self.stop()
            raise GuestError(f"no answer in {limit} s, see {self.console}, to: {script}")
        return line.strip()

    def save_logs(self):
        """Moves what the guest has written to the results."""
        if (self.share / "logs").exists():
            shutil.copytree(self.share / "logs", self.results, dirs_exist_ok=True)

    def stop(self):
        """Ends it at once; takes one that was not started."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def try_sh(self, script, limit=60):
        """Runs a shell script as root; returns its exit status (124: it took too long) and output."""
        if not self.alive:
            raise GuestError("the guest is gone")
        self.number += 1
        limit = int(limit * self.pace)
        path = self.share / "commands" / str(self.number)
        path.write_text(script + "\n", encoding="utf-8")
        self.port.sendall(f"{self.number} {limit}\n".encode())
        status = int(self.answer(limit + 60, script).split()[1])
        output = path.with_suffix(".out").read_text(encoding="utf-8", errors="replace")
        return status, output.strip()

    def sh(self, script, limit=60):
        """As try_sh(), but failing is an error; returns the output."""
        status, output = self.try_sh(script, limit)
        if status:
            raise GuestError(f"exit status {status} of: {script}\n{output[-4000:]}")
        return output

    def wait(self, condition, what, limit=60):
        """Waits in the guest until a shell condition holds; returns the guest's seconds that it took."""
        script = f"""start=$(cut -d' ' -f1 /proc/uptime)
            until {condition}; do sleep 0.2; done
            echo "$start $(cut -d' ' -f1 /proc/uptime)" >/run/wait.out"""
        status, output = self.try_sh(script, limit)
        if status:
            raise GuestError(f"waited {limit} s for this in vain: {what}\n{output[-2000:]}")
        start, end = self.sh("cat /run/wait.out").split()[-2:]
        return float(end) - float(start)

    def screenshot(self, name, screen="virtio", head=0):
        """What the screen shows, as a PNG file."""
        path = self.results / (re.sub(r"[^\w.-]+", "-", name) + ".png")
        self.qmp.execute("screendump", filename=str(path), device=screen, head=head, format="png")
        return path
