# SPDX-License-Identifier: MIT
"""Cameras and screens: what there is depends on the machine, its shape does not."""
import os
import re
import unittest

from fixtures import CommandTest

CAMERA = {"id": str, "name": str, "path": (str, type(None)), "driver": str, "bus": (str, type(None)),
          "problem": (str, type(None)), "same_as": (str, type(None)), "sizes": list, "controls": list}
SIZE = {"format": str, "width": int, "height": int, "rates": list}
CONTROL = {"name": str, "value": str, "minimum": int, "maximum": int, "default": int}
SCREEN = {"name": str, "card": str, "driver": str, "connected": bool, "problem": (str, type(None)), "modes": list,
          "planes": dict, "formats": list, "way": str}
MODE = {"width": int, "height": int, "rate": (int, float), "preferred": bool}


class Devices(CommandTest):
    def shaped(self, value, shape):
        self.assertEqual(set(value), set(shape))
        for key, kind in shape.items():
            self.assertIsInstance(value[key], kind, key)

    def test_one_object_with_all(self):
        objects = self.lines("devices")
        self.assertEqual(len(objects), 1)
        self.assertEqual(set(objects[0]), {"cameras", "screens"})
        for camera in objects[0]["cameras"]:
            self.shaped(camera, CAMERA)
            self.assertRegex(camera["id"], "^(v4l2|libcamera):.")
            for size in camera["sizes"]:
                self.shaped(size, SIZE)
                self.assertEqual(size["rates"], sorted(size["rates"], reverse=True))
            for control in camera["controls"]:
                self.shaped(control, CONTROL)
        for screen in objects[0]["screens"]:
            self.shaped(screen, SCREEN)
            self.assertIn(screen["way"], ("planes", "compose"))
            for mode in screen["modes"]:
                self.shaped(mode, MODE)

    def test_people_are_told_the_same(self):
        out, errors = self.pipit("devices")
        self.assertEqual(errors, "")
        self.assertRegex(out, r"(?s)^Cameras\n  .*\nScreens\n  .*\n$")
        there = self.lines("devices")[0]
        cameras, screens = re.fullmatch(r"(?s)Cameras\n(.*)Screens\n(.*)", out).groups()
        for listed, text, option in ((there["cameras"], cameras, "--source"), (there["screens"], screens, "--screen")):
            self.assertEqual(text.count(option), len(listed))
            self.assertEqual("  none\n" in text, not listed)

    def test_no_colours_in_a_pipe_and_with_no_color(self):
        self.assertNotIn("\x1b", self.pipit("devices")[0])

    def test_colour_on_a_terminal_unless_forbidden(self):
        for forbidden in ("", "1"):
            self.environment.update(TERM="xterm", NO_COLOR=forbidden)
            reader, writer = os.openpty()
            try:
                self.pipit("devices", stdout=writer)
                os.set_blocking(reader, False)
                self.assertEqual("\x1b[1m" in os.read(reader, 1 << 16).decode(), not forbidden)
            finally:
                os.close(reader)
                os.close(writer)

    def test_nothing_else_is_taken(self):
        self.assertIn("'--json'", self.pipit("devices", "--jsn", status=64)[1])
        self.pipit("devices", "all", status=64)
        self.pipit("devices", "--threads", "2", status=64)


if __name__ == "__main__":
    unittest.main()
