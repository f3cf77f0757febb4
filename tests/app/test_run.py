# SPDX-License-Identifier: MIT
"""The live picture, from files to files: pipit run."""
import json
import os
import re
import signal
import struct
import subprocess
import threading
import time
import unittest
import zlib

from fixtures import BLUE, GREEN, RAW_CARD, RED, ROOT, CommandTest, colours, detector, png, png_size, raw_heads, refused

RATES = ("capture_fps", "display_fps", "inference_fps")
STAGES = ("capture", "convert", "inference", "draw", "flip")


class RunTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("colours.tflite", colours())
        self.write("names.txt", "red\ngreen\nblue\n")
        self.write("red.png", png(64, 48, RED))
        for number, colour in enumerate((RED, GREEN, BLUE)):
            self.write(f"photos/{number}.png", png(64, 48, colour))

    def run_live(self, *arguments, status=0, **options):
        """Standard output as JSON objects, and standard error."""
        out, errors = self.pipit("run", "--threads", 1, *arguments, status=status, **options)
        return [json.loads(line) for line in out.splitlines()], errors

    def start(self, *arguments, **options):
        command = self.command("run", "--threads", 1, *arguments)
        child = subprocess.Popen(command, cwd=self.folder, env=self.environment, stderr=subprocess.PIPE, text=True,
                                 **options)
        self.addCleanup(child.wait)
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.kill)
        return child

    def wait_for(self, child, *words):
        """Reads what it says until these words came, in any order."""
        said, missing = "", set(words)
        patience = threading.Timer(120, child.kill)
        patience.start()
        self.addCleanup(patience.cancel)
        for line in child.stderr:
            said += line
            missing -= {word for word in missing if word in line}
            if not missing:
                patience.cancel()
                return said
        self.fail(f"{missing} did not come, but: {said}")

    def wait_for_file(self, child, name, size=0):
        path = self.folder / name
        until = time.monotonic() + 120
        while not path.exists() or path.stat().st_size < size:
            self.assertIsNone(child.poll())
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)

    def end(self, child, number=signal.SIGTERM, status=0):
        child.send_signal(number)
        _, errors = child.communicate(timeout=60)
        self.assertEqual(child.returncode, status, errors)
        self.assertNotIn("Sanitizer", errors)
        return errors

    def classify(self, picture):
        return self.lines("classify", "-j", 1, "-m", "colours.tflite", "-l", "names.txt", "-k", 1, picture)[0]["top"][0]["label"]

    # Its best answer is 0.58 of three classes, the others 0.21 each: hardly sure.
    CLASSIFY = ("--model", "colours.tflite", "--labels", "names.txt", "--uncertainty", "1")


