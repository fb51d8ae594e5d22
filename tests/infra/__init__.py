"""Tests of the templates, without Azure: parsed by the Bicep grammar, compared with the code."""
