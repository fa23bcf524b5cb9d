from __future__ import annotations

from pathlib import Path

import pytest

from dialogs.loader import load_project
from dialogs.model import Collect
from dialogs.source import ProjectWrong

FLOWS = """\
flows:
  start:
    description: The first.
    steps:
      - collect: amount
        metadata: {gateway: {typ: amount, max_attempts: many}}
      - action: utter_gone
      - collect: nowhere
      - noop: true
      - action: x
        collect: amount
      - link: lost
        next: END
  2 bad:
    steps:
      - action: action_a
        nxt: END
      - id: twice
        action: action_a
        next:
          - if: slots.amount >
            then: END
          - otherwise: END
      - id: twice
        action: action_a
        next: limbo
"""
DOMAIN = """\
slots:
  amount: {type: flot}
responses:
  utter_ask_amount:
    - {text: "How much {a b}?", channel: fax, translation: {de: "Wie viel?"}}
    - {text: "Again", buttons: [{payload: x}, {title: T, payload: "/SetSlots(nope=1)"}]}
  utter_other:
    - text: once
  utter_other:
    - text: twice
surprise: 1
"""
SETTINGS = """\
start_flow: nothing
languages: [en, fr]
remember: [absent]
timezone: Mars/Olympus
flows:
  start: {risk: big, auth: blood, steps: {ghost: {optional: true}}}
  ghost: {}
limits: {visits: 1}
words: {navigation: {jump: [x]}}
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text, "utf-8")
    return folder


def test_every_mistake_is_reported_at_once_with_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(ProjectWrong) as caught:
        load_project(write(tmp_path, flows=FLOWS, domain=DOMAIN, gateway=SETTINGS))
    found = {(problem.file, problem.line, problem.text) for problem in caught.value.problems}

    def has(file: str, line: int, part: str) -> bool:
        return any(file == where and line == at and part in text for where, at, text in found)

    expected = [
        ("flows.yml", 6, "metadata.gateway has no key 'typ'; did you mean 'type'?"),
        ("flows.yml", 6, "'max_attempts' must be a whole number"),
        ("flows.yml", 7, "there is no response 'utter_gone'"),
        ("flows.yml", 8, "there is no slot 'nowhere'"),
        ("flows.yml", 8, "there is no response 'utter_ask_nowhere'"),
        ("flows.yml", 9, "a noop step needs 'next'"),
        ("flows.yml", 10, "exactly one of"),
        ("flows.yml", 12, "there is no flow 'lost'"),
        ("flows.yml", 13, "a link step has no 'next'"),
        ("flows.yml", 14, "flow id '2 bad'"),
        ("flows.yml", 15, "needs a description"),
        ("flows.yml", 17, "no key 'nxt'; did you mean 'next'?"),
        ("flows.yml", 21, "condition 'slots.amount >'"),
        ("flows.yml", 23, "a branch is 'if' with 'then', or 'else'"),
        ("flows.yml", 24, "two steps have the id 'twice'"),
        ("flows.yml", 26, "has no step 'limbo'"),
        ("domain.yml", 2, "type 'flot' is not one of"),
        ("domain.yml", 5, "'{a b}' is no variable"),
        ("domain.yml", 5, "channel 'fax' is not known"),
        ("domain.yml", 5, "language 'de' is not one of the project's"),
        ("domain.yml", 6, "a button has a 'title'"),
        ("domain.yml", 6, "there is no slot 'nope'"),
        ("domain.yml", 9, "'utter_other' stands here twice"),
        ("domain.yml", 11, "no key 'surprise'"),
        ("gateway.yml", 1, "there is no flow 'nothing'"),
        ("gateway.yml", 3, "there is no slot 'absent'"),
        ("gateway.yml", 4, "is no time zone"),
        ("gateway.yml", 6, "'risk' is one of"),
        ("gateway.yml", 6, "auth is one of"),
        ("gateway.yml", 6, "has no step 'ghost'"),
        ("gateway.yml", 7, "there is no flow 'ghost'"),
        ("gateway.yml", 8, "limits has no key 'visits'"),
        ("gateway.yml", 9, "navigation has no key 'jump'"),
    ]
    text = "\n".join(map(str, sorted(found)))
    assert [row for row in expected if not has(*row)] == [], text
    assert caught.value.problems == tuple(sorted(caught.value.problems))


@pytest.mark.parametrize("text", ["flows: [", "- a\n- b", "\x00", "a: &x [*x]", "flows: {a: }", "flows: 7"])
def test_what_cannot_be_read_is_a_problem_and_nothing_else(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProjectWrong) as caught:
        load_project(write(tmp_path, flows=text))
    assert any(problem.file == "flows.yml" for problem in caught.value.problems)


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ProjectWrong, match="no such folder"):
        load_project(tmp_path / "nothing")


def test_yaml_is_1_2(tmp_path: Path) -> None:
    project = load_project(
        write(
            tmp_path,
            flows="flows: {start: {description: d, steps: "
            "[{set_slots: [{a: yes}, {b: 010}, {c: 12:30}, {d: 1_000}, {e: true}, {f: null}]}]}}",
            domain="slots: {a: {type: any}, b: {type: any}, c: {type: any}, d: {type: any}, e: {type: any}, f: {type: any}}",
        )
    )
    values = dict(project.flows["start"].steps[0].values)
    assert values == {"a": "yes", "b": 10, "c": "12:30", "d": 1000, "e": True, "f": None}


def test_settings_of_a_step_may_stand_in_gateway_yml_and_win(tmp_path: Path) -> None:
    project = load_project(
        write(
            tmp_path,
            flows="flows: {start: {description: d, steps: "
            "[{id: ask, collect: a, metadata: {gateway: {max_attempts: 2, optional: true}}}]}}",
            domain="slots: {a: {type: text}}\nresponses: {utter_ask_a: [{text: A?}]}",
            gateway="flows: {start: {steps: {ask: {max_attempts: 7, type: date}}}}",
        )
    )
    step = project.flows["start"].steps[0]
    assert isinstance(step, Collect)
    assert (step.max_attempts, step.optional, step.type) == (7, True, "date")


def test_a_project_redefines_patterns_and_what_they_say(tmp_path: Path) -> None:
    project = load_project(
        write(
            tmp_path,
            flows="flows: {start: &bye {description: d, steps: [{action: utter_goodbye}]}, pattern_completed: *bye}",
            domain="responses: {utter_goodbye: [{text: Bye}]}",
        )
    )
    assert len(project.flows["pattern_completed"].steps) == 1
    assert project.responses["utter_goodbye"].candidates["", "en"][0].text.literal == "Bye"
