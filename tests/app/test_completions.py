# SPDX-License-Identifier: MIT
"""bash, zsh and fish are offered every command and every option that --help tells of, and nothing else."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PIPIT, COMPLETIONS = sys.argv[1], pathlib.Path(sys.argv[2])


def output(*command, **options):
    environment = {**os.environ, "PATH": f"{os.path.dirname(PIPIT)}:{os.environ['PATH']}", "HOME": tempfile.gettempdir()}
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment, **options).stdout


def bash(*words):
    script = f'. {COMPLETIONS}/pipit.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); ' \
        '_pipit "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"; printf "%s\\n" "${COMPREPLY[@]}"'
    return output("bash", "-c", script, "bash", *words).split()


# What is handed to zsh's own functions, in place of a terminal.
ZSH = """
_describe() { print -rl -- ${${(P)4}%%:*} }
_arguments() { print -rl -- ${${(M)@:#-*}%%\\[*} ; print -rl -- ${${(M)@:#*:(word|what):*}##*:} }
_call_program() { shift; "$@" }
words=("$@") CURRENT=$#
"""


def zsh(*words):
    code = ZSH + (COMPLETIONS / "_pipit").read_text(encoding="utf-8").replace('_pipit "$@"', "_pipit")
    return re.sub(r"[()]", " ", output("zsh", "-f", "-c", code, "zsh", *words)).split()


def fish(*words):
    line = " ".join(words)
    script = f'source {COMPLETIONS}/pipit.fish; complete -C "{line}"'
    return [line.split("\t")[0] for line in output("fish", "-N", "-c", script).splitlines()]


class Completions(unittest.TestCase):
    shells = {"bash": bash, "zsh": zsh, "fish": fish}

    @classmethod
    def setUpClass(cls):
        for name in [name for name in cls.shells if not shutil.which(name)]:
            print(f"{name} is not here (Debian: {name})")
            del cls.shells[name]
        cls.commands = re.findall(r"^  ([a-z]+)  ", output(PIPIT, "--help"), re.M)
        cls.options = {}
        for command in cls.commands:
            text = output(PIPIT, command, "--help")
            cls.options[command] = set(re.findall(r"^  (?:-., |    )(--[a-z-]+)", text, re.M)) | set(
                re.findall(r"^  (-[a-zA-Z]), --", text, re.M)) | {"--help"}
        assert len(cls.commands) > 5 and all(len(options) > 1 for options in cls.options.values())

    def test_commands(self):
        for shell, complete in self.shells.items():
            found = set(complete("pipit", "")) | set(complete("pipit", "-"))
            self.assertEqual({word for word in found if word[:1] != "-"}, set(self.commands), shell)
            self.assertLessEqual({"--help", "--version"}, found)

    def test_options(self):
        for shell, complete in self.shells.items():
            for command in self.commands:
                found = set(complete("pipit", command, "-")) | set(complete("pipit", command, "--"))
                self.assertEqual({word for word in found if word[:1] == "-"}, self.options[command], f"{shell}: {command}")

    def test_words(self):
        for shell, complete in self.shells.items():
            self.assertLessEqual({"fit", "fill", "stretch"}, set(complete("pipit", "run", "--fit", "")), shell)
            self.assertLessEqual({"list", "fetch", "verify"}, set(complete("pipit", "models", "")), shell)

    def test_models_are_named(self):
        for complete in (bash, fish):
            if complete.__name__ in self.shells:
                self.assertIn("efficientnet-lite0", complete("pipit", "classify", "-m", ""))

    def test_example_settings_are_the_defaults(self):
        example = (COMPLETIONS.parent.parent / "docs" / "pipit.conf.example").read_text(encoding="utf-8")
        settings = re.findall(r"^#([a-z-]+) = ?(.*)$", example, re.M)
        self.assertGreater(len(settings), 5)
        for key, value in settings if "run" in self.commands else ():
            line = re.search(rf"^  (?:-., |    )--{key} .*$", output(PIPIT, "run", "--help"), re.M)
            self.assertTrue(line, f"there is no key {key}")
            if value:
                self.assertTrue(line[0].endswith(f"({value})"), f"{key} is not {value}: {line[0]}")


if __name__ == "__main__":
    program = unittest.main(argv=sys.argv[:1], exit=False)
    if not program.result.wasSuccessful():
        sys.exit(1)
    if len(Completions.shells) < 3:
        print("bash, zsh and fish are needed for all of it")
        sys.exit(77)