class Headless(RunTest):
    def test_statistics(self):
        lines, errors = self.run_live("--screen", "none", "--source", "replay:photos", "--frames", 40, "--stats", "-",
                                      *self.CLASSIFY)
        self.assertGreaterEqual(len(lines), 2)
        for line in lines:
            self.assertLessEqual({"t", *RATES, "dropped", "ms", "glass_ms", "objects", "rss_kib", "fds"}, set(line))
            self.assertEqual(set(line["dropped"]), {"capture", "display", "inference"})
            self.assertEqual(set(line["ms"]), set(STAGES))
            for times in (*line["ms"].values(), line["glass_ms"], line["loop_ms"]):
                self.assertLessEqual({"p50", "p99"}, set(times))
            self.assertGreater(line["rss_kib"], 1000)
            self.assertGreater(line["fds"], 5)
        self.assertEqual([line["t"] for line in lines], sorted(line["t"] for line in lines))
        self.assertGreater(max(line["capture_fps"] for line in lines), 0)
        self.assertIn("colours.tflite", errors)

    def test_frames_are_counted(self):
        self.run_live("--screen", "png:out", "--mode", "64x48", "--source", "replay:photos", "--every-frame", "--frames",
                      5, *self.CLASSIFY)
        self.assertEqual(len(list((self.folder / "out").iterdir())), 5)

    def test_the_picture_does_not_wait_for_fonts(self):
        os.mkfifo(self.folder / "fonts.conf")  # whoever loads fonts waits until it is written to
        self.environment["FONTCONFIG_FILE"] = str(self.folder / "fonts.conf")
        child = self.start("--screen", "png:out", "--mode", "64x48", "--source", "replay:red.png", *self.CLASSIFY)
        self.wait_for(child, "the first picture is on the screen")
        with open(self.folder / "fonts.conf", "w", encoding="ascii") as fonts:
            fonts.write("<fontconfig><dir>/usr/share/fonts</dir></fontconfig>")
        self.end(child)

    def test_duration_ends_it(self):
        lines, _ = self.run_live("--screen", "none", "--source", "replay:red.png", "--duration", 0.5, "--stats", "-",
                                 *self.CLASSIFY)
        self.assertGreaterEqual(len(lines), 1)

    def test_each_photo_has_its_own_names(self):
        lines, _ = self.run_live("--screen", "png:out", "--mode", "320x240", "--source", "replay:photos", "--once",
                                 "--every-frame", "--average", 1, "--events", "-", *self.CLASSIFY)
        self.assertEqual([(line["event"], line["label"]) for line in lines],
                         [("enter", "red"), ("leave", "red"), ("enter", "green"), ("leave", "green"),
                          ("enter", "blue"), ("leave", "blue")])
        self.assertEqual([line["id"] for line in lines], [1, 1, 2, 2, 3, 3])
        pictures = sorted((self.folder / "out").iterdir())
        self.assertEqual([self.classify(picture) for picture in pictures], ["red", "green", "blue"])
        self.assertEqual(png_size(pictures[0].read_bytes()), (320, 240))

    def test_an_average_is_slow_to_change(self):
        lines, _ = self.run_live("--screen", "none", "--source", "replay:photos", "--once", "--every-frame", "--average",
                                 100, "--events", "-", "--sure", 0.4, *self.CLASSIFY)
        self.assertEqual([line["label"] for line in lines], ["red", "red"])

    def test_objects_enter_and_leave(self):
        self.write("cards/raw.ini", RAW_CARD)
        self.write("cards/raw.tflite", raw_heads())
        arguments = ("--source", "replay:red.png", "--screen", "png:out", "--every-frame", "--model", "raw")
        lines, _ = self.run_live(*arguments, "--frames", 3, "--stats", "stats.json", "--events", "-")
        self.assertEqual([(line["event"], line["id"], line["label"]) for line in lines],
                         [("enter", 1, "class 1"), ("enter", 2, "class 2"), ("leave", 1, "class 1"),
                          ("leave", 2, "class 2")])
        for line in lines:
            self.assertEqual(len(line["box"]), 4)
        last = json.loads((self.folder / "stats.json").read_text().splitlines()[-1])
        self.assertEqual([thing["id"] for thing in last["objects"]], [1, 2])
        lines, _ = self.run_live(*arguments, "--enter", 5, "--threshold", 0.8, "--frames", 4, "--events", "-")
        self.assertEqual(lines, [])

    def test_names_in_another_language(self):
        self.write("names.de.txt", "rot\ngrün\nblau\n")
        arguments = ("--screen", "none", "--source", "replay:red.png", "--frames", 1, "--every-frame", "--events", "-")
        for language, name in ("de", "rot"), ("de_AT", "rot"), ("fr", "red"), ("C", "red"):
            lines, errors = self.run_live(*arguments, "--language", language, *self.CLASSIFY)
            self.assertEqual(lines[0]["label"], name)
            self.assertEqual("no translation" in errors, language == "fr")
        self.environment["LANG"] = "de_DE.UTF-8"
        self.assertEqual(self.run_live(*arguments, *self.CLASSIFY)[0][0]["label"], "rot")
        self.write("names.de.txt", "rot\n")
        lines, errors = self.run_live(*arguments, *self.CLASSIFY)
        self.assertEqual(lines[0]["label"], "red")
        self.assertIn("number of lines", errors)

    def test_names_of_other_scripts_are_drawn(self):
        """What reads from the right lies on the right."""
        for language, names, right in (("ar", "فنجان قهوة\nببغاء\nسماء\n", True), ("zh", "咖啡杯\n鹦鹉\n天空\n", False)):
            self.write(f"names.{language}.txt", names)
            lines, errors = self.run_live("--screen", f"png:{language}", "--mode", "320x180", "--source", "replay:red.png", "--fit",
                                          "stretch", "--frames", 1, "--every-frame", "--events", "-", "--language", language,
                                          *self.CLASSIFY)
            self.assertEqual(lines[0]["label"], names.split("\n")[0])
            self.assertNotIn("no translation", errors)
            rows = self.png_rows((self.folder / language / "frame-000000.png").read_bytes(), 320)
            drawn = [sum(row[3 * x] < 128 for row in rows for x in range(left, left + 40)) for left in (0, 280)]
            self.assertGreater(drawn[right], 500)
            self.assertEqual(drawn[not right], 0)

    @classmethod
    def png_rows(cls, data, width):
        """Of an RGB PNG: its rows as bytes (PNG, 9.2: Filter types)."""
        packed, size, above, rows = zlib.decompress(cls.png_data(data)), 3 * width, bytes(3 * width), []
        for at in range(0, len(packed), size + 1):
            kind, row = packed[at], bytearray(packed[at + 1:at + 1 + size])
            for x, value in enumerate(row):
                left, upper, corner = (row[x - 3], above[x], above[x - 3]) if x > 2 else (0, above[x], 0)
                near = min((left, upper, corner), key=lambda known: abs(left + upper - corner - known))
                row[x] = value + (0, left, upper, (left + upper) // 2, near)[kind] & 255
            rows.append(row)
            above = row
        return rows

    def test_turned_and_mirrored(self):
        left_red = [RED] * 32 + [BLUE] * 32
        rows = b"".join(b"\0" + b"".join(bytes(pixel) for pixel in left_red) for _ in range(64))
        self.write("halves.png", self.rows_png(64, 64, rows))
        for options, top_left in ((), RED), (("--mirror",), BLUE), (("--rotation", 90), RED), (("--rotation", 180), BLUE):
            self.run_live("--screen", "png:out", "--mode", "64x64", "--source", "replay:halves.png", "--frames", 1,
                          *options, *self.CLASSIFY)
            pixel = self.first_pixel((self.folder / "out" / "frame-000000.png").read_bytes())
            self.assertGreater(sum(a * b for a, b in zip(pixel, top_left)), 200 * 255, options)

    @staticmethod
    def rows_png(width, height, rows):
        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

    @classmethod
    def first_pixel(cls, data):
        """Of an RGB PNG; every filter leaves the first pixel as it is."""
        return zlib.decompress(cls.png_data(data))[1:4]

    @staticmethod
    def png_data(data):
        packed, at = b"", 8
        while at < len(data):
            size = int.from_bytes(data[at:at + 4], "big")
            if data[at + 4:at + 8] == b"IDAT":
                packed += data[at + 8:at + 8 + size]
            at += size + 12
        return packed

    def test_motion_jpeg_out_and_in(self):
        out = subprocess.run(self.command("run", "--source", "replay:photos", "--once", "--every-frame", "--screen", "mjpeg:-",
                                          "--mode", "160x120", "--threads", "1", *self.CLASSIFY), cwd=self.folder,
                             env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120,
                             check=True).stdout
        self.assertEqual(out[:2], b"\xff\xd8")
        self.assertEqual(out.count(b"\xff\xd8\xff"), 3)
        self.write("film.mjpeg", out)
        for screen in "none", "memory":
            lines, _ = self.run_live("--source", "replay:film.mjpeg", "--once", "--every-frame", "--average", 1, "--screen",
                                     screen, "--events", "-", *self.CLASSIFY)
            self.assertEqual([line["label"] for line in lines if line["event"] == "enter"], ["red", "green", "blue"])
        self.run_live("--source", "replay:film.mjpeg", "--once", "--screen", "memory", *self.CLASSIFY)


class Faults(RunTest):
    def test_wrong_options(self):
        for option, word in (("--sorce=auto", "'--source'"), ("--rotation=45", "rotation"), ("--source=webcam", "source"),
                             ("--mirror=perhaps", "mirror"), ("--frames", "wants a value"), ("photo.jpg", "no option")):
            self.assertIn(word, self.run_live(option, status=64)[1])

    def test_a_broken_configuration_names_the_line(self):
        self.write("pipit.conf", "source = replay:red.png\n\nrotaton = 90\n")
        errors = self.run_live("--config", "pipit.conf", status=78)[1]
        self.assertEqual(errors, "pipit: pipit.conf: line 3: there is no key 'rotaton'; did you mean 'rotation'?\n")
        self.run_live("--config", "none.conf", status=78)

    def test_only_one_standard_output(self):
        self.assertIn("standard output", self.run_live("--stats", "-", "--events", "-", status=78)[1])
        self.assertIn("standard output", self.run_live("--stats", "-", "--screen", "mjpeg:-", status=78)[1])

    def test_files_that_are_not_there(self):
        self.assertIn("missing", self.run_live("--source", "replay:missing.y4m", "--screen", "none", status=66)[1])
        self.run_live("--source", "replay:red.png", "--screen", "none", "--stats", "no/such", status=73)
        self.run_live("--source", "replay:red.png", "--screen", "png:no/such/folder", status=73)

    def test_a_model_that_cannot_be_used_ends_a_script(self):
        self.write("refused.tflite", refused())
        arguments = ("--source", "replay:red.png", "--screen", "none", "--duration", 60)
        self.assertIn("'nosuch'", self.run_live(*arguments, "--model", "nosuch", status=66)[1])
        self.run_live(*arguments, "--model", "refused.tflite", status=69)
        self.run_live(*arguments, "--model", "red.png", status=65)

    def test_a_model_that_cannot_be_used_leaves_the_picture(self):
        self.write("cards/raw.ini", RAW_CARD.replace("task =", "default = yes\ntask ="))  # a small one takes its place
        self.write("cards/raw.tflite", raw_heads())
        child = self.start("--source", "replay:red.png", "--screen", "png:out", "--model", "nosuch")
        self.wait_for(child, "'nosuch'")
        self.wait_for_file(child, "out/frame-000001.png")
        self.end(child)
        self.assertEqual(self.classify("out/frame-000000.png"), "red")

    def test_a_default_model_takes_the_place_of_one_that_cannot_be_used(self):
        self.write("cards/raw.ini", RAW_CARD.replace("task =", "default = yes\ntask ="))
        self.write("cards/raw.tflite", raw_heads())
        self.write("cards/mine.ini", f"[model]\ntask = classify\n[source]\nurl = https://example.org/mine.tflite\nfile = mine.tflite\nsha256 = {'0' * 64}\n")
        for model, why in ("nosuch", "'nosuch'"), ("red.png", "red.png"), ("mine", "damaged"), ("cut.tflite", "cut"):
            self.write("cards/mine.tflite", colours())
            self.write("cut.tflite", colours()[:300])
            child = self.start("--source", "replay:red.png", "--screen", "memory", "--model", model, "--events", "events")
            said = self.wait_for(child, "the model is raw")
            self.assertIn("raw takes its place", said)
            self.assertIn(why, said)
            self.wait_for_file(child, "events", 1)
            self.end(child)
            self.assertIn("class 1", (self.folder / "events").read_text())
            (self.folder / "events").unlink()

    def test_no_camera_is_told_on_the_screen_and_in_the_log(self):
        child = self.start("--source", "v4l2:/dev/no-such-camera", "--screen", "png:out", *self.CLASSIFY)
        self.wait_for(child, "no-such-camera")
        self.wait_for_file(child, "out/frame-000000.png")
        self.end(child)

    def test_a_reader_that_leaves_ends_it_quietly(self):
        child = self.start("--source", "replay:red.png", "--screen", "none", "--stats", "-", *self.CLASSIFY,
                           stdout=subprocess.PIPE)
        child.stdout.readline()
        child.stdout.close()
        errors = child.stderr.read()
        self.assertEqual(child.wait(timeout=60), 74, errors)
        self.assertNotIn("cannot write", errors)

    def test_a_reader_of_pictures_that_leaves_ends_it_quietly(self):
        child = self.start("--source", "replay:red.png", "--screen", "mjpeg:-", *self.CLASSIFY, stdout=subprocess.PIPE)
        child.stdout.buffer.read(100)
        child.stdout.close()
        errors = child.stderr.read()
        self.assertEqual(child.wait(timeout=60), 74, errors)
        self.assertNotIn("cannot write", errors)

    def test_a_pipe_that_nobody_reads_is_not_waited_for(self):
        os.mkfifo(self.folder / "pipe")
        for key in "stats", "events":
            _, errors = self.run_live("--source", "replay:red.png", "--screen", "none", f"--{key}", "pipe", status=73)
            self.assertIn("start its reader first", errors)
        _, errors = self.run_live("--source", "replay:red.png", "--screen", "mjpeg:pipe", status=73)
        self.assertIn("start its reader first", errors)

    def test_pictures_through_a_named_pipe(self):
        os.mkfifo(self.folder / "pipe")
        reader = subprocess.Popen(["cat", "pipe"], cwd=self.folder, stdout=subprocess.PIPE)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.kill)
        deadline = time.monotonic() + 60
        while True:  # until its reader is there
            out = subprocess.run(self.command("run", "--source", "replay:red.png", "--screen", "mjpeg:pipe", "--mode", "64x48",
                                              "--frames", 1, *self.CLASSIFY), cwd=self.folder, env=self.environment,
                                 stderr=subprocess.PIPE, text=True, timeout=60, check=False)
            if out.returncode != 73 or time.monotonic() > deadline:
                break
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertEqual(reader.stdout.read(2), b"\xff\xd8")

    def test_a_pipe_that_nobody_writes_to_holds_nothing_up(self):
        os.mkfifo(self.folder / "pipe")
        self.run_live("--source", "replay:photos", "--screen", "mjpeg:film.mjpeg", "--mode", "64x48", "--once", "--every-frame",
                      *self.CLASSIFY)
        child = self.start("--source", "replay:pipe", "--screen", "memory", *self.CLASSIFY)
        self.wait_for(child, "the model is")
        with open(self.folder / "pipe", "wb") as pipe:
            pipe.write((self.folder / "film.mjpeg").read_bytes())
            self.wait_for(child, "the camera is 'pipe'")
        self.end(child)

    def test_signals_end_it(self):
        for number in signal.SIGTERM, signal.SIGINT:
            child = self.start("--source", "replay:red.png", "--screen", "memory", *self.CLASSIFY)
            self.wait_for(child, "the model is")
            self.end(child, number)


