"""Lessons that teach a pretrained model to read: what weighs in them, and a training run that resumes."""

import json
import re
from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from utils.authoring.pretraining.batches import in_batches
from utils.authoring.reading.lessons import CHOICE_WEIGHT, STAGES, VALUE_WEIGHT, Lesson, ReadingLessons, weigh
from utils.authoring.reading.training import LOG, ReadingPlan, ReadingRun, stage_at, weighed_loss
from utils.authoring.world.course import course_names
from utils.finetuning import load_adapter, save_adapter
from utils.models import Generator
from utils.prompts import ABSTENTION

CHATML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
LAST = STAGES[-1]
PLAIN, BARE = (replace(LAST, bare=share) for share in (0.0, 1.0))


@pytest.fixture(scope="module")
def tokenizer():
    bpe = Tokenizer(BPE())
    bpe.pre_tokenizer, bpe.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
    lessons = ReadingLessons("words")
    texts = [message["content"] for _ in range(60) for message in lessons.draw(LAST).messages]
    markers = ["<|pad|>", "<|im_start|>", "<|im_end|>"]
    bpe.train_from_iterator(texts, BpeTrainer(vocab_size=600, special_tokens=markers, show_progress=False))
    made = PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token="<|pad|>", eos_token="<|im_end|>")
    made.chat_template = CHATML
    return made


def small_model(tokenizer):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    return Generator("small", LlamaForCausalLM(config).eval(), tokenizer)


def drawn(stage, count=60, seed="lessons"):
    lessons = ReadingLessons(seed)
    return [lessons.draw(stage) for _ in range(count)]


def answers_of(lesson):
    return [message["content"] for message in lesson.messages if message["role"] == "assistant"]


@pytest.mark.parametrize("stage", [PLAIN, BARE])
def test_what_weighs_is_each_answer_and_the_marker_behind_it(tokenizer, stage):
    for lesson in drawn(stage):
        row = weigh(lesson, tokenizer)
        assert row.ids == tokenizer(tokenizer.apply_chat_template(lesson.messages, tokenize=False))["input_ids"]
        for number, answer in enumerate(answers_of(lesson)):
            said = [token for token, one in zip(row.ids, row.answer, strict=True) if one == number]
            assert tokenizer.decode(said) == f"{answer}<|im_end|>"
        assert [weight > 0 for weight in row.weight] == [number >= 0 for number in row.answer]


def test_choices_weigh_more(tokenizer):
    rivals = ["The Ember Stove costs $45.", "The Ember Stove weighs 3 kg."]
    messages = [{"role": "user", "content": "How heavy is it?"}, {"role": "assistant", "content": f"{rivals[1]} [2]"}]
    lesson = Lesson(messages, [[rivals[1], " [2]"]], rivals, bare=False)
    row = weigh(lesson, tokenizer)
    chosen = [at for at, weight in enumerate(row.weight) if weight == CHOICE_WEIGHT]
    places = [len(tokenizer.decode(row.ids[: at + 1])) for at in chosen]
    text = tokenizer.decode(row.ids)
    # The first word, the word in which the two sentences part, the bracket and the number.
    assert len(places) == 4
    assert [text[:place].split()[-1][0] for place in places[:2]] == ["T", "w"]
    assert text[: places[3]].endswith("[2")
    assert {weight for weight in row.weight if weight} == {CHOICE_WEIGHT, 1.0}


def test_every_token_of_a_bare_value_weighs_more(tokenizer):
    rows = [weigh(lesson, tokenizer) for lesson in drawn(BARE)]
    assert {weight for row in rows for weight in row.weight} == {0.0, VALUE_WEIGHT, CHOICE_WEIGHT}


def test_answers_are_quoted_with_their_source_or_are_the_bare_value():
    for lesson in drawn(PLAIN):
        for answer in answers_of(lesson):
            for said in re.sub(r"\s*\[\d\]\s*", "\n", answer).strip().split("\n"):
                assert said == ABSTENTION or said in lesson.rivals
    for lesson in drawn(BARE):
        text = " ".join(message["content"] for message in lesson.messages[:2])
        assert all(part in text for answer in answers_of(lesson) if answer != ABSTENTION for part in answer.split(", "))


def test_lessons_have_many_questions_and_never_the_course_s_companies():
    lessons = drawn(LAST, 300)
    assert sum(len(lesson.parts) for lesson in lessons) / len(lessons) > 6
    text = " ".join(message["content"] for lesson in lessons for message in lesson.messages)
    companies = [name for company in course_names().values() for name in company["company"]]
    assert companies and not [name for name in companies if name in text]


def test_stages_follow_the_share_of_the_run():
    assert [stage_at(share).level.passages for share in (0.0, 0.14, 0.15, 0.6, 1.0)] == [2, 2, 3, 4, 4]
    assert stage_at(0.8).bare < stage_at(0.1).bare


def test_batches_hold_rows_of_like_length(tokenizer):
    rows = [weigh(lesson, tokenizer) for lesson in drawn(LAST, 40)]
    batches = in_batches(rows, 3000)
    assert sorted(len(row.ids) for batch in batches for row in batch) == sorted(len(row.ids) for row in rows)
    assert all(len(batch) == 1 or len(batch) * max(len(row.ids) for row in batch) <= 3000 for batch in batches)


def test_padding_changes_no_loss(tokenizer, tmp_path):
    run = ReadingRun(small_model(tokenizer), ReadingPlan(tmp_path, first_layer=1, compiled=False))
    rows = [weigh(lesson, tokenizer) for lesson in drawn(LAST, 2)]
    together, exact = weighed_loss(run.tuned.model, rows, tokenizer.pad_token_id)
    alone = [weighed_loss(run.tuned.model, [row], tokenizer.pad_token_id)[0] for row in rows]
    parts = [sum(row.weight) for row in rows]
    expected = sum(loss * part for loss, part in zip(alone, parts, strict=True)) / sum(parts)
    torch.testing.assert_close(together, expected)
    assert [len(each) for each in exact] == [max(row.answer) + 1 for row in rows]


def test_a_run_learns_and_goes_on_where_it_stopped(tokenizer, tmp_path):
    base = small_model(tokenizer)
    frozen = {name: weight.clone() for name, weight in base.model.state_dict().items()}
    plan = ReadingPlan(
        tmp_path, minutes=0.05, learning_rate=3e-3, rank=8, first_layer=1, warm_up=3, compiled=False, log_every_s=0.0
    )
    ReadingRun(base, plan).train()
    first = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert first[-1]["loss"] < first[0]["loss"] and first[-1]["step"] == len(first) > 5
    again = small_model(tokenizer)
    longer = ReadingRun(again, replace(plan, minutes=0.08))
    assert longer.progress.step == len(first)
    tuned = longer.train()
    assert longer.progress.step > len(first)
    adapted = {int(found[1]) for name in longer.weights if (found := re.search(r"layers\.(\d+)\.", name))}
    assert adapted == {1, 2}
    fresh = small_model(tokenizer)
    assert all(torch.equal(weight, frozen[name]) for name, weight in fresh.model.state_dict().items())
    save_adapter(tuned, fresh, tmp_path / "adapter")
    loaded = load_adapter(fresh, tmp_path / "adapter")
    ids = torch.tensor([weigh(drawn(LAST, 1)[0], tokenizer).ids])
    with torch.no_grad():
        torch.testing.assert_close(loaded.model(ids).logits, tuned.model.eval()(ids).logits)
