/* Wine before 8.17 lacks bcryptprimitives.dll, from which Rust's standard library takes its random numbers. */
#include <windows.h>

/* RtlGenRandom */
BOOLEAN NTAPI SystemFunction036(PVOID octets, ULONG len);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE octets, SIZE_T len)
{
    while (len != 0) {
        ULONG part = len > 0x10000000 ? 0x10000000 : (ULONG)len;
        if (!SystemFunction036(octets, part))
            return FALSE;
        octets += part;
        len -= part;
    }
    return TRUE;
}
