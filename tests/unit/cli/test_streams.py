"""Stdout and stderr lose nothing, or say what was lost."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import contextmanager

import pytest

from reconciler.cli.streams import masked, write_unmasked
from reconciler.errors import OutputFailed


@contextmanager
def stdout_to(number, encoding="utf-8", *, unbuffered=False):
    """Replace stdout by one that Python opens on a file as it does at its start."""
    raw = io.FileIO(number, "wb", closefd=False)
    buffer = raw if unbuffered else io.BufferedWriter(raw)
    before, sys.stdout = sys.stdout, io.TextIOWrapper(buffer, encoding, write_through=unbuffered)
    try:
        yield
    finally:
        sys.stdout = before


@pytest.fixture
def file(tmp_path):
    number = os.open(tmp_path / "out", os.O_CREAT | os.O_RDWR)
    yield number
    os.close(number)


@pytest.mark.parametrize("unbuffered", [False, True])
def test_short_writes_go_on(file, monkeypatch, unbuffered):
    real = os.write
    monkeypatch.setattr(os, "write", lambda number, data: real(number, bytes(data)[:7]))
    with stdout_to(file, unbuffered=unbuffered), masked():
        sys.stdout.write("words " * 50 + "\n")
        write_unmasked(["{} " * 50])
        sys.stdout.write("end" + "\n")
        sys.stdout.flush()
    assert os.pread(file, 1000, 0).decode() == f"{'words ' * 50}\n{'{} ' * 50}end\n"


@pytest.mark.parametrize("unbuffered", [False, True])
def test_a_pipe_that_does_not_block_is_waited_for(unbuffered):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    got = bytearray()

    def read():
        while block := os.read(reader, 4096):
            got.extend(block)

    thread = threading.Thread(target=read)
    with stdout_to(writer, unbuffered=unbuffered), masked():
        thread.start()
        write_unmasked(["x" * 400_000])
    os.close(writer)
    thread.join(60)
    os.close(reader)
    assert len(got) == 400_000


@pytest.mark.parametrize("unbuffered", [False, True])
def test_a_failure_is_reported_once_and_what_follows_is_dropped(unbuffered):
    number = os.open("/dev/full", os.O_WRONLY)
    try:
        with stdout_to(number, unbuffered=unbuffered), masked():
            with pytest.raises(OutputFailed, match="cannot write to stdout: No space left"):
                write_unmasked(["x"])
            sys.stdout.write("more" + "\n")
            write_unmasked(["more"])
            sys.stdout.flush()
    finally:
        os.close(number)


def test_a_reader_that_ended_is_no_failure():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with stdout_to(writer), masked():
            sys.stdout.write("words" + "\n")
            write_unmasked(["document"])
    finally:
        os.close(writer)


def test_text_is_adapted_to_the_encoding_and_documents_are_utf_8(file):
    with stdout_to(file, "cp1252"), masked():
        sys.stdout.write("é → 瑜 \udc80" + "\n")
        write_unmasked(["é → 瑜 \udc80\n"])
        sys.stdout.flush()
    text, document = os.pread(file, 1000, 0).split(b"\n", 1)
    assert text == "é -> \\u745c \\udc80".encode("cp1252")
    assert document.decode() == "é → 瑜 \\udc80\n"


def test_streams_that_are_closed_are_replaced(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with masked():
        sys.stderr.write("lost")
        sys.stderr.flush()
        with pytest.raises(OutputFailed, match="it is closed"):
            sys.stdout.write("lost" + "\n")
