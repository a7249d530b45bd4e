"""An adapter that teaches a pretrained model to read handbooks: invented lessons, and their training."""
