"""Training that is killed, stopped early, derailed or shared among processes."""

import json
import math
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from utils.errors import CourseError
from utils.finetuning import DivergedError, EarlyStopping, LoraPlan, TrainingExample, mean_loss, train_lora
from utils.finetuning.__main__ import main
from utils.finetuning.checkpoint import FILE
from utils.finetuning.loop import Run, one_cycle
from utils.finetuning.precision import has_bfloat16, products_in
from utils.models import GENERATOR, Generator

WORDS = "stove jacket tent boot lantern rope compass helmet".split()
# Ten examples in batches of four: three steps in an epoch, the last one with two rows.
PLAN = LoraPlan(rank=2, alpha=4, learning_rate=0.02, epochs=4, batch_size=4)
SAME = 1e-5  # two processes may place their memory differently, and with it round differently


def tiny_generator(seed=0):
    """Two layers of width 16, with random weights."""
    tokenizer = AutoTokenizer.from_pretrained(GENERATOR, padding_side="left")
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=128,
        initializer_range=0.2,
    )
    return Generator("tiny", LlamaForCausalLM(config).eval(), tokenizer)


def tiny_examples(count=10):
    """Questions and answers of different lengths."""
    return [
        TrainingExample(
            [{"role": "user", "content": f"Question {number}: where is the {' '.join(WORDS[: 1 + number % 5])}?"}],
            f"The {WORDS[number % 8]} is{' very' * (number % 3)} here.",
        )
        for number in range(count)
    ]


def adapter_of(generator):
    """The trained numbers by name."""
    return {
        name: weight.detach().clone() for name, weight in generator.model.named_parameters() if weight.requires_grad
    }


def farthest(first, second):
    """The largest difference between two adapters."""
    assert first.keys() == second.keys()
    return max((first[name] - second[name]).abs().max().item() for name in first)


@pytest.fixture(scope="module")
def base():
    return tiny_generator()


@pytest.fixture(scope="module")
def uninterrupted(base):
    tuned, losses = train_lora(base, tiny_examples(), PLAN)
    return adapter_of(tuned), losses


class Killed(BaseException):
    """What a kill looks like from inside."""


def kill_after(steps):
    """A `before_step` that raises Killed once this many steps are done."""

    def deadly(done):
        if done == steps:
            raise Killed

    return deadly


def run_python(arguments, script, folder, **variables):
    """Runs a script of this folder's imports in a process of its own."""
    path = folder / "script.py"
    path.write_text(script)
    environment = os.environ | {"OMP_NUM_THREADS": "1", **variables}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), environment.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *arguments, str(path), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )


KILLED_SCRIPT = """
import os, sys
from pathlib import Path
from test_training_runs import tiny_examples, tiny_generator
from utils.finetuning import LoraPlan, train_lora

def deadly(done):
    if done == 7:
        os.kill(os.getpid(), 9) if os.name == "posix" else os._exit(9)

plan = LoraPlan(rank=2, alpha=4, learning_rate=0.02, epochs=4, batch_size=4)
saves = {"checkpoint": Path(sys.argv[1]) / "run", "checkpoint_every": 2}
train_lora(tiny_generator(), tiny_examples(), plan, **saves, before_step=deadly)
"""


def test_a_killed_process_goes_on_and_gives_the_same_adapter(base, uninterrupted, tmp_path):
    ended = run_python([], KILLED_SCRIPT, tmp_path)
    assert ended.returncode in (-9, 9), ended.stderr
    assert [path.name for path in (tmp_path / "run").iterdir()] == [FILE]
    torch.manual_seed(99)
    tuned, losses = train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path / "run", checkpoint_every=2)
    assert farthest(adapter_of(tuned), uninterrupted[0]) < SAME
    assert losses == pytest.approx(uninterrupted[1], abs=SAME)


@pytest.mark.parametrize("killed_after", [0, 1, 4, 6, 8, 11])
def test_wherever_it_is_killed(killed_after, base, uninterrupted, tmp_path):
    saves = {"checkpoint": tmp_path, "checkpoint_every": 2}
    with pytest.raises(Killed):
        train_lora(base, tiny_examples(), PLAN, **saves, before_step=kill_after(killed_after))
    tuned, losses = train_lora(base, tiny_examples(), PLAN, checkpoint=str(tmp_path), checkpoint_every=2)
    assert farthest(adapter_of(tuned), uninterrupted[0]) < SAME
    assert losses == pytest.approx(uninterrupted[1], abs=SAME)


