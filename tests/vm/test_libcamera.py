# SPDX-License-Identifier: MIT
"""The emulated camera through libcamera instead of V4L2."""
import json

from guest import Webcam, expect, test
from test_faults import out_and_in
from test_live import BOXES, expect_twin, screen_options, shown

NODE = "firmware-node"  # the wrapper of that name


def camera_id(guest):
    """Its name by pipit devices, which lists it with all that it can do."""
    listed = json.loads(guest.sh(f"{NODE} pipit devices --json"))["cameras"]
    found = [camera for camera in listed if camera["driver"] == "libcamera"]
    expect(len(found) == 1 and not found[0]["problem"], f"of libcamera pipit devices lists {found}")
    sizes = {(size["format"], size["width"], size["height"]) for size in found[0]["sizes"]}
    for kind in ("MJPG", "YUYV"):
        expect({(kind, 640, 480), (kind, 1280, 720)} <= sizes, f"pipit devices lists {sizes}")
    expect(any(control["name"] == "brightness" for control in found[0]["controls"]), f"no brightness: {found[0]['controls']}")
    return found[0]["id"]


def start(guest, size="640x480", kind="mjpeg"):
    camera = Webcam(guest)
    source = camera_id(guest)
    expect(source.startswith("libcamera:"), source)
    return camera, guest.pipit(f"--source '{source}' --camera-size {size} --camera-format {kind} {screen_options()} {BOXES}",
                               wrapper=NODE)


@test("libcamera: MJPEG 640x480 as without a screen", "all", ("native", "other"))
def mjpeg(guest):
    expect_twin(guest, start(guest)[1], "640x480", "mjpeg", "virtio", BOXES, 0.1, 2)


@test("libcamera: YUYV 640x480 in the right colours", "all")
def yuyv(guest):
    expect_twin(guest, start(guest, kind="yuyv")[1], "640x480", "yuyv", "virtio", BOXES, 3, 24)


@test("libcamera: the camera is unplugged and comes back", "all", ("native", "other"))
def unplug(guest):
    camera, pipit = start(guest)
    out_and_in(guest, camera, pipit, shown(guest, pipit, guest.test_name + " before"))
