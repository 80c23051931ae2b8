"""Constraints that are not schemas. So far those of one lexeme: a pattern, a choice."""
