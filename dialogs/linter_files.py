"""Rules about what a project's files hold and the gateway does not use: it must not vanish without a word."""

from __future__ import annotations

from pathlib import Path

from dialogs.linter_findings import Findings
from dialogs.source import Map, Problems, Seq, read_file

_UNUSED_TOP = {
    "rules": "rules belong to the old dialogue policies; write a flow",
    "stories": "stories belong to the old dialogue policies; write a flow",
    "forms": "forms are not used; write a collect step",
    "e2e_actions": "end-to-end actions are not used",
}


def lint(folder: Path, found: Findings) -> None:
    """Note keys that have no effect here. What cannot be read is the loader's to report."""
    unread = Problems()
    for path in sorted((*folder.rglob("*.yml"), *folder.rglob("*.yaml"))):
        node = read_file(path, path.relative_to(folder).as_posix(), unread)
        for key, why in _UNUSED_TOP.items():
            if node.get(key):
                found.warning("no-effect", node.file, node.at(key), f"'{key}' has no effect: {why}")
        _flows(unread.mapping(node, "flows", "file"), found)
        _responses(unread.mapping(node, "responses", "file"), found)


def _flows(flows: Map, found: Findings) -> None:
    for flow in flows.values():
        if isinstance(flow, Map) and "always_include_in_prompt" in flow:
            text = "'always_include_in_prompt' has no effect: there is no language model here"
            found.warning("no-effect", flow.file, flow.at("always_include_in_prompt"), text)


def _responses(responses: Map, found: Findings) -> None:
    for variations in responses.values():
        for variation in variations if isinstance(variations, Seq) else ():
            metadata = variation.get("metadata") if isinstance(variation, Map) else None
            for key in ("rephrase", "rephrase_prompt"):
                if isinstance(metadata, Map) and key in metadata:
                    found.warning("no-effect", metadata.file, metadata.at(key), f"'{key}' has no effect: there is no language model here")
