"""Names of the context slots: the machine's memory map.

A *program context* P (int64 array) belongs to one compiled grammar, a *lexeme context* L to one vocabulary. A slot holds the address of a
table, a count, a capacity or a number. Tables of one *group* grow together; `structgen.machine.arena` allocates them from the lists here.

Encodings
- q, a lexeme state (int64): the low 32 bits name a state, the high 32 bits hold a count (only for counted strings). States below
  LOCAL belong to L (tables, shared by all grammars), from LOCAL on to P (tries of keys and enum values). 0 is dead.
- K, what follows (int32): a frame when K >= 0, a set of frames (number ~K) when K < 0.
- A configuration is (q, K), a state a sorted set of configurations plus a flag that the text may end here.
- tid, a captured text: 0 is the empty text, ANONYMOUS a text that a mask cannot know (several tokens share one walk). It ends with the key
  or the captured item that is being read, and begins where that began, or before (where captured items contain others and keys).
"""

from __future__ import annotations

LOCAL = 1 << 30
LOW = (1 << 32) - 1
ANONYMOUS = -1

# Return codes of kernels (states and counts are >= 0)
NEED = -1  # P[NEED_KIND] and P[NEED_ARG] say what Python must provide; then the call is repeated
UNCERTAIN = -2  # inside a mask walk only: the verdict depends on a captured text
NEED_GROW, NEED_NODE, NEED_LEXICON, NEED_FLUSH, NEED_CORE, NEED_ITEM, NEED_STEPS, NEED_MOVES, NEED_CYCLE = range(1, 10)

# Frame kinds: (kind, a, b, parents)
F_END = 0  # the root: the text may end
F_ENTER = 1  # a = node: a value follows; b = 1: or nothing, and then what follows the value
F_OPEN = 2  # a = object: `{` was read
F_KEY = 3  # a = object state: a key is being read
F_COLON = 4  # a = object state after the key, b = node of its value
F_NEXT = 5  # a = object state, b = node: a value of the object is being read
F_SEP = 6  # a = object state: `,` (tag 0) or `}` (tag 1) is being read
F_ARRAY = 7  # a = array: `[` was read
F_ITEM = 8  # a = array, b = items so far including this one; of an array with a core: the core state after it
F_ASEP = 9  # a = array, b = items so far, or the core state
F_CAPTURE = 10  # a = array, b = pending core state: like F_ITEM, but the core state after it depends on the item's text
F_LOOK = 11  # a = array: in a mask walk, an item after one whose text is not known
# Bits of a frame, and of a set those of its frames: it reads a key; it is an F_CAPTURE or F_LOOK; its closing byte ends a captured item; it
# is in one
B_KEY, B_CAPTURE, B_POPS, B_INSIDE = 1, 2, 4, 8

# Alternatives of a node: a lexeme, and after it nothing, an object, an array, or a sequence of nodes; ALT_NODE is such a sequence without a
# lexeme before it. A sequence lies in the pool: the number of its parts, then for each its node and 1 if it may be empty.
ALT_SCALAR, ALT_OBJECT, ALT_ARRAY, ALT_SEQUENCE, ALT_NODE = range(5)
# Marks of nodes while the starts of one are gathered, beside the number of that gathering: on the path, left, reached with what follows it
MARK_OPEN, MARK_LEFT, MARK_REACHED, MARK_WIDTH = 0, 1, 2, 4

# Tags of key lexemes: classes of other names from 0, declared names from NAMED, names that may not come again
NAMED = 1 << 16
TAKEN = 1 << 28

# Flags of lexeme states in L
Q_RECORDED, Q_FINAL, Q_BODY, Q_WITHIN = 1, 2, 4, 8
# Behind the byte classes of a lexeme: for each byte whether what follows the lexeme may begin with it (0: no), FOLLOWS_IN_PAIRS if that
# depends on the next byte as well: then a row of 256 bits for each byte stands behind.
FOLLOW = 256
FOLLOWS, FOLLOWS_IN_PAIRS = 1, 2
# Flags of states in P
S_END, S_TEXT = 1, 2  # the text may end; a text is being captured
# Flags of trie states in P: some name outside the trie is alive here; masks are found by walking the vocabulary, without records
LT_OPEN, LT_WALK = 1, 2

