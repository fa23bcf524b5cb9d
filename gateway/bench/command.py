"""`parley bench`: measures the gateway on this machine, in one run with what it is compared to."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from gateway.bench.kinds import KINDS
from gateway.bench.load import LoadFailed
from gateway.bench.paths import PATHS as GENERAL
from gateway.bench.paths import Bench, cores, measure_yardsticks
from gateway.bench.process import NotStarted
from gateway.bench.report import lines
from gateway.cli import Failed
from gateway.commands import show

PATHS = {**GENERAL, **KINDS}
_KEYS = ("path", "rps", "p50_ms", "p99_ms", "ratio", "budget", "met", "cpu_us", "memory_mb", "seconds")


@click.command
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--seconds", type=click.FloatRange(0.2, 600), metavar="N", default=5.0, show_default=True, help="How long each path is loaded."
)
@click.option(
    "--chats", type=click.IntRange(1, 20_000), metavar="N", default=1_000, show_default=True, help="Web chats to open for `chats`."
)
@click.option(
    "--store-size",
    type=click.IntRange(100, 10_000_000),
    metavar="N",
    help="Load a store of N customers with ten messages each, and measure on it too; 1000000 takes some minutes and 8 GB.",
)
@click.option("--paths", "--only", "paths", metavar="NAMES", help=f"Only these, with commas between: {', '.join(PATHS)}.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the measured stores are made; the disk counts.  [default: /tmp]",
)
def command(*, as_json: bool, seconds: float, chats: int, store_size: int | None, paths: str | None, folder: Path | None) -> None:
    """Measure the speed of the gateway on this machine.

    Each path is measured on one core with full durability, and set in relation to a bare aiohttp handler in the same run. Exit code 1 if
    a budget is missed.
    """
    chosen = paths.split(",") if paths else [name for name in PATHS if name != "store" or store_size]
    unknown = sorted(set(chosen) - PATHS.keys())
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(PATHS)}", param_hint="--paths")
    results = []
    with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=folder) as scratch:
        bench = Bench(Path(scratch), seconds, chats, store_size or 100_000, lambda text: click.echo(text, err=True), *cores())
        try:
            for measure in (measure_yardsticks, *(PATHS[name] for name in chosen)):
                for result in measure(bench):
                    results.append(result)
                    click.echo(f"measured: {result.path}", err=True)
        except (LoadFailed, NotStarted) as failed:
            raise Failed(str(failed)) from None
    if as_json:
        show.as_json([{key: asdict(result)[key] for key in _KEYS} for result in results])
    else:
        click.echo("\n".join(lines(results)))
    if any(result.met is False for result in results):
        raise click.exceptions.Exit(1)
