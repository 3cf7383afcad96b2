/* SPDX-License-Identifier: Apache-2.0
 * print_metrics - prints docs/METRICS.md, which is made from metrics.def.
 */
#include "ops/metrics.h"

int main(void)
{
    metrics_print_document(stdout);
    return 0;
}
