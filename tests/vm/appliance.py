# SPDX-License-Identifier: MIT
"""The bootable image in QEMU, with UEFI firmware, or with U-Boot where the board has that. The disk is started as it is; what a
test needs in it (a camera, somebody who runs commands) comes in by a second initial RAM disk, put onto a copy's boot partition,
and lives in /run."""
import json
import pathlib
import re
import shutil
import subprocess

import machine
from machine import GuestError

FIRMWARE = {
    "amd64": ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    "arm64": ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"),
}
U_BOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"  # of QEMU's own board, in place of the Raspberry Pi's
BOOT = 1 << 20  # where the boot partition begins

UNITS = {
    "vm-agent.service": """[Unit]
DefaultDependencies=no
[Service]
Environment=HOME=/root LANG=C.UTF-8
ExecStart=/run/host/agent
KillMode=process
""",
}
# A guest on a busy host can be ten times slower than an emulated one is anyway.
SLOW = {
    "pipit.service.d/vm.conf": "[Service]\nWatchdogSec=5min\nTimeoutStartSec=15min\nTimeoutStopSec=2min\n",
    "boot-complete.target.d/vm.conf": "[Unit]\nJobTimeoutSec=15min\n",
}
# In the initial RAM disk, before the real root's systemd: /run is carried over to it. The camera is there as if it had been plugged in
# before the power came; its driver is the system's to load.
BOTTOM = """#!/bin/sh
[ "$1" = prereqs ] && exit
mkdir -p /run/systemd/system/sysinit.target.wants /run/host
for file in /vm-units/* /vm-units/*/*; do
    to=/run/systemd/system/${file#/vm-units/}
    [ -d $file ] && mkdir -p $to || cat $file >$to
done
ln -s ../vm-agent.service /run/systemd/system/sysinit.target.wants/vm-agent.service
modprobe -d $rootmnt -a 9p 9pnet_virtio vhci_hcd
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 host /run/host
for loader in $rootmnt/lib/ld-linux-*.so.? $rootmnt/lib64/ld-linux-*.so.?; do
    [ ! -e $loader ] || break
done
$loader --library-path "$(echo $rootmnt/usr/lib/*-linux-gnu)" /run/host/webcam -c /run/webcam /run/host/photo.jpg \
    >/run/webcam.log 2>&1 </dev/null &
until [ -s /run/webcam.log ]; do sleep 0.1; done
"""
# Read by the initial RAM disk's init, before it reads this list. What comes first may not be compressed, and may add files only.
CONF = "echo '/scripts/init-bottom/vm \"$@\"' >>/scripts/init-bottom/ORDER\n"


def cpio(files):
    """An archive of (name, mode, bytes) as the kernel unpacks it (newc)."""
    out = bytearray()
    for number, (name, mode, data) in enumerate([*files, ("TRAILER!!!", 0, b"")], 1):
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def initrd(bottom, units):
    files = [(folder, 0o40755, b"") for folder in sorted({"vm-units", *(f"vm-units/{name}".rpartition("/")[0] for name in units)})]
    files += [(f"vm-units/{name}", 0o100644, text.encode()) for name, text in units.items()]
    files += [(folder, 0o40755, b"") for folder in ("conf", "conf/conf.d", "scripts", "scripts/init-bottom")]
    files += [("conf/conf.d/vm", 0o100644, CONF.encode()), ("scripts/init-bottom/vm", 0o100755, bottom.encode())]
    return cpio(files)


def bad_initrd():
    """What makes a slot one that never shows a picture."""
    bottom = BOTTOM[:BOTTOM.index("for ")] + "mkdir -p /run/systemd/system/pipit.service.d\n" \
        "printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' >/run/systemd/system/pipit.service.d/bad.conf\n"
    return initrd(bottom, {})


