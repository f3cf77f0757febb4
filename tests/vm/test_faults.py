# SPDX-License-Identifier: MIT
"""Cables pulled, devices taken and given back: pipit goes on, says what is wrong, and comes back by itself."""
from guest import EVERY, GuestError, Webcam, expect, test
from test_live import BOXES, camera_options, screen_options, shown

CONNECTOR = "/sys/class/drm/card0-Virtual-1/status"


def flows(stats):
    return stats["capture_fps"] > 1 and stats["display_fps"] > 1


def recovered(guest, pipit, since, what, condition=flows):
    """Waits until pictures flow again; returns the seconds of the guest from `since` on."""
    at = len(pipit.stats())
    pipit.wait_stats(condition, what, 60, at + 1)
    return uptime(guest) - since


def uptime(guest):
    return float(guest.sh("cut -d' ' -f1 /proc/uptime"))


def within(guest, seconds, limit, what):
    guest.note(f"{what} took {seconds:.1f} s")
    expect(seconds <= limit * guest.pace, f"{what} took {seconds:.1f} s, more than {limit} times {guest.pace:.1f}")


def start(guest, camera, model=BOXES, more=""):
    pipit = guest.pipit(f"{camera_options(camera)} {screen_options()} {model} {more}")
    return pipit, shown(guest, pipit, guest.test_name + " before")


def out_and_in(guest, camera, pipit, before, port=""):
    """Pulls the camera out: the screen says so. Plugs it in: the picture is as before. Ends pipit."""
    camera.unplug()
    pipit.wait_log("waiting for it")
    for _ in range(5):  # while the camera is closed, which takes libcamera some time, the card cannot be drawn
        guest.sh("sleep 3")
        dark = guest.screenshot(guest.test_name + " without")
        if guest.mean_colour(dark) != guest.mean_colour(before):
            break
    expect(guest.mean_colour(dark) != guest.mean_colour(before), "the screen still shows the last picture")
    since = uptime(guest)
    camera.plug(port)
    within(guest, recovered(guest, pipit, since, "pictures again"), 20, "the camera's return")
    guest.compare(before, shown(guest, pipit, guest.test_name + " after"), 1, 16)
    expect(pipit.end() == 0, pipit.log())


@test("faults: the camera is unplugged and comes back at another port", guests=EVERY)
def unplug_camera(guest):
    camera = Webcam(guest)
    pipit, before = start(guest, camera)
    out_and_in(guest, camera, pipit, before, 3)


@test("faults: the camera sends nothing any more")
def stall_camera(guest):
    camera = Webcam(guest)
    pipit, before = start(guest, camera)
    camera.say("stall")
    pipit.wait_log("has sent no frame")
    guest.sh("sleep 5")
    guest.screenshot(guest.test_name + " stalled")
    since = uptime(guest)
    camera.say("resume")
    within(guest, recovered(guest, pipit, since, "pictures again"), 40, "going on after a stall")
    guest.compare(before, shown(guest, pipit, guest.test_name + " after"), 1, 16)
    expect(pipit.end() == 0, pipit.log())


@test("faults: damaged, cut and marked frames are dropped and counted")
def damaged_frames(guest):
    camera = Webcam(guest)
    pipit, before = start(guest, camera)
    for command in ("truncate 10", "corrupt 10", "error 10"):
        camera.say(command)
        guest.sh("sleep 2")
    pipit.wait_stats(lambda stats: stats["dropped"]["capture"] > 0, "dropped frames", 60)
    guest.compare(before, shown(guest, pipit, guest.test_name + " after"), 1, 16)
    expect(pipit.end() == 0, pipit.log())


