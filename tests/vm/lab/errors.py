"""The errors of the lab and their exit status."""


class LabError(Exception):
    """A failure of the lab itself, not of a command in the guest."""

    exit_status = 125


class Skipped(LabError):
    """Something is missing on the machine: network, QEMU, a package. ctest and automake use 77 for it."""

    exit_status = 77


class GuestDied(LabError):
    """QEMU or the guest's kernel ended unexpectedly."""


class GuestTimeout(LabError):
    """A guest did not reach a state in time."""

    exit_status = 124


class CommandFailed(LabError):
    """A command that ran with check=True returned non-zero."""
