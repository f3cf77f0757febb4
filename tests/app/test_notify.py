# SPDX-License-Identifier: MIT
"""What a service manager hears of the live picture."""
import ctypes
import os
import pathlib
import platform
import signal
import socket
import time
import unittest

from fixtures import colours
from test_run import RunTest

PTRACE_CONT, PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 7, 0x4206, 0x4207, 0x40000000
FUTEX = {"x86_64": "202", "aarch64": "98"}  # the system call in which an idle thread waits


class NotifyTest(RunTest):
    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(str(self.folder / "manager"))
        self.manager.settimeout(60)
        self.environment["NOTIFY_SOCKET"] = str(self.folder / "manager")

    def hear(self):
        return dict(line.split("=", 1) for line in self.manager.recv(4096).decode().splitlines())

    def hear_until(self, key):
        """All it says until this comes, which is last."""
        said = [self.hear()]
        while key not in said[-1]:
            said.append(self.hear())
        return said

    def watched(self, seconds):
        # Not WATCHDOG_PID: started through an emulator, the process is not the one that is started.
        self.environment["WATCHDOG_USEC"] = str(int(seconds * 1e6))


class Told(NotifyTest):
    LIVE = ("--source", "replay:red.png", "--screen", "memory")

    def test_ready_with_the_first_picture_and_stopping(self):
        child = self.start(*self.LIVE, *self.CLASSIFY)
        self.assertEqual(self.hear_until("READY")[-1]["READY"], "1")
        status = ""
        while "colours.tflite" not in status:
            status = self.hear_until("STATUS")[-1]["STATUS"]
        self.assertIn("64x48", status)
        self.end(child)
        self.assertEqual(self.hear_until("STOPPING")[-1], {"STOPPING": "1"})

    def test_ready_without_screen_and_camera(self):
        for arguments in ("--screen", "none"), ("--screen", "memory"):
            child = self.start(*arguments, "--source", "v4l2:/dev/no-such-camera", *self.CLASSIFY)
            self.hear_until("READY")
            self.end(child)

    def test_a_screen_that_is_missing_is_waited_for_a_while(self):
        since = time.monotonic()
        child = self.start("--screen", "no-such-connector", "--source", "replay:red.png", *self.CLASSIFY)
        self.hear_until("READY")
        self.assertGreater(time.monotonic() - since, 9)
        self.end(child)

    def test_what_is_wrong_is_in_the_status(self):
        child = self.start("--source", "v4l2:/dev/no-such-camera", "--screen", "memory", *self.CLASSIFY)
        status = ""
        while "C1" not in status:
            status = self.hear_until("STATUS")[-1]["STATUS"]
        self.assertTrue(status.startswith("No camera: "), status)
        self.end(child)

    def test_a_file_that_cannot_be_written_to_is_no_end(self):
        child = self.start(*self.LIVE, *self.CLASSIFY, "--stats", "no/such", "--events", "no/such")
        self.hear_until("READY")
        self.assertEqual(self.end(child).count("no/such: No such file or directory; going on without"), 2)

    def test_reloading(self):
        self.write("pipit.conf", "screen = memory\n")
        child = self.start("--config", "pipit.conf", "--source", "replay:red.png", *self.CLASSIFY)
        self.hear_until("READY")
        for text in "screen = memory\nstatus = yes\n", "nonsense\n":
            self.write("pipit.conf", text)
            before = time.clock_gettime(time.CLOCK_MONOTONIC)
            child.send_signal(signal.SIGHUP)
            said = self.hear_until("RELOADING")[-1]
            self.assertEqual(said["RELOADING"], "1")
            moment = int(said["MONOTONIC_USEC"]) / 1e6
            self.assertTrue(before <= moment <= time.clock_gettime(time.CLOCK_MONOTONIC))
            self.hear_until("READY")
        self.end(child)


class Watchdog(NotifyTest):
    def test_fed_by_pictures(self):
        self.watched(0.8)
        child = self.start(*Told.LIVE, *self.CLASSIFY)
        for _ in range(3):
            self.hear_until("WATCHDOG")
        self.end(child)

    def test_fed_while_it_waits_for_a_camera(self):
        self.watched(0.8)
        child = self.start("--source", "v4l2:/dev/no-such-camera", "--screen", "memory", *self.CLASSIFY)
        for _ in range(8):
            self.hear_until("WATCHDOG")
        self.end(child)

    def test_not_fed_when_nobody_watches(self):
        child = self.start(*Told.LIVE, *self.CLASSIFY, "--duration", 1)
        self.assertFalse([said for said in self.hear_until("STOPPING") if "WATCHDOG" in said])
        self.end(child)

    @unittest.skipIf("MESON_EXE_WRAPPER" in os.environ or platform.machine() not in FUTEX,
                     "a thread can be stopped only where the program runs itself")
    def test_a_hung_network_ends_it(self):
        self.watched(1.5)
        self.write("large.tflite", colours(side=1024))
        child = self.start(*Told.LIVE, "--camera-rate", 1000, "--model", "large.tflite")
        self.wait_for(child, "the first result is there")
        self.stop_at_work(child, "pipit-infer")
        self.manager.settimeout(5)
        said = []
        with self.assertRaises(TimeoutError):
            while True:
                said.append(self.hear())
        self.assertTrue([text for text in said if "M2" in text.get("STATUS", "")], said)

    def stop_at_work(self, child, name):
        """Stops one thread of a child where it is, as a network that never ends would."""
        tasks = pathlib.Path(f"/proc/{child.pid}/task")
        thread, = [int(task.name) for task in tasks.iterdir() if self.name_of(task) == name]
        self.trace(PTRACE_SEIZE, thread)
        self.addCleanup(os.waitpid, thread, WALL)  # a thread that is traced is ours to wait for
        self.addCleanup(child.kill)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            self.trace(PTRACE_INTERRUPT, thread)
            os.waitpid(thread, WALL)
            if (tasks / str(thread) / "syscall").read_text().split()[0] != FUTEX[platform.machine()]:
                return
            self.trace(PTRACE_CONT, thread)
            time.sleep(0.001)
        self.fail("the network never works")

    @staticmethod
    def name_of(task):
        try:
            return (task / "comm").read_text().strip()
        except OSError:  # it has ended meanwhile
            return None

    def trace(self, request, thread):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.assertEqual(libc.ptrace(request, thread, None, None), 0, os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    unittest.main()
