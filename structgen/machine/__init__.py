"""The machine in Python's hands: arenas, programs, matchers, distances. The loops are in structgen.kernels."""
