# SPDX-License-Identifier: MIT
"""Options, help, and where output goes."""
import os
import subprocess
import unittest

from fixtures import GREEN, RED, CommandTest, colours, png

COMMANDS = ("classify", "detect", "infer", "info", "bench", "models", "devices")


class Usage(CommandTest):
    def test_help_is_on_standard_output(self):
        out, _ = self.pipit("--help")
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", out)
            own, errors = self.pipit(command, "--help")
            self.assertTrue(own.startswith(f"usage: pipit {command} "), own)
            self.assertEqual(errors, "")

    def test_version_names_the_cpu(self):
        self.assertRegex(self.pipit("--version")[0], r"^pipit \d+\.\d+\.\d+ \(cpu: [a-z0-9,]+\)\n$")

    def test_nothing_to_do(self):
        out, errors = self.pipit(status=64)
        self.assertEqual(out, "")
        self.assertIn("--help", errors)

    def test_nearest_names(self):
        self.assertIn("'classify'", self.pipit("clasify", status=64)[1])
        self.assertIn("'--threads'", self.pipit("bench", "x", "--thread5", "1", status=64)[1])
        self.assertIn("'--json'", self.pipit("classify", "--jsn", "x", status=64)[1])
        self.assertIn("'verify'", self.pipit("models", "verfy", status=64)[1])
        self.assertIn("--help", self.pipit("classify", "--zzzzzzzzz", "x", status=64)[1])

    def test_options_of_other_commands_are_unknown(self):
        self.pipit("classify", "--threshold", "0.5", "x", status=64)
        self.pipit("models", "list", "--runs", "3", status=64)

    def test_values_that_make_no_sense(self):
        for option, values in {
                "--threads": ("0", "65", "-1", "two", "", "1.5", "99999999999999999999"), "--cpu-mask": ("mmx", ""),
                "--precision": ("half", "f64", ""),
                "-k": ("0", "-3", "many"), "--mean": ("a", "1,2", "1,2,3,4", "nan", "inf", "1,,2"),
                "--std": ("0", "1,0,1", "nan"), "--fit": ("squeeze",), "--labels": ("",), "-m": ("",)}.items():
            for value in values:
                with self.subTest(option=option, value=value):
                    self.pipit("classify", option, value, "x.png", status=64)
        for value in ("1.1", "-0.1", "nan", "high", ""):
            self.pipit("detect", "--threshold", value, "x.png", status=64)
        for option in ("--runs", "--warmup"):
            self.pipit("bench", "x", option, "-1", status=64)
        self.pipit("bench", "x", "--runs", "0", status=64)

    def test_missing_values_and_arguments(self):
        self.pipit("classify", "-m", status=64)
        for arguments in (["classify"], ["detect"], ["infer"], ["infer", "m"], ["info"], ["bench"], ["models"],
                          ["info", "a", "b"], ["models", "list", "a"], ["models", "fetch"], ["models", "jump"],
                          ["classify", "--mean", "1", "x"], ["classify", "--std", "1", "x"], ["infer", "m", "i"]):
            with self.subTest(arguments=arguments):
                self.assertNotEqual(self.pipit(*arguments, status=64)[1], "")

    def test_options_may_come_last_and_end_with_two_dashes(self):
        self.write("m.tflite", colours())
        self.write("-k.png", png(9, 9, RED))
        out, _ = self.pipit("classify", "-m", "m.tflite", "./-k.png", "-k", "1")
        self.assertEqual(len(out.splitlines()), 2)
        out, _ = self.pipit("classify", "-m", "m.tflite", "-k", "1", "--", "-k.png")
        self.assertEqual(len(out.splitlines()), 2)


class Streams(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("m.tflite", colours())
        self.write("red.png", png(9, 9, RED))

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            for arguments in (["classify", "-m", "m.tflite", "red.png"], ["info", "m.tflite", "--json"], ["--help"]):
                errors = self.pipit(*arguments, status=74, stdout=full)[1]
                self.assertEqual(errors, "pipit: cannot write to standard output: No space left on device\n")

    def test_a_closed_standard_output_is_told(self):
        self.pipit("classify", "-m", "m.tflite", "red.png", "-o", "drawn.png", status=74,
                   preexec_fn=lambda: os.close(1))
        self.assertEqual((self.folder / "drawn.png").read_bytes()[:4], b"\x89PNG")

    def test_a_closed_standard_input_is_an_unreadable_photo(self):
        self.pipit("classify", "-m", "m.tflite", "-", status=66, stdin=None, preexec_fn=lambda: os.close(0))

    def test_a_reader_that_leaves_is_no_message(self):
        command = self.command("classify", "-m", "m.tflite", *["red.png"] * 50)
        with subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            child.stdout.close()
            self.assertEqual(child.stderr.read(), b"")
            self.assertNotEqual(child.wait(), 0)

    def test_no_colour_and_no_control_characters_in_a_pipe(self):
        self.write("a\x1b[31m\nb.png", png(9, 9, GREEN))
        out, _ = self.pipit("classify", "-m", "m.tflite", "a\x1b[31m\nb.png")
        self.assertNotIn("\x1b", out)
        _, errors = self.pipit("classify", "-m", "m.tflite", "no\x1bsuch", status=66)
        self.assertNotIn("\x1b", errors)

    def test_the_program_starts_itself_again_without_spinning_threads(self):
        del self.environment["OMP_WAIT_POLICY"]
        self.assertIn("class 0", self.pipit("classify", "-m", "m.tflite", "red.png")[0])


if __name__ == "__main__":
    unittest.main()
