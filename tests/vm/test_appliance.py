# SPDX-License-Identifier: MIT
"""pipit.service, as it is installed, in its sandbox: killed, hung, starved, misconfigured, and back each time."""
import json
import re
import shutil

from guest import EVERY, Webcam, expect, test
from test_faults import within
from test_planes import put_module

SETTINGS = "camera-size = 640x480\nmode = 1024x768\nmodel = boxes\n"
DROPIN = "[Service]\nEnvironment=PIPIT_MODELS=/var/vm/models\nTimeoutStartSec={start:.0f}\nWatchdogSec={watchdog:.0f}\n"
CARD = """[model]
task = detect
file = boxes.tflite
[output]
labels = boxes.txt
"""


class Service:
    """pipit.service, started; stopped and as before when the test ends."""

    def __init__(self, guest, settings=SETTINGS, watchdog=20):
        """watchdog: its limit in seconds, on a machine that is quick."""
        self.guest = guest
        dropin = DROPIN.format(start=90 * guest.pace, watchdog=watchdog * guest.pace)
        guest.sh(f"""mkdir -p /run/systemd/system/pipit.service.d /etc/pipit
            printf '%s' '{dropin}' >/run/systemd/system/pipit.service.d/vm.conf
            printf '%s' '{CARD}' >/var/vm/models/boxes.ini
            systemd-sysusers && udevadm control --reload && systemctl daemon-reload
            systemctl reset-failed pipit 2>/dev/null; rm -rf /var/lib/pipit/*""")
        self.settings(settings)
        guest.sh("systemctl start pipit.service", 300)

    def settings(self, text):
        self.guest.sh(f"printf '%s' '{text}' >/etc/pipit/pipit.conf")

    def show(self, name):
        return self.guest.sh(f"systemctl show -P {name} pipit.service")

    def pid(self):
        return int(self.show("MainPID"))

    def journal(self):
        return self.guest.sh("journalctl -q -b -o cat -u pipit.service")

    def wait_status(self, pattern, limit=120):
        """Until its words for systemd are like this; returns the guest's seconds."""
        return self.guest.wait(f"systemctl show -P StatusText pipit.service | grep -Eq '{pattern}'", f"the status {pattern}", limit)

    def wait_again(self, pid, limit=120):
        """Until another process than this one has its picture on the screen; returns the guest's seconds."""
        return self.guest.wait(f"""[ "$(systemctl show -P ActiveState pipit.service)" = active ] &&
            [ "$(systemctl show -P MainPID pipit.service)" != {pid} ]""", "the service to be back", limit)

    def stop(self):
        self.guest.sh("systemctl stop pipit.service; rm -rf /run/systemd/system/pipit.service.d /etc/pipit; systemctl daemon-reload", 120)
        self.guest.sh("journalctl -q -b -u pipit.service >/host/logs/pipit.journal; journalctl --rotate -q; journalctl -q --vacuum-time=1s")


RESULTS = "[1-9][0-9.]* results|0[.][1-9] results|a result takes"


def recovers(service, seconds, limit, what):
    print(f"        {what}: back after {seconds:.1f} s of the guest", flush=True)
    within(service.guest, seconds, limit, what)


def with_service(name, when="all", settings=SETTINGS, watchdog=20, guests=("native",)):
    """Registers function(guest, service, camera), with pictures and results there."""

    def add(function):
        @test(name, when, guests)
        def run(guest):
            camera = Webcam(guest)
            service = Service(guest, settings, watchdog)
            try:
                service.wait_status(RESULTS)
                function(guest, service, camera)
            finally:
                service.stop()

        return function

    return add


@with_service("service: starts by itself again when it is killed", "quick", guests=EVERY)
def killed(guest, service, camera):
    for signal in ("KILL", "SEGV"):
        pid = service.pid()
        guest.sh(f"kill -{signal} {pid}")
        recovers(service, service.wait_again(pid), 20, f"SIG{signal}")
        service.wait_status(RESULTS)
    guest.screenshot("service killed")


