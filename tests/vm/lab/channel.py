"""The host's end of the agent's port (tests/vm/guest/agent): starts commands in the guest and receives their output."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence

from .errors import GuestDied, GuestTimeout

_HEADER = struct.Struct(">BII")
_CHUNK = 65536
_RUN, _STDIN, _SIGNAL, _RESIZE, _POWER_OFF = b"R"[0], b"I"[0], b"S"[0], b"Z"[0], b"P"[0]
_HELLO, _STDOUT, _STDERR, _EXIT, _NOTIFY = b"H"[0], b"O"[0], b"E"[0], b"X"[0], b"N"[0]

Sink = Callable[[bytes], None]


class Job:
    """A command that runs, or ran, in the guest."""

    def __init__(self, channel: "Channel", number: int, what: str, on_stdout: Sink | None, on_stderr: Sink | None) -> None:
        self.what = what
        self._channel = channel
        self._number = number
        self._sinks = {_STDOUT: on_stdout, _STDERR: on_stderr}
        self._output = {_STDOUT: bytearray(), _STDERR: bytearray()}
        self._notices = b""
        self._status: int | None = None

    @property
    def stdout(self) -> bytes:
        """The output so far; empty if there is an on_stdout."""
        with self._channel.changed:
            return bytes(self._output[_STDOUT])

    @property
    def stderr(self) -> bytes:
        with self._channel.changed:
            return bytes(self._output[_STDERR])

    @property
    def notices(self) -> bytes:
        """The sd_notify messages of the command."""
        return self._notices

    @property
    def status(self) -> int | None:
        """The exit status (128 + N for signal N), or None while it runs."""
        return self._status

    def wait(self, timeout: float) -> int:
        """Waits for the end and returns the exit status."""
        self.wait_for(lambda: self._status is not None, timeout, "end")
        assert self._status is not None
        return self._status

    def wait_output(self, text: bytes, timeout: float) -> None:
        """Waits until the standard output contains `text`. Raises GuestDied if the command ends without it."""
        self.wait_for(lambda: text in self._output[_STDOUT] or self._status is not None, timeout, f"print {text!r}")
        if text not in self._output[_STDOUT]:
            raise GuestDied(f"{self.what} ended with status {self._status} and did not print {text!r}: "
                            f"{bytes(self._output[_STDERR]).decode(errors='replace').strip()}")

    def wait_for(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        """Waits for a condition on the output or the status of commands. Other conditions do not wake it: see Guest.wait_for()."""
        with self._channel.changed:
            if not self._channel.changed.wait_for(lambda: condition() or self._channel.closed, timeout):
                raise GuestTimeout(f"{self.what} did not {what} within {timeout:.0f} s")
            if not condition():
                raise GuestDied(f"the guest ended before {self.what} did {what}")

    def write(self, data: bytes) -> None:
        """Writes to the standard input of a command that was started with stdin=True."""
        for start in range(0, len(data), _CHUNK):
            self._channel.send(_STDIN, self._number, data[start:start + _CHUNK])

    def close_stdin(self) -> None:
        self._channel.send(_STDIN, self._number)

    def signal(self, number: int) -> None:
        """Sends a signal to the process group of the command."""
        self._channel.send(_SIGNAL, self._number, str(number).encode())

    def resize(self, rows: int, columns: int) -> None:
        self._channel.send(_RESIZE, self._number, json.dumps([rows, columns]).encode())

    def _take(self, kind: int, data: bytes) -> None:
        if kind == _EXIT:
            self._status = int(data)
        elif kind == _NOTIFY:
            self._notices += data + b"\n"
        else:
            sink = self._sinks[kind]
            if sink:
                sink(data)
            else:
                self._output[kind] += data


class Channel:
    def __init__(self, connection: socket.socket) -> None:
        self.changed = threading.Condition()
        self.closed = False
        self.hello = False
        self._connection = connection
        self._sending = threading.Lock()
        self._jobs: dict[int, Job] = {}
        self._next = 1
        self._reader = threading.Thread(target=self._read, name="guest channel", daemon=True)
        self._reader.start()

    def start(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: str, stdin: bool, terminal: tuple[int, int] | None,
              notify: bool, on_stdout: Sink | None, on_stderr: Sink | None) -> Job:
        with self.changed:
            number = self._next
            self._next += 1
            job = Job(self, number, argv[0], on_stdout, on_stderr)
            self._jobs[number] = job
        request = {"argv": list(argv), "env": dict(env), "cwd": cwd, "stdin": stdin, "terminal": terminal, "notify": notify}
        self.send(_RUN, number, json.dumps(request).encode())
        return job

    def power_off(self) -> None:
        self.send(_POWER_OFF, 0)

    def send(self, kind: int, number: int, data: bytes = b"") -> None:
        try:
            with self._sending:
                self._connection.sendall(_HEADER.pack(kind, number, len(data)) + data)
        except OSError:
            raise GuestDied("the guest ended while it was talked to") from None

    def close(self) -> None:
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # The other end closed the connection first.
        self._reader.join()
        self._connection.close()

    def _read(self) -> None:
        try:
            while header := self._exactly(_HEADER.size):
                kind, number, length = _HEADER.unpack(header)
                self._dispatch(kind, number, self._exactly(length) if length else b"")
        finally:
            with self.changed:
                self.closed = True
                self.changed.notify_all()

    def _exactly(self, count: int) -> bytes:
        """Returns `count` bytes, or nothing if the guest ended."""
        data = bytearray()
        while len(data) < count:
            try:
                more = self._connection.recv(count - len(data))
            except OSError:
                more = b""
            if not more:
                return b""
            data += more
        return bytes(data)

    def _dispatch(self, kind: int, number: int, data: bytes) -> None:
        with self.changed:
            if kind == _HELLO:
                self.hello = True
            elif number in self._jobs:
                self._jobs[number]._take(kind, data)
                if kind == _EXIT:
                    del self._jobs[number]
            self.changed.notify_all()
