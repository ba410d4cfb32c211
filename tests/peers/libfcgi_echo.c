/* The responder that `iiswsgi-conformance --help` describes, over libfcgi. It serves the socket on file descriptor 0. */

#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
    FCGX_Request request;
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
        return 1;
    while (FCGX_Accept_r(&request) == 0) {
        const char *text;
        char *body = NULL;
        size_t filled = 0, size = 0;
        if (FCGX_GetParam("ECHO_EARLY", request.envp) == NULL) {
            for (;;) {
                int len;
                if (size - filled < 65536) {
                    size = size * 2 + 65536;
                    body = realloc(body, size);
                    if (body == NULL)
                        return 1;
                }
                len = FCGX_GetStr(body + filled, 65536, request.in);
                if (len <= 0)
                    break;
                filled += (size_t)len;
            }
        }
        text = FCGX_GetParam("ECHO_STDERR", request.envp);
        if (text != NULL)
            FCGX_PutStr(text, (int)strlen(text), request.err);
        FCGX_FPrintF(request.out, "Content-Type: text/plain\r\nX-FastCGI-Echo: stderr status early\r\n\r\n");
        for (char **pair = request.envp; *pair != NULL; pair++) {
            const char *value = strchr(*pair, '=');
            if (value == NULL)
                continue;
            FCGX_PutStr(*pair, (int)(value - *pair + 1), request.out);
            for (value++; *value != '\0'; value++)
                FCGX_FPrintF(request.out, "%02x", (unsigned char)*value);
            FCGX_PutChar('\n', request.out);
        }
        FCGX_FPrintF(request.out, "STDIN %lu\n", (unsigned long)filled);
        if (filled > 0)
            FCGX_PutStr(body, (int)filled, request.out);
        free(body);
        text = FCGX_GetParam("ECHO_STATUS", request.envp);
        /* libfcgi keeps the status of the request before. */
        FCGX_SetExitStatus(text != NULL ? atoi(text) : 0, request.out);
    }
    return 0;
}
