#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the packet engine does, seen from outside.

	test/run/packet/check.py BUILD [PATTERN]

Every function whose name begins with test_ is a test; a failed check ends it. Ends with
"N passed, N failed, N skipped".
"""
import collections
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

import pcap
from pcap import Frame

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..")
TRAFFIC = os.path.join(ROOT, "hosts/packet/demo/traffic.pcap")
BUILD = os.path.abspath(sys.argv[1])
BPF = os.path.join(BUILD, "bpf")
HOME = "every reference went home"


class Skip(Exception):
    pass


def check(condition, *words):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in words))


def program(name):
    return os.path.join(BPF, name + ".bpf.o")


FLOWCACHE, SHAPER = program("packet/flowcache"), program("packet/shaper")


def packet(*args, before=()):
    done = subprocess.run([*before, os.path.join(BUILD, "hosts/packet/packet"), *args],
                          capture_output=True, text=True, timeout=120)
    done.words = done.stdout + done.stderr
    check(done.returncode in (0, 1, 2), "exit", done.returncode, done.words)
    return done


def expect(done, code, *phrases):
    check(done.returncode == code, "exit", done.returncode, "not", code, "\n" + done.words)
    for phrase in phrases:
        check(phrase in done.words, "no '%s' in\n%s" % (phrase, done.words))


def row(done, name):
    """The numbers of a program's row, by the heading above them."""
    lines = done.stdout.split("\n")
    for line in lines:
        if line.split()[:1] == [name]:
            values = re.split(r" {1,}", line.replace(" ms", "ms"))
            heads = "program packets passed dropped sent taken aborted flows hits".split()
            return {h: v if h == "program" else 0 if v == "-" else int(v)
                    for h, v in zip(heads, values)}
    raise AssertionError("no row '%s' in\n%s" % (name, done.words))


directory = None


def at(name):
    return os.path.join(directory.name, name)


def raw(name, data):
    with open(at(name), "wb") as file:
        file.write(data)
    return at(name)


def frames_of(sizes, start=1700000000 * 10**9):
    return [Frame(start + i * 1000000, bytes((i + j) & 0xff for j in range(size)))
            for i, size in enumerate(sizes)]


# ---- the command line


def test_help():
    done = packet("--help")
    expect(done, 0, "usage: packet")
    check(not done.stderr, done.stderr)


def test_wrong_usage():
    for args in ([], ["-r", TRAFFIC], [FLOWCACHE], ["--nonsense"], ["-r"],
                 ["-r", TRAFFIC, "-i", "lo", FLOWCACHE],
                 ["-r", TRAFFIC, "--repeat", "0", FLOWCACHE],
                 ["-r", TRAFFIC, "--repeat", "2x", FLOWCACHE],
                 ["-i", "lo", "--repeat", "2", FLOWCACHE]):
        expect(packet(*args), 2, "packet --help")


def test_same_file():
    path = raw("same.pcap", open(TRAFFIC, "rb").read())
    expect(packet("-r", path, "-o", path, FLOWCACHE), 2, "same file")
    check(os.path.getsize(path) == os.path.getsize(TRAFFIC))


# ---- captures that are wrong


def test_missing_files():
    expect(packet("-r", at("none.pcap"), FLOWCACHE), 2, "none.pcap", "No such file")
    expect(packet("-r", directory.name, FLOWCACHE), 2, "directory")
    expect(packet("-r", TRAFFIC, at("none.bpf.o")), 1, "none.bpf.o")
    expect(packet("-r", TRAFFIC, "-o", at("no/such/dir"), FLOWCACHE), 2, "No such file")


def test_wrong_headers():
    head = pcap.header()
    for data, phrase in ((b"", "empty"), (b"GIF89a" + bytes(40), "not a pcap file"),
                         (head[:3], "not a pcap file"), (head[:23], "its header alone"),
                         (struct.pack("<I", 0x0a0d0d0a) + bytes(40), "pcapng"),
                         (pcap.header(version=(2, 3)), "version 2.3"),
                         (pcap.header(link=101), "link type 101"),
                         (pcap.header(">", link=113), "link type 113")):
        expect(packet("-r", raw("head.pcap", data), FLOWCACHE), 2, "head.pcap", phrase)


