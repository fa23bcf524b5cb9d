"""A content is what its bytes are: names and claims count for nothing, what could act is only kept, what is too large is not shown."""

from __future__ import annotations

import struct
import time

import pytest

from gateway.media.types import detect, dimensions, served_as
from tests.gateway.media.provider import png

OPAQUE = "application/octet-stream"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xc0\x00\x11\x08\x00\x20\x00\x40\x03" + b"\x00" * 20
GIF = b"GIF89a" + struct.pack("<HH", 64, 32) + b"\x00" * 10
WEBP_LOSSY = b"RIFF\x00\x00\x00\x00WEBPVP8 \x00\x00\x00\x00\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 64, 32) + b"\x00" * 8
WEBP_LOSSLESS = b"RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00\x2f" + struct.pack("<I", 63 | 31 << 14) + b"\x00" * 8
WEBP_LARGE = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\x3f\x00\x00" + b"\x1f\x00\x00" + b"\x00" * 4
ISO = b"\x00\x00\x00\x20ftyp"


@pytest.mark.parametrize(
    ("content", "kind", "served"),
    [
        (png(), "image/png", "image/png"),
        (JPEG, "image/jpeg", "image/jpeg"),
        (GIF, "image/gif", "image/gif"),
        (WEBP_LOSSY, "image/webp", "image/webp"),
        (WEBP_LOSSLESS, "image/webp", "image/webp"),
        (WEBP_LARGE, "image/webp", "image/webp"),
        (b"OggS\x00\x02" + b"\x00" * 20 + b"\x01\x13OpusHead", "audio/ogg", "audio/ogg"),
        (b"ID3\x03\x00", "audio/mpeg", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg", "audio/mpeg"),
        (b"#!AMR\n", "audio/amr", "audio/amr"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav", "audio/wav"),
        (ISO + b"M4A ", "audio/mp4", "audio/mp4"),
        (ISO + b"isom", "video/mp4", "video/mp4"),
        (ISO + b"3gp4", "video/3gpp", "video/3gpp"),
        (b"\x1aE\xdf\xa3\x01", "video/webm", "video/webm"),
        (b"%PDF-1.7\n", "application/pdf", "application/pdf"),
        ("Dear all, ça va?\r\n".encode(), "text/plain", "text/plain"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD", "text/plain", "text/plain"),
        (ISO + b"heic", "image/heic", OPAQUE),
        (b"PK\x03\x04" + b"\x00" * 20, "application/zip", OPAQUE),
        (b"MZ\x90\x00", "application/x-msdownload", OPAQUE),
        (b"\x7fELF\x02", "application/x-executable", OPAQUE),
        (b"#!/bin/sh\nrm -rf x", "text/x-script", OPAQUE),
        (b"<!DOCTYPE html><p>x", "text/html", OPAQUE),
        (b"  \n\xef\xbb\xbf<HTML>", "text/html", OPAQUE),
        (b"harmless words, then <script>alert(1)</script>", "text/html", OPAQUE),
        (b"x" * 5_000 + b"<script>", OPAQUE, OPAQUE),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="x"/>', "text/html", OPAQUE),
        (b"<svg onload=alert(1)>", "text/html", OPAQUE),
        ("<script>".encode("utf-16"), OPAQUE, OPAQUE),
        ("<script>".encode("utf-7"), "text/html", OPAQUE),
        (b"\x00\x01\x02", OPAQUE, OPAQUE),
        (b"text with \x00 in it", OPAQUE, OPAQUE),
        (b"\xff\xfe\xfa\xfb", OPAQUE, OPAQUE),
    ],
)
def test_a_content_is_what_it_begins_with(content: bytes, kind: str, served: str) -> None:
    assert (detect(content), served_as(content)) == (kind, served)


@pytest.mark.parametrize("content", [JPEG, GIF, WEBP_LOSSY, WEBP_LOSSLESS, WEBP_LARGE, png(64, 32)])
def test_the_size_of_a_picture_is_read_from_its_head(content: bytes) -> None:
    assert dimensions(content, detect(content)) == (64, 32)


@pytest.mark.parametrize(
    "content",
    [
        png(50_000, 50_000), png(50_000, 1), png(16_000, 16_000), png(0, 5), b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", JPEG[:20],
        b"\xff\xd8\xff\xda" + JPEG[20:], b"\xff\xd8\xff\xe0\x00\x00" + JPEG[20:], b"RIFF\x00\x00\x00\x00WEBPnone" + b"\x00" * 20,
        JPEG[:39] + b"\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03" + b"\x00" * 20,
    ],
)  # fmt: skip
def test_a_picture_of_no_size_or_too_large_a_one_is_not_shown(content: bytes) -> None:
    assert served_as(content) == OPAQUE


def test_hostile_heads_cost_no_time() -> None:
    begun = time.thread_time()
    marks = b"\xff\xd8\xff" + b"\xff\xe0\x00\x02" * 1_000_000
    for content in (b"\xff\xd8" + b"\xff" * 5_000_000, marks, b"<" * 1_000_000, b"a" * 5_000_000):
        served_as(content)
    assert time.thread_time() - begun < 2
