"""A reader of SMILES that builds the molecular graph (OpenSMILES 1.0): an oracle for the bundled grammar.

`accepts(text)` decides whether the text is well formed: atoms, bonds, balanced branches, every ring bond closed, with bonds at its two
ends that agree, no atom bonded to itself and no two bonds between one pair of atoms. Valence and aromaticity are not checked.
"""

from __future__ import annotations

import re

ELEMENTS = set(
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd "
    "Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac "
    "Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr b c n o p s se as".split()
)
TOKEN = re.compile(
    r"\[(?P<isotope>\d+)?(?P<element>[A-Z][a-z]?|[a-z][a-z]?)(?P<chirality>@@?)?(?P<hydrogens>H\d?)?(?P<charge>[+-]\d?)?(?::\d+)?\]"
    r"|(?P<organic>Cl|Br|[BCNOPSFI]|[bcnops])|(?P<bond>[-=#$:/\\])|(?P<ring>\d|%\d\d)|(?P<other>[().])"
)


def accepts(text: str) -> bool:
    """Whether the text is a well-formed SMILES string of at least one atom."""
    bonds: set[frozenset[int]] = set()
    rings: dict[str, tuple[int, str]] = {}
    branches: list[int] = []
    # The last atom's number, the atom that the next one is bonded to, the bond written before it.
    atom, previous, bond = -1, -1, ""
    last = "."  # what came before: an atom, a bond, "(", ")" or "."
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            return False
        at = found.end()
        kind = found.lastgroup
        if found["organic"] or found["element"]:
            if found["element"] and (
                found["element"] not in ELEMENTS or (found["element"] == "H" and found["hydrogens"])
            ):
                return False
            atom += 1
            if previous >= 0:
                bonds.add(frozenset((previous, atom)))
            elif bond:
                return False
            previous, bond, last = atom, "", "atom"
        elif kind == "bond":
            if last == "bond" or last == ".":
                return False
            bond, last = found[0], "bond"
        elif kind == "ring":
            if last not in ("atom", "bond") or previous < 0:
                return False
            if found[0] not in rings:
                rings[found[0]] = (previous, bond)
            else:
                other, other_bond = rings.pop(found[0])
                pair = frozenset((other, previous))
                if len(pair) == 1 or pair in bonds or (bond and other_bond and bond != other_bond):
                    return False
                bonds.add(pair)
            bond, last = "", "atom"
        elif found[0] == "(":
            if last not in ("atom", ")"):
                return False
            branches.append(previous)
            last = "("
        elif found[0] == ")":
            if last not in ("atom", ")") or not branches:
                return False
            previous, last = branches.pop(), ")"
        else:
            if last not in ("atom", ")") or branches:
                return False
            previous, last = -1, "."
    return last in ("atom", ")") and not rings and not branches