def test_wrong_records():
    def with_record(seconds, fraction, size, wire, magic=pcap.MICRO):
        return (pcap.header(magic=magic) + pcap.record(frames_of([60])[0], "<", magic) +
                struct.pack("<IIII", seconds, fraction, size, wire) + bytes(64))
    for data, phrase in ((with_record(1, 0, 262145, 262145), "length 262145"),
                         (with_record(1, 0, 0xffffffff, 0xffffffff), "length"),
                         (with_record(1, 0, 64, 63), "captured: 63"),
                         (with_record(1, 1000000, 64, 64), "microseconds 1000000"),
                         (with_record(1, 10**9, 64, 64, pcap.NANO), "nanoseconds")):
        done = packet("-r", raw("record.pcap", data), FLOWCACHE)
        expect(done, 2, "record.pcap", "corrupt: frame 2", phrase, "1 frames read", HOME)


def test_cut_off_anywhere():
    frames = frames_of([60, 0, 70])
    whole = pcap.header() + b"".join(pcap.record(f) for f in frames)
    ends = [24, 100, 116, 202]  # of the header and of each frame
    check(ends[-1] == len(whole))
    for size in sorted({0, 1, 23, *range(24, len(whole) + 1, 11), *ends, 25, 115, 117, 201}):
        done = packet("-r", raw("cut.pcap", whole[:size]), FLOWCACHE)
        if size < 24:
            expect(done, 2, "cut.pcap")
            continue
        complete = sum(end <= size for end in ends[1:])
        if size in ends:
            expect(done, 0, "%d frames read" % complete)
        else:
            expect(done, 2, "cut off", "of frame %d" % (complete + 1), "byte %d" % size,
                   "%d frames read" % complete)
        check(not complete or HOME in done.stdout, done.words)


def test_full_disk():
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    expect(packet("-r", TRAFFIC, "-o", "/dev/full", FLOWCACHE), 2, "No space left", HOME)


# ---- frames in, frames out


def test_all_formats():
    frames = frames_of([0, 1, 13, 14, 15, 60, 1514, 9014, 65535, 262144])
    frames[5].wire = 1500  # a capture that kept only the beginning
    for order in "<>":
        for magic in (pcap.MICRO, pcap.NANO):
            frames[1].time = frames[0].time + (7 if magic == pcap.NANO else 7000)
            pcap.write(at("in.pcap"), frames, order, magic)
            done = packet("-r", at("in.pcap"), "-o", at("out.pcap"), FLOWCACHE)
            expect(done, 0, "10 frames read, 10 written", HOME)
            check(pcap.read(at("out.pcap")) == frames, order, hex(magic))
            check(open(at("out.pcap"), "rb").read(4) == struct.pack("<I", magic))


def test_time_that_goes_back():
    frames = frames_of([60, 60, 60])
    frames[1].time -= 10**9
    pcap.write(at("in.pcap"), frames)
    expect(packet("-r", at("in.pcap"), "-o", at("out.pcap"), FLOWCACHE), 0, HOME)
    times = [f.time for f in pcap.read(at("out.pcap"))]
    check(times == sorted(times), times)


def test_long_silence():
    frames = frames_of([60, 60])
    frames[1].time += 10**9 * 3600 * 24 * 365
    pcap.write(at("in.pcap"), frames)
    expect(packet("-r", at("in.pcap"), "-o", at("out.pcap"), SHAPER), 0, HOME)
    check(pcap.read(at("out.pcap")) == frames)


def test_no_frames():
    expect(packet("-r", raw("none.pcap", pcap.header()), FLOWCACHE), 0, "0 frames read", HOME)


def test_flowcache_changes_nothing():
    done = packet("-r", TRAFFIC, "-o", at("out.pcap"), "--stats", FLOWCACHE)
    expect(done, 0, HOME)
    check(pcap.read(at("out.pcap")) == pcap.read(TRAFFIC))


def test_readable_by_others():
    packet("-r", TRAFFIC, "-o", at("out.pcap"), FLOWCACHE, SHAPER)
    try:
        done = subprocess.run(["tcpdump", "-nr", at("out.pcap")], capture_output=True,
                              text=True)
    except FileNotFoundError:
        raise Skip("no tcpdump")
    check(done.returncode == 0, done.stderr)
    check(len(done.stdout.strip().split("\n")) == len(pcap.read(TRAFFIC)))


# ---- programs


