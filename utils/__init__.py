"""What the notebooks import: one module per subject, the code of the notebooks, tidied."""
