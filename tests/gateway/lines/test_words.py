"""What callers, and people of ours who are called for them, hear around a queue: in each language of the project, whatever is set."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.problems import ConfigWrong
from tests.channels.demo import demo_with
from tests.channels.voice_twilio.calling import CHANNEL, answer, heard, ring
from tests.gateway.desk.signed import Signed, signed_in
from tests.gateway.lines.queued import IN, Api, claim, out, wait, work
from tests.gateway.running import Running, running

WORDS = {
    "fr": (
        "Un instant, je vous passe un collègue.",
        "Vous êtes numéro 2 dans la file. Restez en ligne, s'il vous plaît. Pour laisser un message ou être rappelé, appuyez sur 1.",
        "Merci d'avoir patienté. Un collègue prend votre appel.",
        "Appuyez sur 1 pour le prendre.",
        "Désolé, notre collègue n'a pas répondu. Restez en ligne, s'il vous plaît.",
        "Tous nos collègues sont occupés.",
    ),
    "sw": (
        "Subiri kidogo, nakuunganisha na mwenzangu.",
        "Wewe ni namba 2 kwenye foleni. Tafadhali subiri. Kuacha ujumbe au kupigiwa simu, bonyeza 1.",
        "Asante kwa kusubiri. Mwenzetu anapokea simu yako.",
        "Bonyeza 1 kuipokea.",
        "Samahani, mwenzetu hakujibu. Tafadhali subiri.",
        "Wenzetu wote wana shughuli.",
    ),
}


@pytest.mark.parametrize("language", WORDS)
async def test_all_that_is_heard_around_a_queue_is_in_the_language_of_the_caller(
    parley: Running, desk: Signed, api: tuple[Api, str], language: str
) -> None:
    menu = await ring(parley, CallStatus="ringing")
    await parley.gateway.store.write(lambda tx: tx.execute("update party set language = ?", (language,)))
    through = await answer(parley, menu, Digits="0")
    said = [heard(through)]
    said.append(heard(await wait(parley, through[1])))
    await claim(desk, (await work(parley))[0])
    fetched = await ring(parley, api[0].asked[0][1]["Url"], **IN)
    said.append(heard(fetched))
    leg = {"CallSid": "CA" + "9" * 32, "Direction": "outbound-dial", "From": "+254711082000", "To": "+254711082112"}
    said.append(heard(await ring(parley, fetched[1][0].attrib["url"], **leg)))
    back = await ring(parley, fetched[1].attrib["action"], **IN, DialCallStatus="busy")
    said.append(heard(back))
    said.append(heard(await out(parley, back[1], "leave")))
    assert [text if words in text else None for text, words in zip(said, WORDS[language], strict=True)] == said


@pytest.mark.parametrize(
    ("dial", "problem"),
    [
        ("general queue:", "dial"),
        ("general queue:a b", "dial"),
        (f"general queue:{'q' * 65}", "dial"),
        ("general queue", "dial"),
        ("general 0711082112", "dial"),
        ("queue:general", "dial"),
        ('general queue:a", "general queue:b', "dial names a queue twice"),
        ('* queue:a", "* +254711082112', "dial names a queue twice"),
        ("biling queue:billing", "desk.queues has no biling, whose callers are put through"),
        ("biling +254711082112", "desk.queues has no biling, whose callers are put through"),
    ],
)
async def test_a_mistake_in_where_callers_are_put_through_is_told_at_the_start(tmp_path: Path, dial: str, problem: str) -> None:
    with pytest.raises(ConfigWrong, match=rf"channels\.line.*{problem}"):
        async with running(tmp_path / "data", config=demo_with(tmp_path, f'{CHANNEL}dial = ["{dial}"]\n')):
            pass


@pytest.mark.parametrize("more", ["", 'music = "https://music.example/soft.mp3?a=1&b=2"\nvoices = ["en-GB Polly.Amy", "sw-KE"]\n'])
async def test_documents_are_whole_whatever_voice_and_music_there_is(tmp_path: Path, api: tuple[Api, str], more: str) -> None:
    config = demo_with(tmp_path, f'{CHANNEL}api_base = "{api[1]}"\ndial = ["general queue:helpers"]\n{more}')
    async with running(tmp_path / "data", config=config) as parley, signed_in(parley) as desk:
        through = await answer(parley, await ring(parley, CallStatus="ringing"), Digits="0")
        document = await wait(parley, through[1])
        assert [node.text for node in document.iter("Play")] == (["https://music.example/soft.mp3?a=1&b=2"] if more else [])
        assert await claim(desk, (await work(parley))[0]) == "rings"
        assert (await ring(parley, api[0].asked[0][1]["Url"], **IN))[1].tag == "Dial"
