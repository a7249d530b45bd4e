"""The teaching pages: plans whose minutes come from the notebooks, and what to say about each decision."""
