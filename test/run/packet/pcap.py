# SPDX-License-Identifier: MIT
"""Captures for tests: written as asked for, also wrong; read back as lists of frames."""
import struct

MICRO, NANO = 0xa1b2c3d4, 0xa1b23c4d


class Frame:
    def __init__(self, time, data, wire=None):
        self.time = time  # in nanoseconds
        self.data = data
        self.wire = len(data) if wire is None else wire

    def key(self):
        return self.time, self.data, self.wire

    def __eq__(self, other):
        return self.key() == other.key()

    def __repr__(self):
        return "%d.%09d %d/%d %s" % (self.time // 10**9, self.time % 10**9, len(self.data),
                                     self.wire, self.data[:32].hex())


def header(order="<", magic=MICRO, version=(2, 4), link=1):
    return struct.pack(order + "IHHIIII", magic, *version, 0, 0, 262144, link)


def record(frame, order="<", magic=MICRO):
    unit = 1 if magic == NANO else 1000
    return struct.pack(order + "IIII", frame.time // 10**9, frame.time % 10**9 // unit,
                       len(frame.data), frame.wire) + frame.data


def write(path, frames, order="<", magic=MICRO):
    with open(path, "wb") as file:
        file.write(header(order, magic))
        for frame in frames:
            file.write(record(frame, order, magic))


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    order = "<" if data[:4] in (struct.pack("<I", MICRO), struct.pack("<I", NANO)) else ">"
    unit = 1 if struct.unpack(order + "I", data[:4])[0] == NANO else 1000
    at, frames = 24, []
    while at < len(data):
        seconds, fraction, size, wire = struct.unpack_from(order + "IIII", data, at)
        frames.append(Frame(seconds * 10**9 + fraction * unit,
                            data[at + 16:at + 16 + size], wire))
        at += 16 + size
    return frames
