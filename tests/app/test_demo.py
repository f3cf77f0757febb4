# SPDX-License-Identifier: MIT
"""app/demo: live where there are a camera and a screen, else photos and why. What it calls stands in for the real."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.argv.pop(1)  # the program is not needed
DEMO = pathlib.Path(__file__).resolve().parents[2] / "app" / "demo"
CAMERA, BUSY = {"problem": None}, {"problem": "/dev/video0 is in use by cheese (812); close that first"}
SCREEN, EMPTY = {"problem": None, "connected": True, "modes": [1]}, {"problem": None, "connected": False, "modes": []}
REFUSED = {"problem": "/dev/dri/card0: no permission; add the user to the group video", "connected": False, "modes": []}
PIPIT = """#!/bin/sh
case $1 in
devices) cat devices.json ;;
run) [ "$2" = --help ] || echo RUNS; exit $(cat status) ;;
*) echo "PHOTOS $1" ;;
esac
"""


class Demo(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name, text in (("app/setup", "#!/bin/sh\n"), ("models/fetch", "#!/bin/sh\n"), ("build/app/pipit", PIPIT),
                           ("bin/ninja", "#!/bin/sh\n"), ("build/build.ninja", ""), ("models/cache/samples/a/1.jpg", "")):
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        shutil.copy(DEMO, self.root / "app" / "demo")

    def demo(self, cameras, screens, *arguments, status=0, **environment):
        (self.root / "devices.json").write_text(json.dumps({"cameras": cameras, "screens": screens}))
        (self.root / "status").write_text(str(status))
        done = subprocess.run([self.root / "app" / "demo", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={"PATH": f"{self.root}/bin:/usr/bin:/bin", **environment}, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_live_with_camera_and_screen(self):
        for screens in [SCREEN], [EMPTY, REFUSED, SCREEN]:
            out = self.demo([BUSY, CAMERA], screens)
            self.assertIn("RUNS", out)
            self.assertNotIn("PHOTOS", out)

    def falls_back(self, why, *arguments, **options):
        out = self.demo(*arguments, **options)
        self.assertIn(why, out)
        self.assertIn("PHOTOS detect", out)
        return out

    def test_else_photos_and_why(self):
        for cameras, screens, why in (([], [SCREEN], "no camera is connected"), ([CAMERA], [], "no screen is connected"),
                                      ([CAMERA], [EMPTY], "no screen is connected"), ([CAMERA], [REFUSED], "group video"),
                                      ([BUSY], [SCREEN], "cheese (812)")):
            self.assertNotIn("RUNS", self.falls_back(f"no live picture: {why}" if why[:2] == "no" else why, cameras, screens))
        self.falls_back("a desktop has the screen", [CAMERA], [SCREEN], DISPLAY=":0")

    def test_photos_when_it_fails(self):
        self.assertIn("without systemd", self.falls_back("no live picture", [CAMERA], [SCREEN], status=64))

    def test_photos_that_are_asked_for(self):
        out = self.demo([CAMERA], [SCREEN], "/dev/null")
        self.assertNotIn("RUNS", out)
        self.assertIn("PHOTOS classify", out)


if __name__ == "__main__":
    unittest.main()
