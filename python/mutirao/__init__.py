"""Mutirão: large, dirty CSV dumps to Parquet. This package carries the native program and its cluster side."""

from mutirao._library import Library, TaskError, library_path

__all__ = ["Library", "TaskError", "library_path"]
