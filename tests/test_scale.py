"""Past one machine: enlarged sets, indexes, power laws, shards, plans; and Ray, with nodes and trials really killed."""

import math
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.numpy import save
from scipy.stats import linregress
from test_training_runs import tiny_examples, tiny_generator

from utils.checks.references import merge_shards
from utils.course.doctor import parse_pins
from utils.datasets import load_articles
from utils.errors import CourseError
from utils.evaluation import Interval
from utils.finetuning import LoraPlan, mean_loss, train_lora
from utils.handbook import Article
from utils.models import load_embedder
from utils.paths import ROOT
from utils.python_reference import load_topics
from utils.retrieval import embed
from utils.scale import (
    KINDS,
    RANKED,
    Assumptions,
    Growth,
    PowerLaw,
    build,
    cores,
    distinct_sentences,
    embed_on_ray,
    embedding_hours,
    enlarge,
    exact_neighbours,
    fit_power_law,
    has_ray,
    load_run,
    load_vectors,
    local_cluster,
    measure,
    measure_all,
    merged,
    plan_for,
    random_directions,
    recalls,
    search_shard,
    split,
)
from utils.scale.__main__ import REAL, main, sizes_up_to
from utils.scale.indexes import as_searched
from utils.scale.ray_cluster import INSTALL, ray_module
from utils.scale.stored import VECTORS, save_run, save_vectors
from utils.scale.sweep import sweep, train_trial

LOCK = "requirements.lock"
NEEDS_RAY = pytest.mark.skipif(not has_ray(), reason=f"Ray is optional and not installed: {INSTALL}")


@pytest.fixture(scope="module")
def vectors():
    return random_directions(600, 64, seed=1)


@pytest.fixture(scope="module")
def queries():
    return random_directions(20, 64, seed=2)


# Enlarged sets


def test_an_enlarged_set_is_of_unit_vectors_and_the_same_each_time(vectors):
    some = enlarge(vectors[:50], 300)
    assert some.shape == (300, 64) and some.dtype == np.float32
    assert np.allclose(np.linalg.norm(some, axis=1), 1, atol=1e-5)
    assert (enlarge(vectors[:50], 300) == some).all() and (enlarge(vectors[:50], 100) == some[:100]).all()
    assert not np.allclose(enlarge(vectors[:50], 300, seed=1), some)


def test_an_enlarged_set_stays_near_the_real_one(vectors):
    real = vectors[:50]
    near, far = enlarge(real, 300, jitter=0.1), random_directions(300, 64)
    assert (near @ real.T).max(axis=1).mean() > 0.8 > 0.6 > (far @ real.T).max(axis=1).mean()
    assert len(np.unique(near, axis=0)) == 300


@pytest.mark.parametrize("count, start", [(0, 5), (3, 0)])
def test_nothing_to_enlarge(vectors, count, start):
    with pytest.raises(CourseError, match="at least one"):
        enlarge(vectors[:start], count)


def test_sentences_are_different_and_spread_over_the_articles():
    texts = ["One two three four. Five six seven eight.", "One two three four. Short. Nine ten eleven twelve."]
    articles = [Article(str(n), "t", "s", "public", "", text) for n, text in enumerate(texts)]
    assert distinct_sentences(articles, 3) == [
        "One two three four.", "Five six seven eight.", "Nine ten eleven twelve.",
    ]  # fmt: skip
    assert distinct_sentences(articles, 1) == ["One two three four."]
    with pytest.raises(CourseError, match="have 3 different sentences: ask for 1 to 3"):
        distinct_sentences(articles, 4)


# Indexes


def test_recall_counts_the_exact_neighbours_that_were_found():
    assert recalls(np.array([[1, 2, 9], [7, 8, 9]]), np.array([[1, 2, 3], [9, 8, 7]])) == [2 / 3, 1.0]


def test_flat_is_exact(vectors, queries):
    exact = exact_neighbours(vectors, queries, 10)
    assert (exact == (-(queries @ vectors.T)).argsort(axis=1)[:, :10]).all()
    found = measure("Flat", vectors, queries, exact)
    assert found.recall.mean == 1 and found.vectors == 600
    assert found.milliseconds.low <= found.milliseconds.mean <= found.milliseconds.high and found.build > 0


