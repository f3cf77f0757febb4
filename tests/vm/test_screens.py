# SPDX-License-Identifier: MIT
"""Two screens of one card: the one that is named gets the picture. A screen that sleeps at night."""
from guest import Webcam, expect, test
from test_faults import recovered, uptime, within
from test_live import BOXES, MODE, camera_options, shown, twin
from test_repeats import settings

SECOND = "/sys/class/drm/card0-Virtual-2/status"


@test("screens: the second of two is chosen by name, goes and comes back; the first is left alone", "all")
def second(guest):
    camera = Webcam(guest)
    guest.sh(f"echo on >{SECOND}")
    first_before = guest.screenshot(guest.test_name + " first before")
    pipit = guest.pipit(f"{camera_options(camera)} --screen Virtual-2 {MODE} {BOXES}")
    expected = twin(guest, guest.photo_frame(), BOXES)
    guest.compare(shown(guest, pipit, guest.test_name + " second", head=1), expected, 0.1, 2)
    guest.compare(first_before, guest.screenshot(guest.test_name + " first"), 0, 0)
    guest.sh(f"echo off >{SECOND}")
    pipit.wait_log("Virtual-2 is gone; waiting for it")
    since = uptime(guest)
    guest.sh(f"echo on >{SECOND}")
    within(guest, recovered(guest, pipit, since, "pictures again"), 20, "the screen's return")
    guest.compare(shown(guest, pipit, guest.test_name + " again", head=1), expected, 0.1, 2)
    expect(pipit.end() == 0, pipit.log())


@test("screens: of two, auto takes the first", "all")
def first(guest):
    camera = Webcam(guest)
    guest.sh(f"echo on >{SECOND}")
    pipit = guest.pipit(f"{camera_options(camera)} --screen auto {MODE} {BOXES}")
    guest.compare(shown(guest, pipit, guest.test_name), twin(guest, guest.photo_frame(), BOXES), 0.1, 2)
    pipit.wait_log("the screen is Virtual-1")
    expect(pipit.end() == 0, pipit.log())


@test("screens: off, and the camera free, in the hours of screen-off", "all")
def hours(guest):
    camera = Webcam(guest)
    guest.sh(settings(camera))
    pipit = guest.pipit("--config /run/pipit.conf")
    before = shown(guest, pipit, guest.test_name + " before")
    guest.sh(f"echo screen-off = $(date -d -1hour +%H:%M)-$(date -d 1hour +%H:%M) >>/run/pipit.conf; kill -HUP {pipit.pid}")
    guest.wait("[ $(cat /sys/class/drm/card0-Virtual-1/enabled) = disabled ]", "the screen to be off", 30)
    guest.wait(f"! readlink /proc/{pipit.pid}/fd/* | grep video", "the camera to be closed", 30)
    guest.sh("sleep 5")
    expect(guest.sh("cat /sys/class/drm/card0-Virtual-1/enabled") == "disabled", "the screen came on again")
    since = uptime(guest)
    guest.sh(f"{settings(camera)}; kill -HUP {pipit.pid}")
    within(guest, recovered(guest, pipit, since, "pictures again"), 20, "waking up")
    guest.compare(before, shown(guest, pipit, guest.test_name + " after"), 1, 16)
    expect(pipit.end() == 0, pipit.log())
