"""A person, a call and a billing system that answers as it was told, for the tests of the bridge to actions."""

from core.model.capabilities import Family
from core.model.dialog import RunAction
from dialogs.actions import ActionPerson

PERSON = ActionPerson("party-1", Family.USSD, "sw", msisdn="+254722000111", customer_no="C7")


class Billing:
    """A backend that answers what it was told to and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def request(self, method, path, *, json=None, key=None, timeout_s):
        self.asked.append((method, path, json, key, timeout_s))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def call(name, slots=None, **more):
    return RunAction(name, "key-1", {"slots": slots or {}}, **more)


RASA = """
    import asyncio
    from typing import Any

    from rasa_sdk import Action, Tracker
    from rasa_sdk.events import ConversationPaused, SlotSet
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.interfaces import ActionExecutionRejection

    class Greet(Action):
        def name(self):
            return "action_greet"

        async def run(self, dispatcher, tracker, domain):
            known = tracker.latest_message["metadata"]
            dispatcher.utter_message(response="utter_hello", name=tracker.get_slot("name"))
            dispatcher.utter_message(text="again")
            domain["slots"]["name"] = "changed"
            tracker.slots["name"] = "changed"
            return [SlotSet("greeted", [tracker.sender_id, known["msisdn"], known["key"]]), ConversationPaused()]

    class Domain(Action):
        def name(self):
            return "action_domain"

        def run(self, dispatcher, tracker, domain):
            return [SlotSet("seen", domain["slots"]["name"])]

    class Reject(Action):
        def name(self):
            return "action_reject"

        async def run(self, dispatcher, tracker, domain):
            raise ActionExecutionRejection("action_reject", "no thanks")

    class Hang(Action):
        def name(self):
            return "action_hang"

        async def run(self, dispatcher, tracker, domain):
            await asyncio.Event().wait()

    class Break(Action):
        def name(self):
            return "action_break"

        async def run(self, dispatcher, tracker, domain):
            raise RuntimeError(tracker.get_slot("name"))
"""
