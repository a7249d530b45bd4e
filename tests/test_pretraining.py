"""Pre-training: what it reads is what the chat template writes, it learns, and it resumes after a kill."""

import json
import random
from collections import Counter
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from utils.authoring.pretraining import training
from utils.authoring.pretraining.__main__ import main as pretraining_command
from utils.authoring.pretraining.architecture import build_model
from utils.authoring.pretraining.batches import BatchStream, encode, make_batch
from utils.authoring.pretraining.card import BARS, START, STOP, write_card
from utils.authoring.pretraining.conversations import Conversation, Conversations
from utils.authoring.pretraining.curriculum import GOALS, GOING_ON, LEVELS, RECORDS, WARM_UPS, Curriculum, copy_rows
from utils.authoring.pretraining.formats import Format
from utils.authoring.pretraining.publish import LOG, WEIGHTS, publish
from utils.authoring.pretraining.publish import main as publish_command
from utils.authoring.pretraining.quick_forward import BLOCK, hidden_states
from utils.authoring.pretraining.records import Record, draw_record
from utils.authoring.pretraining.tokenizer import train_tokenizer
from utils.authoring.pretraining.training import Plan, Trainer, batch_loss, opening_brackets, share_of_answers
from utils.checksums import CHECKSUMS, check_file, checksums_in
from utils.errors import CourseError
from utils.models import GENERATOR
from utils.record import KEYS, Finding


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(conversations=300)


def test_encoding_is_the_chat_template(tokenizer):
    stream = Conversations("encode")
    for _ in range(50):
        conversation = stream.draw(LEVELS[-1])
        messages = conversation.messages
        text = tokenizer.apply_chat_template(messages, tokenize=False)
        ids, answer, _, _ = encode(conversation, tokenizer)
        assert ids == tokenizer(text, add_special_tokens=False)["input_ids"]
        answers = [m["content"] for m in messages if m["role"] == "assistant"][conversation.unguided :]
        said = [token for token, marked in zip(ids, answer, strict=True) if marked]
        assert tokenizer.decode(said).split("<|end|>")[:-1] == [f" {text}" for text in answers]


def test_choices_are_where_something_begins(tokenizer):
    """Each part's first letter lies in a choice, and no choice lies wholly inside a part."""
    stream = Conversations("choices")
    for _ in range(50):
        conversation = stream.draw(LEVELS[-1])
        ids, answer, choice, _ = encode(conversation, tokenizer)
        parts = [part for parts in conversation.parts[conversation.unguided :] for part in parts]
        chosen = [tokenizer.decode(token) for token, marked in zip(ids, choice, strict=True) if marked]
        assert not any(marked and not learned for marked, learned in zip(choice, answer, strict=True))
        assert 0.9 * len(parts) <= len(chosen) <= 2 * len(parts)
        firsts = {part.strip()[0] for part in parts}
        assert all(not text.strip() or firsts & set(text) for text in chosen)


def test_an_answer_chooses_its_phrases_sentence_and_source(tokenizer):
    form = Format(opening="Hello!", label="A:", source_label="See page:", newline=True)
    parts = form.parts([Finding("The shop is shut.", "shut", "choice", 2)])
    ids, _, choice, _ = encode(Conversation([{"role": "assistant", "content": "".join(parts)}], [parts]), tokenizer)
    marked = "".join(
        f"<{tokenizer.decode(token)}>" if begins else tokenizer.decode(token)
        for token, begins in zip(ids, choice, strict=True)
    )
    plain = marked.replace("<", "").replace(">", "").replace("|assistant|", "").replace("|end|", "")
    assert plain == " Hello!\nA: The shop is shut.\nSee page: [2]"
    for start in ("< H", "<\n><A", "< The", "<\n><S", "< p", "< ["):
        assert start in marked, marked


