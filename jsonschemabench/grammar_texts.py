"""Grammars in what Lark's language and llguidance's dialect of it have in common: the same text for both engines, with the same language.

No templates, priorities or look-around; strings in capitals or with a blank keep keywords apart from names, so that the order in which
terminals are tried hardly matters. The rules suit an LALR(1) parser, so that both lexings of structgen read them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["TEXTS"]

_SQL = r"""
start: query ";"?
query: select (SET select)* order? limit?
select: "SELECT" "DISTINCT"? results "FROM" source where? group?
results: "*" | result ("," result)*
result: expression ("AS" NAME)?
source: table (join)*
join: ("LEFT" "OUTER"? | "INNER")? "JOIN" table "ON" expression
table: NAME ("AS" NAME)? | "(" query ")" "AS" NAME
where: "WHERE" expression
group: "GROUP" "BY" expression ("," expression)* ("HAVING" expression)?
order: "ORDER" "BY" key ("," key)*
key: expression ("ASC" | "DESC")? ("NULLS" ("FIRST" | "LAST"))?
limit: "LIMIT" NUMBER ("OFFSET" NUMBER)?

expression: conjunction | expression "OR" conjunction
conjunction: negation | conjunction "AND" negation
negation: comparison | "NOT" negation
comparison: sum
          | sum COMPARISON sum
          | sum "NOT"? "BETWEEN" sum "AND" sum
          | sum "NOT"? "LIKE" STRING
          | sum "IS" "NOT"? "NULL"
          | sum "NOT"? "IN" "(" (expression ("," expression)* | query) ")"
          | "EXISTS" "(" query ")"
sum: product | sum ADDITION product
product: factor | product MULTIPLICATION factor
factor: value | "-" value
value: NUMBER | STRING | "NULL"
     | column
     | NAME "(" ("*" | "DISTINCT"? expression ("," expression)*)? ")"
     | "CASE" expression? ("WHEN" expression "THEN" expression)+ ("ELSE" expression)? "END"
     | "CAST" "(" expression "AS" TYPE ")"
     | "(" expression ")"
column: NAME ("." NAME)?

SET: "UNION" | "UNION ALL" | "INTERSECT" | "EXCEPT"
TYPE: "INTEGER" | "REAL" | "TEXT"
COMPARISON: "=" | "<>" | "!=" | "<" | "<=" | ">" | ">="
ADDITION: "+" | "||"
MULTIPLICATION: "/" | "%"
NAME: /[a-z_][a-z0-9_]*/
NUMBER: /[0-9]+(\.[0-9]+)?/
STRING: /'([^'\x00-\x1f]|'')*'/
WS: /[ \t\n]+/
%ignore WS
"""

_PYTHON = r"""
start: line0+
line0: simple NL | compound0
line1: I1 simple NL | I1 compound1
line2: I2 simple NL
compound0: head NL line1+ | "if" S expression ":" NL line1+ elif0* else0? | "try" ":" NL line1+ except0+
elif0: "elif" S expression ":" NL line1+
else0: "else" ":" NL line1+
except0: "except" (S NAME (S "as" S NAME)?)? ":" NL line1+
compound1: head NL line2+ | "if" S expression ":" NL line2+ else1?
else1: I1_ELSE NL line2+
head: "for" S names S "in" S expression ":"
    | "while" S expression ":"
    | "with" S expression (S "as" S NAME)? ":"
    | "def" S NAME "(" parameters? ")" (" -> " expression)? ":"
    | "class" S NAME ("(" arguments? ")")? ":"
simple: expression (assignment expression)?
      | "return" (S expression)?
      | "pass" | "break" | "continue"
      | "raise" S expression
      | "del" S names
      | "assert" S test (", " test)?
      | "import" S dotted (S "as" S NAME)?
      | "from" S dotted S "import" S names
assignment: " = " | AUGMENTED
dotted: NAME ("." NAME)*
names: NAME (", " NAME)*
parameters: parameter (", " parameter)*
parameter: NAME (": " test)? ("=" test)? | "*" NAME | "**" NAME

