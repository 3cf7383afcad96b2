/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/cell.h"

static const char *const flow_names[] = {
    [FLOW_M] = "M", [FLOW_X] = "X", [FLOW_RM] = "RM", [FLOW_RX] = "RX", [FLOW_T] = "T",
};

const char *flow_name(uint32_t flow)
{
    if (flow == 0)
        return "";
    return flow <= FLOW_T ? flow_names[flow] : "?";
}

bool flow_of_name(struct text name, enum flow *out)
{
    for (uint32_t flow = FLOW_M; flow <= FLOW_T; flow++) {
        if (text_is(name, flow_names[flow])) {
            *out = (enum flow)flow;
            return true;
        }
    }
    return false;
}
