"""The scripted model replays; a transcript finds its place from the conversation."""

import json

import pytest

from tests.agent.company import FakeSkill, looks, request, run
from tests.agent.test_first_slice import OOM
from tests.agent.test_loop import GUESS
from tests.llm.messages_api import call
from workers.agent import own_tools, page
from workers.llm.base import ModelError, estimate_tokens
from workers.llm.scripted import Scripted, from_file

HELLO = [{"role": "user", "content": [{"type": "text", "text": "why?"}]}]


@pytest.mark.parametrize("lines", [True, False])
def test_a_transcript_file_is_replayed(tmp_path, lines):
    replies = [[call("conclude", GUESS)]]
    path = tmp_path / "oom.json"
    path.write_text("\n".join(map(json.dumps, replies)) if lines and len(replies) > 1 else json.dumps(replies))
    finding = run(request(), FakeSkill(sees=looks(OOM)), model=from_file(path))
    assert (finding.verdict, finding.used.model) == ("incident", "scripted:oom")


def test_a_script_that_has_ended_or_fails_is_a_model_error():
    with pytest.raises(ModelError, match="no reply number 1"):
        Scripted([]).reply("", (), HELLO)
    with pytest.raises(ModelError) as caught:
        Scripted([{"error": {"kind": "overloaded", "message": "later"}}]).reply("", (), HELLO)
    assert caught.value.kind == "overloaded"


def test_the_agents_own_part_of_the_prefix_is_small():
    own = [[s.name, s.description, s.input_schema] for s in own_tools.SPECS]
    assert estimate_tokens([page.system(()), own]) < 1500
