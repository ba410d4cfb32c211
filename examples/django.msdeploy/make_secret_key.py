"""Makes data/secret_key.txt, unless it is there.

So sessions and signatures stay valid when the application is installed again.
"""

import os
import secrets

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


def main():
    """The command."""
    os.makedirs(FOLDER, exist_ok=True)
    path = os.path.join(FOLDER, "secret_key.txt")
    temporary = "%s.%d" % (path, os.getpid())
    with open(temporary, "x", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        if os.path.exists(path):
            print("kept", path)
        else:
            os.replace(temporary, path)
            print("made", path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


if __name__ == "__main__":
    main()
