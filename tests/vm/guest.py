# SPDX-License-Identifier: MIT
"""What the tests do in a guest: plug the camera in and out, run pipit, look at its screens."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import machine
from machine import GuestError

TESTS = []
EVERY = ("native", "other", "arm64")  # kinds of guests
OUTPUTS = {"virtio": "card0/Virtual-1", "virtio2": "card0/Virtual-2", "bochs": "card1/Virtual-3"}


class Skip(Exception):
    """This test cannot be done here; the reason."""


def test(name, when="quick", guests=("native",)):
    """Registers function(guest). when: quick, all, soak. guests: those of kinds.py."""

    def add(function):
        TESTS.append({"name": name, "when": when, "guests": guests, "function": function})
        return function

    return add


def expect(condition, text):
    if not condition:
        raise GuestError(text)


class Webcam:
    """The emulated camera; unplugged and gone when the test ends."""

    def __init__(self, guest, photos=("meal_2",), serial="0001", isochronous=False):
        self.guest = guest
        self.fifo = f"/run/webcam-{serial}"
        self.path = f"/dev/v4l/by-id/usb-Pipit_tests_Emulated_camera_{serial}-video-index0"
        arguments = " ".join(f"/var/vm/photos/{photo}.jpg" for photo in photos)
        option = "-i" if isochronous else ""
        guest.sh("modprobe -a vhci_hcd uvcvideo")
        guest.background(f"webcam-{serial}", f"webcam {option} -s {serial} -c {self.fifo} {arguments}")
        self.wait_there()

    def wait_there(self):
        return self.guest.wait(f"[ -c $(realpath {self.path}) ] && [ -e {self.path} ]", f"{self.path} to appear")

    def say(self, command):
        self.guest.sh(f"echo '{command}' >{self.fifo}")

    def unplug(self):
        self.say("unplug")
        self.guest.wait(f"[ ! -e {self.path} ]", f"{self.path} to go")

    def plug(self, port=""):
        self.say(f"plug {port}")
        self.wait_there()


class Process:
    """A program in the background; its log is in the results, on the host."""

    def __init__(self, guest, name, pid, log):
        self.guest, self.name, self.pid, self.log_path = guest, name, pid, log

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    def running(self):
        return self.guest.try_sh(f"[ -d /proc/{self.pid} ]")[0] == 0

    def wait_log(self, pattern, limit=60, after=0):
        """Waits until the log has a line like this (from character `after` on); returns the match."""
        end = time.monotonic() + limit * self.guest.pace
        look = time.monotonic() + 1  # into the guest; that takes longer than a look into the log
        while True:
            time.sleep(0.05)
            now, running = time.monotonic(), True
            if now > look:
                look, running = now + 1, self.running()
            if match := re.search(pattern, self.log()[after:], re.MULTILINE):
                return match
            expect(running, f"{self.name} has ended and did not say {pattern!r}; its log:\n{self.log()[-3000:]}")
            expect(now < end, f"{self.name} did not say {pattern!r} in {limit} s; its log:\n{self.log()[-3000:]}")

    def signal(self, name):
        self.guest.sh(f"kill -{name} {self.pid}")

    def end(self, signal="TERM", limit=30):
        """Ends it; returns its exit status."""
        self.guest.try_sh(f"kill -{signal} {self.pid}")
        return self.status(limit)

    def status(self, limit=30):
        self.guest.wait(f"[ -e /run/status-{self.name} ]", f"{self.name} to end", limit)
        return int(self.guest.sh(f"cat /run/status-{self.name}"))


class Pipit(Process):
    def stats_path(self):
        return self.log_path.with_suffix(".stats")

    def stats(self):
        """The objects of --stats so far, one a second."""
        if not self.stats_path().exists():
            return []
        lines = self.stats_path().read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait_stats(self, condition, what, limit=90, after=0):
        """Waits for statistics, from number `after` on, for which condition(stats) holds; returns them."""
        end = time.monotonic() + limit * self.guest.pace
        while True:
            for stats in self.stats()[after:]:
                if condition(stats):
                    return stats
            last = self.stats()[-1:]
            expect(time.monotonic() < end, f"no statistics with {what} in {limit} s; last {last}; log:\n{self.log()[-3000:]}")
            expect(self.running(), f"pipit has ended before there was {what}; its log:\n{self.log()[-3000:]}")
            time.sleep(0.5)


class Guest(machine.Machine):
    """A machine with pipit and the tests' own programs in it."""

    test_name = "start"
    notes = ()  # what the test that runs has measured

    def put(self, source, target):
        """Copies a file or folder of the host to /host/files/TARGET."""
        path = self.share / "files" / target
        path.parent.mkdir(parents=True, exist_ok=True)
        if pathlib.Path(source).is_dir():
            shutil.copytree(source, path, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy(source, path)

    def prepare(self):
        """Lays what was put into files/ over the guest's root and clears the first console."""
        self.sh("cp -a /host/files/. / && ldconfig && systemctl stop getty@tty1 2>/dev/null; setterm --cursor off "
                "--term linux >/dev/tty1; mkdir -p /host/logs", 600)

    def log_folder(self):
        path = self.share / "logs" / re.sub(r"[^\w.-]+", "-", self.test_name)
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o777)
        return path

    def note(self, text):
        """Something measured, for the results."""
        self.notes.append(text)
        with open(self.log_folder() / "notes.txt", "a", encoding="utf-8") as out:
            out.write(text + "\n")

    def background(self, name, command, user="root", kind=Process):
        log = self.log_folder() / f"{name}.log"
        log.with_suffix(".stats").unlink(missing_ok=True)
        folder = f"/host/logs/{log.parent.name}"
        if user != "root":
            command = f"setpriv --reuid={user} --regid={user} --init-groups {command}"
        (self.share / "commands" / f"start-{name}").write_text(
            f"cd /; export PIPIT_MODELS=/var/vm/models\n{command} & pid=$!; echo $pid >/run/pid-{name}; trap '' TERM\nwait $pid; "
            f"echo $? >/run/status-{name}.new; mv /run/status-{name}.new /run/status-{name}\n", encoding="utf-8")
        self.sh(f"rm -f /run/status-{name} /run/pid-{name}; setsid bash /host/commands/start-{name} >{folder}/{name}.log 2>&1 "
                f"</dev/null & while [ ! -s /run/pid-{name} ]; do sleep 0.05; done")
        return kind(self, name, int(self.sh(f"cat /run/pid-{name}")), log)

    def pipit(self, options, user="root", name="pipit", wrapper=""):
        """pipit run with statistics. wrapper: a command that runs it."""
        stats = f"/host/logs/{self.log_folder().name}/{name}.stats"
        return self.background(name, f"{wrapper} pipit run --stats {stats} {options}", user, Pipit)

    def headless(self, name, options):
        """What pipit shows without a screen, the last picture, as a PNG file of the host."""
        folder = self.log_folder() / name
        self.sh(f"export PIPIT_MODELS=/var/vm/models; pipit run {options} --every-frame "
                f"--screen png:/host/logs/{folder.parent.name}/{name}", 120)
        return sorted(folder.glob("*.png"))[-1]

    def photo_frame(self, size="640x480", photo="meal_2"):
        """What the camera sends for a photo, as a file of this machine: a film, so that it is decoded and scaled as
        a camera's frames are, which a photo is not."""
        path = self.results / f"{photo}-{size}.mjpeg"
        if not path.exists():
            done = subprocess.run([self.tools / "webcam", "-w", size, self.photos / f"{photo}.jpg"], stdout=subprocess.PIPE,
                                  check=True)
            path.with_suffix(".jpg").write_bytes(done.stdout)
            path.write_bytes(done.stdout * 4)
        return path

    def host_environment(self):
        """For pipit on this machine, with the models and fonts that the guest has."""
        fonts = self.results / "fonts.conf"
        fonts.write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
                         "<dir>/usr/share/fonts/truetype/dejavu</dir><include>/etc/fonts/conf.d</include>"
                         f"<cachedir>{self.results}/fonts</cachedir></fontconfig>")
        return {**os.environ, "PIPIT_MODELS": str(self.models), "FONTCONFIG_FILE": str(fonts), "OMP_WAIT_POLICY": "passive"}

    def compare(self, a, b, mean=255, block=255):
        """Fails if two pictures differ by more; returns what the comparison said."""
        done = subprocess.run([self.tools / "compare", a, b, str(mean), str(block)], capture_output=True, text=True)
        said = (done.stdout + done.stderr).strip()
        expect(done.returncode == 0, f"{a} and {b}: {said} (allowed: {mean}, {block})")
        return said

    def mean_colour(self, picture, *part):
        done = subprocess.run([self.tools / "compare", "--mean", picture, *map(str, part)], capture_output=True, text=True)
        expect(done.returncode == 0, done.stderr)
        return [float(word) for word in done.stdout.split()]

    def clean_up(self):
        """As before the test: nothing of ours runs, no camera, the first screen is plugged in."""
        self.sh("""for pid in /run/pid-*; do [ -e "$pid" ] && kill -KILL $(cat "$pid") 2>/dev/null; rm -f "$pid"; done
            for i in $(seq 50); do pgrep -x 'pipit|webcam|modetest' >/dev/null || break; sleep 0.1; done
            for module in vivid vkms vimc; do
                for i in $(seq 20); do [ ! -e /sys/module/$module ] && break; rmmod $module 2>/dev/null || sleep 0.3; done
            done
            rm -f /run/webcam-* /run/status-*
            echo detect >/sys/class/drm/card0-Virtual-2/status
            [ "$(cat /sys/class/drm/card0-Virtual-1/status)" = connected ] || echo detect >/sys/class/drm/card0-Virtual-1/status
            true""")

    def keep_logs(self):
        """Moves the logs to the results; the kernel's and the journal's words with them."""
        self.try_sh(f"dmesg | tail -n 200 >/host/logs/{self.log_folder().name}/dmesg.log")
        self.save_logs()