def test_dropout_goes_on_as_it_would_have(tmp_path):
    base = tiny_generator()
    base.model.config.attention_dropout = 0.3
    for layer in base.model.model.layers:
        layer.self_attn.attention_dropout = 0.3
    whole = adapter_of(train_lora(base, tiny_examples(), PLAN)[0])
    saves = {"checkpoint": tmp_path, "checkpoint_every": 1}
    with pytest.raises(Killed):
        train_lora(base, tiny_examples(), PLAN, **saves, before_step=kill_after(5))
    torch.manual_seed(99)
    resumed = adapter_of(train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path, checkpoint_every=1)[0])
    assert farthest(resumed, whole) < SAME
    without = adapter_of(train_lora(tiny_generator(), tiny_examples(), PLAN)[0])
    assert farthest(without, whole) > 100 * SAME  # the dropout did something


def test_a_finished_run_is_read_and_not_trained_again(base, uninterrupted, tmp_path):
    train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path)
    tuned, losses = train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path, before_step=kill_after(12))
    assert farthest(adapter_of(tuned), uninterrupted[0]) < SAME
    assert len(losses) == 12 and not tuned.model.training


def test_a_kill_during_a_save_leaves_the_checkpoint_before(base, uninterrupted, tmp_path, monkeypatch):
    saves, really = [], os.replace

    def killed_at_the_second_epoch(beside, target):
        saves.append(Path(target).read_bytes() if Path(target).exists() else b"")
        if len(saves) == 2:
            raise Killed
        really(beside, target)

    monkeypatch.setattr("utils.paths.os.replace", killed_at_the_second_epoch)
    with pytest.raises(Killed):
        train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path)
    assert saves[0] == b"" and (tmp_path / FILE).read_bytes() == saves[1] != b""
    monkeypatch.undo()
    tuned, losses = train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path)
    assert farthest(adapter_of(tuned), uninterrupted[0]) < SAME and len(losses) == 12
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"plan": replace(PLAN, learning_rate=0.01)}, "plan"),
        ({"examples": tiny_examples(9)}, "examples"),
        ({"base": None}, "base"),
        ({"stopping": EarlyStopping(lambda tuned: 0.0)}, "early stopping"),
    ],
)
def test_another_run_s_checkpoint_is_refused(other, named, base, tmp_path):
    run = {"base": base, "examples": tiny_examples(), "plan": PLAN}
    train_lora(**run, checkpoint=tmp_path)
    if named == "base":
        other = {"base": tiny_generator(seed=1)}
    with pytest.raises(CourseError, match=rf"other settings \({named}\): name another folder"):
        train_lora(**(run | other), checkpoint=tmp_path)


def test_scores_on_other_dev_examples_are_not_mixed(base, tmp_path):
    def stopping(answer):
        dev = [TrainingExample([{"role": "user", "content": "Where is it?"}], answer)]
        return EarlyStopping(scores(1.0, 2.0, 3.0, 4.0), 3, dev)

    train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path, stopping=stopping("One."))
    with pytest.raises(CourseError, match=r"other settings \(dev examples\)"):
        train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path, stopping=stopping("Two."))


@pytest.mark.parametrize(
    "damage", [lambda old: b"", lambda old: old[:-10], lambda old: old.replace(b"losses", b"losers")]
)
def test_a_damaged_checkpoint_is_named(damage, base, tmp_path):
    plan = replace(PLAN, epochs=1)
    train_lora(base, tiny_examples(), plan, checkpoint=tmp_path)
    (tmp_path / FILE).write_bytes(damage((tmp_path / FILE).read_bytes()))
    with pytest.raises(CourseError, match=rf"{FILE} was changed or cut short: delete it"):
        train_lora(base, tiny_examples(), plan, checkpoint=tmp_path)


def test_where_and_when_a_checkpoint_cannot_be(base, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CourseError, match="notes.txt is a file: name a folder"):
        train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path / "notes.txt")
    with pytest.raises(CourseError, match="every 0 steps"):
        train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path / "run", checkpoint_every=0)


# Early stopping


def scores(*values):
    """A score that says these values, one after the other."""
    left = iter(values)
    return lambda tuned: next(left)


