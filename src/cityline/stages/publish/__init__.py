"""Publish: answers and pictures as static pages and files, switched to all at once."""
