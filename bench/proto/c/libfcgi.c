/* libfcgi over memory: each request is read from the same octets, and what is written is counted and dropped. */

#include <string.h>
#include <fcgi_config.h>
#include <fcgiapp.h>

static const char *source;
static size_t source_len, source_taken, written;

/* Stands in for libfcgi's OS_Read: a socket with one request in it. */
int __wrap_OS_Read(int fd, char *buffer, size_t len)
{
    size_t left = source_len - source_taken;
    (void)fd;
    if (len > left)
        len = left;
    memcpy(buffer, source + source_taken, len);
    source_taken += len;
    return (int)len;
}

/* Stands in for libfcgi's OS_Write: a socket that takes everything. */
int __wrap_OS_Write(int fd, char *buffer, size_t len)
{
    (void)fd;
    (void)buffer;
    written += len;
    return (int)len;
}

/* Serves `count` requests on one connection; the octets of output, or 0 for a failure. */
size_t bench_libfcgi(const char *request, size_t request_len, const char *name, const char *reply, int reply_len,
                     size_t count)
{
    FCGX_Request state;
    size_t number;
    source = request;
    source_len = request_len;
    written = 0;
    FCGX_Init();
    if (FCGX_InitRequest(&state, 0, 0) != 0)
        return 0;
    /* A connection that is there already, and is kept: nothing is accepted. */
    state.ipcFd = 1000000;
    state.keepConnection = 1;
    for (number = 0; number < count; number++) {
        source_taken = 0;
        if (FCGX_Accept_r(&state) != 0)
            return 0;
        if (FCGX_GetParam(name, state.envp) == NULL)
            return 0;
        if (FCGX_PutStr(reply, reply_len, state.out) != reply_len)
            return 0;
        FCGX_Finish_r(&state);
    }
    return written;
}