def flow_of(data):
    """5-tuple of a TCP or UDP frame; None for others, as parse.h decides it."""
    if len(data) < 14:
        return None
    kind = struct.unpack_from(">H", data, 12)[0]
    if kind == 0x0800 and len(data) >= 34:
        words = data[14] & 15
        if words < 5 or struct.unpack_from(">H", data, 20)[0] & 0x1fff:
            return None
        proto, addresses, ports = data[23], data[26:34], 14 + 4 * words
    elif kind == 0x86dd and len(data) >= 54:
        proto, addresses, ports = data[20], data[22:54], 54
    else:
        return None
    if proto not in (6, 17) or len(data) < ports + 4:
        return None
    return proto, addresses, data[ports:ports + 4]


def test_flowcache_counts():
    frames = pcap.read(TRAFFIC)
    flows = collections.Counter(filter(None, (flow_of(f.data) for f in frames)))
    got = row(packet("-r", TRAFFIC, FLOWCACHE), "flowcache")
    check(got["packets"] == got["passed"] == len(frames), got)
    # A flow that closed and sent once more is looked up again, hence not exactly all.
    check(got["flows"] == len(flows), got, len(flows))
    check(0 < got["hits"] <= sum(flows.values()) - len(flows), got)
    check(got["hits"] > 0.75 * sum(flows.values()), got, sum(flows.values()))


def by_flow(frames):
    flows = collections.defaultdict(list)
    for frame in frames:
        flows[flow_of(frame.data)].append(frame)
    return flows


def conforms(frames, rate, burst, slack):
    """Whether no stretch of a flow carries more than its bucket allows."""
    tokens, last = burst + slack, frames[0].time
    for frame in frames:
        tokens = min(burst + slack, tokens + (frame.time - last) * rate / 10**6)
        last = frame.time
        if len(frame.data) > tokens:
            return False
        tokens -= len(frame.data)
    return True


def test_shaper():
    done = packet("-r", TRAFFIC, "-o", at("out.pcap"), SHAPER)
    expect(done, 0, HOME)
    got = row(done, "shaper")
    check(got["taken"] > 0 and got["aborted"] == 0, got)
    sent, given = by_flow(pcap.read(at("out.pcap"))), by_flow(pcap.read(TRAFFIC))
    check(sum(map(len, sent.values())) + got["dropped"] == got["packets"], got)
    check(sent[None] == given[None], "what is no flow was not left alone")
    shaped = 0
    for flow, frames in sent.items():
        if flow is None:
            continue
        times = [f.time for f in frames]
        check(times == sorted(times), flow)
        if not got["dropped"]:  # in order, and none twice
            check([f.data for f in frames] == [f.data for f in given[flow]], flow)
        # Tokens come a millisecond's worth at a time.
        check(conforms(frames, 16, 4096, 16), "rate exceeded", flow)
        shaped += not conforms(given[flow], 16, 4096, 16)
    check(shaped > 0, "nothing in the capture needed shaping")


def test_shaper_overflow():
    """More than fits into a queue: the rest is dropped, what waits is sent in order."""
    ip = (bytes(12) + b"\x08\x00" + bytes([0x45, 0, 3, 0xe0]) + bytes(5) + bytes([17]) +
          bytes(2) + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + struct.pack(">HHHH", 9, 9, 980, 0))
    frames = [Frame(1700000000 * 10**9 + i * 1000, (ip + struct.pack(">I", i)).ljust(1006))
              for i in range(100)]
    pcap.write(at("in.pcap"), frames)
    done = packet("-r", at("in.pcap"), "-o", at("out.pcap"), SHAPER)
    expect(done, 0, HOME)
    got = row(done, "shaper")
    # 4096 bytes at once are 4 frames; 16 wait.
    check((got["passed"], got["taken"], got["dropped"]) == (4, 16, 80), got)
    out = pcap.read(at("out.pcap"))
    check([f.data for f in out] == [f.data for f in frames[:20]])
    check(conforms(out, 16, 4096, 16))