@pytest.mark.parametrize(
    ("values", "patience", "epochs", "best"),
    [
        ((1.0, 3.0, 2.0, 9.0), 1, 3, 2),
        ((1.0, 3.0, 2.0, 9.0), 2, 4, 4),
        ((2.0, 2.0), 1, 2, 1),
        ((1.0, 2.0, 3.0, 4.0), 1, 4, 4),
    ],
)
def test_the_best_adapter_is_kept(values, patience, epochs, best, base):
    kept = []
    say = scores(*values)

    def score(tuned):
        kept.append(adapter_of(tuned))
        assert not tuned.model.training
        return say(tuned)

    stopping = EarlyStopping(score, patience)
    tuned, losses = train_lora(base, tiny_examples(), PLAN, stopping=stopping)
    assert len(losses) == 3 * epochs
    assert stopping.scores == list(values[:epochs])
    assert stopping.best_epoch == best
    assert farthest(adapter_of(tuned), kept[best - 1]) == 0
    assert all(farthest(kept[best - 1], other) > 0 for number, other in enumerate(kept) if number != best - 1)


def test_looking_at_dev_changes_nothing(base, uninterrupted):
    def score(tuned):
        torch.rand(7)
        return float(next(rising))

    rising = iter(range(9))
    tuned, losses = train_lora(base, tiny_examples(), PLAN, stopping=EarlyStopping(score))
    assert losses == uninterrupted[1]
    assert farthest(adapter_of(tuned), uninterrupted[0]) == 0


def test_a_killed_run_remembers_its_scores(base, tmp_path):
    stopping = EarlyStopping(scores(math.inf, 4.0), 3)
    with pytest.raises(Killed):
        train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path, stopping=stopping, before_step=kill_after(7))
    stopping = EarlyStopping(scores(3.0, 2.0), 3)
    tuned, losses = train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path, stopping=stopping)
    assert stopping.scores == [math.inf, 4.0, 3.0, 2.0]
    first = train_lora(base, tiny_examples(), PLAN, stopping=EarlyStopping(scores(math.inf, 1.0)))[0]
    assert farthest(adapter_of(tuned), adapter_of(first)) < SAME
    again = train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path, stopping=EarlyStopping(scores(), 3))[0]
    assert farthest(adapter_of(again), adapter_of(first)) < SAME


def test_dev_loss_is_a_score(base):
    dev = [TrainingExample([{"role": "user", "content": "Where is the stove now?"}], "The stove is here.")]
    before = mean_loss(base, dev)
    stopping = EarlyStopping(lambda tuned: -mean_loss(tuned, dev), dev=dev)
    tuned, _ = train_lora(base, tiny_examples(), PLAN, stopping=stopping)
    assert mean_loss(tuned, dev) == pytest.approx(-max(stopping.scores))
    assert mean_loss(tuned, dev) < before
    many = tiny_examples(5)
    assert mean_loss(base, many, batch_size=2) == pytest.approx(mean_loss(base, many, batch_size=5), rel=1e-5)
    with pytest.raises(CourseError, match="no example to measure"):
        mean_loss(base, [])


def test_dev_loss_is_measured_without_dropout(monkeypatch):
    base = tiny_generator()
    for layer in base.model.model.layers:
        layer.self_attn.attention_dropout = 0.5
    still = mean_loss(base, tiny_examples())
    base.model.train()
    assert mean_loss(base, tiny_examples()) == still and base.model.training


def test_dev_examples_that_are_trained_on_are_refused(base):
    shouted = replace(
        tiny_examples()[6],
        messages=[{"role": "user", "content": tiny_examples()[6].messages[0]["content"].upper() + " "}],
    )
    stopping = EarlyStopping(
        lambda tuned: 0.0, dev=[TrainingExample([{"role": "user", "content": "New?"}], "Yes."), shouted]
    )
    with pytest.raises(CourseError, match="Dev example 2 has the same conversation as training example 7:"):
        train_lora(base, tiny_examples(), PLAN, stopping=stopping)


def test_scores_and_patience_that_make_no_sense(base):
    with pytest.raises(CourseError, match="patience of early stopping is 0"):
        EarlyStopping(lambda tuned: 0.0, patience=0)
    with pytest.raises(CourseError, match="dev score after epoch 2 is not a number"):
        train_lora(base, tiny_examples(), PLAN, stopping=EarlyStopping(scores(1.0, math.nan)))


# A loss that is no number


def derail(monkeypatch, at, where="loss"):
    """From step `at` on, the loss or the gradients are not numbers."""
    loss_and_gradients = Run._loss_and_gradients

    def derailed(run, batch):
        loss = loss_and_gradients(run, batch)
        if len(run.losses) + 1 < at:
            return loss
        if where == "loss":
            return loss * math.nan
        for weight in run.adapter.values():
            weight.grad.fill_(math.inf)
        return loss

    monkeypatch.setattr(Run, "_loss_and_gradients", derailed)


