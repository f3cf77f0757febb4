# SPDX-License-Identifier: MIT
"""classify and detect."""
import os
import unittest

from fixtures import BLUE, GREEN, RAW_CARD, RED, CommandTest, colours, detector, png, png_size, raw_heads, refused


class Classify(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("m.tflite", colours())
        self.write("labels.txt", "red\ngreen\r\nblue\n")
        self.write("red.png", png(20, 10, RED))
        self.write("blue.png", png(10, 30, BLUE))
        self.model = ("-m", "m.tflite", "--labels", "labels.txt")

    def test_lines_for_people(self):
        out, errors = self.pipit("classify", *self.model, "red.png", "blue.png", "-k", "2")
        lines = out.splitlines()
        self.assertEqual(len(lines), 6)
        self.assertRegex(lines[0], r"^red\.png  \(m\.tflite, 20 x 10, decode [\d.]+ ms, .*inference [\d.]+ ms\)$")
        self.assertEqual(lines[1], "   57.6 %  red")
        self.assertEqual(lines[4], "   57.6 %  blue")
        self.assertEqual(errors, "")

    def test_json(self):
        red, blue = self.lines("classify", *self.model, "red.png", "blue.png")
        self.assertEqual(set(red), {"file", "model", "top", "ms"})
        self.assertEqual(set(red["ms"]), {"decode", "preprocess", "inference"})
        self.assertEqual([(t["index"], t["label"]) for t in red["top"]], [(0, "red"), (1, "green"), (2, "blue")])
        self.assertAlmostEqual(sum(t["score"] for t in red["top"]), 1, places=5)
        self.assertEqual(blue["top"][0]["label"], "blue")
        self.assertEqual((red["file"], red["model"]), ("red.png", "m.tflite"))

    def test_no_labels(self):
        self.assertIn("class 0\n", self.pipit("classify", "-m", "m.tflite", "red.png")[0])
        self.assertIsNone(self.lines("classify", "-m", "m.tflite", "red.png")[0]["top"][0]["label"])

    def test_standard_input(self):
        out = self.lines("classify", *self.model, "-", input=png(9, 9, GREEN))
        self.assertEqual((out[0]["file"], out[0]["top"][0]["label"]), ("-", "green"))

    def test_one_bad_file_does_not_stop_the_others(self):
        whole = png(200, 200, RED)
        self.write("cut.png", whole[:len(whole) // 2])
        self.write("empty.png", "")
        self.write("text.png", "no picture at all")
        os.mkdir(self.folder / "folder")
        files = ["nowhere.png", "cut.png", "empty.png", "text.png", "folder", "red.png"]
        objects = self.lines("classify", *self.model, *files, status=66)
        self.assertEqual([o["file"] for o in objects], files)
        for bad in objects[:-1]:
            self.assertEqual(set(bad), {"file", "error"})
            self.assertNotEqual(bad["error"], "")
        self.assertEqual(objects[-1]["top"][0]["label"], "red")
        out, errors = self.pipit("classify", *self.model, "cut.png", "nowhere.png", "red.png", status=65)
        self.assertEqual(len(errors.splitlines()), 2)
        self.assertIn("red\n", out)

    def test_names_that_are_no_utf8(self):
        name = self.write(b"caf\xe9\xff.png", png(9, 9, RED))
        self.assertEqual(self.lines("classify", *self.model, name)[0]["file"], "caf\ufffd\ufffd.png")
        self.write("latin.txt", b"r\xf6t\ngr\xfcn\nblau\n")
        out = self.lines("classify", "-m", "m.tflite", "--labels", "latin.txt", "red.png")
        self.assertEqual(out[0]["top"][0]["label"], "r\ufffdt")

    def test_labels_of_another_number(self):
        self.write("more.txt", "background\nred\ngreen\nblue\n")
        out = self.lines("classify", "-m", "m.tflite", "--labels", "more.txt", "red.png")
        self.assertEqual(out[0]["top"][0]["label"], "red")
        self.write("few.txt", "red\n")
        self.assertIn("names may be wrong", self.pipit("classify", "-m", "m.tflite", "--labels", "few.txt", "blue.png")[1])
        self.pipit("classify", "-m", "m.tflite", "--labels", "none.txt", "red.png", status=66)
        self.pipit("classify", "-m", "m.tflite", "--labels", ".", "red.png", status=66)

    def test_models_that_are_none(self):
        self.write("broken.tflite", colours()[:200])
        self.write("refused.tflite", refused())
        for model, status in (("nowhere.tflite", 66), ("broken.tflite", 65), ("red.png", 65), (".", 66), ("refused.tflite", 69)):
            with self.subTest(model=model):
                objects = self.lines("classify", "-m", model, "red.png", "blue.png", status=status)
                self.assertEqual([o["file"] for o in objects], ["red.png", "blue.png"])
                self.assertIn(model, objects[0]["error"])

    def test_a_float_input_without_normalisation_is_no_guess(self):
        self.write("f.tflite", colours("f32"))
        error = self.lines("classify", "-m", "f.tflite", "red.png", status=65)[0]["error"]
        self.assertIn("--mean", error)
        out = self.lines("classify", "-m", "f.tflite", "--mean", "0", "--std", "255,255,255", "red.png")
        self.assertAlmostEqual(out[0]["top"][0]["score"], 0.576117, places=5)

    def test_drawing(self):
        self.pipit("classify", *self.model, "red.png", "-o", "one.png")
        self.assertEqual(png_size((self.folder / "one.png").read_bytes()), (20, 10))
        self.write("other/red.png", png(30, 40, RED))
        self.pipit("classify", *self.model, "red.png", "other/red.png", "-o", "all")
        self.assertEqual(sorted(p.name for p in (self.folder / "all").iterdir()), ["red-2.png", "red.png"])
        self.pipit("classify", *self.model, "-", "-o", "all", input=png(9, 9, GREEN))
        self.assertTrue((self.folder / "all/stdin.png").exists())

    def test_drawing_where_it_cannot_be(self):
        self.pipit("classify", *self.model, "red.png", "blue.png", "-o", "one.png", status=64)
        self.pipit("classify", *self.model, "red.png", "-o", "one.jpg", status=64)
        self.pipit("classify", *self.model, "red.png", "-o", "nowhere/one.png", status=73)
        self.pipit("classify", *self.model, "red.png", "-o", "labels.txt", status=73)
        before = (self.folder / "red.png").read_bytes()
        self.assertIn("photo itself", self.pipit("classify", *self.model, "red.png", "-o", ".", status=73)[1])
        self.assertEqual((self.folder / "red.png").read_bytes(), before)
        self.assertFalse(list(self.folder.glob("*.png.*")))

    def test_threads_and_masks_agree(self):
        wanted = [t["score"] for t in self.lines("classify", *self.model, "red.png")[0]["top"]]
        for more in (["--threads", "1"], ["--threads", "4"], ["--cpu-mask", "none"]):
            got = [t["score"] for t in self.lines("classify", *self.model, "red.png", *more)[0]["top"]]
            self.assertEqual(got, wanted)

    def test_a_detector_is_no_classifier(self):
        self.write("d.tflite", detector())
        self.assertIn("classes", self.pipit("classify", "-m", "d.tflite", "red.png", status=65)[1])
        self.assertIn("boxes", self.pipit("detect", "-m", "m.tflite", "red.png", status=65)[1])


class Detect(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("d.tflite", detector())
        self.write("labels.txt", "cat\ndog\n")
        self.write("red.png", png(200, 100, RED))
        self.model = ("-m", "d.tflite", "--labels", "labels.txt")

    def test_json(self):
        found, = self.lines("detect", *self.model, "red.png")
        self.assertEqual(set(found), {"file", "model", "width", "height", "objects", "ms"})
        self.assertEqual((found["width"], found["height"]), (200, 100))
        self.assertEqual([(o["index"], o["label"]) for o in found["objects"]], [(0, "cat"), (1, "dog")])
        for wanted, got in zip(([0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]), found["objects"]):
            for a, b in zip(wanted, got["box"]):
                self.assertAlmostEqual(a, b, places=5)
        self.assertAlmostEqual(found["objects"][0]["score"], 0.9, places=5)

    def test_threshold(self):
        self.assertEqual(len(self.lines("detect", *self.model, "red.png", "--threshold", "0.8")[0]["objects"]), 1)
        self.assertEqual(self.lines("detect", *self.model, "red.png", "--threshold", "0.95")[0]["objects"], [])
        self.assertIn("nothing", self.pipit("detect", *self.model, "red.png", "--threshold", "0.95")[0])

    def test_lines_for_people(self):
        lines = self.pipit("detect", *self.model, "red.png")[0].splitlines()
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[1], r"^   90\.0 %  cat +left 0\.000  top 0\.000  right 0\.500  bottom 0\.500$")

    def test_drawing_changes_the_picture(self):
        self.pipit("detect", *self.model, "red.png", "-o", "drawn.png")
        drawn = (self.folder / "drawn.png").read_bytes()
        self.assertEqual(png_size(drawn), (200, 100))
        self.pipit("detect", *self.model, "red.png", "-o", "bare.png", "--threshold", "1")
        self.assertNotEqual(drawn, (self.folder / "bare.png").read_bytes())

    def test_raw_heads_by_a_card(self):
        self.write("cards/raw.tflite", raw_heads())
        self.write("cards/raw.ini", RAW_CARD)
        objects = self.lines("detect", "-m", "raw", "red.png")[0]["objects"]
        self.assertEqual([o["index"] for o in objects], [1, 2])
        self.assertAlmostEqual(objects[0]["score"], 0.880797, places=5)
        self.assertEqual([round(v, 5) for v in objects[1]["box"]], [0.5, 0.5, 1, 1])
        self.assertEqual(len(self.lines("detect", "-m", "raw", "red.png", "--threshold", "0.8")[0]["objects"]), 1)
        self.pipit("detect", "-m", "cards/raw.ini", "red.png")
        self.pipit("detect", "-m", "cards/raw.tflite", "red.png")


if __name__ == "__main__":
    unittest.main()
