/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/address.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

Test(address, addresses_are_taken_apart)
{
    char host[32];
    char port[8];
    cr_assert_not(address_split("", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("a", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("a:", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("a:-1", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("a:000000000001", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("[]:1", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("[::1:1", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("::1]:1", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("[00:11", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("00]:11", host, sizeof host, port, sizeof port));
    cr_assert_not(address_split("::1:1", host, sizeof host, port, sizeof port));
    cr_assert_not(
        address_split("a.name.that.does.not.fit.into.the.room.given:1", host, sizeof host, port, sizeof port));
    cr_assert(address_split("[::1]:80", host, sizeof host, port, sizeof port));
    cr_assert_str_eq(host, "::1");
    cr_assert_str_eq(port, "80");
}

Test(address, a_free_port_is_listened_on_and_then_taken)
{
    struct err_info info;
    char taken[64];
    int fd = -1;
    int second = -1;
    cr_assert_eq(address_listen("127.0.0.1:0", &fd, &info), OK, "%s", info.text);
    int port = address_port(fd);
    snprintf(taken, sizeof taken, "127.0.0.1:%d", port);

    cr_assert_gt(port, 0);
    cr_assert_eq(address_listen(taken, &second, &info), ERR_CONFIG);
    cr_assert_eq(second, -1, "it is not touched");
    cr_assert_not_null(strstr(info.text, taken), "%s", info.text);
    cr_assert_not_null(strstr(info.text, "Address already in use; give another port"), "%s", info.text);
    close(fd);
    cr_assert_eq(address_port(fd), 0, "of no socket");
}

Test(address, what_is_no_address_is_an_error)
{
    struct err_info info;
    int fd = -1;
    cr_assert_eq(address_listen("9464", &fd, &info), ERR_CONFIG);
    cr_assert_not_null(strstr(info.text, "\"9464\" is not an address; give host:port"), "%s", info.text);
    cr_assert_eq(address_listen("no.such.host.invalid:9464", &fd, &info), ERR_CONFIG);
    cr_assert_not_null(strstr(info.text, "no.such.host.invalid"), "%s", info.text);
    cr_assert_eq(fd, -1);
}
