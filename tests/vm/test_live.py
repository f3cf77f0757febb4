# SPDX-License-Identifier: MIT
"""pipit run with a camera and a screen: what is seen is what the same pictures give without either."""
import json
import subprocess

from guest import EVERY, OUTPUTS, Webcam, expect, test

BOXES = "-m /var/vm/models/boxes.tflite -l /var/vm/models/boxes.txt"
DETECTOR = "-m ssd-mobilenet-v2-openimages"
SOON = "--enter 1 --camera-rate 15"  # two results of this network take long where it is emulated
MODE = "--mode 1024x768"


def camera_options(camera, size="640x480", kind="mjpeg"):
    return f"--source v4l2:{camera.path} --camera-size {size} --camera-format {kind}"


def screen_options(screen="virtio"):
    return f"--screen {OUTPUTS[screen]} {MODE}"


def host_path(guest, options):
    """Options for the guest, as they are on the host."""
    return [word.replace("/var/vm/models", str(guest.models)) for word in options.split()]


def twin(guest, frame, model, native=False, pictures=12):
    """What the headless screen shows of a frame, after so many pictures: a PNG file. native: by a pipit for this
    machine's processor, else for the guest's, whose libraries round as they do there."""
    folder = guest.results / f"twin-{frame.stem}-{model.split()[1].rsplit('/', 1)[-1]}{'-native' * native}"
    folder.mkdir(exist_ok=True)
    command = [*(guest.native if native else guest.command), "run", "--source", f"replay:{frame}", "--screen", f"png:{folder}",
               "--camera-rate", "30", "--every-frame", "-n", str(pictures), *host_path(guest, model), *MODE.split()]
    done = subprocess.run(command, capture_output=True, text=True, env=guest.host_environment(), timeout=300)
    expect(done.returncode == 0, f"the headless twin: {done.stdout}{done.stderr}")
    return sorted(folder.glob("*.png"))[-1]


def settled(stats):
    """The picture moves, and things in it have names."""
    return stats["display_fps"] > 0 and bool(stats["objects"])


def shown(guest, pipit, name, screen="virtio", reports=4, head=0):
    """Waits for pictures with labels, in so many reports after now; returns the screenshot."""
    at = len(pipit.stats())
    for _ in range(reports):
        pipit.wait_stats(settled, "pictures and results", 120, at)
        at = next(i for i, stats in enumerate(pipit.stats()) if i >= at and settled(stats)) + 1
    return guest.screenshot(name, screen, head)


def expect_twin(guest, pipit, size, kind, screen, model, mean, block):
    """The camera's picture on the screen is what it is without one, within this difference; ends pipit."""
    picture = shown(guest, pipit, f"{pipit.name}-{screen}-{kind}-{size}", screen)
    guest.compare(picture, twin(guest, guest.photo_frame(size), model), mean, block)
    expect(pipit.end() == 0, f"pipit ended with an error:\n{pipit.log()}")


def same_as_twin(guest, size, kind, screen, model, mean, block):
    camera = Webcam(guest)
    pipit = guest.pipit(f"{camera_options(camera, size, kind)} {screen_options(screen)} {model}")
    expect_twin(guest, pipit, size, kind, screen, model, mean, block)


@test("live: MJPEG 640x480 on virtio-gpu as without a screen", guests=EVERY)
def mjpeg_vga(guest):
    same_as_twin(guest, "640x480", "mjpeg", "virtio", BOXES, 0.1, 2)


@test("live: MJPEG 1280x720 on virtio-gpu as without a screen")
def mjpeg_hd(guest):
    same_as_twin(guest, "1280x720", "mjpeg", "virtio", BOXES, 0.1, 2)


@test("live: YUYV 640x480 on virtio-gpu in the right colours", guests=EVERY)
def yuyv_vga(guest):
    same_as_twin(guest, "640x480", "yuyv", "virtio", BOXES, 3, 24)


@test("live: YUYV 1280x720 on bochs-display in the right colours", "all")
def yuyv_hd(guest):
    guest.sh("modprobe bochs; udevadm settle")
    same_as_twin(guest, "1280x720", "yuyv", "bochs", BOXES, 3, 24)


@test("live: MJPEG 640x480 on bochs-display as without a screen")
def bochs(guest):
    guest.sh("modprobe bochs; udevadm settle")
    same_as_twin(guest, "640x480", "mjpeg", "bochs", BOXES, 0.1, 2)


@test("live: without a screen the same picture as on this machine", "all", EVERY)
def headless(guest):
    frame = guest.photo_frame()
    guest.put(frame, frame.name)
    picture = guest.headless("alone", f"--source replay:/host/files/{frame.name} --camera-rate 30 -n 12 {BOXES} {MODE}")
    guest.compare(picture, twin(guest, frame, BOXES, native=True), 0.1, 2)


def objects_of_photo(guest, frame):
    done = subprocess.run([*guest.command, "detect", "--json", *DETECTOR.split(),
                           frame.with_suffix(".jpg")],
                          capture_output=True, text=True, env=guest.host_environment(), timeout=120)
    expect(done.returncode == 0, done.stderr)
    return json.loads(done.stdout.splitlines()[0])


def overlap(a, b):
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height)


def expect_objects(wanted, seen):
    """What is well above the threshold is seen in its place; at the threshold the way of scaling may decide."""
    for one in wanted:
        if one["score"] >= 0.4:
            best = max((overlap(one["box"], other["box"]) for other in seen if other["label"] == one["label"]), default=0)
            expect(best > 0.85, f"{one['label']} at {one['box']} is not among {seen}")


@test("live: the photo's objects are on the screen where pipit detect finds them", guests=EVERY)
def photo(guest):
    camera = Webcam(guest)
    frame = guest.photo_frame("640x480")
    wanted = objects_of_photo(guest, frame)["objects"]
    expect(len(wanted) >= 3, f"pipit detect finds {wanted}")
    pipit = guest.pipit(f"{camera_options(camera)} {screen_options()} {DETECTOR} {SOON}")
    stats = pipit.wait_stats(lambda stats: len(stats["objects"]) >= 3, "three objects", 240)
    guest.sh("sleep 2")
    guest.compare(guest.screenshot("photo"), twin(guest, frame, DETECTOR), 0.1, 4)
    expect_objects(wanted, stats["objects"])
