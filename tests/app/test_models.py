# SPDX-License-Identifier: MIT
"""infer, info, bench, and the catalogue."""
import hashlib
import json
import os
import re
import struct
import subprocess
import unittest

from fixtures import GREEN, RAW_CARD, RED, ROOT, CommandTest, colours, png, raw_heads, refused, two_inputs


class Infer(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("m.tflite", colours())
        self.write("red.rgb", bytes(RED) * 64)

    def test_raw_rgb(self):
        answer, = self.lines("infer", "m.tflite", "red.rgb", "--output-dir", "out")
        data = (self.folder / "out/out0.bin").read_bytes()
        self.assertEqual(data, bytes(RED))
        output = answer["outputs"][0]
        self.assertEqual(output["sha256"], hashlib.sha256(data).hexdigest())
        self.assertEqual((output["type"], output["shape"], output["file"]), ("uint8", [1, 3], "out0.bin"))
        self.assertEqual(output["quantisation"]["zero_point"], [0])
        self.assertAlmostEqual(output["quantisation"]["scale"][0], 1 / 255, places=8)
        self.assertEqual([p.name for p in (self.folder / "out").iterdir()], ["out0.bin"])

    def test_standard_input_and_lines_for_people(self):
        out, _ = self.pipit("infer", "m.tflite", "-", "--output-dir", "out", input=bytes(GREEN) * 64)
        self.assertRegex(out, r"^out0\.bin +t1 +1 x 3 uint8")
        self.assertEqual((self.folder / "out/out0.bin").read_bytes(), bytes(GREEN))

    def test_inputs_of_another_size(self):
        for data in (b"", bytes(191), bytes(193)):
            self.write("bad.rgb", data)
            error = self.lines("infer", "m.tflite", "bad.rgb", "--output-dir", "out", status=65)[0]["error"]
            self.assertIn("192", error)
        self.assertFalse((self.folder / "out").exists())
        self.pipit("infer", "m.tflite", "nowhere.rgb", "--output-dir", "out", status=66)
        self.pipit("infer", "m.tflite", ".", "--output-dir", "out", status=66)

    def test_normalisation_of_a_float_input(self):
        self.write("f.tflite", colours("f32"))
        self.assertIn("--mean", self.pipit("infer", "f.tflite", "red.rgb", "--output-dir", "out", status=65)[1])
        self.pipit("infer", "f.tflite", "red.rgb", "--output-dir", "out", "--mean", "127.5", "--std", "127.5")
        self.assertEqual(struct.unpack("<3f", (self.folder / "out/out0.bin").read_bytes()), (1, -1, -1))
        self.pipit("infer", "f.tflite", "red.rgb", "--output-dir", "out", "--mean", "0,10,20", "--std", "255,10,20")
        self.assertEqual(struct.unpack("<3f", (self.folder / "out/out0.bin").read_bytes()), (1, -1, -1))

    def test_bare_tensors(self):
        self.write("two.tflite", two_inputs())
        self.write("in.bin", struct.pack("<6f", 1, 2, 3, 10, 20, 30))
        self.pipit("infer", "two.tflite", "in.bin", "--tensor", "--output-dir", "out")
        self.assertEqual(struct.unpack("<3f", (self.folder / "out/out0.bin").read_bytes()), (11, 22, 33))
        self.assertIn("--tensor", self.pipit("infer", "two.tflite", "in.bin", "--output-dir", "out", status=65)[1])
        self.write("short.bin", bytes(20))
        self.assertIn("24", self.pipit("infer", "two.tflite", "short.bin", "--tensor", "--output-dir", "out", status=65)[1])

    def test_a_folder_that_cannot_be_made(self):
        self.pipit("infer", "m.tflite", "red.rgb", "--output-dir", "no/such", status=73)
        self.pipit("infer", "m.tflite", "red.rgb", "--output-dir", "red.rgb", status=73)


class InfoAndBench(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("m.tflite", colours())

    def test_info(self):
        out, _ = self.pipit("info", "m.tflite")
        for words in ("TFLite", "1 x 8 x 8 x 3 uint8", "input quantisation", "MEAN", "can be run     yes"):
            self.assertIn(words, out)
        facts, = self.lines("info", "m.tflite")
        self.assertTrue(facts["runs"])
        self.assertEqual(facts["operators"], [{"name": "MEAN", "count": 1, "why_not": None}])
        self.assertEqual((facts["inputs"][0]["shape"], facts["outputs"][0]["shape"]), ([1, 8, 8, 3], [1, 3]))
        self.assertEqual(facts["normalisation"]["from"], "input quantisation")
        self.assertGreater(facts["plan"]["arena_bytes"], 0)
        self.assertIn("offset", self.pipit("info", "m.tflite", "-v")[0])

    def test_where_the_normalisation_comes_from(self):
        self.write("f.tflite", colours("f32"))
        self.assertIsNone(self.lines("info", "f.tflite")[0]["normalisation"])
        self.assertEqual(self.lines("info", "f.tflite", "--mean", "1", "--std", "2")[0]["normalisation"]["from"], "options")
        self.write("f.ini", "[model]\ntask = classify\nfile = f.tflite\n[input]\nmean = 1\nstd = 2\n")
        self.assertEqual(self.lines("info", "f.ini")[0]["normalisation"]["from"], "card")

    def test_a_model_that_cannot_be_run(self):
        self.write("refused.tflite", refused())
        facts, = self.lines("info", "refused.tflite", status=69)
        self.assertFalse(facts["runs"])
        self.assertIn("NoSuchOperator", facts["why_not"])
        self.assertEqual(facts["operators"][0]["name"], "NoSuchOperator")
        self.assertIsNotNone(facts["operators"][0]["why_not"])
        self.assertIn("NoSuchOperator", self.pipit("info", "refused.tflite", status=69)[0])

    def test_files_that_are_no_models(self):
        self.write("broken.tflite", colours()[:150])
        self.write("empty.tflite", "")
        for name, status in (("broken.tflite", 65), ("empty.tflite", 65), ("nowhere", 66), (".", 66)):
            with self.subTest(name=name):
                self.assertEqual(set(self.lines("info", name, status=status)[0]), {"file", "error"})
                self.pipit("bench", name, status=status)

    def test_bench(self):
        facts, = self.lines("bench", "m.tflite", "--runs", "3", "--warmup", "0", "--threads", "1", "--per-layer")
        for key in ("median_ms", "p95_ms", "load_ms", "peak_rss_kib"):
            self.assertGreater(facts[key], 0, key)
        self.assertGreaterEqual(facts["p95_ms"], facts["median_ms"])
        self.assertGreaterEqual(facts["rss_above_start_kib"], 0)
        self.assertEqual((facts["runs"], facts["threads"]), (3, 1))
        self.assertAlmostEqual(sum(layer["share"] for layer in facts["layers"]), 1, places=4)
        self.assertIn("median", self.pipit("bench", "m.tflite", "--runs", "2", "--per-layer")[0])

    def test_bench_without_a_file(self):
        facts, = self.lines("bench", "mobilenet-v1:0.25@32", "--runs", "1", "--warmup", "0")
        self.assertEqual(facts["model"], "mobilenet-v1:0.25@32")
        self.assertGreater(facts["gmacs_per_s"], 0)
        self.assertEqual(list(facts["peak_gmacs_per_s"]), ["f32"])
        self.assertGreater(facts["peak_gmacs_per_s"]["f32"], 0)
        facts, = self.lines("bench", "mobilenet-v2:0.25@32/int8", "--runs", "1", "--warmup", "0", "--per-layer")
        self.assertEqual(list(facts["peak_gmacs_per_s"]), ["int8"])
        self.assertGreater(facts["peak_share"], 0)
        self.assertGreater(facts["layers"][0]["peak_share"], 0)
        for precision in ("f16", "bf16"):
            bench = ("bench", "mobilenet-v1:0.25@32", "--runs", "1", "--warmup", "0", "--precision", precision)
            facts, = self.lines(*bench)
            can = {"f16": "fp16", "bf16": "bf16"}[precision] in facts["cpu"].split(",")
            self.assertEqual(facts["precision"], precision if can else "f32")
            self.assertEqual(precision in facts["peak_gmacs_per_s"], can)
            said = self.pipit(*bench, "--cpu-mask", "avx2,neon")[1]
            self.assertIn(precision.replace("f", "float", 1), said)
            self.assertIn("--precision f32", said)
        for name in ("mobilenet-v9", "mobilenet-v1:x", "mobilenet-v1@1", "mobilenet-v1/int4", "mobilenet-v1:0.25@32/"):
            with self.subTest(name=name):
                self.assertIn("mobilenet", self.pipit("bench", name, "--runs", "1", status=66)[1])


class Catalogue(CommandTest):
    card = "[model]\ntitle = Colours\ntask = classify\ndefault = yes\nlicence = MIT\nfile = colours.tflite\n[output]\nlabels = names.txt\n"

    def setUp(self):
        super().setUp()
        self.write("cards/colours.ini", self.card)
        self.write("cards/colours.tflite", colours())
        self.write("cards/names.txt", "red\ngreen\nblue\n")
        self.write("red.png", png(9, 9, RED))

    def test_a_dropped_card_is_the_default(self):
        answer, = self.lines("classify", "red.png")
        self.assertEqual((answer["model"], answer["top"][0]["label"]), ("colours", "red"))
        by_path, = self.lines("classify", "-m", "cards/colours.tflite", "red.png")
        self.assertEqual(by_path["top"][0]["label"], "red")

    def test_list(self):
        entries = {entry["name"]: entry for entry in self.lines("models", "list")}
        self.assertEqual(entries["colours"]["title"], "Colours")
        self.assertTrue(entries["colours"]["file"].endswith("cards/colours.tflite"))
        for name in ("efficientnet-lite0", "mobilenet-v3-food", "ssd-mobilenet-v2-openimages"):
            self.assertIn("Apache-2.0", entries[name]["licence"])
            self.assertRegex(entries[name]["source"], "^(PyPI|npm) ")
            self.assertRegex(entries[name]["sha256"], "^[0-9a-f]{64}$")
        self.assertIn("\ncolours  (default to classify)\n    Colours\n", "\n" + self.pipit("models", "list")[0])

    @unittest.skipIf("MESON_EXE_WRAPPER" in os.environ or "ASAN_OPTIONS" in os.environ, "emulators and sanitizers need /proc")
    def test_the_own_models_are_found_without_proc(self):
        """As in a small container: an empty folder lies over /proc."""
        program, = self.command()
        self.environment["LD_LIBRARY_PATH"] = os.path.join(os.path.dirname(program), "../engine")  # $ORIGIN needs /proc too
        script = 'mount -t tmpfs none /proc && exec "$0" models list'
        out = subprocess.run(["unshare", "-rm", "sh", "-c", script, program], cwd=self.folder, env=self.environment,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if "unshare" in out.stderr or "mount" in out.stderr:
            self.skipTest(f"no namespaces here: {out.stderr.strip()}")
        self.assertIn("efficientnet-lite0", out.stdout, out.stderr)

    def test_verify(self):
        right = hashlib.sha256(colours()).hexdigest()
        self.write("cards/good.ini", self.card + f"[source]\nsha256 = {right}\n")
        entries = {entry["name"]: entry for entry in self.lines("models", "verify")}
        self.assertIs(entries["good"]["right"], True)
        self.assertIsNone(entries["colours"]["right"])
        self.write("cards/bad.ini", self.card + f"[source]\nsha256 = {'0' * 64}\n")
        entries = {entry["name"]: entry for entry in self.lines("models", "verify", status=65)}
        self.assertIs(entries["bad"]["right"], False)

    def test_fetch_says_what_fails_and_changes_nothing(self):
        self.assertIn("'colours'", self.pipit("models", "fetch", "colors", status=66)[1])
        self.assertIn("names no source", self.pipit("models", "fetch", "colours", status=66)[1])
        self.write("cards/far.ini", self.card.replace("colours.tflite", "far.tflite") +
                   "[source]\nurl = https://nowhere.invalid/far.tflite\n")
        self.assertIn("far", self.pipit("models", "fetch", "far", status=69)[1])
        self.assertEqual(list((self.folder / "cards").glob("cache/*")), [])
        self.assertIn("models fetch far", self.pipit("classify", "-m", "far", "red.png", status=69)[1])

    def test_unknown_models(self):
        self.assertIn("'colours'", self.pipit("classify", "-m", "colour", "red.png", status=66)[1])

    def test_broken_cards_are_named_and_left_out(self):
        for text, words in {
                "[model]\ntask = classify\nfile = x\n[output]\ntreshold = 1\n": "line 5: there is no key 'output.treshold'; did you mean 'output.threshold'?",
                "[model]\ntask = juggle\nfile = x\n": "line 2: 'juggle' makes no sense for 'model.task'",
                "[model]\ntask = classify\n": "'model.file' is missing",
                "[model]\nfile = x\n": "'model.task' is missing",
                "[model]\nfile = a/x\n": "line 2: 'a/x' makes no sense",
                "[modl]\nfile = x\n": "line 2: there is no key 'modl.file'; did you mean 'model.file'?",
                "[model]\ntask = classify\nfile = x\nnonsense\n": "line 4",
                "[model]\ntask = classify\ntask = classify\nfile = x\n": "line 3: 'model.task' stands there twice",
                "[model]\ntask = classify\nfile = x\n[input]\nmean = 1\n": "'input.std' is missing",
                "[model]\ntask = classify\nfile = x\n[input]\nmean = 1\nstd = 0\n": "line 6",
                "[model]\ntask = classify\nfile = x\n[input]\nmean = nan\nstd = 1\n": "line 5",
                "[model]\ntask = classify\nfile = x\n[source]\nurl = http://a/b\n": "line 5",
                "[model]\ntask = classify\nfile = x\n[source]\nsha256 = 12\n": "line 5",
                "[model]\ntask = classify\nfile = x\n[source]\npip = a==1\nnpm = a@1\n": "more than one",
                "[model]\ntitle = " + "x" * 300 + "\ntask = classify\nfile = x\n": "line 2: the line is longer",
                RAW_CARD.replace("grids = 2\n", ""): "'ssd.grids' is missing",
                RAW_CARD.replace("grids = 2", "grids = 0"): "line 10",
                RAW_CARD.replace("aspects = 1", "aspects = 0"): "line 13",
                RAW_CARD.replace("10 10 5 5", "10 10 5"): "line 14",
                "\0\0\0\0": "broken.ini"}.items():
            with self.subTest(text=text):
                self.write("cards/broken.ini", text)
                out, errors = self.pipit("models", "list", status=78)
                self.assertIn(words, errors)
                self.assertIn("colours", out)
                self.pipit("classify", "red.png")
                self.pipit("classify", "-m", "broken", "red.png", status=78)
                self.pipit("classify", "-m", "cards/broken.ini", "red.png", status=78)

    def test_raw_heads_must_fit_the_card(self):
        self.write("cards/raw.tflite", raw_heads())
        self.write("cards/raw.ini", RAW_CARD.replace("grids = 2", "grids = 3"))
        self.assertIn("anchors", self.pipit("detect", "-m", "raw", "red.png", status=65)[1])

    def test_the_manual_names_every_key(self):
        keys = re.findall(r'^    \{"(\w+)\.(\w+)", set_', (ROOT / "app/card.c").read_text(), re.M)
        manual = (ROOT / "docs/pipit-models.5").read_text().split("\n.Ss [")
        sections = {text.split("]")[0]: text for text in manual[1:]}
        self.assertGreater(len(keys), 30)
        for section, key in keys:
            self.assertRegex(sections[section], rf"\n\.It Cm (\w+ , )*{key}\b(?! \.)", f"{section}.{key}")

    def test_own_cards_are_in_order(self):
        del self.environment["PIPIT_MODELS"]
        out, errors = self.pipit("models", "list", "--json")
        self.assertEqual(errors, "")
        names = [json.loads(line)["name"] for line in out.splitlines()]
        self.assertEqual(names, sorted(path.stem for path in (ROOT / "models").glob("*.ini")))


if __name__ == "__main__":
    unittest.main()
