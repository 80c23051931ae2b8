"""Generation: a model, a prompt and a schema in, text and a typed value out.

models, values, sampling → loop → requests → api and generator; shapes → parts → events → partial.
"""