# Object row fields (int32)
OBJ_WIDTH = 16
(
    O_NAMES, O_VALUES, O_NEXT_REQUIRED, O_REQUIRED, O_SORTED, O_CLASSES, O_KEY_OPEN, O_KEY_CLOSED, O_ORDERED, O_WORDS,
    O_N_REQUIRED, O_LAST_REQUIRED, O_FREE, O_CORE, O_RELEVANT,
) = range(15)  # fmt: skip
# Array row fields (int32)
ARR_WIDTH = 8
A_N_PREFIX, A_PREFIX, A_ITEMS, A_MIN, A_MAX, A_SATURATE, A_CORE = range(7)
# Object state row fields (int32)
OS_WIDTH = 8
# OS_KEY is the key lexeme without the names that were used, OS_READ the one to read next (another where the core admits no other names)
OS_OBJECT, OS_POSITION, OS_SEEN, OS_KEY, OS_FLAGS, OS_EXTRAS, OS_CORE, OS_READ = range(8)
OS_CAN_CLOSE, OS_CAN_MORE, OS_ANONYMOUS, OS_OTHER = 1, 2, 4, 8
# Core state row fields (int32): an automaton of the front-end over the members of an object or the items of an array. CORE_PTR is -1 until
# the state is compiled; its moves (tag, node, next core state) are sorted by tag. Where the node is LATER, the moves with this tag are
# compiled when it is first read.
LATER = -1
CORE_WIDTH = 5
CORE_PTR, CORE_N, CORE_FLAGS, CORE_DEFAULT, CORE_KEY = range(5)
CORE_CLOSES, CORE_OTHERS, CORE_CAPTURES = 1, 2, 4
# Of a pending state: it is known whether the array may close (CORE_CLOSES) and go on (CORE_MORE); CORE_DEFAULT is then the core state to
# look ahead with, or -1
CORE_SURE, CORE_MORE = 8, 16
# Counted string row fields (int32)
COUNT_WIDTH = 8
C_MIN, C_MAX, C_BODY, C_SHIFT, C_BOUNDED, C_SLACK = range(6)


class _Slots:
    """Hands out consecutive slot numbers and remembers tables by group."""

    def __init__(self) -> None:
        self.size = 0
        self.groups: dict[str, dict[str, object]] = {}

    def number(self) -> int:
        self.size += 1
        return self.size - 1

    def group(
        self, name: str, capacity: int, tables: dict[str, tuple[str, int]], hashed: bool = False
    ) -> dict[str, int]:
        """A group of tables that grow together: name -> (dtype, elements per row). Returns their slots, with "count" and "cap"."""
        slots = {"count": self.number(), "cap": self.number()}
        entries = dict(tables)
        if hashed:
            entries |= {"next": ("i4", 1), "hash": ("i8", 1)}
            slots["mask"] = self.number()
            slots["head"] = self.number()
        for table in entries:
            slots[table] = self.number()
        self.groups[name] = {
            "capacity": capacity,
            "tables": entries,
            "hashed": hashed,
            "slots": slots,
            "index": len(self.groups),
        }
        return slots


PROGRAM = _Slots()
P_LEX = PROGRAM.number()  # address of the lexeme context
P_SERIAL = PROGRAM.number()  # number of the program, to own rows of the mask cache
NEED_KIND = PROGRAM.number()
NEED_ARG = PROGRAM.number()
NEED_TEXT = PROGRAM.number()  # NEED_ITEM: the captured text, NEED_MOVES: the tag (NEED_ARG is the core state)
X_TOP = PROGRAM.number()  # top of the configuration stack
STEPS = PROGRAM.number()  # work of the call under way: about one for each configuration that is stepped or looked at
MAX_STEPS = PROGRAM.number()  # the call ends with NEED_STEPS beyond it
OUT_TID = PROGRAM.number()  # second result of `advance`
P_USED = PROGRAM.number()  # set when what follows was looked up by a captured text
P_COLON = PROGRAM.number()  # start states of the structural lexemes
P_OBJ_SEP_BOTH = PROGRAM.number()
P_OBJ_SEP_MORE = PROGRAM.number()
P_OBJ_SEP_CLOSE = PROGRAM.number()
P_ARR_SEP_BOTH = PROGRAM.number()
P_ARR_SEP_MORE = PROGRAM.number()
P_ARR_SEP_CLOSE = PROGRAM.number()
P_BRACE = PROGRAM.number()
P_BRACKET = PROGRAM.number()