@with_service("service: a network that hangs is noticed, told, and started again", watchdog=10, guests=("native", "arm64"))
def hung(guest, service, camera):
    pid = service.pid()
    shutil.copy(guest.programs / "hold", guest.share)
    holder = guest.background("hold", f"/host/hold {pid} pipit-infer libpipit.so")
    holder.wait_log("is held")
    guest.wait("journalctl -q -b -o cat -u pipit.service | grep -q 'has been at one picture'", "the hung network to be noticed", 300)
    guest.screenshot("service hung")
    recovers(service, service.wait_again(pid, 300), 60, "a hung network, from when it was noticed")
    expect("watchdog" in service.journal() or "Watchdog" in service.journal(), "it was not the watchdog:\n" + service.journal()[-2000:])
    service.wait_status(RESULTS, 300)


@with_service("service: a damaged model gives way to a packaged one, and the screen says so", guests=("native", "arm64"))
def damaged_model(guest, service, camera):
    guest.sh("head -c 20000 /var/vm/models/boxes.tflite | tr 'a-z' 'b-za' >/var/lib/pipit/damaged.tflite; chmod 644 /var/lib/pipit/damaged.tflite")
    pid = service.pid()
    service.settings(SETTINGS.replace("model = boxes", "model = /var/lib/pipit/damaged.tflite"))
    guest.sh("systemctl restart --no-block pipit.service")
    recovers(service, service.wait_again(pid), 20, "a start with a damaged model")
    service.wait_status("damaged.tflite.*results", 300)
    guest.sh("sleep 3")
    guest.screenshot("service damaged model")


@with_service("service: a broken configuration leaves the last good one in force, at a reload and at a start", guests=("native", "arm64"))
def broken_settings(guest, service, camera):
    service.settings(SETTINGS + "mirror = perhaps\n")
    guest.sh("systemctl reload pipit.service")
    service.wait_status("pipit.conf: line 4")
    guest.sh("sleep 3")
    guest.screenshot("service broken settings")
    pid = service.pid()
    guest.sh("systemctl restart --no-block pipit.service")
    recovers(service, service.wait_again(pid), 20, "a start with broken settings")
    service.wait_status("pipit.conf: line 4")
    expect("boxes" in service.show("StatusText"), f"it does not use the last good settings: {service.show('StatusText')}")
    service.settings(SETTINGS)
    guest.sh("systemctl reload pipit.service")
    guest.wait("! systemctl show -P StatusText pipit.service | grep -q pipit.conf", "the notice to go")


@with_service("service: goes on with a full disk")
def full_disk(guest, service, camera):
    pid = service.pid()
    guest.sh("systemctl stop pipit.service; mount -t tmpfs -o size=64k,mode=755,uid=pipit,gid=pipit tmpfs /var/lib/pipit; "
             "dd if=/dev/zero of=/var/lib/pipit/full bs=4k 2>/dev/null; true")
    try:
        guest.sh("systemctl start --no-block pipit.service")
        recovers(service, service.wait_again(pid), 20, "a start with a full disk")
        service.wait_status(RESULTS)
        expect("No space left" in service.journal(), "it does not say that the disk is full:\n" + service.journal()[-2000:])
    finally:
        guest.sh("systemctl stop pipit.service; umount /var/lib/pipit")


@with_service("service: the clock jumps by years, forth and back", watchdog=10)
def clock_jumps(guest, service, camera):
    pid = service.pid()
    for date in ("2041-03-05 10:00", "2009-07-01 10:00", "2026-11-25 10:00"):
        guest.sh(f"date -s '{date}'; sleep {12 * guest.pace:.0f}", 60)  # longer than the watchdog waits
        service.wait_status(RESULTS)
        expect(service.pid() == pid, f"it was started again after the clock was set to {date}:\n" + service.journal()[-2000:])


@with_service("service: a limit of memory ends and starts it, and it comes back when there is room")
def little_memory(guest, service, camera):
    pid = service.pid()
    guest.sh("systemctl set-property --runtime pipit.service MemoryMax=12M MemorySwapMax=0")
    try:
        guest.wait("journalctl -q -b -o cat -u pipit.service | grep -q oom-kill", "the limit to strike", 120)
        pid = service.pid()
    finally:
        guest.sh("systemctl set-property --runtime pipit.service MemoryMax=infinity; rm -rf /run/systemd/system.control; systemctl daemon-reload")
    recovers(service, service.wait_again(pid), 30, "memory given back")
    service.wait_status(RESULTS)


