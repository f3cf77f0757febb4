# SPDX-License-Identifier: MIT
"""Hardware planes and vertical blanks: vkms, the kernel's virtual display, has both, and no other driver of the guest. vivid's
buffers go to its planes as they are."""
import json

import test_vivid
from guest import Webcam, expect, test
from kinds import HERE, output_of
from test_live import BOXES, DETECTOR, camera_options, settled

VGA = "--camera-size 640x480 --mode 640x480"
PERIOD_MS = 1000 / 60


def put_module(guest, name):
    """Brings a module of the kernel's that Debian leaves out to where the guest finds it."""
    guest.put(f"{output_of(str(HERE / 'modules'), guest.image).splitlines()[-1]}/{name}.ko", f"{name}.ko")


def load(guest):
    """Loads vkms; returns its screen's name, CARD/CONNECTOR."""
    put_module(guest, "vkms")
    guest.sh("modprobe -a drm_shmem_helper drm_kms_helper && insmod /host/files/vkms.ko enable_overlay=1 && udevadm settle")
    return guest.sh("cd /sys/devices/platform/vkms/drm && ls -d card*/card*-Virtual-* | sed 's|.*/||; s|-|/|'")


def shows(guest, options, screen, said, name):
    """Pictures with labels are shown by the way that the log tells."""
    pipit = guest.pipit(f"{options} --screen {screen} {BOXES}", name=name)
    pipit.wait_log(said)
    pipit.wait_stats(settled, "pictures and results", 90, len(pipit.stats()) + 1)
    expect("refused while running" not in pipit.log(), pipit.log())
    expect(pipit.end() == 0, pipit.log())


@test("planes: vivid's picture goes to a plane as it is, the labels to one above", "all")
def planes(guest):
    screen = load(guest)
    node = test_vivid.load(guest)[0]
    ports = {port["name"]: port for port in json.loads(guest.sh("pipit devices --json"))["screens"]}
    expect(ports[screen.split("/")[1]]["way"] == "planes" and ports["Virtual-1"]["way"] == "compose", f"pipit devices: {ports}")
    camera = f"--source v4l2:{node} --camera-format xrgb32"
    shows(guest, f"{camera} {VGA}", screen, "goes to a plane as it is", "whole")
    shows(guest, f"{camera} --camera-size 640x360 --mode 640x480", screen, "goes to a plane as it is", "bars")


def checksum(guest, screen):
    """Of the picture that vkms makes of its planes."""
    folder = f"/sys/kernel/debug/dri/{screen.split('/')[0].removeprefix('card')}/crtc-0/crc"
    return guest.sh(f"echo auto >{folder}/control; timeout 20 cat {folder}/data 2>/dev/null | head -n 2 | tail -n 1", 60).split()[-1]


@test("planes: every pixel as the processor composes it", "all")
def pixels(guest):
    screen = load(guest)
    camera = f"--source v4l2:{test_vivid.load(guest)[0]} --camera-format xrgb32 {VGA}"
    sums = {}
    for name, settings in (("planes", "planes = yes"), ("composed", "planes = no"), ("mirrored", "mirror = yes")):
        guest.sh(f"echo '{settings}' >/run/pipit.conf")
        pipit = guest.pipit(f"{camera} --screen {screen} --config /run/pipit.conf --threshold 1 {BOXES}", name=name)
        pipit.wait_log("as it is" if name == "planes" else "composed by the processor")
        pipit.wait_stats(lambda stats: stats["display_fps"] > 0 and stats["inference_fps"] > 0, "pictures without labels", 120, 3)
        sums[name] = checksum(guest, screen)
        expect(pipit.end() == 0, pipit.log())
    guest.note(f"checksums: {sums}")
    expect(sums["planes"].startswith("0x") and sums["planes"] == sums["composed"] != sums["mirrored"], f"{sums}")