def test_codes_take_the_bytes_that_they_should(vectors, queries):
    exact = exact_neighbours(vectors, queries)
    bytes_each = {kind: measure(kind, vectors, queries, exact).bytes / 600 for kind in KINDS[:4]}  # up to HNSW
    assert bytes_each["Flat"] == pytest.approx(4 * 64, rel=0.02)
    assert bytes_each["Flat, float16"] == pytest.approx(2 * 64, rel=0.02)
    assert bytes_each["Flat, 8 bits"] == pytest.approx(64, rel=0.05)
    assert bytes_each["HNSW"] > bytes_each["Flat"] + 16 * 4


def test_approximate_kinds_find_most_of_it(queries):
    vectors = enlarge(random_directions(300, 96, seed=1), 2000)
    near = enlarge(vectors[:20], 20, seed=5)
    exact = exact_neighbours(vectors, near)
    for kind, least in {
        "Flat, float16": 0.97,
        "Flat, 8 bits": 0.9,
        "HNSW": 0.9,
        "HNSW, thorough": 0.98,
        "IVF-PQ": 0.3,
        RANKED: 0.8,
    }.items():
        assert measure(kind, vectors, near, exact).recall.mean > least, kind
    shuffled = np.random.default_rng(0).permutation(vectors)
    assert measure("HNSW", shuffled, near, exact).recall.mean < 0.1  # what a wrong index would score


def test_ranking_again_keeps_the_whole_vectors_beside_the_codes_and_finds_more():
    vectors, near = random_directions(2000, 384, seed=1), random_directions(20, 384, seed=2)
    codes, ranked = measure_all(vectors, near, [2000], ["IVF-PQ", RANKED])
    assert ranked.bytes - codes.bytes == pytest.approx(4 * 384 * 2000, rel=0.01) and ranked.build == codes.build
    assert ranked.recall.mean > codes.recall.mean + 0.1
    again = measure("IVF-PQ", vectors, near, exact_neighbours(vectors, near))
    assert again.recall.mean == codes.recall.mean


def test_every_kind_at_every_size_smallest_first(vectors, queries):
    found = list(measure_all(vectors, queries, [300, 600], ["Flat", "HNSW"]))
    assert [(one.kind, one.vectors) for one in found] == [
        ("Flat", 300), ("HNSW", 300), ("Flat", 600), ("HNSW", 600),
    ]  # fmt: skip


def test_kinds_that_differ_only_in_the_search_share_one_index():
    vectors = enlarge(random_directions(300, 32, seed=1), 3000, jitter=1.5)
    quick, thorough = measure_all(vectors, random_directions(20, 32, seed=2), [3000], ["HNSW", "HNSW, thorough"])
    assert (quick.build, quick.bytes) == (thorough.build, thorough.bytes)
    assert quick.recall.mean <= thorough.recall.mean
    one = build("HNSW", vectors)
    candidates = [as_searched(one, kind, vectors).hnsw.efSearch for kind in ("HNSW", "HNSW, thorough")]
    assert candidates[0] < candidates[1]  # a clock would say so too, but not on a busy machine


def test_a_kind_that_there_is_not(vectors):
    with pytest.raises(CourseError, match="no kind of index 'LSH' here: choose one of Flat, "):
        build("LSH", vectors)


def test_cores_are_given_back():
    import faiss

    before = faiss.omp_get_max_threads()
    with pytest.raises(ZeroDivisionError), cores(1):
        assert faiss.omp_get_max_threads() == 1
        1 / 0  # noqa: B018
    assert faiss.omp_get_max_threads() == before


# Growth


def test_a_power_law_is_found_again():
    sizes = [1e3, 1e4, 1e5, 1e6]
    law = fit_power_law(sizes, [3 * size**0.5 for size in sizes])
    assert law.exponent.mean == pytest.approx(0.5)
    assert law.exponent.high - law.exponent.low < 1e-6
    assert law.at(1e8).mean == pytest.approx(3e4) and law.reaches(3e4).mean == pytest.approx(1e8)
    assert law.beyond(1e8) == pytest.approx(100) and law.beyond(10) == 1


