"""Grammars in the language of Lark (and in llama.cpp's GBNF): text -> definitions -> plain rules -> nodes of the machine."""