@test("planes: where they will not do the log says why", "all")
def refused(guest):
    screen = load(guest)
    camera = f"--source v4l2:{test_vivid.load(guest)[0]}"
    guest.sh("echo 'planes = no' >/run/pipit.conf")
    composed = "composed by the processor: "
    for name, options, why in (
            ("yuyv", f"--camera-format yuyv {VGA}", "no plane takes YUYV"),
            ("scaled", "--camera-format xrgb32 --camera-size 640x480 --mode 800x600", "the driver refuses picture and labels"),
            ("turned", f"--camera-format xrgb32 {VGA} --rotation 180", "no plane for the picture can turn it by 180 degrees"),
            ("off", f"--camera-format xrgb32 {VGA} --config /run/pipit.conf", "planes are turned off")):
        shows(guest, f"{camera} {options}", screen, composed + why, name)


@test("planes: a webcam's MJPEG is composed on vkms", "all")
def webcam(guest):
    screen = load(guest)
    camera = Webcam(guest)
    shows(guest, f"{camera_options(camera)} --mode 1024x768", screen, "composed by the processor: the camera's frames are no dmabufs", "webcam")


def share_shown(guest, options, name, reports=15):
    """Of the frames that the camera gave, the part that was shown; its statistics. The network is not waited for at the end."""
    pipit = guest.pipit(options, name=name)
    pipit.wait_stats(lambda stats: stats["inference_fps"] > 0, "results", 300)
    pipit.wait_stats(lambda stats: stats["display_fps"] > 0, "pictures", 120, reports)
    pipit.end("KILL")
    stats = [one for one in pipit.stats()[2:] if one["display_fps"] > 0]
    expect(len(stats) >= 5, f"too few statistics:\n{pipit.log()}")
    taken, lost = sum(one["capture_fps"] for one in stats), sum(one["dropped"]["display"] for one in stats)
    return 1 - lost / taken, stats


@test("pace: the screen's own vertical blanks, and not a picture less while the network thinks", "all")
def pace(guest):
    screen = load(guest)
    node = test_vivid.load(guest)[0]
    guest.sh(f"v4l2-ctl -d {node} --set-parm 25")
    options = f"--source v4l2:{node} --camera-format xrgb32 {VGA} --camera-rate 25 --screen {screen} --threads 1"
    idle, _ = share_shown(guest, f"{options} {BOXES} --inference-rate 1", "idle")
    busy, stats = share_shown(guest, f"{options} {DETECTOR}", "busy")
    thought = max(one["ms"]["inference"]["p50"] or 0 for one in stats)
    (guest.log_folder() / "pace.txt").write_text(f"shown: {idle:.3f} idle, {busy:.3f} busy; inference {thought:.0f} ms\n")
    expect(thought > 3 * 40, f"the network took {thought} ms only: nothing is proved")
    expect(busy >= min(idle, 0.98) - 0.02, f"of the frames {busy:.3f} were shown while the network worked, {idle:.3f} without")
    expect(all(one["display_fps"] <= 60.5 for one in stats), f"more pictures than vertical blanks: {stats}")


@test("pace: flips one after the other come at the mode's rate", "all")
def flips(guest):
    screen = load(guest)
    guest.put(guest.tools / "screen_probe", "screen_probe")
    card = "/dev/dri/" + screen.split("/")[0]
    said = json.loads(guest.sh(f"/host/files/screen_probe --screen {screen} --mode 640x480@60 --camera {card} --frames 300 --duration 60 "
                               "2>/run/probe.log", 120))
    (guest.log_folder() / "flips.json").write_text(json.dumps(said))
    expect(said["way"] == 1 and said["shown"] == 300, f"{said}")
    expect(said["step_ms"][0] > 0.95 * PERIOD_MS, f"two flips in one period: {said}")
    expect(said["rate"] / (1 + 0.1 * guest.pace) <= said["fps"] <= 1.01 * said["rate"], f"{said}")