@pytest.mark.parametrize(("points", "factor"), [(3, 12.706), (12, 2.228), (22, 2.086), (122, 1.980)])
def test_the_interval_s_factor_is_student_s_t_at_any_number_of_points(points, factor):
    """The factors are those of printed tables, for two degrees of freedom less than there are points."""
    sizes = np.geomspace(1e3, 1e6, points)
    values = sizes * np.random.default_rng(0).lognormal(0, 0.2, points)
    fitted, law = linregress(np.log(sizes), np.log(values)), fit_power_law(sizes, values)
    assert (law.exponent.high - law.exponent.mean) / fitted.stderr == pytest.approx(factor, abs=1e-3)


def test_the_interval_covers_the_exponent_in_19_of_20_noisy_fits():
    draws = np.random.default_rng(0)
    sizes = np.geomspace(1e3, 1e5, 5)
    laws = [fit_power_law(sizes, sizes**0.7 * draws.lognormal(0, 0.2, 5)) for _ in range(600)]
    covered = np.mean([law.exponent.low <= 0.7 <= law.exponent.high for law in laws])
    assert 0.92 < covered < 0.98


def test_the_range_widens_beyond_the_points_and_reaching_turns_it_round():
    law = fit_power_law([1e3, 1e4, 1e5], [1.0, 12.0, 100.0])
    near, far = law.at(1e5), law.at(1e7)
    assert near.low < near.mean < near.high and far.high / far.low > near.high / near.low
    for value in (0.5, 1000.0):
        sizes = law.reaches(value)
        assert sizes.low < sizes.mean < sizes.high
        assert law.at(sizes.mean).mean == pytest.approx(value)
        assert law.at(sizes.low).low <= value <= law.at(sizes.high).high


@pytest.mark.parametrize("sizes, values", [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [1, 0, 2]), ([], [])])
def test_what_gives_no_power_law(sizes, values):
    with pytest.raises(CourseError, match="three points or more"):
        fit_power_law(sizes, values)


def test_what_does_not_grow_reaches_nothing():
    nearly_flat = PowerLaw(Interval(0.2, 0.001, 0.4), (1000, 1), 10_000)
    with pytest.raises(CourseError, match="hardly grow"):
        nearly_flat.reaches(1000)
    with pytest.raises(CourseError, match="do not surely grow"):
        fit_power_law([1, 10, 100], [3, 3, 3]).reaches(5)


# Shards


@pytest.mark.parametrize("shards", [1, 2, 3, 7, 50])
def test_shards_give_what_one_index_gives(vectors, queries, shards):
    ids = [f"p{number}" for number in range(50)]
    parts = zip(split(ids, shards), split(vectors[:50], shards), strict=True)
    found = [search_shard(names, np.array(part), queries, 10) for names, part in parts]
    together = search_shard(ids, vectors[:50], queries, 10)
    assert merged(found, 10, merge_shards) == together
    exact = exact_neighbours(vectors[:50], queries)
    assert [[name for _, name in hits] for hits in together] == [[ids[place] for place in row] for row in exact]


def test_a_shard_that_is_searched_twice_changes_nothing(vectors, queries):
    ids = [f"p{number}" for number in range(60)]
    parts = [(ids[start:end], vectors[start:end]) for start, end in ((0, 40), (20, 60), (20, 60))]
    found = [search_shard(*part, queries, 10) for part in parts]
    assert merged(found, 10, merge_shards) == search_shard(ids, vectors[:60], queries, 10)


def test_a_split_keeps_everything_in_order():
    assert split("abcdefg", 3) == [["a", "b"], ["c", "d"], ["e", "f", "g"]]
    for shards in (0, 8):
        with pytest.raises(CourseError, match=f"7 items make 1 to 7 shards, not {shards}"):
            split("abcdefg", shards)


# Plans


def law(factor, exponent, largest=1e6):
    return PowerLaw(Interval(exponent, exponent, exponent), (1.0, factor), largest)