expression: test | test ", " tuple
tuple: test (", " test)*
test: disjunction | disjunction S "if" S disjunction S "else" S test | "lambda" (S names)? ": " test
disjunction: conjunction | disjunction OR conjunction
conjunction: negation | conjunction AND negation
negation: comparison | "not" S negation
comparison: bits | comparison COMPARISON bits
bits: sum | bits BITS sum
sum: product | sum SUM product
product: unary | product PRODUCT unary
unary: power | SIGN unary
power: primary | primary " ** " unary
primary: atom | primary "." NAME | primary "(" arguments? ")" | primary "[" subscript "]"
subscript: test | test? ":" test?
arguments: argument (", " argument)*
argument: test | NAME "=" test | "*" test
atom: NAME | NUMBER | STRING | "True" | "False" | "None"
    | "(" expression? ")"
    | "[" (test (", " test)*)? "]"
    | "[" test S "for" S names S "in" S disjunction "]"
    | "{" (pair (", " pair)*)? "}"
pair: test ": " test

AUGMENTED: " += " | " -= " | " *= " | " //= "
OR: " or "
AND: " and "
COMPARISON: " == " | " != " | " < " | " <= " | " > " | " >= " | " is " | " is not " | " not in "
BITS: " | " | " & " | " ^ "
SUM: " + " | " - "
PRODUCT: " * " | " / " | " // " | " % "
SIGN: "-" | "~"
I1: /    /
I2: /        /
I1_ELSE: /    else:/
S: " "
NL: /\n+/
NAME: /[A-Za-z_][A-Za-z0-9_]*/
NUMBER: /[0-9]+(\.[0-9]+)?/
STRING: /"([^"\\\n]|\\[^\n])*"/ | /'([^'\\\n]|\\[^\n])*'/
"""

_JSON = r"""
start: value
value: object | array | STRING | NUMBER | "true" | "false" | "null"
object: "{" (pair ("," pair)*)? "}"
pair: STRING ":" value
array: "[" (value ("," value)*)? "]"
STRING: /"([^"\\\x00-\x1f]|\\(["\\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/
NUMBER: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/
WS: /[ \t\r\n]+/
%ignore WS
"""

_ARITHMETIC = r"""
start: sum
sum: product | sum /[+-]/ product
product: power | product /[*\/%]/ power
power: factor | factor "^" power
factor: NUMBER | NAME | "-" factor | "(" sum ")" | NAME "(" (sum ("," sum)*)? ")"
NUMBER: /[0-9]+(\.[0-9]+)?/
NAME: /[A-Za-z_][A-Za-z0-9_]*/
WS: /[ \t]+/
%ignore WS
"""

_CSV = r"""
start: (row NL)+
row: cell ("," cell)*
cell: PLAIN | QUOTED |
PLAIN: /[^",\r\n]+/
QUOTED: /"([^"]|"")*"/
NL: /\r?\n/
"""

_XML = r"""
start: element
element: "<a" attribute* rest_a | "<b" attribute* rest_b | "<list" attribute* rest_list
rest_a: "/>" | ">" content* "</a>"
rest_b: "/>" | ">" content* "</b>"
rest_list: "/>" | ">" content* "</list>"
content: element | TEXT | REFERENCE
attribute: S NAME "=" VALUE
NAME: /[a-z][a-z0-9-]*/
VALUE: /"[^"<&\x00-\x1f]*"/
TEXT: /[^<&\x00-\x08\x0b-\x1f]+/
REFERENCE: /&(amp|lt|gt|quot|#[0-9]{1,4});/
S: " "
"""

_DATE = r"""
start: date | date "T" time ZONE?
date: YEAR "-" MONTH "-" DAY
time: HOUR ":" MINUTE (":" MINUTE FRACTION?)?
YEAR: /[0-9]{4}/
MONTH: /0[1-9]|1[0-2]/
DAY: /0[1-9]|[12][0-9]|3[01]/
HOUR: /[01][0-9]|2[0-3]/
MINUTE: /[0-5][0-9]/
FRACTION: /\.[0-9]{1,9}/
ZONE: /Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]/
"""

TEXTS: Final[dict[str, str]] = {
    "sql": _SQL,
    "python": _PYTHON,
    "json": _JSON,
    "arithmetic": _ARITHMETIC,
    "csv": _CSV,
    "xml": _XML,
    "iso_date": _DATE,
}
