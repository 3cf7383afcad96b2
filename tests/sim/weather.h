/* SPDX-License-Identifier: Apache-2.0
 * weather.h - what goes wrong in one simulation, and when. Each seed has some kinds of faults, at its own strength.
 *
 * Thread:  one thread in all
 */
#pragma once

#include "sim/trial.h"

/* Chooses the kinds and the strength; starts what must be so from the beginning (input that began late). */
void weather_begin(struct trial *trial, bool faults);

/* Perhaps something goes wrong now. */
void weather_step(struct trial *trial);

/* How an append that is about to land fares. */
enum fate weather_fate(struct trial *trial, enum port_topic topic, int32_t member);

/* Perhaps an offset without a record comes before the next record of the input. */
void weather_input(struct trial *trial);

/* Whether nothing lands now. */
bool weather_is_away(const struct trial *trial);

/* Nobody publishes for a while, then two do, if that is a fault of this seed: false if not. */
bool weather_rivals(struct trial *trial, int64_t vacant_ms);

/* The sky clears: nothing is refused or delayed any more. */
void weather_end(struct trial *trial);
