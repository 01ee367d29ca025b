"""Cityline turns a city's 3-1-1 open data into answers anybody can check."""

__version__ = "0.1.0"
