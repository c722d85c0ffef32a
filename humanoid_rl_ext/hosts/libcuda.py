"""omni.ui outside Kit names libcuda.so.1 as needed; where no NVIDIA driver brings it, a library made here stands in.

Every function of the stand-in returns CUDA_ERROR_NO_DEVICE, which is what a driver without a GPU says.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import tempfile

SONAME = "libcuda.so.1"
SYMBOLS = (
    "cuInit",
    "cuDeviceGet",
    "cuCtxCreate_v2",
    "cuCtxDestroy_v2",
    "cuDestroyExternalMemory",
    "cuExternalMemoryGetMappedBuffer",
    "cuImportExternalMemory",
    "cuMemcpyDtoH_v2",
)
"""What omni.ui's library takes from it."""
_MACHINES = {
    "x86_64": (62, bytes.fromhex("b864000000c3")),  # mov eax, 100; ret
    "aarch64": (183, bytes.fromhex("800c8052c0035fd6")),  # mov w0, 100; ret
}
"""ELF's number of the machine, and a function that returns CUDA_ERROR_NO_DEVICE."""
_PAGE = 0x10000
_FUNCTION = 16  # bytes that each function takes
_HEADER, _PROGRAM_HEADERS, _SYMBOL = 64, 4 * 56, 24


def ensure_libcuda() -> bool:
    """Whether a stand-in had to be loaded; call it before ``import omni.ui``. A driver's own library goes first."""
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return False
    try:
        ctypes.CDLL(SONAME, mode=ctypes.RTLD_GLOBAL)
        return False
    except OSError:
        pass
    descriptor, path = tempfile.mkstemp(suffix=f"-{SONAME}")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(stand_in(platform.machine()))
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)  # whoever asks for the name later gets this one
    finally:
        os.unlink(path)
    return True


def stand_in(machine: str) -> bytes:
    """A shared library (ELF, System V ABI) with ``SYMBOLS``, each a function that returns CUDA_ERROR_NO_DEVICE."""
    number, code = _MACHINES[machine]
    names, offsets = _names()
    count = len(SYMBOLS) + 1  # the first symbol of a table is empty
    symbols_at = _HEADER + _PROGRAM_HEADERS
    hash_at = symbols_at + _SYMBOL * count
    names_at = hash_at + 4 * (2 + len(SYMBOLS) + count)
    text_at = (names_at + len(names) + 15) & ~15
    text = b"".join(code.ljust(_FUNCTION, b"\0") for _ in SYMBOLS)
    readable = text_at + len(text)

    symbols = bytes(_SYMBOL)
    for index, name in enumerate(SYMBOLS):
        symbols += struct.pack("<IBBHQQ", offsets[name], 0x12, 0, 1, text_at + index * _FUNCTION, len(code))
    dynamic = b"".join(
        struct.pack("<QQ", tag, value)
        for tag, value in (
            (14, offsets[SONAME]),
            (4, hash_at),
            (5, names_at),
            (6, symbols_at),
            (10, len(names)),
            (11, _SYMBOL),
            (0, 0),
        )
    )
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 3, number, 1, 0, _HEADER, 0, 0, 64, 56, 4, 64, 0, 0)
    programs = (
        _program(1, 5, 0, readable, _PAGE)
        + _program(1, 6, _PAGE, len(dynamic), _PAGE)
        + _program(2, 6, _PAGE, len(dynamic), 8)
        + _program(0x6474E551, 6, 0, 0, 16)
    )
    image = bytearray(_PAGE + len(dynamic))
    for at, part in (
        (0, header),
        (_HEADER, programs),
        (symbols_at, symbols),
        (hash_at, _hash_table(count)),
        (names_at, names),
        (text_at, text),
        (_PAGE, dynamic),
    ):
        image[at : at + len(part)] = part
    return bytes(image)


def _names() -> tuple[bytes, dict[str, int]]:
    """The string table and where each name starts in it."""
    table, offsets = bytearray(b"\0"), {}
    for name in (SONAME, *SYMBOLS):
        offsets[name] = len(table)
        table += name.encode() + b"\0"
    return bytes(table), offsets


def _hash_table(count: int) -> bytes:
    buckets, chains = [0] * len(SYMBOLS), [0] * count
    for index, name in enumerate(SYMBOLS, 1):
        bucket = _hash(name) % len(buckets)
        chains[index], buckets[bucket] = buckets[bucket], index
    return struct.pack(f"<{2 + len(buckets) + count}I", len(buckets), count, *buckets, *chains)


def _hash(name: str) -> int:
    """The hash function of the System V ABI."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        top = value & 0xF0000000
        value = (value ^ top >> 24) & ~top & 0xFFFFFFFF
    return value


def _program(kind: int, flags: int, at: int, size: int, align: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, flags, at, at, at, size, size, align)
