"""Constraints that are not schemas: an algebra of texts, patterns, choices, templates, structural tags and users' own automata.

constraints.py has the constraints and what makes them, template.py and tags.py larger ones made of these; lower.py compiles them to nodes
of a program, side_by_side.py runs intersections, reading.py reads finished texts.
"""