def test_frames_left_in_maps():
    """Frames that still wait at the end go home too: 60 seconds are not waited for."""
    ip = (bytes(12) + b"\x08\x00" + bytes([0x45, 0, 0, 0]) + bytes(5) + bytes([17]) +
          bytes(2) + bytes([10, 0, 0, 1, 10, 0, 0, 2]) + struct.pack(">HHHH", 9, 9, 0, 0))
    frames = [Frame(1700000000 * 10**9 + i, ip.ljust(200000)) for i in range(5)]
    pcap.write(at("in.pcap"), frames)
    done = packet("-r", at("in.pcap"), "-o", at("out.pcap"), "--stats", SHAPER)
    expect(done, 0, "5 frames read, 0 written", "5 in fields of maps now",
           "frames: 5 made, 5 freed", HOME)


def rewritten(data):
    """What rewrite.bpf.c does to a frame; None: dropped."""
    if len(data) < 14:
        return data
    kind = struct.unpack_from(">H", data, 12)[0]
    if kind == 0x0806:
        return data[6:12] + data[:6] + data[12:]
    if kind == 0x86dd:
        return data[:54]
    if kind != 0x0800:
        return None
    if len(data) < 34:
        return data
    if data[23] == 1:
        return None
    if data[23] == 17 and len(data) >= 42 and 53 in struct.unpack_from(">HH", data, 34):
        return data
    return data[:12] + b"\x81\x00\x00\x2a" + data[12:]


def test_unmodified_program():
    done = packet("-r", TRAFFIC, "-o", at("out.pcap"), program("run/packet/rewrite"))
    expect(done, 0, HOME)
    want = [w for w in (rewritten(f.data) for f in pcap.read(TRAFFIC)) if w is not None]
    got = [f.data for f in pcap.read(at("out.pcap"))]
    for i, (w, g) in enumerate(zip(want, got)):
        check(w == g, "frame", i, w.hex(), g.hex())
    check(len(want) == len(got), len(want), len(got))
    counts = row(done, "rewrite")
    check(counts["dropped"] > 0 and counts["sent"] > 0, counts)


def test_unknown_code_aborts():
    pcap.write(at("in.pcap"), [Frame(1, bytes(12) + b"\x12\x34" + bytes(46))])
    done = packet("-r", at("in.pcap"), "-o", at("out.pcap"), program("run/packet/rewrite"))
    expect(done, 0, "0 written", HOME)
    check(row(done, "rewrite")["aborted"] == 1)


def test_bounds():
    frames = frames_of([0, 1, 13, 14, 18, 60, 1514, 262144]) + pcap.read(TRAFFIC)[:100]
    pcap.write(at("in.pcap"), frames)
    done = packet("-r", at("in.pcap"), "-o", at("out.pcap"), program("run/packet/bounds"))
    expect(done, 0, HOME)
    check(row(done, "bounds")["passed"] == len(frames), done.words)
    check([f.data for f in pcap.read(at("out.pcap"))] == [f.data for f in frames])


def test_prints():
    """What programs print is shown; arguments left out are 0."""
    pcap.write(at("in.pcap"), frames_of([60]))
    done = packet("-r", at("in.pcap"), program("run/packet/print"))
    expect(done, 0, "packet: hello\n", "packet: length 60\n", "packet: left out: 0 0 0\n")


def test_programs_in_turn():
    """Each frame meets the programs in order until one does not pass it on."""
    done = packet("-r", TRAFFIC, program("run/packet/rewrite"), FLOWCACHE)
    expect(done, 0, HOME)
    first, second = row(done, "rewrite"), row(done, "flowcache")
    check(second["packets"] == first["passed"], first, second)


def test_repeat():
    done = packet("-r", TRAFFIC, "-o", at("out.pcap"), "--repeat", "3", FLOWCACHE, SHAPER)
    expect(done, 0, HOME)
    n = len(pcap.read(TRAFFIC))
    check(row(done, "flowcache")["packets"] == 3 * n)
    out = pcap.read(at("out.pcap"))
    check(len(out) == 3 * n, len(out))
    check([f.time for f in out] == sorted(f.time for f in out))


# ---- refused programs

REFUSED = {
    "blind": "invalid access to packet",
    "borrowed": "must be referenced or trusted",
    "careless": "Unreleased reference",
    "hasty": "Possibly NULL pointer passed to trusted arg",
    "leaky": "Unreleased reference",
    "mistaken": "invalid kptr access",
    "stale": "invalid mem access 'scalar'",
}


