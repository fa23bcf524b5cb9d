"""The teeth of the linter: one small broken project for each rule, and its shipped library without a finding."""

import textwrap
from pathlib import Path

import pytest

from dialogs.library import telecom
from dialogs.linter import Level, check, lint
from dialogs.loader import load_project

GOOD = """
flows:
  start:
    description: the only flow
    nlu_trigger: [{intent: begin}]
    steps:
      - collect: amount
      - action: utter_done
slots:
  amount: {type: float}
  sure: {type: bool}
  kind: {type: categorical, values: [red, blue]}
  note: {type: text}
responses:
  utter_ask_amount: [{text: How much?}]
  utter_done: [{text: "Done: {amount}."}]
  utter_ask_sure: [{text: Are you sure?}]
  utter_ask_note: [{text: What is it?}]
nlu:
  - intent: begin
    examples: |
      - begin
"""

TELECOM = Path(telecom.__file__).parent
ERROR, WARNING = Level.ERROR, Level.WARNING


def found_in(folder, files):
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text))
    return check(folder)


def flow(steps, *, name="start", more=""):
    """Write a flow with these steps; the first of them stands in line 6 + the lines of `more`."""
    head = f"flows:\n  {name}:\n    description: a flow\n    nlu_trigger: [{{intent: begin}}]\n{more}    steps:\n"
    return head + textwrap.indent(textwrap.dedent(steps).strip("\n"), "      ") + "\n"


def response(*variations, name="utter_done"):
    return f"responses:\n  {name}:\n" + "".join(f"    - {variation}\n" for variation in variations)


LONG = "word " * 33  # 165 characters

