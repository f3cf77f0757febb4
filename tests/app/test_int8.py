# SPDX-License-Identifier: MIT
"""The live picture of a float model that is made int8 by photos."""
import signal
import unittest

from fixtures import BLUE, RED, colours, png
from test_run import RunTest


class Int8Test(RunTest):
    CARD = "[model]\ntask = classify\nfile = real.tflite\n[input]\nmean = 0\nstd = 255\n"
    BASE = "source = replay:red.png\nscreen = memory\nmodel = real\nprecision = int8\n"
    MADE, FLOAT = "'real' is int8 by photos", "runs as if with --precision f32"

    def setUp(self):
        super().setUp()
        self.write("cards/real.tflite", colours("f32"))
        self.write("cards/real.ini", self.CARD)


class Int8(Int8Test):
    def test_it_is_made_again_for_other_settings(self):
        self.write("pipit.conf", self.BASE + "calibrate = photos\n")
        self.write("empty/notes.txt", "none")
        child = self.start("--config", "pipit.conf")
        self.wait_for(child, self.MADE, "the model is real")
        for end, words in (("calibrate = red.png\n", (self.MADE, "the model is real")),
                           ("calibrate = photos\nthreads = 2\n", (self.MADE, "the model is real")),
                           ("calibrate = empty\n", ("no JPEG or PNG photos in 'empty'", self.FLOAT, "the model is real"))):
            self.write("pipit.conf", self.BASE + end)
            child.send_signal(signal.SIGHUP)
            said = self.wait_for(child, *words)
            self.assertEqual(self.FLOAT in said, "empty" in end)
        self.end(child)

    def test_without_photos_a_kiosk_goes_on_in_float(self):
        for end, words in ("calibrate = nowhere\n", "'nowhere': No such file"), ("", "give --calibrate"):
            self.write("pipit.conf", self.BASE + end)
            child = self.start("--config", "pipit.conf")
            said = self.wait_for(child, "the model is real")
            self.assertEqual((said.count(words), said.count(self.FLOAT)), (1, 1), said)
            self.end(child)

    def test_without_photos_a_script_ends(self):
        _, errors = self.run_live("--source", "replay:red.png", "--screen", "none", "--frames", 3, "--model", "real",
                                  "--precision", "int8", status=64)
        self.assertIn("give --calibrate", errors)

    def test_names(self):
        lines, _ = self.run_live("--screen", "none", "--source", "replay:photos", "--once", "--every-frame", "--average", 1,
                                 "--events", "-", "--uncertainty", 1, "--model", "real", "--labels", "names.txt",
                                 "--precision", "int8", "--calibrate", "photos")
        self.assertEqual([line["label"] for line in lines if line["event"] == "enter"], ["red", "green", "blue"])


class Kept(Int8Test):
    """As a service manager starts it: what was made is there at the next start."""
    KEPT = "which was made of it before"

    def setUp(self):
        super().setUp()
        (self.folder / "state").mkdir()
        self.environment["STATE_DIRECTORY"] = str(self.folder / "state")

    def made_again(self, *options):
        """Whether it was, and the files that are kept."""
        _, errors = self.run_live("--source", "replay:red.png", "--screen", "none", "--every-frame", "--frames", 1,
                                  "--model", "real", "--precision", "int8", "--calibrate", "photos", *options)
        self.assertNotEqual(self.MADE in errors, self.KEPT in errors)
        return self.MADE in errors, sorted(path.name for path in (self.folder / "state").glob("int8*"))

    def test_it_is_made_once(self):
        first = self.made_again()
        self.assertEqual((first[0], len(first[1])), (True, 1))
        self.assertEqual(self.made_again(), (False, first[1]))
        self.assertEqual(self.made_again("--threads", 2, "--labels", "names.txt"), (False, first[1]))

    def test_it_is_made_again_of_what_has_changed(self):
        self.made_again()
        self.write("photos/1.png", png(32, 32, RED))
        self.assertTrue(self.made_again()[0])
        self.write("photos/3.png", png(64, 48, BLUE))
        made, (one, two) = self.made_again()  # two are kept
        self.assertTrue(made)
        self.write("cards/real.ini", self.CARD.replace("mean = 0", "mean = 127"))
        self.assertTrue(self.made_again()[0])
        self.write("cards/real.tflite", colours("f32", 16))
        made, kept = self.made_again()
        self.assertTrue(made)
        self.assertEqual((len(kept), {one, two} & set(kept)), (2, set()))
        self.assertEqual(self.made_again(), (False, kept))

    def test_a_damaged_file_is_made_again(self):
        _, (name,) = self.made_again()
        (self.folder / "state" / name).write_bytes(b"TFL3")
        self.assertEqual(self.made_again(), (True, [name]))
        self.assertEqual(self.made_again(), (False, [name]))

    def test_that_it_cannot_be_kept_is_told(self):
        self.environment["STATE_DIRECTORY"] = "/dev/full"
        _, errors = self.run_live("--source", "replay:red.png", "--screen", "none", "--every-frame", "--frames", 1,
                                  "--model", "real", "--precision", "int8", "--calibrate", "photos")
        self.assertEqual(errors.count("cannot be kept in /dev/full/int8-"), 1)


if __name__ == "__main__":
    unittest.main()
