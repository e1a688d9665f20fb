"""Making ZIP files, whole and damaged."""

import io
import struct
import zipfile

CENTRAL = b"PK\x01\x02"
LOCAL = b"PK\x03\x04"


def make_zip(members, compression=zipfile.ZIP_DEFLATED):
    """A ZIP of {member name: bytes}."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def patch_headers(content, local_offset, central_offset, change):
    """Change a 4- or 2-byte field in every local and central header."""
    data = bytearray(content)
    for mark, offset in ((LOCAL, local_offset), (CENTRAL, central_offset)):
        at = data.find(mark)
        while at >= 0:
            change(data, at + offset)
            at = data.find(mark, at + 4)
    return bytes(data)


def with_bad_crc(content):
    def flip(data, at):
        struct.pack_into("<I", data, at, struct.unpack_from("<I", data, at)[0] ^ 1)

    return patch_headers(content, 14, 16, flip)


def with_encrypted_flag(content):
    def encrypt(data, at):
        struct.pack_into("<H", data, at, struct.unpack_from("<H", data, at)[0] | 1)

    return patch_headers(content, 6, 8, encrypt)
