"""Tests of the templates, without Azure: compiled and evaluated by Microsoft's own program, compared with the code."""
