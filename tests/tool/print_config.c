/* SPDX-License-Identifier: Apache-2.0
 * print_config - prints the documents that are made from config.def: `manual` is docs/CONFIGURATION.md, `sample` is
 * deploy/dryport.conf.
 */
#include "ops/config_document.h"

#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "manual") == 0) {
        config_document_manual(stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "sample") == 0) {
        config_document_sample(stdout);
        return 0;
    }
    fprintf(stderr, "usage: print_config manual|sample\n");
    return 64;
}
