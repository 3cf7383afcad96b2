/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/address.h"

#include "base/span.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64, PORT_MAX = 65535 };

static bool copy_part(const char *from, size_t length, char *out, size_t bytes)
{
    if (length == 0 || length >= bytes)
        return false;
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

bool address_split(const char *address, char *host, size_t host_bytes, char *port, size_t port_bytes)
{
    int64_t number = 0;
    const char *colon = strrchr(address, ':');
    if (!colon || !text_to_int64(text_of(colon + 1), &number) || number < 0 || number > PORT_MAX || colon[1] == '-')
        return false;
    const char *first = address;
    size_t length = (size_t)(colon - address);
    bool brackets = length >= 2 && first[0] == '[' && first[length - 1] == ']';
    if (brackets) {
        first++;
        length -= 2;
    } else if (memchr(first, ':', length) || memchr(first, '[', length) || memchr(first, ']', length)) {
        return false; /* an IPv6 address without brackets, or with one: where does it end? */
    }
    return copy_part(first, length, host, host_bytes) && copy_part(colon + 1, strlen(colon + 1), port, port_bytes);
}

static int try_listen(const struct addrinfo *address)
{
    int yes = 1;
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

enum err address_listen(const char *address, int *out_fd, struct err_info *info)
{
    char host[256];
    char port[8];
    if (!address_split(address, host, sizeof host, port, sizeof port))
        return err_set(info, ERR_CONFIG, "http.listen: \"%s\" is not an address; give host:port", address);
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    int failure = getaddrinfo(host, port, &hints, &list);
    if (failure != 0)
        return err_set(info, ERR_CONFIG, "http.listen: there is no address for \"%s\": %s", host,
                       gai_strerror(failure));
    int fd = -1;
    for (const struct addrinfo *at = list; at && fd < 0; at = at->ai_next)
        fd = try_listen(at);
    int error = errno;
    freeaddrinfo(list);
    if (fd < 0)
        return err_set(info, ERR_CONFIG,
                       "http.listen: can't listen on %s: %s; give another port, or none to switch it off", address,
                       strerror(error));
    *out_fd = fd;
    return OK;
}

int address_port(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return 0;
    memcpy(&v4, &address, sizeof v4);
    memcpy(&v6, &address, sizeof v6);
    return ntohs(address.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}
