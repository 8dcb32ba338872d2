"""Guests with real display drivers: Debian kernels in QEMU.

`boot.boot()` is the way in; README.md in the folder above shows a test written on it.
"""
