/* python3.dll has nothing of its own: all of it is forwarded. */
typedef int nothing;
