"""What makes the course, and no learner needs: its world, its model's pre-training, and building of the notebooks."""