class Service(RunTest):
    """As a service manager starts it."""
    GOOD = "# mine\nscreen = memory\nsource = replay:red.png\n[camera-controls]\ngain = 3 ; of the sensor\n"
    RUN = ("--config", "pipit.conf", "--frames", 3, "--model", "colours.tflite")  # a small one, which is soon opened

    def setUp(self):
        super().setUp()
        (self.folder / "state").mkdir()
        self.kept = self.folder / "state" / "pipit.conf"
        self.environment["STATE_DIRECTORY"] = f"{self.folder}/state:/nowhere"

    def test_the_last_good_settings_are_kept(self):
        self.write("pipit.conf", self.GOOD)
        self.write("pipit.conf.d/10.conf", "screen = none\nmirror = yes\n")
        self.run_live(*self.RUN)
        self.assertEqual(self.kept.read_text(), "screen = memory\nsource = replay:red.png\ncamera-control = gain=3\n"
                         "screen = none\nmirror = yes\n")
        before = self.kept.stat()
        self.run_live(*self.RUN)
        self.assertEqual(self.kept.stat(), before)  # what has not changed is not written again
        self.write("pipit.conf", self.GOOD + "[pipit]\nrotaton = 90\n")
        errors = self.run_live(*self.RUN)[1]
        self.assertIn("pipit.conf: line 7: there is no key 'rotaton'", errors)
        self.assertIn("last settings", errors)
        self.assertIn("'red.png'", errors)
        self.assertIn("screen is none", errors)
        self.assertEqual(self.kept.stat(), before)
        self.assertEqual([path.name for path in self.kept.parent.iterdir()], ["pipit.conf"])

    def test_without_good_settings_the_defaults_are_taken(self):
        options = ("--source", "replay:red.png", "--screen", "none")
        self.write("pipit.conf", "rotation = 45\n")
        for kept in None, "nonsense\n", "rotation = 45\n":
            if kept:
                self.kept.write_text(kept)
            self.assertIn("defaults", self.run_live(*self.RUN, *options)[1])

    def test_settings_that_cannot_be_kept_are_no_failure(self):
        self.write("pipit.conf", self.GOOD)
        for folder in "/nowhere", "/dev/full":
            self.environment["STATE_DIRECTORY"] = folder
            self.assertEqual(self.run_live(*self.RUN)[1].count(f"cannot be kept in {folder}/pipit.conf"), 1)

    def test_it_runs_once(self):
        self.write("pipit.conf", self.GOOD)
        self.environment["RUNTIME_DIRECTORY"] = str(self.folder)
        child = self.start("--config", "pipit.conf")
        self.wait_for(child, "the camera is")
        self.assertRegex(self.run_live(*self.RUN, status=75)[1], r"runs already, as process [1-9]\d*: end that")
        child.kill()
        child.wait()
        self.run_live(*self.RUN)


