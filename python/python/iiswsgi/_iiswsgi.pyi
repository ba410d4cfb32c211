from collections.abc import Sequence
from typing import Any, Callable, Iterable, Optional, Union

__all__ = [
    "__version__",
    "arguments",
    "call",
    "distribution_stem",
    "log_failure",
    "main",
    "open_log",
    "serve",
]

__version__: str

def arguments() -> str: ...
def call(argv: Sequence[str]) -> tuple[int, Optional[str], str]: ...
def distribution_stem(name: str, version: str) -> str: ...
def main(argv: Sequence[str], egg_info: Optional[str] = None) -> int: ...
def open_log(file: Optional[str] = None, level: Optional[str] = None, json: bool = False) -> None: ...
def log_failure(message: str) -> None: ...
def serve(
    app: Union[str, Callable[[dict[str, Any], Any], Iterable[bytes]]],
    *,
    unix: Optional[str] = None,
    unix_mode: Optional[int] = None,
    unix_owner: Optional[str] = None,
    tcp: Optional[str] = None,
    threads: int = 1,
    processes: Optional[int] = None,
    graceful_timeout: float = 30,
    max_requests: Optional[int] = None,
    max_requests_jitter: int = 0,
    reload: bool = False,
    reload_root: Sequence[str] = (),
    reload_file: Sequence[str] = (),
    chdir: Optional[str] = None,
    python_path: Sequence[str] = (),
    script_name: Optional[str] = None,
    log_file: Optional[str] = None,
    log_level: Optional[str] = None,
    log_json: bool = False,
    log_max_size: Optional[int] = 10485760,
    log_keep: int = 5,
    access_log: Optional[str] = None,
    access_log_format: str = "combined",
    request_id_header: Optional[str] = None,
    stderr_to_server: bool = False,
    slow_request: Optional[float] = None,
    ping_path: Optional[str] = None,
    status_path: Optional[str] = None,
    buffer_body: Optional[int] = None,
    max_body: Optional[int] = None,
    max_connections: Optional[int] = 10000,
    queue: Optional[int] = None,
    request_timeout: Optional[float] = None,
    header_timeout: Optional[float] = 60,
    idle_timeout: Optional[float] = None,
    read_timeout: Optional[float] = 60,
    write_timeout: Optional[float] = 60,
    impersonate: bool = False,
) -> None: ...
