/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/stop.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

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

static sigset_t hangup_signal(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    return signals;
}

void stop_hold_hangup(void)
{
    sigset_t signals = hangup_signal();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

bool stop_hangup_came(void)
{
    sigset_t signals = hangup_signal();
    struct timespec at_once = {0, 0};
    return sigtimedwait(&signals, NULL, &at_once) > 0;
}

static void end_at_once(int number)
{
    static const char line[] =
        "{\"level\":\"warn\",\"event\":\"stopped_at_once\",\"message\":\"a second signal, or the "
        "stop took too long; what is not in the journal is counted again at the next start\"}\n";
    (void)number;
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(0);
}

void stop_at_next(void)
{
    struct sigaction action = {.sa_handler = end_at_once};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    alarm(STOP_SECONDS_MOST);
    sigset_t signals = stop_signals();
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}