GIVEN = Assumptions(passages=100_000_000, questions=50, memory=48, cores=16, busy=0.5, copies=2, embeds=100)
FLAT = Growth(law(1e-4, 1), law(1e-6, 1), 1536, 1.0)


def test_a_plan_by_hand():
    plan = plan_for(FLAT, GIVEN)
    assert plan.gib == pytest.approx(143.05, abs=0.01)
    assert (plan.shards, plan.passages_per_shard) == (3, 33_333_334)
    assert plan.milliseconds == pytest.approx(3333.3334)
    # 50 questions x 10 core seconds in all shards, on 16 cores that are busy half of the time
    assert plan.machines == math.ceil(50 * 3 * 3.3333334 / 16 / 0.5) == 63
    assert plan.hours == pytest.approx(33.333334 / 3600) and plan.beyond == pytest.approx(33.333334)


def test_few_questions_need_only_what_the_memory_needs():
    assert plan_for(FLAT, Assumptions(**(asdict(GIVEN) | {"questions": 0.01}))).machines == 6
    small = plan_for(FLAT, Assumptions(**(asdict(GIVEN) | {"passages": 100_000, "questions": 1})))
    assert (small.shards, small.machines, small.beyond) == (1, 2, 1)


def test_shards_of_a_graph_cost_more_than_one_graph():
    graph = Growth(law(0.1, 0.2), law(1e-4, 1), 1800, 0.95)
    one, many = plan_for(graph, GIVEN), plan_for(graph, Assumptions(**(asdict(GIVEN) | {"memory": 6})))
    assert many.shards > one.shards and many.milliseconds < one.milliseconds
    assert many.shards * many.milliseconds > one.shards * one.milliseconds


def test_embedding_hours():
    assert embedding_hours(GIVEN, machines=4) == pytest.approx(100_000_000 / 100 / 16 / 4 / 3600)


@pytest.mark.parametrize("change", [{"passages": 0}, {"busy": 1.2}, {"memory": -1}, {"embeds": math.nan}])
def test_assumptions_that_make_no_sense(change):
    with pytest.raises(CourseError, match=f"The plan's {next(iter(change))} is "):
        Assumptions(**(asdict(GIVEN) | change))


# Stored runs and the command


def test_a_run_is_stored_with_its_machine_and_read_again(tmp_path):
    save_run("indexes", "python -m x", [{"kind": "Flat", "ms": 0.5}], {"queries": 3}, tmp_path)
    run = load_run("indexes", tmp_path)
    assert run.rows == [{"kind": "Flat", "ms": 0.5}] and run.about == {"queries": 3}
    assert "faiss-cpu" in run.versions and "cores" in run.machine
    assert run.in_words().startswith("Stored: `python -m x`, 20")


@pytest.mark.parametrize("content", [None, "", "{}", '{"rows": 3}', "\x00"])
def test_a_stored_run_that_is_missing_or_broken(tmp_path, content):
    if content is not None:
        (tmp_path / "indexes.json").write_text(content)
    with pytest.raises(CourseError, match=r"restore it with git, or run `python -m utils.scale indexes`"):
        load_run("indexes", tmp_path)


def test_the_stored_runs_of_the_course_are_complete():
    indexes, cluster, trials = load_run("indexes"), load_run("cluster"), load_run("sweep")
    assert {row["kind"] for row in indexes.rows} == set(KINDS)
    assert max(row["vectors"] for row in indexes.rows) == 1_000_000
    assert [(row["killed"], row["lost"], row["twice"]) for row in cluster.rows] == [(False, 0, 0), (True, 0, 0)]
    assert [row["starts"] for row in trials.rows] == [2] + [1] * (len(trials.rows) - 1)
    assert len({row["steps"] for row in trials.rows}) == 1  # the killed trial went on, and did not begin anew


def test_the_stored_vectors_are_those_of_the_sentences():
    vectors = load_vectors()
    assert vectors.shape == (REAL, 384) and vectors.dtype == np.float32
    some = embed(distinct_sentences(load_articles() + load_topics(), REAL)[::100], load_embedder())
    assert np.abs(vectors[::100] - some).max() < 1e-3  # two bytes a number


