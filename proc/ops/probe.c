/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/probe.h"

#include "ops/address.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { HOST_BYTES = 256, PORT_BYTES = 8, URL_BYTES = 512 };

/* What a listener on all addresses is reached by from its own host. */
static const char *reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static enum err make_url(const char *listen, bool is_tls, const char *path, char out[static URL_BYTES],
                         struct err_info *info)
{
    char host[HOST_BYTES];
    char port[PORT_BYTES];
    if (listen[0] == '\0')
        return err_set(info, ERR_CONFIG, "http.listen is empty: there is no listener to ask");
    if (!address_split(listen, host, sizeof host, port, sizeof port))
        return err_set(info, ERR_CONFIG, "http.listen: \"%s\" is not an address; give host:port", listen);
    if (strcmp(port, "0") == 0)
        return err_set(info, ERR_CONFIG, "http.listen: port 0 is any free one, nobody else knows which; give a port");
    const char *at = reachable(host);
    bool is_v6 = strchr(at, ':') != NULL;
    snprintf(out, URL_BYTES, "http%s://%s%s%s:%s%s", is_tls ? "s" : "", is_v6 ? "[" : "", at, is_v6 ? "]" : "", port,
             path);
    return OK;
}

/* libcurl gives the body in pieces: the first line is kept, the rest is let go. */
static size_t keep_line(char *piece, size_t size, size_t count, void *self)
{
    struct probe_answer *answer = self;
    size_t used = strlen(answer->text);
    size_t room = sizeof answer->text - 1 - used;
    size_t length = size * count < room ? size * count : room;
    if (!memchr(answer->text, '\n', used))
        memcpy(answer->text + used, piece, length);
    return size * count;
}

static CURLcode ask(CURL *curl, const char *url, const char *certificate, int64_t timeout_ms,
                    struct probe_answer *answer)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (code == CURLE_OK && certificate) /* it is the listener's own, whatever name it is asked by */
        code = curl_easy_setopt(curl, CURLOPT_CAINFO, certificate);
    if (code == CURLE_OK && certificate)
        code = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_line);
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (code == CURLE_OK)
        code = curl_easy_perform(curl);
    return code;
}

enum err probe_ask(const char *listen, const char *certificate, const char *path, int64_t timeout_ms,
                   struct probe_answer *out, struct err_info *info)
{
    char url[URL_BYTES];
    if (certificate && !certificate[0])
        certificate = NULL;
    TRY(make_url(listen, certificate != NULL, path, url, info));
    CURL *curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    if (!curl)
        return err_set(info, ERR_FATAL, "libcurl can't be started: out of memory");
    struct probe_answer answer = {0};
    CURLcode code = ask(curl, url, certificate, timeout_ms, &answer);
    long status = 0;
    if (code == CURLE_OK)
        code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    if (code != CURLE_OK)
        return err_set(info, ERR_PEER, "%s: %s", url, curl_easy_strerror(code));
    answer.status = (int)status;
    answer.text[strcspn(answer.text, "\r\n")] = '\0';
    *out = answer;
    return OK;
}