CASES = {
    "unreachable-step": (ERROR, "f.yml", 8, flow("- collect: amount\n  next: END\n- action: utter_done")),
    "no-else": (ERROR, "f.yml", 6, flow("- collect: amount\n  next:\n    - if: slots.amount > 3\n      then: END")),
    "else-not-last": (
        ERROR,
        "f.yml",
        6,
        flow("- collect: amount\n  next:\n    - else: END\n    - if: slots.amount > 3\n      then: END"),
    ),
    "nested-end": (
        ERROR,
        "f.yml",
        9,
        flow("- collect: amount\n  next:\n    - if: slots.amount > 3\n      then: [{action: utter_done}]\n    - else: END"),
    ),
    "endless-circle": (ERROR, "f.yml", 7, flow("- collect: amount\n- id: a\n  action: action_try\n  next: a")),
    "link-in-called-flow": (
        ERROR,
        "f.yml",
        11,
        flow("- collect: amount\n- call: other") + "  other:\n    description: another\n    steps:\n      - link: start\n",
    ),
    "recursion": (ERROR, "f.yml", 7, flow("- collect: amount\n- call: start")),
    "link-circle": (
        ERROR,
        "f.yml",
        6,
        flow("- link: other") + "  other:\n    description: another\n    steps:\n      - link: start\n",
    ),
    "persisted-slot": (ERROR, "f.yml", 3, flow("- collect: amount", more="    persisted_slots: [kind]\n")),
    "never-starts": (
        ERROR,
        "f.yml",
        8,
        flow("- collect: amount") + "  hidden:\n    description: nobody's\n    if: False\n    steps:\n      - action: utter_done\n",
    ),
    "same-intent": (
        ERROR,
        "f.yml",
        8,
        flow("- collect: amount")
        + "  second:\n    description: the same\n    nlu_trigger: [{intent: begin}]\n    steps:\n      - action: utter_done\n",
    ),
    "unknown-action": (ERROR, "f.yml", 7, flow("- collect: amount\n- action: action_that_nobody_wrote")),
    "unknown-slot": (
        ERROR,
        "f.yml",
        6,
        flow("- collect: amount\n  next:\n    - if: slots.amuont > 3\n      then: END\n    - else: END"),
    ),
    "bad-name": (ERROR, "f.yml", 6, flow("- collect: amount\n  next:\n    - if: amount > 3\n      then: END\n    - else: END")),
    "slow-pattern": (
        ERROR,
        "f.yml",
        6,
        flow('- collect: note\n  rejections:\n    - if: slots.note matches "(a+)+b"\n      utter: utter_done'),
    ),
    "value-type": (ERROR, "f.yml", 6, flow("- set_slots: [{amount: much}]\n- collect: amount\n  ask_before_filling: true")),
    "plain-secret": (ERROR, "f.yml", 6, flow("- collect: note\n  metadata: {gateway: {type: pin}}")),
    "kept-secret": (
        ERROR,
        "f.yml",
        7,
        flow("- collect: note\n  metadata: {gateway: {sensitive: true}}", more="    persisted_slots: [note]\n"),
    ),
    "unknown-channel": (ERROR, "base.yml", 4, None),
    "no-general-variation": (ERROR, "r.yml", 2, response("{text: Done., channel: ussd}")),
    "unknown-variable": (ERROR, "r.yml", 3, response('{text: "Done: {amuont}."}')),
    "too-long-ussd": (ERROR, "r.yml", 2, response(f"{{text: {LONG}}}")),
    "too-long-sms": (ERROR, "r.yml", 2, response("{text: Done.}", f"{{channel: sms, text: {LONG * 3}}}")),
    "unspoken-signs": (WARNING, "r.yml", 2, response("{text: Done.}", '{channel: ivr, text: "Press # to repeat."}')),
    "too-long-voice": (ERROR, "r.yml", 2, response("{text: Done.}", f"{{channel: ivr, text: {LONG + LONG}}}")),
    "teaches-opt-out": (ERROR, "r.yml", 2, response("{text: Done. Reply STOP to end this.}")),
    "option-opts-out": (ERROR, "r.yml", 2, response("{text: Done., buttons: [{title: Cancel, payload: /begin}]}")),
    "actions": (ERROR, "actions.py", 2, "x = 1\nimport a_module_that_is_not_there\n"),
    "structure": (ERROR, "f.yml", 7, flow("- collect: amount\n- action: utter_dune")),
    "no-confirmation": (WARNING, "base.yml", 4, None),
    "no-auth-flow": (WARNING, "base.yml", 4, None),
    "no-examples": (WARNING, "f.yml", 3, flow("- collect: amount").replace("begin", "commence")),
    "only-conditional": (WARNING, "r.yml", 2, response("{text: Done., condition: [{type: slot, name: sure, value: true}]}")),
    "no-translation": (WARNING, "r.yml", 3, None),
    "ussd-pages": (
        WARNING,
        "r.yml",
        2,
        response("{text: " + "word " * 31 + ", buttons: [{title: First, payload: /begin}, {title: Second, payload: /begin}]}"),
    ),
    "not-gsm7": (WARNING, "r.yml", 2, response("{text: Fini ça.}")),
    "voice-options": (
        WARNING,
        "r.yml",
        2,
        response("{text: Done., buttons: [" + ", ".join(f"{{title: B{n}, payload: /begin}}" for n in range(11)) + "]}"),
    ),
    "no-effect": (WARNING, "stories.yml", 1, "stories: [{story: old}]\n"),
}
SPECIAL = {
    "unknown-channel": {"gateway.yml": "start_flow: start\nflows: {start: {channels: [fax]}}\n"},
    "no-confirmation": {"gateway.yml": "start_flow: start\nflows: {start: {risk: money}}\n"},
    "no-auth-flow": {"gateway.yml": "start_flow: start\nflows: {start: {auth: proved}}\n"},
    "no-translation": {"gateway.yml": "languages: [en, sw]\n", "r.yml": response("{text: Done.}")},
}


def test_a_good_project_has_no_findings(tmp_path):
    assert found_in(tmp_path, {"base.yml": GOOD}) == []


@pytest.mark.parametrize("code", CASES)
def test_every_rule_bites_once_and_at_its_place(tmp_path, code):
    level, file, line, text = CASES[code]
    files = {"base.yml": GOOD, **(SPECIAL.get(code) or {file: text})}
    if code == "no-translation":
        files["base.yml"] = (
            GOOD.partition("responses:")[0]
            + "responses:\n  utter_ask_amount: [{text: How much?, translation: {sw: Kiasi?}}]\n"
            + ("nlu:\n  - intent: begin\n    examples: |\n      - begin\n")
        )
    if file == "f.yml":
        files["base.yml"] = GOOD.partition("slots:")[1] + GOOD.partition("slots:")[2]
    findings = [finding for finding in found_in(tmp_path, files) if finding.code == code]
    assert [(finding.level, finding.file, finding.line) for finding in findings] == [(level, file, line)], findings


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ('slots.amount = "ten"', "not a text"),
        ("slots.note > 3", "not a number"),
        ("slots.sure = 1", "not a number"),
        ('slots.sure = "true"', "not a text"),
        ("slots.note is true", "never true"),
        ("slots.amount > null", "greater or less than null"),
        ('slots.kind = "green"', "never 'green'"),
        ('slots.kind is not "green"', "never 'green'"),
    ],
)
def test_a_condition_that_does_not_fit_the_type_of_its_slot(tmp_path, condition, why):
    text = flow(f"- collect: amount\n  next:\n    - if: {condition}\n      then: END\n    - else: END")
    findings = found_in(tmp_path, {"base.yml": GOOD.partition("slots:")[1] + GOOD.partition("slots:")[2], "f.yml": text})
    assert [(finding.code, finding.line) for finding in findings] == [("condition-type", 6)]
    assert why in findings[0].text