# Times that the starts of nested nodes were gathered, that nodes were listed that are entered together, and that a transition was computed:
# they tell marks and stamps of this time from older ones. A program's arena is used again: they go on.
N_GATHERED = PROGRAM.number()
N_LISTS = PROGRAM.number()
FR_STAMPS = PROGRAM.number()
CLOCKS = (N_GATHERED, N_LISTS, FR_STAMPS)
_g = PROGRAM.group(
    "nodes",
    64,
    {
        "ptr": ("i4", 1), "len": ("i4", 1),
        "mark": ("i8", 1), "k": ("i4", 1), "following": ("i4", 1),  # while starts are gathered
        "stamp": ("i8", 1), "root_k": ("i4", 1), "root": ("i4", 1),  # of nodes that are entered together
    },
)  # fmt: skip
N_PTR, N_LEN, N_MARK, N_K, N_FOLLOWING = _g["ptr"], _g["len"], _g["mark"], _g["k"], _g["following"]
N_STAMP, N_ROOT_K, N_ROOT = _g["stamp"], _g["root_k"], _g["root"]
ZEROED = ("mark", "stamp")  # tables that begin with zeros
_g = PROGRAM.group("visits", 64, {"node": ("i4", 1), "alternative": ("i4", 1), "part": ("i4", 1)})
V_CAP, V_NODE, V_ALTERNATIVE, V_PART = _g["cap"], _g["node"], _g["alternative"], _g["part"]
_g = PROGRAM.group("alternatives", 64, {"q": ("i8", 1), "kind": ("i4", 1), "arg": ("i4", 1)})
A_Q, A_KIND, A_ARG = _g["q"], _g["kind"], _g["arg"]
_g = PROGRAM.group("objects", 16, {"row": ("i4", OBJ_WIDTH)})
O_ROW = _g["row"]
_g = PROGRAM.group("arrays", 16, {"row": ("i4", ARR_WIDTH)})
AR_ROW = _g["row"]
_g = PROGRAM.group("cores", 16, {"row": ("i4", CORE_WIDTH)})
CORE_ROW = _g["row"]
_g = PROGRAM.group("core_moves", 64, {"tag": ("i4", 1), "node": ("i4", 1), "next": ("i4", 1)})
CM_TAG, CM_NODE, CM_NEXT = _g["tag"], _g["node"], _g["next"]
_g = PROGRAM.group("pool", 1024, {"value": ("i4", 1)})
POOL = _g["value"]
_g = PROGRAM.group("object_states", 128, {"row": ("i4", OS_WIDTH)}, hashed=True)
OS_COUNT, OS_CAP, OS_ROW, OS_NEXT, OS_HASH, OS_HEAD, OS_MASK = (
    _g["count"], _g["cap"], _g["row"], _g["next"], _g["hash"], _g["head"], _g["mask"],
)  # fmt: skip
_g = PROGRAM.group("seen", 512, {"word": ("i8", 1)})
SEEN_COUNT, SEEN_CAP, SEEN = _g["count"], _g["cap"], _g["word"]
_g = PROGRAM.group(
    "frames",
    256,
    {"kind": ("i4", 1), "a": ("i4", 1), "b": ("i4", 1), "parents": ("i4", 1), "bits": ("i4", 1), "stamp": ("i8", 1)},
    hashed=True,
)
FR_STAMP = _g["stamp"]
FR_COUNT, FR_CAP, FR_KIND, FR_A, FR_B, FR_PARENTS, FR_BITS, FR_NEXT, FR_HASH, FR_HEAD, FR_MASK = (
    _g["count"], _g["cap"], _g["kind"], _g["a"], _g["b"], _g["parents"], _g["bits"], _g["next"], _g["hash"], _g["head"], _g["mask"],
)  # fmt: skip
_g = PROGRAM.group("frame_sets", 32, {"ptr": ("i4", 1), "len": ("i4", 1), "bits": ("i4", 1)}, hashed=True)
FS_COUNT, FS_CAP, FS_PTR, FS_LEN, FS_BITS, FS_NEXT, FS_HASH, FS_HEAD, FS_MASK = (
    _g["count"], _g["cap"], _g["ptr"], _g["len"], _g["bits"], _g["next"], _g["hash"], _g["head"], _g["mask"],
)  # fmt: skip
_g = PROGRAM.group("frame_set_items", 128, {"frame": ("i4", 1)})
FSI_COUNT, FSI_CAP, FSI = _g["count"], _g["cap"], _g["frame"]
_g = PROGRAM.group(
    "states", 256, {"ptr": ("i4", 1), "len": ("i4", 1), "flags": ("i4", 1), "row": ("i4", 1)}, hashed=True
)  # fmt: skip
S_COUNT, S_CAP, S_PTR, S_LEN, S_FLAGS, S_ROW, S_NEXT, S_HASH, S_HEAD, S_MASK = (
    _g["count"], _g["cap"], _g["ptr"], _g["len"], _g["flags"], _g["row"], _g["next"], _g["hash"], _g["head"], _g["mask"],
)  # fmt: skip
_g = PROGRAM.group("configurations", 1024, {"q": ("i8", 1), "k": ("i4", 1)})
SC_COUNT, SC_CAP, SC_Q, SC_K = _g["count"], _g["cap"], _g["q"], _g["k"]
_g = PROGRAM.group(
    "follows", 256, {"k": ("i4", 1), "tag": ("i4", 1), "tid": ("i4", 1), "state": ("i4", 1)}, hashed=True
)
M_COUNT, M_CAP, M_K, M_TAG, M_TID, M_STATE, M_NEXT, M_HASH, M_HEAD, M_MASK = (
    _g["count"], _g["cap"], _g["k"], _g["tag"], _g["tid"], _g["state"], _g["next"], _g["hash"], _g["head"], _g["mask"],
)  # fmt: skip
_g = PROGRAM.group("texts", 128, {"parent": ("i4", 1), "byte": ("i4", 1)}, hashed=True)
T_COUNT, T_CAP, T_PARENT, T_BYTE, T_NEXT, T_HASH, T_HEAD, T_MASK = (
    _g["count"], _g["cap"], _g["parent"], _g["byte"], _g["next"], _g["hash"], _g["head"], _g["mask"],
)  # fmt: skip
_g = PROGRAM.group(
    "trie", 512, {"edges": ("i4", 1), "n": ("i4", 1), "default": ("i4", 1), "tag": ("i4", 1),
    "low": ("i4", 1), "high": ("i4", 1), "flags": ("i4", 1)}
)  # fmt: skip
LT_COUNT, LT_CAP, LT_EDGES, LT_N, LT_DEFAULT, LT_TAG, LT_LOW, LT_HIGH, LT_FLAGS = (
    _g["count"], _g["cap"], _g["edges"], _g["n"], _g["default"], _g["tag"], _g["low"], _g["high"], _g["flags"],
)  # fmt: skip
_g = PROGRAM.group("trie_edges", 1024, {"byte": ("i4", 1), "target": ("i4", 1)})
LE_COUNT, LE_CAP, LE_BYTE, LE_TARGET = _g["count"], _g["cap"], _g["byte"], _g["target"]
_g = PROGRAM.group("stack", 4096, {"q": ("i8", 1), "k": ("i4", 1)})
X_CAP, X_Q, X_K = _g["cap"], _g["q"], _g["k"]
_g = PROGRAM.group("work", 2048, {"a": ("i8", 1), "b": ("i4", 1), "c": ("i4", 1)})
W_CAP, W_A, W_B, W_C = _g["cap"], _g["a"], _g["b"], _g["c"]
_g = PROGRAM.group("recheck", 256, {"token": ("i4", 1)})
R_COUNT, R_CAP, R_TOKEN = _g["count"], _g["cap"], _g["token"]
P_LEVELS = PROGRAM.number()  # address: int32 [max token length + 2, 2], stack ranges by depth of a walk

