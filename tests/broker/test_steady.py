# SPDX-License-Identifier: Apache-2.0
"""tests/broker/steady.py on samples that are made up: it says no to what grows, and to nothing else. No broker."""

import random
import unittest

import steady

MB = 1 << 20
WINDOW = 80 / 60


def samples(minutes, leak_mb_a_minute=0.0, step_at=None, seed=1):
    """As a processor has them: 150 MB, 100 more for 15 s after each of the changes that come every 20 s, some noise."""
    chance = random.Random(seed)
    made = []
    for second in range(0, int(minutes * 60), 2):
        peak = 100 if second % 40 < 12 else 0
        step = 60 if step_at is not None and second >= step_at * 60 else 0
        number = 150 + peak + step + chance.uniform(0, 6) + leak_mb_a_minute * second / 60
        made.append((second / 60, number * MB))
    return made


class Steady(unittest.TestCase):
    def flat(self, taken):
        return steady.Flatness(taken, WINDOW, 0.05, 8 * MB)

    def test_peaks_that_come_again_and_again_are_flat(self):
        for seed in range(20):
            self.assertTrue(self.flat(samples(20, seed=seed)).is_flat())

    def test_a_leak_of_one_byte_a_record_is_found(self):
        self.assertFalse(self.flat(samples(20, leak_mb_a_minute=50000 * 60 / MB)).is_flat())

    def test_what_is_kept_once_in_the_second_half_is_found(self):
        self.assertFalse(self.flat(samples(20, step_at=14)).is_flat())

    def test_what_comes_in_the_first_half_and_stays_is_data(self):
        self.assertTrue(self.flat(samples(20, step_at=5)).is_flat())

    def test_what_shrinks_is_flat(self):
        self.assertTrue(self.flat(samples(20, leak_mb_a_minute=-3)).is_flat())

    def test_too_little_is_not_known_and_so_not_flat(self):
        flatness = self.flat(samples(4))
        self.assertFalse(flatness.is_known())
        self.assertFalse(flatness.is_flat())

    def test_slope_and_its_error_are_those_of_least_squares(self):
        slope, error = steady.line([(0, 1.0), (1, 3.0), (2, 5.0), (3, 7.0)])
        self.assertAlmostEqual(slope, 2.0)
        self.assertAlmostEqual(error, 0.0)
        slope, error = steady.line([(0, 0.0), (1, 1.0), (2, 0.0), (3, 1.0)])
        self.assertAlmostEqual(slope, 0.2)
        self.assertAlmostEqual(error, (0.8 / 2 / 5) ** 0.5)

    def test_a_window_counts_with_its_lower_quartile_and_a_rest_not_at_all(self):
        taken = [(minute / 4, float(minute)) for minute in range(1, 11)]
        self.assertEqual(steady.windows(taken, 1), [(1.0, 3.0), (2.0, 7.0)])


if __name__ == "__main__":
    unittest.main()