@pytest.mark.parametrize(
    "condition",
    ["slots.amount >= 3.5", 'slots.kind = "RED"', "slots.sure", "not slots.sure is true", "slots.note is null", "slots.amount is not null"],
)
def test_a_condition_that_fits_is_left_alone(tmp_path, condition):
    text = flow(f"- collect: amount\n  next:\n    - if: {condition}\n      then: END\n    - else: END")
    assert found_in(tmp_path, {"base.yml": GOOD.partition("slots:")[1] + GOOD.partition("slots:")[2], "f.yml": text}) == []


@pytest.mark.parametrize(
    "steps",
    [
        "- id: a\n  action: action_open_case\n- collect: sure\n  ask_before_filling: true\n  next: a",
        "- id: a\n  action: action_open_case\n- call: asks\n  next: a",
    ],
)
def test_a_circle_in_which_somebody_is_asked_is_fine(tmp_path, steps):
    asks = "  asks:\n    description: asks\n    if: False\n    steps:\n      - collect: sure\n"
    callers = flow(steps) + (asks if "call" in steps else "")
    files = {"base.yml": GOOD.partition("slots:")[1] + GOOD.partition("slots:")[2], "f.yml": callers}
    assert found_in(tmp_path, files) == []


def test_a_circle_over_a_called_flow_that_may_ask_nothing_is_found(tmp_path):
    silent = """
      asks:
        description: asks now and then
        if: False
        steps:
          - action: action_open_case
            next:
              - if: slots.sure
                then: END
              - else:
                  - collect: sure
                    next: END
    """
    text = flow("- id: a\n  action: action_open_case\n- call: asks\n  next: a") + textwrap.indent(textwrap.dedent(silent), "  ").lstrip(
        "\n"
    )
    findings = found_in(tmp_path, {"base.yml": GOOD.partition("slots:")[1] + GOOD.partition("slots:")[2], "f.yml": text})
    assert {finding.code for finding in findings} == {"endless-circle"}


def test_a_flow_that_is_not_for_a_channel_may_say_what_is_too_long_for_it(tmp_path):
    long = response(f"{{text: {LONG}}}")
    settings = "start_flow: start\nflows: {start: {channels: [web]}}\n"
    assert found_in(tmp_path, {"base.yml": GOOD, "r.yml": long, "gateway.yml": settings}) == []


def test_everything_is_reported_at_once_in_order(tmp_path):
    text = flow("- collect: amount\n  next: END\n- action: utter_done\n  next:\n    - if: slots.note > 3\n      then: END")
    files = {
        "base.yml": GOOD.partition("slots:")[1] + GOOD.partition("slots:")[2],
        "f.yml": text,
        "stories.yml": "stories: [{story: old}]\n",
    }
    findings = found_in(tmp_path, files)
    assert [(finding.file, finding.line, finding.code) for finding in findings] == [
        ("f.yml", 8, "condition-type"),
        ("f.yml", 8, "no-else"),
        ("f.yml", 8, "unreachable-step"),
        ("stories.yml", 1, "no-effect"),
    ]
    assert str(findings[1]) == "f.yml:8: error: the branches after step '1_action_utter_done' have no 'else' [no-else]"


def test_a_folder_that_is_not_there_is_a_finding(tmp_path):
    assert {finding.code for finding in check(tmp_path / "nowhere")} == {"structure"}


def test_the_shipped_library_is_clean():
    assert check(TELECOM) == []


def test_the_patterns_of_the_package_pass_the_rules_too():
    """Findings in them are hidden from authors, so they are looked at here."""
    project = load_project(TELECOM)
    assert [finding for finding in lint(project) if finding.level is ERROR] == []
