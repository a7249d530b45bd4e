"""Training of the tiny generator from scratch: text, tokenizer, curriculum, evaluation."""
