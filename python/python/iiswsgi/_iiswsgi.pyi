from collections.abc import Sequence
from typing import Any, Callable, Iterable, Optional, Union

__version__: str

def main(argv: Sequence[str]) -> int: ...
def serve(
    app: Union[str, Callable[[dict[str, Any], Any], Iterable[bytes]]],
    *,
    unix: Optional[str] = None,
    unix_mode: Optional[int] = None,
    tcp: Optional[str] = None,
    threads: int = 1,
    chdir: Optional[str] = None,
    python_path: Sequence[str] = (),
    script_name: Optional[str] = None,
    log_file: Optional[str] = None,
    log_level: Optional[str] = None,
    log_json: bool = False,
    stderr_to_server: bool = False,
    buffer_body: Optional[int] = None,
    max_body: Optional[int] = None,
    max_connections: Optional[int] = None,
    read_timeout: Optional[float] = None,
    write_timeout: Optional[float] = None,
) -> None: ...