def mtools(command, disk, *arguments, data=None):
    """mcopy and its like on the disk's boot partition."""
    done = subprocess.run([command, "-i", f"{disk}@@{BOOT}", *arguments], input=data, capture_output=True, check=False)
    if done.returncode:
        raise GuestError(f"{command} {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout


class Appliance(machine.Machine):
    """One disk, a copy of the image, that is started again and again. photo: what its camera sees."""

    def __init__(self, image, arch, results, webcam, photo, settings=""):
        self.arch = arch
        self.disk = pathlib.Path(results) / "disk.img"
        self.variables = pathlib.Path(results) / "variables.fd"
        super().__init__(image, arch, results)
        subprocess.run(["cp", "--sparse=always", image, self.disk], check=True)
        shutil.copy(webcam, self.share / "webcam")
        shutil.copy(photo, self.share / "photo.jpg")
        self.put_boot("::vm.img", initrd(BOTTOM, {**UNITS, **SLOW}))
        self.put_boot("::pipit/pipit.conf", settings.encode())
        self.edit_slot("a")

    def build_command_line(self, image, arch, screens, append):
        return machine.QEMU[arch] + [
            "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-nodefaults", "-no-user-config", "-display", "none",
            "-action", "watchdog=none",  # it is looked whether it is used; a host that is busy would make it bite
            *self.firmware(),
            "-drive", f"file={self.disk},format=raw,if=none,id=disk",
            "-device", "virtio-blk-pci,drive=disk", "-device", "i6300esb", "-device", "virtio-rng-pci", *machine.SCREENS["virtio"],
            "-fsdev", f"local,id=host,path={self.share},security_model=none,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,path={self.folder}/agent,server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=agent",
            "-serial", f"file:{self.results}/console.log", "-qmp", f"unix:{self.folder}/qmp,server=on,wait=off",
        ]

    def firmware(self):
        shutil.copy(FIRMWARE[self.arch][1], self.variables)
        return ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE[self.arch][0]}",
                "-drive", f"if=pflash,format=raw,file={self.variables}"]

    def put_boot(self, path, data):
        mtools("mcopy", self.disk, "-o", "-", path, data=data)

    def read_boot(self, path):
        return mtools("mtype", self.disk, path).decode()

    def entries(self):
        """The boot loader's entries, by the names of their files."""
        return sorted(name.rsplit("/", 1)[1] for name in mtools("mdir", self.disk, "-b", "::loader/entries").decode().split())

    def partition(self, name):
        """Where it begins on the disk, in bytes."""
        table = json.loads(subprocess.run(["sfdisk", "--json", self.disk], capture_output=True, check=True).stdout)["partitiontable"]
        return next(part["start"] for part in table["partitions"] if part["name"] == name) * table.get("sectorsize", 512)

    def edit_slot(self, slot, first="vm.img"):
        """Lets a slot start with what the tests need."""
        path = self.entry(slot)
        text = re.sub(r"^(initrd .*)$", rf"initrd /{first}\n\1", self.read_boot(path), flags=re.MULTILINE)
        self.put_boot(path, self.talkative(text, "options ").encode())

    def talkative(self, text, before):
        """The kernel's and systemd's words go to the serial port, and to it alone."""
        text = re.sub(" quiet loglevel=0|systemd.show_status=no ", "", text)
        return text.replace(before, f"{before}{machine.KERNEL[self.arch]} loglevel=5 systemd.show_status=yes "
                            "systemd.default_timeout_start_sec=900 ", 1)

    def entry(self, slot):
        """The file with the kernel's command line, on the boot partition."""
        return "::loader/entries/" + next(name for name in self.entries() if name.startswith(f"pipit-{slot}"))

    def add_option(self, slot, option):
        path = self.entry(slot)
        self.put_boot(path, self.read_boot(path).replace(" loglevel=5", f" loglevel=5 {option}", 1).encode())

    def on_trial(self, slot):
        """Whether it will be tried three times from the next start on, as the disk says while it is not running."""
        return f"pipit-{slot}+3.conf" in self.entries()

    KEPT = "[ -e /boot/loader/entries/pipit-{slot}.conf ]"  # in the guest: the slot has been called good

    def given_up(self):
        """In the guest: whether the other slot was tried three times."""
        return "+0-3.conf" in self.sh("ls /boot/loader/entries")

    def start(self, limit=900):
        for name in ("agent", "qmp"):
            (self.folder / name).unlink(missing_ok=True)
        return super().start(limit)

    def try_sh(self, script, limit=60):
        try:
            return super().try_sh(script, limit)
        except ValueError as word:
            raise GuestError(f"the guest has started again by itself, during: {script}") from word

    def kill(self):
        """The power is cut."""
        self.process.kill()
        self.process.wait()

    def power_off(self, limit=120):
        self.try_sh("systemctl poweroff --no-block")
        try:
            self.process.wait(limit * self.pace)
        except subprocess.TimeoutExpired:
            self.kill()
            raise GuestError(f"it was not off after {limit} s") from None

    def pipit(self, name):
        return self.sh(f"systemctl show -P {name} pipit.service")


class UBootAppliance(Appliance):
    """The Raspberry Pi's disk on a machine of QEMU's own: U-Boot for that machine, then all as it is on the disk."""

    def firmware(self):
        return ["-bios", U_BOOT]

    def entry(self, slot):
        return f"::{slot}/boot.txt"

    def edit_slot(self, slot, first="vm.img"):
        path = self.entry(slot)
        self.put_boot(path, self.talkative(self.read_boot(path), "bootargs=").encode())
        pieces = [mtools("mtype", self.disk, name) for name in (f"::{first}", f"::{slot}/initrd.img")]
        self.put_boot(f"::{slot}/initrd.img", b"".join(pieces))

    def on_trial(self, slot):
        return self.read_boot("::slot.txt").startswith(f"slot={slot}\ntries=3\n")

    KEPT = "grep -q '^slot={slot}' /boot/slot.txt && ! grep -q '^tries=.' /boot/slot.txt"

    def given_up(self):
        console = (self.results / "console.log").read_text(errors="replace")
        return console.count("Starting kernel") == 4  # the last one was of this slot
