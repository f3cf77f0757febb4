# SPDX-License-Identifier: MIT
"""What pipit doctor finds: models and heat as the test makes them, the rest as the machine has it."""
import unittest

from fixtures import RED, CommandTest, colours, png

ALWAYS = {"settings", "service", "camera", "screen", "permissions", "model", "heat"}


class Doctor(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("colours.tflite", colours())

    def ask(self, *arguments):
        """Its findings by name, after checking that the exit status is theirs."""
        command = ("doctor", "-m", "colours.tflite", *arguments)
        try:
            answer, = self.lines(*command)
            right = True
        except AssertionError:
            answer, = self.lines(*command, status=69)
            right = False
        self.assertEqual(set(answer), {"version", "machine", "checks"})
        for check in answer["checks"]:
            self.assertEqual(set(check), {"check", "verdict", "says", "remedy"})
            self.assertIn(check["verdict"], ("ok", "note", "wrong"))
            self.assertTrue(check["says"])
            if check["verdict"] == "wrong":
                self.assertTrue(check["remedy"])
        self.assertEqual(right, all(check["verdict"] != "wrong" for check in answer["checks"]))
        return {check["check"]: check for check in answer["checks"]}

    def test_it_looks_at_everything(self):
        found = self.ask()
        self.assertLessEqual(ALWAYS, set(found))
        self.assertIn("colours.tflite", found["model"]["says"])
        self.assertRegex(found["speed"]["says"], r"^\d+\.\d ms for one result, with \d+ threads")

    def test_a_damaged_model(self):
        self.write("cards/mine.tflite", colours())
        self.write("cards/mine.ini", "[model]\ntask = classify\n[source]\nurl = https://example.org/mine.tflite\n"
                   f"file = mine.tflite\nsha256 = {'0' * 64}\n")
        for model, word in ("mine", "damaged"), ("nosuch", "'nosuch'"):
            found = self.ask("-m", model)
            self.assertEqual(found["model"]["verdict"], "wrong")
            self.assertIn(word, found["model"]["says"])
            self.assertNotIn("speed", found)

    def test_the_precision_of_the_settings(self):
        self.write("cards/real.tflite", colours("f32"))
        self.write("cards/real.ini", "[model]\ntask = classify\nfile = real.tflite\n[input]\nmean = 0\nstd = 255\n")
        self.write("photos/red.png", png(8, 8, RED))
        for calibrate, wrong in ("", "photos like those"), ("calibrate = nowhere\n", "'nowhere': No such file"), ("calibrate = photos\n", ""):
            self.write("pipit.conf", f"model = real\nprecision = int8\n{calibrate}")
            found = self.ask("-m", "real", "--config", "pipit.conf")
            self.assertEqual(found["model"]["verdict"], "ok")
            self.assertEqual(" in int8," in found["speed"]["says"], not wrong)
            if wrong:
                self.assertIn(wrong, found["precision"]["says"])
            else:
                self.assertNotIn("precision", found)

    def test_settings_that_make_no_sense(self):
        self.write("pipit.conf", "rotaton = 90\n")
        found = self.ask("--config", "pipit.conf")
        self.assertEqual(found["settings"]["verdict"], "wrong")
        self.assertIn("pipit.conf: line 1", found["settings"]["says"])

    def test_heat_and_power(self):
        zone = "sys/class/thermal/thermal_zone0"
        self.write(f"{zone}/type", "cpu-thermal\n")
        for celsius, throttled, heat, power in (50, "0", "ok", False), (85, "0", "wrong", False), (50, "50005", "wrong", True):
            self.write(f"{zone}/temp", f"{celsius}000\n")
            self.write("sys/devices/platform/soc/soc:firmware/get_throttled", throttled)
            found = self.ask()
            self.assertEqual(found["heat"]["verdict"], heat)
            self.assertIn(f"{celsius} degrees", found["heat"]["says"])
            self.assertEqual("power" in found, power)

    def test_people_read_the_same(self):
        status = 0 if all(check["verdict"] != "wrong" for check in self.ask().values()) else 69
        out, errors = self.pipit("doctor", "-m", "colours.tflite", status=status)
        self.assertEqual(errors, "")
        self.assertTrue(out.startswith("pipit "))
        for name in ALWAYS:
            self.assertRegex(out, rf"(?m)^(ok|note|WRONG) +{name} +.")
        self.assertEqual("WRONG" in out, status != 0)


if __name__ == "__main__":
    unittest.main()
