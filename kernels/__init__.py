"""Compiled kernels: numba functions over flat arrays. They import nothing of structgen, and structgen imports them lazily.

`memory` gives typed views of raw addresses, `layout` names the slots of the machine's context, `trie` builds the vocabulary trie,
`intern` hash-conses, `lexeme` steps automata, `frames` says what follows a lexeme, `records` caches what a lexeme state allows,
`advance` moves a state by tokens,
`masks` builds masks, `machine` holds the entry points.
"""
