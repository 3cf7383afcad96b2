/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/stop.h"

#include <signal.h>
#include <time.h>

static bool is_stopped;

static sigset_t stop_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

void stop_install(void)
{
    sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool stop_requested(void)
{
    sigset_t signals = stop_signals();
    struct timespec at_once = {0, 0};
    if (!is_stopped && sigtimedwait(&signals, NULL, &at_once) > 0)
        is_stopped = true;
    return is_stopped;
}

bool stop_requested_again(void)
{
    static bool again;
    sigset_t signals = stop_signals();
    struct timespec at_once = {0, 0};
    if (is_stopped && !again && sigtimedwait(&signals, NULL, &at_once) > 0)
        again = true;
    return again;
}