LEXICON = _Slots()
L_WORDS = LEXICON.number()  # int32 words of a mask row
L_N_NODES = LEXICON.number()  # nodes of the vocabulary trie
L_MAX_LENGTH = LEXICON.number()  # longest token, bytes
L_TOKEN_START = LEXICON.number()  # address: int32 [n_tokens + 1], offsets into the token bytes
L_TOKEN_BYTES = LEXICON.number()  # address: uint8, all tokens
L_N_TOKENS = LEXICON.number()  # tokens in the trie
L_N_IDS = LEXICON.number()  # token ids
L_STOPS = LEXICON.number()  # address: int32 [n_stops]
L_N_STOPS = LEXICON.number()
L_SCRATCH = LEXICON.number()  # address: int32 [words], a row for intermediate masks
L_CACHE = LEXICON.number()  # address: int32 [n_cache, words], ring of finished masks
L_CACHE_OWNER = LEXICON.number()  # address: int64 [n_cache], program serial << 32 | state
L_N_CACHE = LEXICON.number()
L_CACHE_NEXT = LEXICON.number()
L_RECORD_LIMIT = LEXICON.number()  # bytes of records after which they are flushed
L_RECORD_BYTES = LEXICON.number()
L_LEVELS = LEXICON.number()  # address: int64 [max token length + 2], states by depth of a record walk

