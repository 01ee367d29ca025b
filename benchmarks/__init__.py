"""What Cityline measures of itself: ratios in one run against a limit and peers, never assertions."""
