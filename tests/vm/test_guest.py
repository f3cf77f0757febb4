# SPDX-License-Identifier: MIT
"""The guest itself: its cameras and screens work, as the kernel's own tools see them."""
from guest import EVERY, Webcam, expect, test


@test("webcam: every format and size at its rate", guests=EVERY)
def formats(guest):
    camera = Webcam(guest)
    said = guest.sh(f"v4l2-ctl -d {camera.path} --list-formats-ext")
    for words in ("MJPG", "YUYV", "640x480", "1280x720", "30.000 fps", "15.000 fps", "10.000 fps"):
        expect(words in said, f"{words} is not in:\n{said}")
    for size in ("640x480", "1280x720"):
        width, height = size.split("x")
        guest.sh(f"v4l2-ctl -d {camera.path} --set-fmt-video=width={width},height={height},pixelformat=MJPG --stream-mmap "
                 "--stream-count=10 --stream-to=/run/mjpeg", 90)
        frame = guest.photo_frame(size).with_suffix(".jpg").read_bytes()
        (guest.share / "frame.jpg").write_bytes(frame)
        guest.sh(f"head -c {len(frame)} /run/mjpeg | cmp - /host/frame.jpg")
    guest.sh(f"v4l2-ctl -d {camera.path} --set-fmt-video=width=640,height=480,pixelformat=YUYV --stream-mmap "
             "--stream-count=10 --stream-to=/run/yuyv && [ $(stat -c %s /run/yuyv) = 6144000 ]; rm /run/yuyv", 90)


@test("webcam: controls by name")
def controls(guest):
    camera = Webcam(guest)
    guest.sh(f"v4l2-ctl -d {camera.path} -c brightness=-20,power_line_frequency=2,auto_exposure=1")
    said = guest.sh(f"v4l2-ctl -d {camera.path} -C brightness,power_line_frequency,auto_exposure")
    expect(said.split("\n")[:1] == ["brightness: -20"] and "frequency: 2" in said and "exposure: 1" in said, said)


@test("webcam: isochronous, out and in again at another port")
def isochronous(guest):
    camera = Webcam(guest, serial="0002", isochronous=True)
    stream = f"v4l2-ctl -d {camera.path} --set-fmt-video=width=640,height=480,pixelformat=MJPG --stream-mmap --stream-count=5"
    guest.sh(stream, 90)
    camera.unplug()
    camera.plug(3)
    guest.sh(stream, 90)


@test("screens: one pattern, the same pixels by virtio-gpu and bochs")
def patterns(guest):
    guest.sh("modprobe bochs; udevadm settle")
    pictures = []
    for driver, screen in (("virtio_gpu", "virtio"), ("bochs-drm", "bochs")):
        listing = guest.sh(f"modetest -M {driver} -c -p")
        rows = [line.split("\t") for line in listing.splitlines() if line[:1].isdigit()]
        connector = next(row[0] for row in rows if len(row) > 2 and row[2] == "connected")
        crtc = listing[listing.index("CRTCs:"):].splitlines()[2].split("\t")[0]
        pattern = guest.background("modetest", f"bash -c 'sleep 100 | stdbuf -oL modetest -M {driver} -s {connector}@{crtc}:1024x768'")
        pattern.wait_log("setting mode 1024x768")
        guest.sh("sleep 2")
        pictures.append(guest.screenshot(f"pattern-{screen}", screen))
        guest.sh("pkill -x modetest; pkill -x sleep; true")
    guest.compare(*pictures, 0, 0)
    red, green, blue = guest.mean_colour(pictures[0], 0, 0, 100, 100)
    expect(abs(red - 191) < 5 and abs(green - 191) < 5 and abs(blue - 191) < 5, f"SMPTE bars begin with {red} {green} {blue}")