L_KIND_ROWS = LEXICON.number()  # address: int64 [rows, (words + 1) / 2], tokens by kind of character (see alphabet.py)
L_KIND_SCRATCH = LEXICON.number()  # address: int64 [(words + 1) / 2]
L_NODE_KINDS = LEXICON.number()  # address: int64 [vocabulary nodes], kinds of all tokens at and below each node
L_NODE_CHARS = LEXICON.number()  # address: uint8 [vocabulary nodes], most characters of those tokens
L_KIND_WEIGHTS = LEXICON.number()  # address: int64 [64], tokens with a character of each kind
SURVEY_CHARS = LEXICON.number()  # second result of `survey`
WALK_COUNT = LEXICON.number()  # second result of a record's walk

_g = LEXICON.group(
    "states",
    2048,
    {
        "row": ("i4", 1),
        "class": ("i4", 1),
        "tag": ("i4", 1),
        "flags": ("i4", 1),
        "record": ("i4", 1),
        "alt": ("i4", 1),
        "plain": ("i4", 1),
        "rest": ("i4", 1),
        "kinds": ("i8", 1),
        "view_kinds": ("i8", 1),
        "view": ("i4", 4),
    },
)
Q_ROW, Q_CLASS, Q_TAG, Q_FLAGS, Q_RECORD, Q_ALT, Q_PLAIN, Q_REST, Q_KINDS, Q_VIEW_KINDS, Q_VIEW = (
    _g["row"], _g["class"], _g["tag"], _g["flags"], _g["record"], _g["alt"], _g["plain"], _g["rest"], _g["kinds"],
    _g["view_kinds"], _g["view"],
)  # fmt: skip
_g = LEXICON.group("classes", 16384, {"class": ("u1", 1)})
CL = _g["class"]
_g = LEXICON.group("transitions", 65536, {"target": ("i4", 1)})
TR = _g["target"]
_g = LEXICON.group("counted", 64, {"row": ("i4", COUNT_WIDTH)})
C_ROW = _g["row"]
# tries: the vocabulary's own first, then the suffix tries of records
_g = LEXICON.group(
    "tries", 0, {"byte": ("u1", 1), "end": ("i4", 1), "depth": ("i4", 1), "tokens": ("i4", 1), "n": ("i4", 1)}
)
TN_COUNT, TN_CAP, TN_BYTE, TN_END, TN_DEPTH, TN_TOKENS, TN_N = (
    _g["count"], _g["cap"], _g["byte"], _g["end"], _g["depth"], _g["tokens"], _g["n"],
)  # fmt: skip
_g = LEXICON.group("trie_tokens", 0, {"token": ("i4", 1)})
TT_COUNT, TT_CAP, TT = _g["count"], _g["cap"], _g["token"]
# records: inside = a dense row (row >= 0) or a token list; exits = groups [first, last)
_g = LEXICON.group(
    "records",
    512,
    {
        "row": ("i4", 1),
        "list": ("i4", 1),
        "n": ("i4", 1),
        "exits": ("i4", 1),
        "n_exits": ("i4", 1),
        "key_1": ("i8", 1),
        "key_2": ("i8", 1),
    },
)
RE_COUNT, RE_CAP, RE_ROW, RE_LIST, RE_N, RE_EXITS, RE_N_EXITS, RE_KEY_1, RE_KEY_2 = (
    _g["count"], _g["cap"], _g["row"], _g["list"], _g["n"], _g["exits"], _g["n_exits"], _g["key_1"], _g["key_2"],
)  # fmt: skip
_g = LEXICON.group("exits", 1024, {"tag": ("i4", 1), "begin": ("i4", 1), "end": ("i4", 1)})
EX_COUNT, EX_CAP, EX_TAG, EX_BEGIN, EX_END = _g["count"], _g["cap"], _g["tag"], _g["begin"], _g["end"]
_g = LEXICON.group("rows", 0, {"word": ("i4", 1)})
ROW_COUNT, ROW_CAP, ROW_WORD = _g["count"], _g["cap"], _g["word"]
_g = LEXICON.group("lists", 4096, {"token": ("i4", 1)})
LI_COUNT, LI_CAP, LI_TOKEN = _g["count"], _g["cap"], _g["token"]
_g = LEXICON.group("suffixes", 4096, {"start": ("i4", 1), "length": ("i4", 1), "token": ("i4", 1), "tag": ("i4", 1)})
SU_CAP, SU_START, SU_LENGTH, SU_TOKEN, SU_TAG = (
    _g["cap"], _g["start"], _g["length"], _g["token"], _g["tag"],
)  # fmt: skip
