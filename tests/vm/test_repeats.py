# SPDX-License-Identifier: MIT
"""What happens to an appliance again and again: it leaves nothing behind, neither in pipit nor in the kernel."""
from guest import OUTPUTS, Webcam, expect, test
from test_faults import CONNECTOR, start, uptime
from test_live import settled, shown

WARM = 8     # rounds until what is allocated once is there
REPORT = 50  # rounds from one line of progress to the next
CALM = "--camera-rate 15 --inference-rate 2 --mode 640x480"  # leaves the emulated processor time for the rounds

MEMORY = "KiB of memory"
HELD = {
    "descriptors": "ls /proc/{pid}/fd | wc -l",
    "threads": "ls /proc/{pid}/task | wc -l",
    MEMORY: "awk '/^RssAnon/ {{ print $2 }}' /proc/{pid}/status",
    "dmabufs": "awk '/^Total.*objects/ {{ print $2 }}' /sys/kernel/debug/dma_buf/bufinfo",
    "framebuffers": "cat /sys/kernel/debug/dri/[0-9]*/framebuffer | grep -c '^framebuffer'",
}


def held(guest, pipit):
    """What pipit holds, and the kernel for all programs, by name."""
    commands = "; ".join(HELD.values()).format(pid=pipit.pid)
    return dict(zip(HELD, map(int, guest.sh(commands).split()), strict=True))


def grown(what, before, after):
    expect(after <= before, f"{what}: {before} before, {after} after")


def same(start, half, end, slack):
    """Memory is compared from the middle on: malloc takes its time to have pieces of all sizes."""
    for what in start:
        if what == MEMORY:
            grown(what, half[what] + slack, end[what])
        else:
            grown(what, start[what], end[what])


# said TEXT: waits until pipit says so. Not a process is started for it: in an emulated machine each takes its time.
SAID = """exec 3<{log} 4<>/run/idle; cat <&3 >/dev/null # to the end of what was said before
    said() {{
        local part line= end=$((SECONDS + {limit}))
        while :; do
            IFS= read -r part <&3; status=$?; line+=$part
            if [[ $status = 0 && $line = *"$1"* ]]; then return; fi
            if [ $status = 0 ]; then line=; continue; fi
            if [ $SECONDS -ge $end ] || ! kill -0 {pid}; then echo "pipit did not say '$1'"; exit 1; fi
            read -r -t 0.05 <&4
        done
    }}
    """


def run_rounds(guest, pipit, rounds):
    log = f"/host/logs/{pipit.log_path.parent.name}/{pipit.log_path.name}"
    said = SAID.format(log=log, pid=pipit.pid, limit=int(90 * guest.pace))
    at = len(pipit.log())
    guest.sh("[ -p /run/idle ] || mkfifo /run/idle\n" + said + "\n".join(rounds), 30 * (1 + len(rounds)))
    lines = pipit.log()[at:].count("\n")
    expect(lines >= len(rounds), f"pipit said {lines} lines in {len(rounds)} rounds")


def repeat(guest, pipit, count, one):
    """Runs the guest's script one(number) so often; what is held must be the same afterwards."""
    # Huge pages that nobody asked for come and go 2 MiB at a time.
    guest.sh("echo madvise >/sys/kernel/mm/transparent_hugepage/enabled")
    stops = sorted({0, count // 2, count, *range(REPORT, count, REPORT)})
    samples, begin = {}, 0
    for last, stop in zip([-WARM, *stops], stops):
        run_rounds(guest, pipit, [one(i) for i in range(last, stop)])
        now = uptime(guest)
        begin = begin or now
        settle(pipit)
        samples[stop] = held(guest, pipit)
        print(f"        {stop} times in {now - begin:.0f} s: {samples[stop]}", flush=True)
    guest.note("; ".join(f"{what} {samples[0][what]} then {samples[count][what]}" for what in HELD))
    same(samples[0], samples[count // 2], samples[count], 1024 if count < REPORT else 256)


def settle(pipit):
    """Pictures with names flow."""
    pipit.wait_stats(settled, "pictures", after=len(pipit.stats()) + 1)


def finish(guest, pipit, before):
    guest.compare(before, shown(guest, pipit, guest.test_name + " after"), 1, 16)
    expect(pipit.end() == 0, pipit.log())


def unplug_camera(guest, count):
    camera = Webcam(guest)
    pipit, before = start(guest, camera, more=CALM)

    def one(i):
        wait = "" if i % 2 else "said 'is gone; waiting'"
        return f"""echo unplug >{camera.fifo}; {wait}
            echo plug {i % 4} >{camera.fifo}; said 'sends pictures again'"""

    repeat(guest, pipit, count, one)
    finish(guest, pipit, before)


def stall_camera(guest, count):
    camera = Webcam(guest)
    pipit, before = start(guest, camera, more=f"{CALM} --stall 0.5")

    def one(_):
        return f"""echo stall >{camera.fifo}; said 'has sent no frame'
            echo resume >{camera.fifo}; said 'sends pictures again'"""

    repeat(guest, pipit, count, one)
    finish(guest, pipit, before)


def unplug_screen(guest, count):
    """The driver tells nobody; its event comes from here, so that pipit does not only find out when it looks again."""
    pipit, before = start(guest, Webcam(guest), more=CALM)
    event = "echo change >/sys/class/drm/card0/uevent"

    def one(_):
        return f"""echo off >{CONNECTOR}; {event}; said 'is gone; waiting'
            echo detect >{CONNECTOR}; {event}; said 'the screen is'"""

    repeat(guest, pipit, count, one)
    finish(guest, pipit, before)


PARTS = [("mirror", "no", "yes", "the settings were read again"), ("camera-rate", "15", "30", "the camera is"),
         ("mode", "640x480", "800x600", "the screen is"), ("threshold", "0.5", "0.4", "the model is")]


def settings(camera, changed=None):
    """A pipit.conf for the guest; of PARTS one may be as it is not at first."""
    lines = [f"source = v4l2:{camera.path}", "camera-size = 640x480", "camera-format = mjpeg",
             f"screen = {OUTPUTS['virtio']}", "inference-rate = 2", "model = /var/vm/models/boxes.tflite",
             "labels = /var/vm/models/boxes.txt"]
    lines += [f"{key} = {other if key == changed else first}" for key, first, other, _ in PARTS]
    return "printf '%s\\n' " + " ".join(f"'{line}'" for line in lines) + " >/run/pipit.conf"


def reload(guest, count):
    """One part after another changes, and changes back."""
    camera = Webcam(guest)
    guest.sh(settings(camera))
    pipit = guest.pipit("--config /run/pipit.conf")
    before = shown(guest, pipit, guest.test_name + " before")

    def one(i):
        key, _, _, says = PARTS[i // 2 % len(PARTS)]
        return f"{settings(camera, None if i % 2 else key)}; kill -HUP {pipit.pid}; said '{says}'"

    repeat(guest, pipit, count, one)
    finish(guest, pipit, before)


def register(name, function, few, many):
    for count, when in ((few, "all"), (many, "soak")):
        test(f"repeats: {name}, {count} times", when)(lambda guest, count=count: function(guest, count))


register("the camera is unplugged and comes back", unplug_camera, 20, 1000)
register("SIGHUP takes new settings", reload, 20, 1000)
register("the screen is unplugged and comes back", unplug_screen, 20, 100)
register("the camera stalls and goes on", stall_camera, 4, 100)