@with_service("service: a second instance is refused and does no harm")
def second(guest, service, camera):
    pid = service.pid()
    for user in ("root", "kiosk"):
        prefix = "" if user == "root" else f"setpriv --reuid={user} --regid={user} --init-groups "
        status, said = guest.try_sh(f"PIPIT_MODELS=/var/vm/models {prefix}pipit run")
        expect(status == 75 and str(pid) in said, f"as {user}: status {status}: {said}")
    expect(service.pid() == pid, "the first one was started again")
    service.wait_status(RESULTS)


@with_service("service: threads, udev and the journal work in the sandbox", guests=EVERY)
def sandbox(guest, service, camera):
    pid = service.pid()
    threads = guest.sh(f"cat /proc/{pid}/task/*/comm").split("\n")
    expect(threads.count("pipit-infer") >= 2, f"OpenMP has no threads: {threads}")
    for call in "setpriority", "sched_setscheduler", "sched_setaffinity":
        expect(f" {call} " in f" {service.show('SystemCallFilter')} ", f"its threads may not call {call}()")
    camera.unplug()
    service.wait_status("amera")
    seconds = guest.wait("journalctl -q -b -o json -u pipit.service | grep -q f331b94b4d7a43e6869288ecfad0d86c", "the journal's entry")
    camera.plug(2)
    recovers(service, service.wait_status(RESULTS), 20, "a camera that comes back")
    expect(service.pid() == pid, "it was started again")
    exposure = guest.sh("systemd-analyze security pipit.service | tail -n 1")
    print("        " + exposure.encode("ascii", "ignore").decode().strip(), flush=True)


@with_service("service: libcamera and its image processing work in the sandbox")
def libcamera(guest, service, camera):
    """vimc, the kernel's virtual camera, has a sensor and a pipeline of its own, which libcamera drives with an IPA module."""
    put_module(guest, "vimc")
    guest.sh("modprobe -a videobuf2_vmalloc videobuf2_dma_contig v4l2_tpg && insmod /host/files/vimc.ko && udevadm settle")
    listed = json.loads(guest.sh("pipit devices --json 2>/dev/null"))["cameras"]
    source = next((one["id"] for one in listed if "vimc" in one["id"] and one["driver"] == "libcamera"), None)
    expect(source, f"pipit devices lists {listed}")
    pid = service.pid()
    service.settings(SETTINGS + f"source = {source}\n")
    guest.sh("systemctl reload pipit.service")
    guest.wait("journalctl -q -b -o cat -u pipit.service | grep -q 'the camera is .*vimc'", "the virtual camera", 120)
    service.wait_status(f"fps.*({RESULTS})")
    guest.screenshot("service libcamera")
    expect(guest.sh(f"grep -l ipa_vimc /proc/{pid}/maps; pgrep -f vimc_ipa_proxy; true"), "no IPA module is at work")
    expect(service.pid() == pid, "it was started again")
    service.settings(SETTINGS)


@with_service("service: makes a float model int8 by photos, keeps that, and does without the photos")
def int8_by_photos(guest, service, camera):
    guest.sh("cp -r /var/vm/photos /var/vm/calibrate")
    settings = SETTINGS.replace("model = boxes", "model = mobilenet-v3-food\nprecision = int8\ncalibrate = /var/vm/calibrate")
    service.settings(settings)
    for said in ("is int8 by photos, in", "is int8 by .*, which was made of it before"):
        pid = service.pid()
        guest.sh("systemctl restart --no-block pipit.service")
        print(f"        '{said}': picture after {service.wait_again(pid, 300):.1f} s", flush=True)
        service.wait_status(f"mobilenet-v3-food.*({RESULTS})", 300)
        expect(re.search(said, service.journal()), f"the journal does not say '{said}':\n" + service.journal()[-2000:])
    guest.screenshot("service int8")
    guest.sh("rm -r /var/vm/calibrate; systemctl restart --no-block pipit.service")
    guest.wait("journalctl -q -b -o cat -u pipit.service | grep -q 'runs as if with --precision f32'", "what it does without photos", 120)
    service.wait_status(f"mobilenet-v3-food.*({RESULTS})", 300)
