#!/usr/bin/env python3
"""Compares the answers of the kernel's own framebuffer with those of fbemu's: tests/vm/lab/differential.py.

    python3 tests/vm/test_differential.py -v [Class[.test]]...

FBEMU_DIFFERENTIAL_OUTPUT=DIR keeps the answers there, one file for each kernel, ABI and front end.
"""

import os
import sys
import unittest
from pathlib import Path
from typing import ClassVar

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab import differential, fbemu  # noqa: E402
from lab.boot import boot  # noqa: E402
from lab.differential import Answers, Difference, Where  # noqa: E402
from lab.guest import Guest  # noqa: E402
from lab.options import Options  # noqa: E402
from lab.suite import main  # noqa: E402

# A virtual screen of twice the height on both sides, because otherwise the kernel's emulation cannot pan.
OVERALLOC = "drm_kms_helper.drm_fbdev_overalloc=200"
VIRTUAL = ["--virtual", "1280x1600"]
# Graphics mode, as programs that draw set it. Otherwise the kernel's text console redraws itself in half of the cases.
GRAPHICS = "import fcntl; fcntl.ioctl(open('/dev/tty1', 'w'), 0x4B3A, 1)"
LEAST_CASES = 400
# The long group "put" runs with 64 bits alone. A fb_var_screeninfo consists of 32-bit words, so it is the same for both ABIs. Neither the
# kernel (fb_compat_ioctl) nor fbemu handles FBIOPUT_VSCREENINFO of a 32-bit program in another way. The group "state" makes this call
# with 32 bits, with its flags and with panning.
GROUPS = {"64": ("put", "state", "call", "file"), "32": ("state", "call", "file")}
# CUSE has neither file positions nor mappings. The same code answers the calls of both front ends, and CUSE itself is the same in all
# three kernels. So the long groups run once.
CUSE_GROUPS = {"6.1": ("call",), "6.12": ("put", "state", "call"), "7.2": ("call",)}


def cuse_groups(kernel: str, abi: str) -> tuple[str, ...]:
    return tuple(group for group in CUSE_GROUPS[kernel] if group in GROUPS[abi])


def kernel_options(kernel: str) -> Options:
    return Options(kernel=kernel, gpu="virtio", kernel_fbdev=True, kernel_args=OVERALLOC)


def fbemu_options(kernel: str) -> Options:
    return Options(kernel=kernel, gpu="virtio")


def ask(guest: Guest, where: Where, path: str, *groups: str) -> Answers:
    remote = f"/root/differential{where.abi}"
    guest.write_file(remote, differential.program(int(where.abi)), 0o755)
    done = guest.run([remote, path, *groups], timeout=1800, check=False)
    keep = os.environ.get("FBEMU_DIFFERENTIAL_OUTPUT")
    if keep:
        Path(keep, f"{where.kernel}.{where.abi}.{where.front_end}").write_bytes(done.stdout)
    assert done.status == 0, f"{where}: {done.text[-500:]}"
    return differential.parse_answers(done.text)


class AgainstTheKernel(unittest.TestCase):
    """Runs the cases on both sides once; the tests compare the answers."""

    kernels: ClassVar[dict[tuple[str, str], Answers]] = {}
    fbemus: ClassVar[dict[Where, Answers]] = {}

    @classmethod
    def setUpClass(cls) -> None:
        for kernel in differential.KERNELS:
            with boot(kernel_options(kernel)) as guest:
                guest.run(["python3", "-c", GRAPHICS])
                for abi in differential.ABIS:
                    cls.kernels[kernel, abi] = ask(guest, Where(kernel, abi, "kernel"), "/dev/fb0", *GROUPS[abi])
            with boot(fbemu_options(kernel)) as guest:
                daemon = fbemu.start(guest, fbemu.find_build(None), VIRTUAL)
                guest.run("mknod /tmp/fb c 29 0")
                for abi in differential.ABIS:
                    cls.fbemus[Where(kernel, abi, "file")] = ask(guest, Where(kernel, abi, "file"), daemon.node, *GROUPS[abi])
                    cls.fbemus[Where(kernel, abi, "cuse")] = ask(guest, Where(kernel, abi, "cuse"), "/tmp/fb", *cuse_groups(kernel, abi))
                assert daemon.stop() == 0, daemon.log

    def test_enough_is_asked(self) -> None:
        for where, answers in self.kernels.items():
            self.assertGreaterEqual(len(answers), LEAST_CASES, where)
        for (kernel, abi), answers in self.kernels.items():
            self.assertEqual(list(answers), list(self.fbemus[Where(kernel, abi, "file")]))

    def test_nothing_hangs(self) -> None:
        hung = [f"{where}: {case}" for where, answers in [*self.kernels.items(), *self.fbemus.items()]
                for case, answer in answers.items() if "HANG" in answer]
        self.assertEqual(hung, [])

    def test_differences_are_those_of_the_list(self) -> None:
        found: list[Difference] = []
        for where, answers in self.fbemus.items():
            found += differential.compare(where, self.kernels[where.kernel, where.abi], answers)
        problems = differential.review(differential.parse_differences(differential.DIFFERENCES.read_text()), found, dict(self.fbemus))
        if problems:
            self.fail(f"{len(problems)} problems; what is right belongs into tests/vm/differences.txt:\n" + "\n".join(problems))

    def test_features_are_those_of_the_table(self) -> None:
        for feature in differential.parse_features(differential.FEATURES.read_text()):
            for kernel in differential.KERNELS:
                with self.subTest(feature=feature.name, kernel=kernel):
                    self.assertEqual(feature.word_for(self.kernels[kernel, feature.abi][feature.case]), feature.kernels[kernel])
                    ours = self.fbemus[Where(kernel, feature.abi, feature.front_end)]
                    self.assertEqual(feature.word_for(ours[feature.case]), feature.fbemu)


if __name__ == "__main__":
    main([*map(kernel_options, differential.KERNELS), *map(fbemu_options, differential.KERNELS)])
