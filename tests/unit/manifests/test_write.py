"""A live object as a manifest: what is stated, and what a comment says about the rest."""

import pytest

from reconciler import redaction
from reconciler.manifests.write import write
from reconciler.model.draft import Draft
from reconciler.model.objects import Address, Live
from reconciler.registry import kinds

YOGA = {"name": "Yoga", "group": "Wellness", "time": "11:00", "duration": 60, "price": "35.00"}


def written(fields, kind="Session", **more):
    live = Live(remote_id="7", fields=fields)
    draft = Draft(address=Address(kind, "made"), fields=fields, live=live, answered=frozenset(fields), **more)
    return write(draft, kinds()[kind])


def test_fields_are_stated_in_the_order_of_the_schema():
    made = written(dict(reversed(YOGA.items())), labels={"season": "spring"}, annotations={"adopt-id": "7"})
    assert made.text.startswith(
        "apiVersion: reconciler/v1\n"
        "kind: Session\n"
        "metadata:\n"
        "  name: made\n"
        "  labels:\n"
        "    season: spring\n"
        "  annotations:\n"
        "    adopt-id: '7'\n"
        "spec:\n"
        "  name: Yoga\n"
        "  group: Wellness\n"
        "  time: '11:00'\n"
        "  duration: 60\n"
        "  price: 35.00\n"
    )
    assert (made.complete, made.stated, made.problems) == (True, YOGA.keys(), ())


def test_a_value_that_validation_refuses_is_a_comment_with_the_reason():
    made = written({**YOGA, "duration": -5})
    assert "  # duration: -5\n  # (not exported: duration is -5; expected " in made.text
    assert made.complete
    assert "duration" not in made.stated
    assert [problem.summary.partition(":")[0] for problem in made.problems] == ["duration is not exported"]


def test_a_slot_that_is_there_twice_is_refused_without_a_place_in_a_file():
    slot = {"date": "2031-01-06", "time": "09:30", "duration": 60}
    made = written({**YOGA, "repeat": "custom", "slots": [slot, slot]})
    (why,) = [problem.summary for problem in made.problems if problem.summary.startswith("slots ")]
    assert why == ("slots is not exported: slot 2031-01-06 09:30 is listed twice; expected each date and time once")


def test_without_a_required_field_the_whole_text_is_a_comment():
    made = written({"name": "Yoga"})
    assert not made.complete
    assert made.text.startswith("# This object cannot be declared: group is missing")
    assert all(line.startswith("#") for line in made.text.splitlines())


def test_reasons_are_given_for_what_is_left_out_and_what_the_api_does_not_return():
    made = written(YOGA, left_out={"end_date": "the API computes it"})
    assert "  # end_date is not exported: the API computes it\n" in made.text
    assert "Not returned by the API, and not managed unless you add them: " in made.text


@pytest.mark.parametrize("name", ["description", "group"])
def test_a_credential_is_never_written(name):
    with redaction.run():
        redaction.hide("correct-horse")
        made = written({**YOGA, name: "my correct-horse"})
    assert "correct-horse" not in made.text
    assert name not in made.stated
    assert "it contains a credential of this project" in made.text


@pytest.mark.parametrize("command", ["##vso[task.setvariable]x", "##[error]x", "a\n::error::x \n"])
def test_no_line_is_a_command_of_a_build_agent(command):
    for made in (written({**YOGA, "description": command}), written({"name": command})):
        for line in made.text.splitlines():
            assert "##[" not in line
            assert "##vso[" not in line
            assert not line.strip().startswith("::")


def test_an_invisible_character_is_written_as_an_escape():
    assert '  name: "Yo\\u202ega"\n' in written({**YOGA, "name": "Yo\u202ega"}).text


def test_a_text_of_several_lines_that_is_no_block_has_its_lines_below_one_another():
    text = written({**YOGA, "description": "One. \r\n  Two.\r\n"}).text
    assert '  description: "One. \\r\\n\\\n    \\  Two.\\r\\n"\n' in text
