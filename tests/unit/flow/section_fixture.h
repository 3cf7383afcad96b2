/* SPDX-License-Identifier: Apache-2.0
 * section_fixture.h - the one section of a payload.
 */
#pragma once

#include "flow/frame.h"

#include <criterion/criterion.h>

static inline struct bytes only_section(struct buffer *buffer, enum frame_section want)
{
    struct reader reader = reader_of(buffer_bytes(buffer));
    enum frame_section section;
    struct bytes bytes = {0};
    bool broken = false;
    cr_assert(frame_next_section(&reader, &section, &bytes, &broken));
    cr_assert_eq(section, want);
    cr_assert(!broken);
    struct bytes more;
    cr_assert(!frame_next_section(&reader, &section, &more, &broken));
    cr_assert(!broken);
    return bytes;
}