def test_refused():
    names = {n.partition(".")[0] for n in os.listdir(os.path.join(ROOT, "hosts/packet/refused"))}
    check(names == set(REFUSED), names ^ set(REFUSED))
    for name, phrase in REFUSED.items():
        done = packet("-r", TRAFFIC, "-o", at("refused.pcap"), program("packet/refused/" + name))
        expect(done, 1, name, phrase, "%s.bpf.c:" % name)
        check(not os.path.exists(at("refused.pcap")), "output was made for", name)


def test_refused_after_good_ones():
    expect(packet("-r", TRAFFIC, FLOWCACHE, SHAPER, program("packet/refused/leaky")), 1, "leaky")


def test_not_an_object():
    expect(packet("-r", TRAFFIC, TRAFFIC), 1, "traffic.pcap")


def test_verbose_log():
    done = packet("-r", TRAFFIC, "-v", program("packet/refused/leaky"))
    expect(done, 1, "call flow_lookup", "Unreleased reference")


# ---- interfaces


def test_no_such_interface():
    done = packet("-i", "nosuchif0", FLOWCACHE)
    expect(done, 2, "nosuchif0")
    check("no such interface" in done.words or "no permission" in done.words, done.words)


def test_interface_without_permission():
    before = ()
    if os.geteuid() == 0:
        before = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        if subprocess.run([*before, "test", "-r", FLOWCACHE]).returncode:
            raise Skip("nobody cannot read the build directory")
    expect(packet("-i", "lo", FLOWCACHE, before=before), 2, "lo:", "no permission")


def is_listening(ifindex):
    with open("/proc/net/packet", encoding="ascii") as table:
        return any(line.split()[4] == str(ifindex) for line in list(table)[1:])


def listen(iface, *args):
    with open("/sys/class/net/%s/ifindex" % iface, encoding="ascii") as file:
        ifindex = int(file.read())
    reader = subprocess.Popen([os.path.join(BUILD, "hosts/packet/packet"), "-i", iface, *args],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for _ in range(1000):
        if reader.poll() is not None or is_listening(ifindex):
            break
        time.sleep(0.01)
    return reader


def test_interface():
    reader = listen("lo", FLOWCACHE)
    time.sleep(0.2)
    reader.send_signal(signal.SIGINT)
    words, _ = reader.communicate(timeout=60)
    if reader.returncode == 2 and "no permission" in words:
        raise Skip("no permission to open lo")
    check(reader.returncode == 0 and "frames read" in words and HOME in words, words)


def test_from_interface_to_interface():
    near, far = "pkt%d" % os.getpid(), "pktb%d" % os.getpid()
    made = shutil.which("ip") and not subprocess.run(
        ["ip", "link", "add", near, "type", "veth", "peer", "name", far],
        capture_output=True).returncode
    if not made:  # not root, or no ip
        raise Skip("cannot make interfaces")
    try:
        subprocess.run(["ip", "link", "set", near, "up"], check=True)
        subprocess.run(["ip", "link", "set", far, "up"], check=True)
        reader = listen(near, "-o", at("live.pcap"), FLOWCACHE)
        frames = pcap.read(TRAFFIC)[:500]
        pcap.write(at("in.pcap"), frames)
        expect(packet("-r", at("in.pcap"), "-t", far, FLOWCACHE), 0, HOME)
        time.sleep(0.5)
        reader.send_signal(signal.SIGINT)
        words, _ = reader.communicate(timeout=60)
        check(reader.returncode == 0 and HOME in words, words)
        # The interface has a few words of its own to say, between ours.
        sent = {f.data for f in frames}
        got = [f.data for f in pcap.read(at("live.pcap")) if f.data in sent]
        check(got == [f.data for f in frames], len(got))
    finally:
        subprocess.run(["ip", "link", "del", near])


# ----


def main():
    global directory
    pattern = sys.argv[2] if len(sys.argv) > 2 else ""
    counts = collections.Counter()
    for name, test in list(globals().items()):
        if not name.startswith("test_") or pattern not in name:
            continue
        with tempfile.TemporaryDirectory() as path:
            directory = type("Directory", (), {"name": path})
            os.chmod(path, 0o755)
            try:
                test()
                counts["passed"] += 1
            except Skip as why:
                print("skip %s: %s" % (name, why))
                counts["skipped"] += 1
            except Exception:
                print("FAIL %s" % name)
                traceback.print_exc(file=sys.stdout)
                counts["failed"] += 1
    print("%d passed, %d failed, %d skipped" %
          (counts["passed"], counts["failed"], counts["skipped"]))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
