"""QEMU's machine protocol: one JSON object per line."""

import json
import socket
from collections.abc import Mapping
from typing import Any

from .errors import GuestDied, GuestTimeout, LabError


class Qmp:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._pending = b""

    def connect(self, timeout: float) -> None:
        self._connection.settimeout(timeout)
        self._message()  # the greeting
        self.command("qmp_capabilities", {})

    def command(self, name: str, arguments: Mapping[str, object], timeout: float = 60.0) -> Any:
        """Runs a command and returns its answer. Events are ignored."""
        self._connection.settimeout(timeout)
        try:
            self._connection.sendall(json.dumps({"execute": name, "arguments": dict(arguments)}).encode() + b"\n")
        except TimeoutError:
            raise GuestTimeout(f"QEMU did not take {name} in {timeout:.0f} s") from None
        except OSError:
            raise GuestDied(f"QEMU ended before it got {name}") from None
        while True:
            answer = self._message()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise LabError(f"QEMU refused {name}: {answer['error'].get('desc')}")

    def _message(self) -> dict[str, Any]:
        while b"\n" not in self._pending:
            try:
                data = self._connection.recv(65536)
            except TimeoutError:
                raise GuestTimeout("QEMU did not answer in time") from None
            except OSError:
                data = b""
            if not data:
                raise GuestDied("QEMU ended")
            self._pending += data
        line, self._pending = self._pending.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message
