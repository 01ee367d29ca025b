"""The outside world, met here and nowhere else."""
