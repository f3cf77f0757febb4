# SPDX-License-Identifier: MIT
"""vivid, the kernel's own video test driver: many formats, one and several planes, and errors on demand."""
from guest import expect, test
from test_faults import recovered, uptime, within
from test_live import BOXES, screen_options, settled, shown

FORMATS = "rgb24 yuyv uyvy nv12 nv21 yuv420 yvu420 bgr24 xrgb32 grey".split()


def load(guest):
    """Two webcams of still bars: the first by the single-planar interface, the second by the multi-planar one.
    Returns their nodes."""
    guest.sh("modprobe vivid n_devs=2 node_types=0x1,0x1 multiplanar=1,2 num_inputs=1,1 input_types=0,0; udevadm settle")
    nodes = [guest.sh(f"v4l2-ctl --list-devices | grep -A 1 platform:vivid-00{i} | tail -n 1").strip() for i in range(2)]
    for node in nodes:
        guest.sh(f"v4l2-ctl -d {node} -c osd_text_mode=2")
    return nodes


def picture(guest, node, kind, name):
    """What pipit shows of it without a screen, as a PNG file of the host."""
    return guest.headless(name, f"--source v4l2:{node} --camera-format {kind} --camera-size 640x360 --mode 640x360 -n 2 {BOXES}")


def formats(guest, node):
    """Every format shows the bars of rgb24."""
    reference = picture(guest, node, "rgb24", "rgb24")
    red, green, blue = guest.mean_colour(reference, 120, 300, 20, 20)
    expect(red > 150 and green > 150 and blue < 40, f"the second bar is not yellow: {red} {green} {blue}")
    for kind in FORMATS[1:-1]:
        guest.compare(reference, picture(guest, node, kind, kind), 3, 40)
    grey = guest.mean_colour(picture(guest, node, "grey", "grey"), 120, 300, 20, 20)
    expect(max(grey) - min(grey) < 2, f"grey is {grey}")


@test("vivid: every format by the single-planar interface")
def one_plane(guest):
    formats(guest, load(guest)[0])


@test("vivid: every format by the multi-planar interface")
def several_planes(guest):
    formats(guest, load(guest)[1])


@test("vivid: matrix and range as the driver says them")
def colours(guest):
    node = load(guest)[0]
    reference = picture(guest, node, "rgb24", "rgb24")
    for matrix, spread in ((1, 0), (2, 0), (1, 1), (2, 1)):
        guest.sh(f"v4l2-ctl -d {node} -c y_cbcr_encoding={matrix},quantization={spread}")
        guest.compare(reference, picture(guest, node, "yuyv", f"yuyv-{matrix}-{spread}"), 3, 40)
    guest.sh(f"v4l2-ctl -d {node} -c y_cbcr_encoding=0,quantization=0")


@test("vivid: lost and marked buffers, wrapped numbers and times, a fatal error, a lost device")
def errors(guest):
    node = load(guest)[0]
    pipit = guest.pipit(f"--source v4l2:{node} --camera-format yuyv --camera-size 640x360 {screen_options()} {BOXES}")
    before = shown(guest, pipit, guest.test_name + " before")
    for control in ("percentage_of_dropped_buffers=50", "percentage_of_dropped_buffers=0", "inject_v4l2_buf_flag_error=1",
                    "wrap_sequence_number=1", "wrap_timestamp=2", "wrap_timestamp=0", "inject_fatal_streaming_error=1"):
        guest.sh(f"v4l2-ctl -d {node} -c {control}; sleep 2")
        pipit.wait_stats(settled, f"pictures after {control}", 60, len(pipit.stats()) + 1)
    dropped = sum(stats["dropped"]["capture"] for stats in pipit.stats())
    expect(dropped > 0, "no dropped frame was counted")
    guest.sh(f"v4l2-ctl -d {node} -c disconnect=1")
    pipit.wait_log("waiting for it")
    guest.sh("for _ in $(seq 50); do rmmod vivid 2>/dev/null && break; sleep 0.2; done")
    since = uptime(guest)
    load(guest)
    within(guest, recovered(guest, pipit, since, "pictures again"), 20, "the driver's return")
    guest.compare(before, shown(guest, pipit, guest.test_name + " after"), 1, 16)
    expect(pipit.end() == 0, pipit.log())