def test_records_are_read_as_they_were_meant():
    """JSON records hold what was found under their own keys, null when nothing was, lists when two things were."""
    random_state, found = random.Random("records"), [
        Finding('They call it "the nest".', "the nest", "choice", 1),
        Finding("The fee is $12.", "$12", "amount", 2),
    ]  # fmt: skip
    layouts = set()
    for _ in range(300):
        form = draw_record(random_state)
        slots, keys = zip(*form.keys, strict=True)
        assert len(set(keys)) == len(keys) >= 2 and not set(keys) & set(KEYS)
        assert all(f'"{key}"' in form.instruction() for key in keys)
        layouts.add(form.separator is None)
        if form.separator:
            assert "".join(form.parts(found[1:])).count("\n") == len(keys) - 1
            continue
        one, two, none = (json.loads("".join(form.parts(findings))) for findings in (found[:1], found, []))
        assert one == {key: getattr(found[0], slot) for slot, key in form.keys}
        assert two == {key: [getattr(each, slot) for each in found] for slot, key in form.keys}
        assert none == dict.fromkeys(keys)
    assert layouts == {True, False}


def test_a_trained_model_goes_on_with_records():
    kinds = Counter()
    stream = Conversations("records")
    for _ in range(200):
        answers = ["".join(parts) for parts in stream.draw(RECORDS).parts]
        kinds["records" if any(a.startswith("{") for a in answers) else "others"] += 1
    assert kinds["records"] > 40 and kinds["others"] > 100
    curriculum = Curriculum(GOING_ON)
    assert not curriculum.warms_up and curriculum.level == RECORDS
    assert not any(curriculum.note(1.0, 1.0) for _ in range(200))


def test_batches_mark_every_token_once(tokenizer):
    batch = next(iter(BatchStream(tokenizer, "batches", tokens=2000, max_length=512)))
    assert not (batch.answer & batch.context).any()
    assert not (batch.choice & ~batch.answer).any()
    assert batch.ids.numel() <= 2000 or len(batch.ids) == 1
    assert batch.answer.any(dim=1).all()


def test_copy_rows_say_everything_twice():
    for stage in range(WARM_UPS):
        rows = copy_rows(stage, 300, 8, torch.Generator().manual_seed(stage))
        half = rows.shape[1] // 2
        assert torch.equal(rows[:, :half], rows[:, half:])
        assert rows.min() >= 5 and rows.max() < 300


def test_share_of_answers_counts_answers_not_tokens():
    answer = torch.tensor([[0, 1, 1, 0, 1], [1, 0, 0, 1, 1]]).bool()
    assert share_of_answers(answer, torch.tensor([0, 1, 0, 0, 0, 0]).bool()) == 0.25
    assert share_of_answers(answer, torch.tensor([1, 1, 0, 0, 1, 0]).bool()) == 0.5
    assert share_of_answers(answer, torch.zeros(6).bool()) == 0


def test_curriculum_moves_on_when_competent_and_stops_at_the_last_level():
    curriculum = Curriculum()
    assert not any(curriculum.note(0.5, 0.5) for _ in range(500))
    moved = sum(curriculum.note(1.0, 1.0) for _ in range(3000))
    assert moved == WARM_UPS + len(LEVELS) - 1 == len(GOALS)
    assert curriculum.level == LEVELS[-1] and not curriculum.warms_up


def test_the_level_with_most_passages_is_held_until_the_model_cites():
    curriculum = Curriculum()
    for _ in range(3000):
        curriculum.note(1.0, 0.5)
    assert curriculum.level.passages == max(level.passages for level in LEVELS)
    assert not curriculum.note(1.0, float("nan")) and curriculum.citing == pytest.approx(0.5)
    assert sum(curriculum.note(1.0, 1.0) for _ in range(100)) == 1


@pytest.mark.parametrize("kind", ["lfm2", "llama"])
def test_each_architecture_learns_a_batch(kind, tokenizer):
    model = build_model(kind, 64, 2, len(tokenizer), seed=0)
    rows = [encode(Conversations(i).reading(LEVELS[0]), tokenizer) for i in range(4)]
    batch = make_batch(rows, tokenizer.pad_token_id)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(12):
        loss, *_ = batch_loss(model, batch, generator, opening_brackets(tokenizer))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0] * 0.8


