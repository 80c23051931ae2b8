"""The terminals that `%import common.NAME` brings: the names of Lark's library, defined here.

`LENGTHS` holds what Lark's contextual lexer sorts equally wide terminals by, the length of its regular expression, where ours is spelled
otherwise than Lark's.
"""

from __future__ import annotations

COMMON = r"""
DIGIT: "0".."9"
HEXDIGIT: "a".."f" | "A".."F" | DIGIT
INT: DIGIT+
SIGNED_INT: ["+" | "-"] INT
DECIMAL: INT "." INT? | "." INT
_EXP: ("e" | "E") SIGNED_INT
FLOAT: INT _EXP | DECIMAL _EXP?
SIGNED_FLOAT: ["+" | "-"] FLOAT
NUMBER: FLOAT | INT
SIGNED_NUMBER: ["+" | "-"] NUMBER

_STRING_INNER: /.*?/
_STRING_ESC_INNER: /(?:[^\\\n]|\\.)*?/
ESCAPED_STRING: "\"" _STRING_ESC_INNER "\""

LCASE_LETTER: "a".."z"
UCASE_LETTER: "A".."Z"
LETTER: UCASE_LETTER | LCASE_LETTER
WORD: LETTER+
CNAME: ("_" | LETTER) ("_" | LETTER | DIGIT)*

WS_INLINE: /[ \t]+/
WS: /[ \t\f\r\n]+/
CR: "\r"
LF: "\n"
NEWLINE: (CR? LF)+

SH_COMMENT: /#[^\n]*/
CPP_COMMENT: /\/\/[^\n]*/
C_COMMENT: /\/\*[^*]*\*+(?:[^\/*][^*]*\*+)*\//
SQL_COMMENT: /--[^\n]*/
"""

UNICODE = r"""
WS_INLINE: /[ \t\xa0]+/
WS: /[ \t\xa0\f\r\n]+/
"""

MODULES = {("common",): COMMON, ("unicode",): UNICODE}
LENGTHS: dict[tuple[tuple[str, ...], str], int] = {
    (("common",), "_STRING_ESC_INNER"): 18,
    (("common",), "WS_INLINE"): 13,
    (("common",), "WS"): 12,
    (("common",), "NEWLINE"): 12,
    (("common",), "C_COMMENT"): 13,
    (("unicode",), "WS_INLINE"): 10,
    (("unicode",), "WS"): 13,
}