@test("faults: the screen is unplugged and comes back", guests=EVERY)
def unplug_screen(guest):
    camera = Webcam(guest)
    pipit, before = start(guest, camera)
    guest.sh(f"echo off >{CONNECTOR}")
    pipit.wait_log("is gone; waiting for it", 60)
    pipit.wait_stats(lambda stats: stats["capture_fps"] > 1, "frames without a screen", 60, len(pipit.stats()) + 1)
    since = uptime(guest)
    guest.sh(f"echo detect >{CONNECTOR}")
    within(guest, recovered(guest, pipit, since, "pictures again"), 20, "the screen's return")
    guest.compare(before, shown(guest, pipit, guest.test_name + " after"), 1, 16)
    expect(pipit.end() == 0, pipit.log())


@test("faults: neither camera nor screen at the start; both come later")
def nothing_at_start(guest):
    camera = Webcam(guest)
    camera.unplug()
    guest.sh(f"echo off >{CONNECTOR}")
    pipit = guest.pipit(f"{camera_options(camera)} {screen_options()} {BOXES}")
    pipit.wait_log("going on without a screen")
    guest.sh("sleep 2")
    expect(pipit.running(), pipit.log())
    since = uptime(guest)
    camera.plug(1)
    seconds = recovered(guest, pipit, since, "frames without a screen", lambda stats: stats["capture_fps"] > 1)
    within(guest, seconds, 20, "the camera's coming")
    since = uptime(guest)
    guest.sh(f"echo detect >{CONNECTOR}")
    within(guest, recovered(guest, pipit, since, "pictures"), 20, "the screen's coming")
    shown(guest, pipit, guest.test_name + " after")
    expect(pipit.end() == 0, pipit.log())


@test("faults: another program draws on the screen; it is named, and waited for")
def busy_card(guest):
    camera = Webcam(guest)
    listing = guest.sh("modetest -M virtio_gpu -c -p")
    connector = next(line.split("\t")[0] for line in listing.splitlines() if "\tconnected\t" in line)
    crtc = listing[listing.index("CRTCs:"):].splitlines()[2].split("\t")[0]
    guest.background("modetest", f"bash -c 'sleep 300 | stdbuf -oL modetest -M virtio_gpu -s {connector}@{crtc}:1024x768'").wait_log(
        "setting mode")
    pipit = guest.pipit(f"{camera_options(camera)} {screen_options()} {BOXES}")
    pipit.wait_log("in use by modetest")
    guest.sh("sleep 2")
    expect(pipit.running(), pipit.log())
    since = uptime(guest)
    guest.sh("pkill -x modetest; pkill -x sleep; true")
    within(guest, recovered(guest, pipit, since, "pictures again"), 20, "taking the card that is free again")
    shown(guest, pipit, guest.test_name)
    expect(pipit.end() == 0, pipit.log())


@test("faults: another program has the camera; it is named, and waited for")
def busy_camera(guest):
    camera = Webcam(guest)
    holder = guest.background("v4l2-ctl", f"v4l2-ctl -d {camera.path} --stream-mmap --stream-count=100000")
    guest.sh("sleep 2")
    pipit = guest.pipit(f"{camera_options(camera)} {screen_options()} {BOXES}")
    pipit.wait_log("v4l2-ctl")
    guest.sh("sleep 2")
    guest.screenshot(guest.test_name + " busy")
    expect(pipit.running(), pipit.log())
    since = uptime(guest)
    holder.signal("KILL")
    within(guest, recovered(guest, pipit, since, "pictures again"), 40, "taking the camera that is free again")
    shown(guest, pipit, guest.test_name)
    expect(pipit.end() == 0, pipit.log())


@test("faults: a user outside of the group video is told so")
def permissions(guest):
    camera = Webcam(guest)
    pipit = guest.pipit(f"{camera_options(camera)} {screen_options()} {BOXES}", user="stranger")
    match = pipit.wait_log(r"group '?video")
    expect(match, pipit.log())
    pipit.end()
    kiosk = guest.pipit(f"{camera_options(camera)} {screen_options()} {BOXES}", user="kiosk", name="kiosk")
    shown(guest, kiosk, guest.test_name)
    expect(kiosk.end() == 0, kiosk.log())


