"""A minimal VNC client (RFC 6143 and the extension ExtendedDesktopSize), which resizes QEMU's display."""

import socket
import struct
from pathlib import Path

from .errors import GuestDied, GuestTimeout, LabError

_VERSION = b"RFB 003.008\n"
_NO_SECURITY = 1
_EXTENDED_DESKTOP_SIZE = -308
_SET_ENCODINGS, _SET_DESKTOP_SIZE = 2, 251
_FRAMEBUFFER_UPDATE = 0
# The fields of an ExtendedDesktopSize rectangle: who requested the size, and the result.
_OWN_REQUEST = 1
_DONE, _FORWARDED = 0, 4
_SECONDS = 20.0


def resize(path: Path, width: int, height: int) -> None:
    """Requests another size of the display from the server at `path`."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        try:
            connection.connect(str(path))
            _Client(connection).resize(width, height)
        except TimeoutError:
            raise GuestTimeout("QEMU's VNC server did not answer in time") from None
        except OSError as error:
            raise GuestDied(f"QEMU's VNC server cannot be talked to: {error}") from None


class _Client:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._read(len(_VERSION))
        self._send(_VERSION)
        if _NO_SECURITY not in self._read(self._read(1)[0]):
            raise LabError("QEMU's VNC server wants a password")
        self._send(bytes((_NO_SECURITY,)))
        if self._unpack(">I")[0]:
            raise LabError("QEMU's VNC server refused the connection")
        self._send(b"\1")  # The connection is shared.
        *_, name_length = self._unpack(">HH16sI")
        self._read(name_length)

    def resize(self, width: int, height: int) -> None:
        self._send(struct.pack(">BxHi", _SET_ENCODINGS, 1, _EXTENDED_DESKTOP_SIZE))
        screen = struct.pack(">IHHHHI", 0, 0, 0, width, height, 0)
        self._send(struct.pack(">BxHHBx", _SET_DESKTOP_SIZE, width, height, 1) + screen)
        outcome = self._outcome()
        if outcome not in (_DONE, _FORWARDED):
            raise LabError(f"QEMU refused the size {width}x{height}: status {outcome}")

    def _outcome(self) -> int:
        """Returns the result of the request. Sizes that the guest sets in the meantime are ignored."""
        while True:
            kind, rectangles = self._unpack(">BxH")
            if kind != _FRAMEBUFFER_UPDATE:
                raise LabError(f"QEMU's VNC server sent a message of an unexpected kind, {kind}")
            for _ in range(rectangles):
                whose, status, _width, _height, encoding = self._unpack(">HHHHi")
                if encoding != _EXTENDED_DESKTOP_SIZE:
                    raise LabError(f"QEMU's VNC server sent an encoding that was not asked for, {encoding}")
                (screens,) = self._unpack(">Bxxx")
                self._read(16 * screens)
                if whose == _OWN_REQUEST:
                    return int(status)

    def _send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def _unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self._read(struct.calcsize(form)))

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._connection.recv(count - len(data))
            if not more:
                raise ConnectionResetError("it closed the connection")
            data += more
        return data
