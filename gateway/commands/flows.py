"""`parley flows`: checks dialogs before customers meet them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from gateway.commands import show
from gateway.commands.installation import Installation, installation_options, json_option


@click.group
def command() -> None:
    """Check the dialogs."""


@command.command("check", short_help="Check for dead ends, long screens and more.")
@installation_options
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def check_command(*, installation: Installation, folder: Path | None, as_json: bool) -> None:
    """Check the flows in FOLDER, or those of the configuration: dead ends, screens too long for USSD, missing translations and more.

    Exit code 1 if there are errors; warnings alone do not fail.
    """
    from dialogs.linter import Level, check
    from gateway.compose import project_folder

    place = folder or project_folder(installation.settings())
    findings = check(place)
    errors = sum(finding.level is Level.ERROR for finding in findings)
    if as_json:
        show.as_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(finding)
        click.echo(f"{place} checked: {errors} errors, {len(findings) - errors} warnings.")
    if errors:
        raise click.exceptions.Exit(1)
