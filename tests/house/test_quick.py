"""What tests do quicker than the program is the same in all else."""

from __future__ import annotations

from argon2 import extract_parameters
from argon2.low_level import Type

from dialogs import source
from gateway.desk import passwords
from tests.quick import OWN_HASHER


def test_the_programs_own_hashes_cost_what_guessing_must_cost() -> None:
    cost = extract_parameters(OWN_HASHER.hash("correct horse battery"))
    assert (cost.type, cost.parallelism) == (Type.ID, 1)
    assert cost.memory_cost >= 19 * 1024
    assert cost.time_cost >= 2


def test_a_password_fits_hashes_of_either_cost() -> None:
    for stored in (OWN_HASHER.hash("correct horse battery"), passwords.hash_password("correct horse battery")):
        assert passwords._fits("correct horse battery", stored)
        assert not passwords._fits("correct horse batterz", stored)


def test_a_file_that_changes_is_taken_apart_again(tmp_path) -> None:
    file, problems = tmp_path / "flows.yml", source.Problems()
    file.write_text("a: 1\n", encoding="utf-8")
    first = source.read_file(file, "flows.yml", problems)
    first["a"] = 7
    assert source.read_file(file, "flows.yml", problems) == {"a": 1}
    file.write_text("a: 2\n", encoding="utf-8")
    assert source.read_file(file, "flows.yml", problems) == {"a": 2}
    assert problems.found == []
