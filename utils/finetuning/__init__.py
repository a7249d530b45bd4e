"""Fine-tuning: the generator with LoRA (built in notebook 06), the embedder on pairs (built in notebook 03)."""

from utils.finetuning.embedder import EmbedderPlan, blend, tune_embedder
from utils.finetuning.examples import TrainingExample, few_shot_examples, house_examples, house_training_examples
from utils.finetuning.lora import LoraPlan, feed_forward_layers, train_lora

__all__ = [
    "EmbedderPlan", "LoraPlan", "TrainingExample", "blend", "feed_forward_layers", "few_shot_examples",
    "house_examples", "house_training_examples", "train_lora", "tune_embedder",
]  # fmt: skip