@pytest.mark.parametrize("kind", ["lfm2", "llama"])
def test_the_quick_forward_pass_is_the_stock_models(kind):
    """Values and gradients alike, over several blocks of attention; so a trained run loads with `from_pretrained`."""
    model = build_model(kind, 64, 2, 300, seed=0)
    for parameter in model.parameters():
        if parameter.ndim == 1:  # norms start at 1, where a mistake in their gradients would not show
            torch.nn.init.normal_(parameter, 1.0, 0.2)
    ids = torch.randint(5, 300, (2, 2 * BLOCK + 44), generator=torch.Generator().manual_seed(0))
    weights = torch.randn(*ids.shape, 64, generator=torch.Generator().manual_seed(1))
    found = []
    for states in (
        model.model(input_ids=ids, use_cache=False).last_hidden_state,
        hidden_states(model, ids, torch.float32),
    ):
        (states * weights).sum().backward()
        found.append((states, [parameter.grad.clone() for parameter in model.parameters()]))
        model.zero_grad()
    (stock, stock_gradients), (quick, quick_gradients) = found
    assert torch.allclose(quick, stock, atol=1e-4)
    for one, other in zip(stock_gradients, quick_gradients, strict=True):
        assert (one - other).norm() <= 1e-4 * one.norm()


def test_choices_weigh_more(tokenizer):
    model = build_model("lfm2", 64, 2, len(tokenizer), seed=0)
    batch = make_batch([encode(Conversations("weights").reading(LEVELS[0]), tokenizer)], tokenizer.pad_token_id)
    none = replace(batch, choice=torch.zeros_like(batch.choice))
    every = replace(batch, choice=batch.answer)
    losses = [
        batch_loss(model, each, torch.Generator().manual_seed(0), torch.tensor([-1]))[0]
        for each in (none, batch, every)
    ]
    assert torch.allclose(losses[0], losses[2]) and not torch.allclose(losses[0], losses[1])


def test_citations_weigh_more(tokenizer):
    model = build_model("lfm2", 64, 2, len(tokenizer), seed=0)
    rows = [encode(Conversations(seed).reading(LEVELS[0]), tokenizer) for seed in range(4)]
    batch = make_batch(rows, tokenizer.pad_token_id)
    plain, *_ = batch_loss(model, batch, torch.Generator().manual_seed(0), torch.tensor([-1]))
    weighted, *_ = batch_loss(model, batch, torch.Generator().manual_seed(0), opening_brackets(tokenizer), 40.0)
    assert plain != weighted
    assert all(text.endswith("[") for text in tokenizer.convert_ids_to_tokens(opening_brackets(tokenizer).tolist()))


def test_bare_values_are_marked_and_weigh_more(tokenizer):
    form = Record((("quote", "text"), ("value", "reply")), ("the sentence", "the value"))
    parts = form.parts([Finding("The fee is $12.", "$12", "amount", 1)])
    row = encode(Conversation([{"role": "assistant", "content": "".join(parts)}], [parts]), tokenizer)
    marked = "".join(tokenizer.decode(token) for token, sought in zip(row.ids, row.sought, strict=True) if sought)
    assert marked.strip('"') == "$12"
    model = build_model("lfm2", 64, 2, len(tokenizer), seed=0)
    batch = make_batch([row], tokenizer.pad_token_id)
    none = replace(batch, sought=torch.zeros_like(batch.sought))
    losses = [
        batch_loss(model, each, torch.Generator().manual_seed(0), torch.tensor([-1]))[0] for each in (none, batch)
    ]
    assert not torch.allclose(*losses)


def test_unknown_architecture_is_named():
    with pytest.raises(ValueError, match="'gpt9'"):
        build_model("gpt9", 64, 2, 300, seed=0)


def test_a_killed_run_goes_on_where_it_saved(tmp_path, monkeypatch, tokenizer):
    monkeypatch.setattr(training, "train_tokenizer", lambda: tokenizer)
    plan = Plan(tmp_path, minutes=10, width=64, layers=2, tokens=512, matrix_learning_rate=0.01)
    first = Trainer(plan)
    first._set_rates()
    for _ in range(3):
        first._step()
        first.clock.step += 1
    first.save()
    second = Trainer(plan)
    assert second.clock == first.clock and second.curriculum == first.curriculum
    for old, new in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(old, new)
    for old, new in zip(first.optimizers, second.optimizers, strict=True):
        for number, state in old.state_dict()["state"].items():
            for name, value in state.items():
                assert torch.equal(torch.as_tensor(value), torch.as_tensor(new.state_dict()["state"][number][name]))
    assert not list(tmp_path.glob("*.pt")) and not list(tmp_path.glob("*.bin"))


