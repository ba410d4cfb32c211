/* A FastCGI responder on libfcgi without Python, which answers as application.py does: what the protocol alone costs. */

#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>

static char block[1024 * 1024];

int main(void)
{
    FCGX_Request request;

    memset(block, 'm', sizeof block);
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
        return 1;
    while (FCGX_Accept_r(&request) == 0) {
        const char *path = FCGX_GetParam("PATH_INFO", request.envp);
        const char *length = FCGX_GetParam("CONTENT_LENGTH", request.envp);

        FCGX_PutS("Content-Type: text/plain\r\n", request.out);
        if (path != NULL && strcmp(path, "/megabyte") == 0) {
            FCGX_PutS("Content-Length: 1048576\r\n\r\n", request.out);
            FCGX_PutStr(block, sizeof block, request.out);
        } else if (path != NULL && strcmp(path, "/echo") == 0) {
            size_t wanted = length != NULL ? strtoul(length, NULL, 10) : 0;
            int found = FCGX_GetStr(block, wanted < sizeof block ? (int)wanted : (int)sizeof block, request.in);
            FCGX_PutS("\r\n", request.out);
            FCGX_PutStr(block, found, request.out);
        } else if (path != NULL && strcmp(path, "/chunks") == 0) {
            FCGX_PutS("Content-Length: 1024000\r\n\r\n", request.out);
            for (int number = 0; number < 1000; number++) {
                FCGX_PutStr(block, 1024, request.out);
                FCGX_FFlush(request.out);
            }
        } else {
            FCGX_PutS("Content-Length: 13\r\n\r\nHello, world!", request.out);
        }
        FCGX_Finish_r(&request);
    }
    return 0;
}
