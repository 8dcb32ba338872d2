"""The process of QEMU: its start and its end, the console log, and the two sockets of QEMU."""

import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from . import qemu, tools
from .channel import Channel
from .errors import GuestDied, GuestTimeout
from .options import Options, Parts
from .qmp import Qmp
from .report import tail

BOOT_SECONDS = 180.0
_TROUBLE = re.compile(r"Kernel panic|Oops|BUG:|fbemu-guest:|sysrq: Trigger")
_LAST_LINES = 40


class Machine:
    def __init__(self, options: Options, parts: Parts, folder: Path) -> None:
        self.options = options
        self.parts = parts
        self.boot_seconds = 0.0
        self._folder = folder
        self._console = folder / "console"
        self._qemu_log = folder / "qemu"
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._monitor: Qmp | None = None
        self._sockets: list[socket.socket] = []

    def start(self, kernel_line: str) -> None:
        """Starts QEMU and waits until the agent in the guest answers."""
        begin = time.monotonic()
        agent, agent_end = socket.socketpair()
        qmp, qmp_end = socket.socketpair()
        self._sockets = [agent, qmp]
        parts = self.parts
        words = [
            *parts.qemu, "-nodefaults", "-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max", "-display", "none", "-no-reboot",
            # With two processors, 3 of 130 boots died early; with one processor, none.
            "-smp", "1", "-m", str(self.options.memory_mebibytes),
            "-kernel", str(parts.kernel.image), "-initrd", str(parts.initramfs), "-append", kernel_line,
            "-drive", f"file={_escaped(parts.disk)},if=virtio,format=raw,snapshot=on",
            "-chardev", f"file,id=console,path={_escaped(self._console)}", "-serial", "chardev:console",
            "-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,fd={agent_end.fileno()}",
            "-device", "virtserialport,chardev=agent,name=fbemu.agent",
            "-chardev", f"socket,id=qmp,fd={qmp_end.fileno()}", "-mon", "chardev=qmp,mode=control",
        ]
        if self.options.resizable:
            for head in range(self.options.heads):
                words += ["-vnc", f"unix:{_escaped(self._vnc_path(head))},display={qemu.CARD_ID},head={head}"]
        setpriv = tools.find("setpriv")
        if setpriv:
            words = [setpriv, "--pdeathsig", "KILL", *words]
        with self._qemu_log.open("wb") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                             pass_fds=(agent_end.fileno(), qmp_end.fileno()))
        agent_end.close()
        qmp_end.close()
        self._channel = Channel(agent)
        self._monitor = Qmp(qmp)
        self._monitor.connect(30)
        self._wait_for_agent(begin)
        self.boot_seconds = time.monotonic() - begin

    def _vnc_path(self, head: int) -> Path:
        return self._folder / f"vnc{head}"

    def _wait_for_agent(self, begin: float) -> None:
        channel = self.channel
        with channel.changed:
            left = BOOT_SECONDS - (time.monotonic() - begin)
            if not channel.changed.wait_for(lambda: channel.hello or channel.closed, left):
                raise GuestTimeout(f"the guest did not boot within {BOOT_SECONDS:.0f} s")
            if not channel.hello:
                raise GuestDied("QEMU ended before the guest's first program ran")

    def end(self) -> None:
        """Ends QEMU in any state. The guest's changes to its disk are lost."""
        if self._process:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        if self._channel:
            self._channel.close()
        for connection in self._sockets:
            connection.close()
        self._sockets = []

    def power_off(self, timeout: float = 60.0) -> None:
        """Makes the guest power off, and waits for the end of QEMU."""
        assert self._process
        self.channel.power_off()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise GuestTimeout(f"the guest did not switch off within {timeout:.0f} s") from None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def console(self) -> str:
        """The kernel's messages so far."""
        return self._console.read_text(errors="replace") if self._console.exists() else ""

    def last_words(self) -> str:
        lines = self.console().splitlines()
        # A call trace may be longer than _LAST_LINES, and its first lines have the cause.
        trouble = next((number for number, line in enumerate(lines) if _TROUBLE.search(line)), None)
        shown = lines[-_LAST_LINES:] if trouble is None else lines[trouble:trouble + _LAST_LINES]
        words = "\n".join(["the end of the guest's console:", *("    " + line for line in shown or ["(nothing was printed)"])])
        if self._qemu_log.exists() and self._qemu_log.stat().st_size:
            words += f"\nQEMU said:\n{tail(self._qemu_log)}"
        return words

    @property
    def channel(self) -> Channel:
        """The connection to the agent, after start()."""
        assert self._channel
        return self._channel

    def qmp(self, command: str, **arguments: object) -> Any:
        """Runs a command of QEMU's machine protocol and returns its answer."""
        assert self._monitor
        return self._monitor.command(command, arguments)


def _escaped(path: Path) -> str:
    """Returns a path for QEMU, for which a single comma ends a value."""
    return str(path).replace(",", ",,")
