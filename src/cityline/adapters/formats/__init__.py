"""Open formats: CSV texts and pictures, met by every adapter alike."""
