"""Past one machine (notebook A3): what indexes cost as they grow, shards, a Ray cluster, sweeps, a plan on paper.

Ray is optional: `python -m pip install -r requirements-scale.txt -c requirements.lock`.
"""

from utils.scale.clouds import distinct_sentences, enlarge, random_directions, spread
from utils.scale.growth import PowerLaw, fit_power_law
from utils.scale.indexes import KINDS, RANKED, Measured, build, cores, exact_neighbours, measure, measure_all, recalls
from utils.scale.planning import Assumptions, Growth, Plan, embedding_hours, plan_for, plans_for
from utils.scale.ray_cluster import INSTALL, has_ray, local_cluster
from utils.scale.ray_corpus import embed_on_ray
from utils.scale.shards import embed_in_processes, merged, search_shard, split
from utils.scale.stored import load_run, load_vectors

__all__ = [
    "Assumptions", "Growth", "INSTALL", "KINDS", "Measured", "Plan", "PowerLaw", "RANKED", "build", "cores",
    "distinct_sentences", "embed_in_processes", "embed_on_ray", "embedding_hours", "enlarge", "exact_neighbours",
    "fit_power_law", "has_ray", "load_run", "load_vectors", "local_cluster", "measure", "measure_all", "merged",
    "plan_for", "plans_for", "random_directions", "recalls", "search_shard", "split", "spread",
]  # fmt: skip