@test("faults: the console comes back at the end, and never shows through")
def console(guest):
    camera = Webcam(guest)
    write = r"printf '\033[H\033[JThe console of the guest\n' >/dev/tty1"
    guest.sh(f"{write}; sleep 3")
    before = guest.screenshot("console before")
    pipit, during = start(guest, camera)
    guest.sh("echo 'A line that nobody is to see' >/dev/tty1; sleep 2")
    guest.compare(during, guest.screenshot("console during"), 1, 16)
    guest.sh(write)
    expect(pipit.end() == 0, pipit.log())
    guest.sh("sleep 3")
    guest.compare(before, guest.screenshot("console after"), 0.1, 16)


@test("faults: the terminal is switched away and back")
def switch_terminal(guest):
    camera = Webcam(guest)
    guest.sh("chvt 1")
    pipit, before = start(guest, camera)
    guest.sh("chvt 2; sleep 2")
    expect(pipit.running(), pipit.log())
    guest.screenshot(guest.test_name + " away")
    since = uptime(guest)
    guest.sh("chvt 1")
    within(guest, recovered(guest, pipit, since, "pictures again"), 20, "the terminal's return")
    guest.compare(before, shown(guest, pipit, guest.test_name + " after"), 1, 16)
    expect(pipit.end() == 0, pipit.log())


def seated(guest, camera, user):
    """pipit in a session on the first terminal, as a display manager starts one, with nothing but the session's rights."""
    log = f"/host/logs/{guest.log_folder().name}/pipit.log"
    session = " ".join(f"-p {setting}" for setting in (
        f"User={user}", "PAMName=login", "TTYPath=/dev/tty1", "StandardInput=tty-force", f"StandardError=append:{log}",
        "Environment=PIPIT_MODELS=/var/vm/models", "UnsetEnvironment=TERM"))
    pipit = guest.pipit(f"{camera_options(camera)} {screen_options()} {BOXES} -v", wrapper=(
        f"systemd-run --quiet --wait --collect --unit=seated {session}"))
    guest.wait("[ $(systemctl show -P MainPID seated.service) != 0 ]", "the session to begin")
    pipit.pid = int(guest.sh("systemctl show -P MainPID seated.service"))
    return pipit


@test("faults: in a login session its rights are enough, and the terminal is switched away and back", "all", EVERY)
def seat(guest):
    camera = Webcam(guest)
    guest.sh("chvt 1")
    pipit = seated(guest, camera, "stranger")
    pipit.wait_log("through the seat seat0")
    before = shown(guest, pipit, guest.test_name + " before")
    guest.sh("chvt 2; sleep 2")
    expect(pipit.running(), pipit.log())
    guest.screenshot(guest.test_name + " away")
    since = uptime(guest)
    guest.sh("chvt 1")
    within(guest, recovered(guest, pipit, since, "pictures again"), 20, "the terminal's return")
    guest.compare(before, shown(guest, pipit, guest.test_name + " after"), 1, 16)
    expect(pipit.end() == 0, pipit.log())


@test("faults: SIGHUP takes new settings without a black frame")
def reload(guest):
    camera = Webcam(guest)
    guest.sh("echo >/run/pipit.conf")
    pipit, before = start(guest, camera, BOXES, "--config /run/pipit.conf")
    guest.sh(f"echo 'mirror = yes' >/run/pipit.conf; kill -HUP {pipit.pid}")
    for i in range(10):
        red, green, blue = guest.mean_colour(guest.screenshot(f"reload {i}"))
        expect(red + green + blue > 60, f"screenshot {i} after SIGHUP is dark: {red} {green} {blue}")
    pipit.wait_log("settings were read again")
    after = shown(guest, pipit, guest.test_name + " after")
    try:
        guest.compare(before, after, 1, 16)
    except GuestError:
        return
    raise GuestError("mirror = yes changed nothing")
