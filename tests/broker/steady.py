# SPDX-License-Identifier: Apache-2.0
"""Is what was measured over a long time flat? Pure functions over samples (minutes, number): tests/broker/test_steady.py shows that they can say no.

Memory of a processor goes up when partitions come and are restored, and down again; how far up is chance. So each window of time, as long as one round
of what happens again and again, counts with its lower quartile: what is there when nothing special happens. A leak lifts that, a peak does not.
"""

import math


def quartile(numbers):
    """The lower one."""
    return sorted(numbers)[(len(numbers) - 1) // 4]


def windows(samples, minutes):
    """[(middle in minutes, lower quartile)] of consecutive windows, counted back from the last sample; a rest at the beginning is left out."""
    if not samples:
        return []
    end, begin, made = samples[-1][0], samples[0][0], []
    while end - minutes >= begin:
        inside = [number for at, number in samples if end - minutes < at <= end]
        if inside:
            made.append((end - minutes / 2, quartile(inside)))
        end -= minutes
    return made[::-1]


def line(points):
    """(slope, its standard error) by least squares; the error is infinite with fewer than three points."""
    count = len(points)
    if count < 2:
        return 0.0, math.inf
    mean_at = sum(at for at, _ in points) / count
    mean = sum(number for _, number in points) / count
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    slope = sum((at - mean_at) * (number - mean) for at, number in points) / spread
    if count < 3:
        return slope, math.inf
    rest = sum((number - mean - slope * (at - mean_at)) ** 2 for at, number in points)
    return slope, math.sqrt(rest / (count - 2) / spread)


class Flatness:
    """What the second half of some samples does: `rise` from its begin to its end, against `most`."""

    def __init__(self, samples, window_minutes, share, least):
        half = [sample for sample in samples if sample[0] >= samples[-1][0] / 2]
        points = windows(half, window_minutes)
        self.minutes = half[-1][0] - half[0][0]
        self.count = len(points)
        self.mean = sum(number for _, number in points) / len(points) if points else 0.0
        self.slope, self.error = line(points)
        self.rise = self.slope * self.minutes
        self.most = max(share * self.mean, least)

    def is_known(self):
        return self.count >= 3

    def is_flat(self):
        return self.is_known() and self.rise <= self.most