@pytest.mark.parametrize("content", [None, b"", b"x" * 200, save({"others": np.ones(3)})])
def test_stored_vectors_that_are_missing_or_broken(tmp_path, content):
    if content is not None:
        (tmp_path / VECTORS).write_bytes(content)
    with pytest.raises(CourseError, match="restore it with git, or run `python -m utils.scale vectors`"):
        load_vectors(tmp_path)


def test_vectors_are_stored_and_read_again(tmp_path, vectors):
    save_vectors(vectors, tmp_path)
    assert np.abs(load_vectors(tmp_path) - vectors).max() < 1e-3


def test_no_stored_file_names_a_place_or_a_person():
    for path in (ROOT / "datasets" / "scale").glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert not any(word in text for word in (str(Path.home()), "/tmp", "://", str(ROOT)))


def test_sizes():
    assert sizes_up_to(30_000) == [1000, 3000, 10_000, 30_000]


def test_without_ray_the_command_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("utils.scale.ray_cluster.find_spec", lambda name: None)
    assert main(["sweep", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"Ray is not installed here: {INSTALL}.\n"
    assert not list(tmp_path.iterdir())


def test_no_module_imports_ray_when_it_is_loaded():
    """Ray is an extra that most learners do not install."""
    imported = re.compile(r"^(?:import|from) ray\b", re.MULTILINE)
    assert imported.search("import os\nimport ray\n") and imported.search("from ray.util import queue\n")
    assert [path for path in (ROOT / "utils").rglob("*.py") if imported.search(path.read_text(encoding="utf-8"))] == []


def test_the_list_of_extras_is_pinned():
    lines = (ROOT / "requirements-scale.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins and all("==" in line for line in pins)
    own, course = (parse_pins((ROOT / name).read_text(encoding="utf-8")) for name in ("requirements-scale.txt", LOCK))
    assert {name.lower() for name in own} & {name.lower() for name in course} == set(), "pinned twice"


# A trial that is killed

TINY = LoraPlan(rank=2, alpha=4, learning_rate=0.02, epochs=2, batch_size=4)


def tiny_data():
    return tiny_generator(), tiny_examples(10), tiny_examples(3)


KILLED_TRIAL = """
import sys
from pathlib import Path
from test_scale import TINY, tiny_data
from utils.scale.sweep import train_trial

train_trial(*tiny_data(), TINY, Path(sys.argv[1]), kill_after=3)
"""


def test_a_killed_trial_goes_on_and_ends_as_if_nothing_had_happened(tmp_path):
    paths = os.pathsep.join([str(Path(__file__).parent), str(ROOT), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, "-c", KILLED_TRIAL, str(tmp_path / "t")],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ended.returncode not in (0, 1), ended.stderr
    after = train_trial(*tiny_data(), TINY, tmp_path / "t", kill_after=3)
    base, examples, dev = tiny_data()
    tuned, losses = train_lora(base, examples, TINY)
    assert (after.steps, after.starts) == (len(losses), 2) == (6, 2)
    assert after.loss == pytest.approx(mean_loss(tuned, dev), abs=1e-4)


def test_a_trial_that_nobody_kills_starts_once(tmp_path):
    trial = train_trial(*tiny_data(), TINY, tmp_path / "t")
    assert (trial.rank, trial.seed, trial.starts, trial.steps) == (2, 0, 1, 6)
    anew = train_trial(*tiny_data(), TINY, tmp_path / "anew")
    shutil.rmtree(tmp_path / "anew" / "run")
    again = train_trial(*tiny_data(), TINY, tmp_path / "anew")
    assert (again.starts, again.steps, again.loss) == (2, 12, anew.loss)  # without its checkpoint: all steps twice


# Ray


def ray_processes():
    """Processes of Ray on this computer: one that lost its parent would not be found among the children."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(name in " ".join(process.cmdline()) for name in ("raylet", "gcs_server", "ray::")):
                found.append(process)
        except psutil.Error:
            continue
    return found


@NEEDS_RAY
class TestRay:
    """Each test starts a cluster of its own, since a killed node does not come back."""

    def texts(self, count=192):
        more = " and says at length what everybody knows about it" * 6  # so that a batch takes a while
        return [f"Passage {number} is about the {word}{more}." for number in range(count // 4) for word in "abcd"]

    def test_two_nodes_embed_what_one_process_embeds(self, tmp_path):
        from utils.scale.shards import embed_texts

        texts = self.texts(96)
        with local_cluster(2) as cluster:
            found = embed_on_ray(cluster, texts, tmp_path)
        assert found.rows == [1] * len(texts) and len(found.nodes) == 2
        assert found.begun == found.needed
        assert np.abs(found.vectors - embed_texts(texts)).max() < 1e-4

    def test_a_node_is_killed_and_nothing_is_lost_or_counted_twice(self, tmp_path):
        from utils.scale.shards import embed_texts

        texts = self.texts(320)
        with local_cluster(2) as cluster:
            victim = min(cluster.worker_nodes, key=lambda node: node.node_id)
            raylet = victim.all_processes["raylet"][0].process
            assert raylet.poll() is None
            found = embed_on_ray(cluster, texts, tmp_path, kill=victim)
            assert raylet.poll() is not None and len(cluster.worker_nodes) == 1
        assert found.rows == [1] * len(texts)
        assert found.begun > found.needed  # the killed node's unfinished work was done again
        assert not np.isnan(found.vectors).any()
        alone = embed_texts(texts)
        assert np.abs(found.vectors - alone).max() < 1e-4
        ids, queries = [str(number) for number in range(len(texts))], alone[::40]
        shards = zip(split(ids, 2), np.array_split(found.vectors, 2), strict=True)
        hits = merged([search_shard(*shard, queries, 5) for shard in shards], 5, merge_shards)
        expected = search_shard(ids, alone, queries, 5)
        assert [hit[0][1] for hit in hits] == [hit[0][1] for hit in expected]

    def test_a_node_that_cannot_be_killed_in_time_is_an_error(self, tmp_path):
        with local_cluster(2) as cluster, pytest.raises(CourseError, match="before the node could be killed"):
            victim = min(cluster.worker_nodes, key=lambda node: node.node_id)
            embed_on_ray(cluster, self.texts(8), tmp_path, kill=victim)

    def test_a_used_journal_is_refused(self, tmp_path):
        (tmp_path / "old").touch()
        with pytest.raises(CourseError, match="is not empty"):
            embed_on_ray(None, ["a"], tmp_path)

    def test_it_listens_on_this_machine_only_and_reports_nothing(self):
        with local_cluster(1):
            listening = {
                connection.laddr.ip
                for process in ray_processes()
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }
            usage = ray_module("ray._common.usage.usage_lib")
            assert not usage.usage_stats_enabled()
            assert ray_module("ray._private.worker").get_dashboard_url() in ("", None)
        assert listening and listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
        assert "PYTHONPATH" not in os.environ or str(ROOT) not in os.environ["PYTHONPATH"].split(os.pathsep)[:1]

    def test_the_cluster_is_gone_afterwards(self):
        before = {process.pid for process in ray_processes()}
        with local_cluster(1):
            assert {process.pid for process in ray_processes()} > before
        assert {process.pid for process in ray_processes()} <= before

    def test_a_sweep_whose_first_trial_is_killed(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # the trials' processes import this module
        with local_cluster(2):
            trials = sweep(tiny_data, TINY, (1, 2), (0, 1), tmp_path, kill_after=3)
        assert [(trial.rank, trial.seed) for trial in trials] == [(1, 0), (1, 1), (2, 0), (2, 1)]
        assert [trial.starts for trial in trials] == [2, 1, 1, 1]
        assert (tmp_path / "trials" / "rank-1-seed-0" / "killed").exists()
        base, examples, dev = tiny_data()
        for trial in trials:
            plan = LoraPlan(**(asdict(TINY) | {"rank": trial.rank, "alpha": 2 * trial.rank, "seed": trial.seed}))
            tuned, losses = train_lora(base, examples, plan)
            assert trial.steps == len(losses)
            assert trial.loss == pytest.approx(mean_loss(tuned, dev), abs=1e-4)
