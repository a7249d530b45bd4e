"""Fine-tuning: the generator with LoRA (built in notebook 06), the embedder on pairs (built in notebook 03)."""

from utils.finetuning.adapters import fingerprint, load_adapter, save_adapter
from utils.finetuning.distributed import process_group
from utils.finetuning.early_stopping import EarlyStopping, mean_loss
from utils.finetuning.embedder import EmbedderPlan, blend, tune_embedder
from utils.finetuning.examples import (
    TrainingExample,
    few_shot_examples,
    few_shot_records,
    house_examples,
    house_training_examples,
    read_training_examples,
    record_examples,
    record_training_examples,
    refuse_overlap,
)
from utils.finetuning.loop import DivergedError
from utils.finetuning.lora import feed_forward_layers, train_lora
from utils.finetuning.plan import LoraPlan

__all__ = [
    "DivergedError", "EarlyStopping", "EmbedderPlan", "LoraPlan", "TrainingExample", "blend", "feed_forward_layers",
    "few_shot_examples", "few_shot_records", "fingerprint", "house_examples", "house_training_examples", "load_adapter",
    "mean_loss", "process_group", "read_training_examples", "record_examples", "record_training_examples",
    "refuse_overlap", "save_adapter", "train_lora", "tune_embedder",
]  # fmt: skip
