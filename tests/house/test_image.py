"""The image file: it copies what exists, installs with hashes, and does not run as root."""

from __future__ import annotations

import re

from tests.house.sources import PACKAGES, ROOT

LINES = [line.strip() for line in (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines() if line.strip()]


def of(instruction: str) -> list[str]:
    return [line.partition(" ")[2] for line in LINES if line.startswith(f"{instruction} ")]


def test_what_it_copies_exists_and_is_let_through() -> None:
    sources = [copied.split()[0] for copied in of("COPY") if not copied.startswith("--from")]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(let_through) == sorted(sources)
    assert set(PACKAGES) <= set(sources)


def test_packages_are_installed_with_hashes_in_a_stage_of_their_own() -> None:
    installs = [line for line in of("RUN") if re.search(r"\binstall\b.*-r ", line)]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert len(of("FROM")) == 2


def test_it_runs_as_nobody_special_and_tells_how_it_is() -> None:
    assert of("USER") == ["parley"]
    assert "/healthz" in of("HEALTHCHECK")[0]
    assert of("CMD") == ['["run"]']
    assert LINES.index("USER parley") < LINES.index('ENTRYPOINT ["parley"]')


def test_its_environment_is_made_of_settings() -> None:
    from config.environment import OTHERS, variables

    named = set(re.findall(r"\b(PARLEY_\w+)=", " ".join(of("ENV"))))
    assert named <= {name for name, _, _, _ in variables()} | set(OTHERS)