def test_a_loss_that_is_no_number_stops_with_the_last_good_adapter(base, monkeypatch):
    seen = []
    step = Run._step
    monkeypatch.setattr(Run, "_step", lambda run, batch: (seen.append(adapter_of(run.tuned)), step(run, batch)))
    derail(monkeypatch, at=6)
    with pytest.raises(
        DivergedError, match=r"^The loss is nan in step 6, .*: lower the learning rate, 0.02 now"
    ) as raised:
        train_lora(base, tiny_examples(), PLAN)
    assert isinstance(raised.value, CourseError)
    assert len(raised.value.losses) == 5 and all(map(math.isfinite, raised.value.losses))
    assert farthest(adapter_of(raised.value.tuned), seen[4]) == 0  # the one with which step 5 had a finite loss
    assert not raised.value.tuned.model.training


def test_gradients_that_are_no_numbers_never_reach_the_adapter(base, monkeypatch):
    derail(monkeypatch, at=6, where="gradients")
    with pytest.raises(DivergedError, match=r"^The gradient's length is (inf|nan) in step 6,") as raised:
        train_lora(base, tiny_examples(), PLAN)
    assert all(weight.isfinite().all() for weight in adapter_of(raised.value.tuned).values())


def test_an_absurd_learning_rate_derails_a_real_run(base):
    with pytest.raises(DivergedError) as raised:
        train_lora(base, tiny_examples(), replace(PLAN, learning_rate=1e30, epochs=20))
    assert all(weight.isfinite().all() for weight in adapter_of(raised.value.tuned).values())
    assert math.isfinite(mean_loss(raised.value.tuned, tiny_examples()))


def test_a_derailed_run_keeps_its_best_adapter_and_its_checkpoint(base, monkeypatch, tmp_path):
    best = adapter_of(train_lora(base, tiny_examples(), PLAN, stopping=EarlyStopping(scores(2.0, 1.0)))[0])
    derail(monkeypatch, at=8)
    with pytest.raises(DivergedError) as raised:
        train_lora(base, tiny_examples(), PLAN, checkpoint=tmp_path, stopping=EarlyStopping(scores(2.0, 1.0), 4))
    assert farthest(adapter_of(raised.value.tuned), best) == 0
    saved = load_file(tmp_path / FILE)
    assert all(tensor.isfinite().all() for name, tensor in saved.items() if not name.startswith("random/"))


# Precision and schedule


def test_float32_is_the_default_and_auto_takes_what_the_device_has(base, uninterrupted):
    cpu = torch.device("cpu")
    assert LoraPlan().dtype == "float32"
    assert products_in(cpu, "float32") == torch.float32
    assert products_in(cpu, "bfloat16") == torch.bfloat16
    assert products_in(cpu, "auto") == (torch.bfloat16 if has_bfloat16(cpu) else torch.float32)
    rounded, losses = train_lora(base, tiny_examples(), replace(PLAN, dtype="bfloat16"))
    assert {weight.dtype for weight in rounded.model.parameters()} == {torch.float32}
    assert losses != uninterrupted[1] and losses == pytest.approx(uninterrupted[1], rel=0.05)


@pytest.mark.parametrize("supported", [True, False])
def test_auto_asks_the_processor(supported, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: supported)
    assert products_in(torch.device("cpu"), "auto") == (torch.bfloat16 if supported else torch.float32)


@pytest.mark.parametrize("steps", range(1, 31))
def test_the_schedule_takes_any_number_of_steps(steps):
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = one_cycle(optimizer, 1.0, steps)
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert all(0 < rate <= 1 for rate in rates)


# Several processes