def test_a_trained_model_goes_on_from_its_weights(tmp_path):
    trainer = Trainer(Plan(folder=tmp_path, trained=GENERATOR, minutes=0))
    shipped = load_file(GENERATOR / WEIGHTS)
    begun = trainer.model.state_dict()
    assert all(torch.equal(begun[name], weight.float()) for name, weight in shipped.items())
    assert trainer.curriculum.level == RECORDS
    trainer.save()
    assert Trainer(Plan(folder=tmp_path, trained=GENERATOR, minutes=0)).curriculum.stage == GOING_ON


def test_the_card_takes_the_table_between_its_marks(tmp_path):
    card = tmp_path / "README.md"
    card.write_text(f"before\n{START}\nstale\n{STOP}\nafter\n", encoding="utf-8")
    results = dict.fromkeys(BARS, 0.5)
    write_card(tmp_path, results | {"reads_among_10": 0.25})
    text = card.read_text(encoding="utf-8")
    assert text.startswith("before") and text.endswith("after\n") and "stale" not in text
    assert "| `reads_among_10` | 25.0 % |" in text
    card.write_text("no marks", encoding="utf-8")
    with pytest.raises(CourseError, match="needs the lines"):
        write_card(tmp_path, results)


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory, tokenizer):
    """Two runs that share the first row of their log."""
    runs = []
    for seed in (0, 1):
        run = tmp_path_factory.mktemp(f"run{seed}")
        model = build_model("lfm2", 64, 2, len(tokenizer), seed=seed)
        model.save_pretrained(run)
        tokenizer.save_pretrained(run)
        (run / LOG).write_text('{"step": 1}\n' + f'{{"step": {seed + 2}}}\n')
        runs.append(run)
    return runs


def test_one_run_is_shipped_as_it_is(two_runs, tmp_path):
    publish(two_runs[:1], tmp_path)
    shipped, trained = load_file(tmp_path / WEIGHTS), load_file(two_runs[0] / WEIGHTS)
    assert shipped.keys() == trained.keys()
    assert all(torch.equal(shipped[name], trained[name]) for name in trained)


def test_several_runs_are_shipped_as_their_mean(two_runs, tmp_path):
    publish(two_runs, tmp_path)
    shipped, one, two = (load_file(folder / WEIGHTS) for folder in (tmp_path, *two_runs))
    assert any(not torch.equal(one[name], two[name]) for name in one)
    assert all(torch.allclose(shipped[name], (one[name] + two[name]) / 2) for name in one)
    for name, wanted in checksums_in(tmp_path).items():
        check_file(tmp_path / name, wanted, "")
    rows = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert rows == [{"run": 0, "step": 1}, {"run": 0, "step": 2}, {"run": 1, "step": 3}]


def test_runs_with_different_tokenizers_are_refused(two_runs, tmp_path):
    other = tmp_path / "other"
    train_tokenizer(conversations=50).save_pretrained(other)
    for name in ("config.json", "generation_config.json", WEIGHTS, LOG):
        (other / name).write_bytes((two_runs[1] / name).read_bytes())
    with pytest.raises(CourseError, match="differ in tokenizer.json: only runs with a common beginning"):
        publish([two_runs[0], other], tmp_path / "shipped")
    assert not (tmp_path / "shipped" / CHECKSUMS).exists()


def test_a_folder_without_a_trained_model_is_refused_before_anything_starts(tmp_path, capsys):
    out = tmp_path / "out"
    assert pretraining_command(["--out", str(out), "--trained", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{tmp_path} has no config.json: name the folder of a trained model.\n"
    assert not out.exists()


def test_a_run_that_is_not_finished_is_refused(two_runs, tmp_path, capsys):
    assert publish_command(["--run", str(two_runs[0]), str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{tmp_path} has no config.json: name the folder of a finished run.\n"