class Heat(RunTest):
    def test_a_hot_board_works_less(self):
        zone = "sys/class/thermal/thermal_zone0"
        self.write(f"{zone}/type", "cpu-thermal")
        self.write(f"{zone}/temp", "79000")
        child = self.start("--source", "replay:red.png", "--screen", "memory", *self.CLASSIFY)
        self.wait_for(child, "cpu-thermal is at 79 degrees Celsius of 80: recognition goes on with half the threads")
        self.wait_for(child, "the model is")
        self.end(child)


class Reload(RunTest):
    def reload(self, child, text, words):
        self.write("pipit.conf", text)
        child.send_signal(signal.SIGHUP)
        return self.wait_for(child, words)

    def test_settings_are_read_again(self):
        base = "source = replay:red.png\nscreen = memory\nmodel = colours.tflite\nlabels = names.txt\n"
        self.write("green.png", png(64, 48, GREEN))
        self.write("pipit.conf", base)
        child = self.start("--config", "pipit.conf", "--stats", "stats.json")
        self.wait_for(child, "the model is")
        self.reload(child, base, "nothing has changed")
        self.reload(child, base + "colour = red\n", "line 5")
        self.reload(child, base + "status = yes\nmargin = 0.05\n", "they have changed")
        self.reload(child, base + "rotation = 90\nfit = fill\n", "they have changed")
        said = self.reload(child, base.replace("red.png", "green.png"), "'green.png'")
        self.assertNotIn("model is", said)
        self.assertNotIn("screen is", said)
        said = self.reload(child, base.replace("red.png", "green.png") + "language = de\n", "the model is")
        self.assertNotIn("camera is", said)
        self.reload(child, base.replace("memory", "none"), "the screen is none")
        self.reload(child, base + "frames = 3\n", "next start")
        self.end(child)
        lines = [json.loads(line) for line in (self.folder / "stats.json").read_text().splitlines()]
        self.assertEqual(lines[-1]["dropped"]["capture"], 0)

    def test_a_reload_during_the_start_is_no_end(self):
        child = self.start("--source", "replay:red.png", "--screen", "memory", *self.CLASSIFY)
        until = time.monotonic() + 60
        while not self.blocked(child.pid) >> signal.SIGHUP - 1 & 1:
            self.assertIsNone(child.poll())
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)
        child.send_signal(signal.SIGHUP)
        self.wait_for(child, "the settings were read again")
        self.end(child)

    @staticmethod
    def blocked(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return int(next(line for line in status if line.startswith("SigBlk")).split()[1], 16)

    def test_a_screen_that_cannot_be_is_waited_for(self):
        base = "source = replay:red.png\nmodel = colours.tflite\nlabels = names.txt\n"
        self.write("pipit.conf", base + "screen = memory\n")
        child = self.start("--config", "pipit.conf")
        self.wait_for(child, "the model is")
        self.reload(child, base + "screen = png:no/pictures\n", "going on without a screen")
        self.reload(child, base + "screen = png:pictures\n", "the screen is png:pictures")
        self.wait_for_file(child, "pictures/frame-000000.png")
        self.end(child)

    def test_many_times_leave_nothing_behind(self):
        base = "source = replay:red.png\nscreen = memory\nmodel = colours.tflite\nlabels = names.txt\n"
        self.write("pipit.conf", base)
        child = self.start("--config", "pipit.conf")
        self.wait_for(child, "the model is", "frames per second")
        fewest = 1000
        for turn in range(20):
            self.reload(child, base + f"camera-rate = {20 + turn % 2}\n", "frames per second")
            if turn < 5:
                fewest = min(fewest, self.descriptors(child.pid))
        until = time.monotonic() + 20  # files that are just being read may be open
        while self.descriptors(child.pid) > fewest and time.monotonic() < until:
            time.sleep(0.05)
        self.assertLessEqual(self.descriptors(child.pid), fewest)
        self.end(child)

    @staticmethod
    def descriptors(pid):
        return len(os.listdir(f"/proc/{pid}/fd"))


class Hours(RunTest):
    BASE = "source = replay:red.png\nscreen = memory\nmodel = colours.tflite\nlabels = names.txt\n"

    def here_it_is(self, hour):
        """Sets the time zone in which it is this time of day now."""
        ahead = int(hour * 3600 - time.time() % 86400)
        hours, rest = divmod(abs(ahead), 3600)
        self.environment["TZ"] = f"HERE{'-' if ahead >= 0 else '+'}{hours}:{rest // 60:02}:{rest % 60:02}"

    def test_the_screen_is_off_at_night(self):
        self.here_it_is(23)
        self.write("pipit.conf", self.BASE + "screen-off = 21:30-7:00\n")
        child = self.start("--config", "pipit.conf", "--stats", "stats.json")
        self.wait_for(child, "the screen is off, and the camera closed, until 07:00")
        for hours, words in (("", "the screen is on again"), ("screen-off = 22:59-06:00\n", "until 06:00"),
                             ("screen-off = 0:00-12:00\n", "the screen is on again")):
            self.write("pipit.conf", self.BASE + hours)
            child.send_signal(signal.SIGHUP)
            self.wait_for(child, words)
            if "again" in words:
                self.wait_for(child, "the camera is 'red.png'")
        self.wait_for_pictures(child)
        self.end(child)

    def wait_for_pictures(self, child):
        until = time.monotonic() + 120
        while not any(json.loads(line)["display_fps"] for line in self.complete_lines("stats.json")):
            self.assertIsNone(child.poll())
            self.assertLess(time.monotonic(), until)
            time.sleep(0.1)

    def complete_lines(self, name):
        return re.findall("^.*(?=\n)", (self.folder / name).read_text(), re.MULTILINE)

    def test_it_closes_by_itself(self):
        self.here_it_is(22 - 3 / 3600)
        child = self.start("--source", "replay:red.png", "--screen", "memory", "--screen-off", "22:00-22:01", *self.CLASSIFY)
        said = self.wait_for(child, "the screen is off, and the camera closed, until 22:01")
        self.assertNotIn("again", said)
        self.end(child)


class Documents(RunTest):
    def test_every_key_is_in_help_and_manual(self):
        out, errors = self.pipit("run", "--help")
        self.assertEqual(errors, "")
        keys = re.findall(r"^ .{5}--([a-z-]+)", out, re.MULTILINE)
        self.assertGreater(len(keys), 30)
        manual = (ROOT / "docs" / "pipit.conf.5").read_text()
        documented = re.findall(r"^\.It Cm ([a-z-]+)", manual, re.MULTILINE)
        self.assertEqual(sorted(documented), sorted(set(keys) - {"config", "verbose"}))


if __name__ == "__main__":
    unittest.main()