SHARED_SCRIPT = """
import sys
from pathlib import Path
from safetensors.torch import save_file
from test_training_runs import adapter_of, tiny_examples, tiny_generator
import json, torch
from utils.finetuning import EarlyStopping, LoraPlan, process_group, train_lora
from utils.finetuning.distributed import rank

torch.set_num_threads(1)
folder = Path(sys.argv[1])
plan = LoraPlan(rank=2, alpha=4, learning_rate=0.02, epochs=4, batch_size=4)
with process_group():
    told = iter([1.0, 3.0, 2.0])
    tuned, losses = train_lora(tiny_generator(), tiny_examples(9), plan, checkpoint=folder / "run")
    save_file(adapter_of(tuned), folder / f"adapter-{rank()}.safetensors")
    (folder / f"losses-{rank()}.json").write_text(json.dumps(losses))
    stopping = EarlyStopping(lambda tuned: next(told)) if rank() == 0 else EarlyStopping(lambda tuned: 1 / 0)
    train_lora(tiny_generator(), tiny_examples(9), plan, stopping=stopping)
    (folder / f"scores-{rank()}.json").write_text(json.dumps(stopping.scores))
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this PyTorch has no torch.distributed")
def test_two_processes_train_the_adapter_of_one(base, tmp_path):
    """Nine examples in batches of four: the last batch has one row, so the second process has none of it."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    ended = run_python(launch, SHARED_SCRIPT, tmp_path)
    assert ended.returncode == 0, ended.stderr
    alone, losses = train_lora(base, tiny_examples(9), PLAN)
    first, second = (load_file(tmp_path / f"adapter-{number}.safetensors") for number in (0, 1))
    assert farthest(first, second) == 0
    assert farthest(first, adapter_of(alone)) < 1e-4
    for number in (0, 1):
        assert json.loads((tmp_path / f"losses-{number}.json").read_text()) == pytest.approx(losses, abs=1e-4)
        assert json.loads((tmp_path / f"scores-{number}.json").read_text()) == [1.0, 3.0, 2.0]


# The command line


def write_examples(path, examples):
    path.write_text("".join(json.dumps(asdict(example)) + "\n" for example in examples))
    return str(path)


@pytest.fixture
def command(base, tmp_path, monkeypatch):
    """Runs `python -m utils.finetuning` on the tiny generator."""
    monkeypatch.setattr("utils.finetuning.__main__.load_generator", lambda name: base)
    mine = write_examples(tmp_path / "mine.jsonl", tiny_examples())
    usual = "--rank 2 --learning-rate 0.02 --epochs 4 --batch-size 4".split()
    return lambda *options: main([mine, "--out", str(tmp_path / "adapter"), *usual, *options])


def test_the_command_line_trains_what_train_lora_trains(command, uninterrupted, tmp_path, capsys):
    assert command("--checkpoint", str(tmp_path / "run")) == 0
    assert capsys.readouterr().out.startswith("12 steps, loss ")
    assert (tmp_path / "run" / FILE).exists()
    trained = {name.replace(".default", ""): weight for name, weight in uninterrupted[0].items()}
    assert farthest(load_file(tmp_path / "adapter" / "adapter_model.safetensors"), trained) < SAME


def test_the_command_line_stops_early_on_dev(command, tmp_path, capsys):
    dev = write_examples(tmp_path / "dev.jsonl", tiny_examples()[:2])
    assert command("--dev", dev) == 1
    assert "Dev example 1 has the same conversation as training example 1" in capsys.readouterr().err
    new = [TrainingExample([{"role": "user", "content": "Quite another text."}], "No rope no boot no tent.")]
    assert command("--dev", write_examples(tmp_path / "dev.jsonl", new), "--epochs", "40") == 0
    steps = int(capsys.readouterr().out.split()[0])
    assert steps % 3 == 0 and 3 <= steps < 120  # whole epochs, and fewer than 40


def test_the_command_line_keeps_the_last_good_adapter(command, tmp_path, capsys, monkeypatch):
    seen, step = [], Run._step
    monkeypatch.setattr(Run, "_step", lambda run, batch: (seen.append(adapter_of(run.tuned)), step(run, batch)))
    derail(monkeypatch, at=6)
    assert command() == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("The loss is nan in step 6")
    good = {name.replace(".default", ""): weight for name, weight in seen[4].items()}
    assert farthest(load_file(tmp_path / "adapter" / "adapter_model.safetensors"), good) == 0


def test_the_command_line_looks_at_the_folder_before_it_trains(command, tmp_path, monkeypatch, capsys):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "thesis.txt").write_text("Mine.")
    monkeypatch.setattr("utils.finetuning.__main__.train_lora", None)
    assert command() == 1
    assert "holds other files, such as thesis.txt" in capsys.readouterr().err


def test_the_command_line_says_what_is_wrong_in_one_line(command, capsys):
    assert command("--alpha", "0") == 1
    assert "alpha is 0" in capsys.readouterr().err
    assert command("--rank", "0") == 1
    assert capsys.readouterr().err == "The plan's rank is 0: choose 1 or more.\n"
