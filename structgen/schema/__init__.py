"""JSON Schema and Python types, up to the alternatives of each value position. `lower` turns those into the machine's tables."""
