"""Words and invented values for the training tasks of the embedded model.

Purpose: give `tasks.py` values of every kind (names, cities, products, codes, dates ...) in two disjoint halves.
In: a `random.Random` and the flag `held`; out: plain strings.
The split: a word belongs to the held-out half when the CRC-32 of its lower-cased form is 0 modulo 8 (`is_held_word`).
Training never draws a held-out word for an *open* value (people, places, companies, products, titles, codes);
closed classes (statuses, currencies, months, colours) are shared, since nobody can copy what must be known.
Limits: about 600 real words; everything else is built from syllables, so that the model has to copy, not to remember.
Turned down: a download of real name lists (licences, size) and a library such as Faker (a dependency for one script).
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence

__all__ = ["SPLIT", "Words", "is_held_word"]

SPLIT = 8

FIRST = """Ada Alan Alice Amara Amir Ana Andre Anna Anton Arjun Aisha Ben Bruno Carla Carlos Chen Clara Daniel David Diana
Diego Elena Eli Emma Erik Eva Fatima Felix Fiona Frank George Grace Greta Hana Hans Hassan Helen Henry Hugo Ibrahim Ida
Ines Ingrid Iris Ivan Jack Jana James Jean John Jonas Joy Julia Kai Karim Kate Kenji Lars Laura Leila Lena Leo Lina Linda
Liam Lucas Luis Maria Marco Mark Marta Mary Max Mei Mia Michael Mina Mohammed Nadia Nia Nina Noah Nora Olga Oliver Omar
Oscar Pablo Paula Peter Pia Priya Rahul Ravi Rita Robert Rosa Sam Sara Sofia Stefan Sven Tara Theo Thomas Tom Uma Vera
Victor Walter Wei Yara Yuki Zara Grace Ruth Edith Marvin Nils Otto Rolf Susan Terry Ursula Violet Wanda Xavier Yolanda""".split()
FIRST_MARKED = """Zoë José Søren Łukasz Björn Renée Chloé Çelik Ángel Jürgen Małgorzata Žofie Ömer Núria Íris Håkon
Þóra François Ştefan Dvořák Émile Noël Anaïs Gül Iñaki João Štěpán Østen""".split()
LAST = """Adams Ahmed Alvarez Anderson Baker Barros Bauer Becker Bianchi Brown Carter Chan Clark Cohen Costa Cruz Davis
Diaz Dubois Evans Ferrari Fischer Fontaine Garcia Gomez Green Gupta Haddad Hansen Harris Hill Hoffmann Hughes Ito Jackson
Jansen Jensen Johnson Jones Kaya Keller Khan Kim King Kowalski Kumar Lange Larsen Lee Lewis Lopez Lovelace Martin Mendes
Meyer Miller Moore Morales Morgan Nakamura Nguyen Nielsen Novak Okafor Olsen Ortiz Park Patel Pereira Petrov Popov Price
Rao Reed Reyes Ricci Rivera Roberts Rossi Roth Russo Sanchez Santos Sato Schmidt Schneider Scott Silva Singh Smith Sousa
Stone Suzuki Tanaka Taylor Torres Turing Turner Vargas Vogel Wagner Walker Wang Weber White Williams Wilson Wong Wright
Wu Yamamoto Yilmaz Young Zhang Hopper Curie Noether Franklin Bell Watson Brooks Fletcher O'Neil O'Brien McCarthy""".split()
LAST_MARKED = """Müller García Sørensen Dvořák Nguyễn Šimić Ødegaard Żak Gödel Erdős Çetin Lévêque Peña Åberg Núñez
Brâncuși Yıldız Jiménez Groß Kovačević Hernández Łaski""".split()
CITIES = """London Paris Berlin Madrid Rome Lisbon Vienna Prague Warsaw Budapest Athens Dublin Oslo Stockholm Helsinki
Copenhagen Amsterdam Brussels Zurich Geneva Milan Naples Turin Porto Seville Valencia Lyon Nice Munich Hamburg Cologne
Dresden Leipzig Bristol Leeds Glasgow Edinburgh Cardiff Boston Chicago Denver Seattle Austin Dallas Houston Phoenix
Portland Atlanta Miami Toronto Montreal Vancouver Ottawa Lima Quito Santiago Lagos Nairobi Cairo Tunis Rabat Accra Dakar
Kampala Istanbul Ankara Dubai Mumbai Delhi Pune Chennai Kolkata Karachi Lahore Dhaka Bangkok Hanoi Jakarta Manila Seoul
Tokyo Osaka Kyoto Beijing Shanghai Taipei Sydney Melbourne Perth Auckland Wellington Springfield""".split()
CITIES_MORE = ["New York", "San Francisco", "Los Angeles", "Buenos Aires", "São Paulo", "Rio de Janeiro", "Mexico City",
               "Cape Town", "Tel Aviv", "Hong Kong", "Kuala Lumpur", "Zürich", "Köln", "Malmö", "Kraków", "Montréal",
               "Bogotá", "Reykjavík", "Saint Louis", "New Delhi", "Århus", "Las Vegas", "El Paso", "Santa Fe"]  # fmt: skip
COUNTRIES = """France Germany Spain Portugal Italy Austria Switzerland Belgium Netherlands Denmark Norway Sweden Finland
Poland Greece Turkey Ireland Iceland Hungary Romania Bulgaria Croatia Serbia Ukraine Estonia Latvia Egypt Morocco Kenya
Nigeria Ghana Ethiopia Brazil Chile Peru Colombia Argentina Mexico Canada Japan China India Nepal Vietnam Thailand
Malaysia Indonesia Australia England Scotland Wales Jordan Israel Lebanon Singapore""".split()
JOBS = """nurse doctor teacher engineer baker carpenter lawyer plumber electrician chef pilot journalist architect
designer programmer accountant dentist farmer painter photographer translator librarian mechanic musician actor writer
scientist biologist chemist physicist economist analyst manager consultant waiter bartender tailor florist gardener
mathematician surgeon pharmacist editor judge firefighter paramedic cashier driver welder researcher student""".split()
JOB_MARKS = ["senior", "junior", "software", "civil", "data", "product", "marketing", "sales", "lead", "freelance",
             "assistant", "retired", "mechanical", "graphic", "primary school"]  # fmt: skip
LANGUAGES = """English French German Spanish Italian Portuguese Dutch Danish Swedish Norwegian Finnish Polish Czech
Greek Turkish Arabic Hebrew Hindi Urdu Bengali Japanese Korean Mandarin Thai Swahili Russian Ukrainian Hungarian Latin
Welsh Irish Catalan""".split()
HOBBIES = """chess hiking painting reading cycling swimming cooking gardening knitting photography sailing climbing
running dancing fishing skiing yoga birdwatching pottery astronomy surfing archery fencing baking origami camping
juggling woodworking singing rowing judo tennis football""".split()
COLORS = """red blue green black white grey yellow orange purple pink brown silver gold teal navy beige turquoise
crimson ivory olive maroon violet""".split()
PRODUCT_MARKS = """wireless ceramic wooden leather steel cotton electric portable folding vintage compact waterproof
digital organic glass small large soft heavy solar smart classic plain bamboo copper""".split()
PRODUCT_NOUNS = """mug keyboard lamp chair desk backpack bottle notebook headphones camera kettle toaster blender jacket
scarf pillow blanket bicycle helmet tent charger cable monitor printer router speaker watch wallet umbrella vase teapot
pan knife spoon candle clock mirror shelf carpet towel drill hammer ladder pump fan heater tablet phone stapler pen
sweater shirt gloves boots soap basket""".split()
COMPANY_TAILS = ["Ltd", "Inc", "GmbH", "Group", "Labs", "Systems", "Partners", "Foods", "Logistics", "Studio", "Bank",
                 "Software", "Energy", "& Sons", "Media", "Motors", "AG", "Books", "Health", "Solutions"]  # fmt: skip
STREET_TAILS = ["Street", "Road", "Avenue", "Lane", "Drive", "Way", "Square", "Court", "Boulevard", "Close", "Place"]
TOPICS = """budget design sales safety jazz poetry robotics chess marketing history climate security music film startup
yoga pottery science garden theatre research product team hiring charity book wine photography finance ocean language
climbing data cooking energy travel health education innovation alumni""".split()
EVENT_NOUNS = """meeting workshop conference concert review seminar party dinner lecture festival webinar meetup
exhibition training summit hackathon retreat class reception tournament market fair""".split()
NOUNS = """height weight depth width length colour color size brand model author title genre year pages publisher
director duration rating score team capital population language price discount tax fee balance limit speed power voltage
capacity volume temperature humidity pressure distance altitude area floor room seat gate platform flight airline origin
destination departure arrival driver vehicle plate engine fuel mileage owner breed species habitat diet lifespan flavour
ingredient recipe calories protein portion material texture shape pattern finish season collection artist album label
track tempo key venue host sponsor prize winner coach captain stadium league goals wins losses rank level experience
skill degree school university course grade teacher subject semester department office manager role salary contract
supplier batch barcode serial version release platform framework license protocol port server database region zone
cluster status code message reason source target channel topic summary comment note tag group section chapter verse
patient diagnosis dose allergy doctor ward symptom insurance policy premium claim deposit rent tenant landlord agent
garden kitchen bedrooms bathrooms parking balcony heating river mountain lake island bridge tower museum gallery hotel
stars guests nights checkin checkout nickname hometown birthplace nationality profession employer spouse pet motto
planet orbit mass moons radius element symbol density melting boiling inventor discovery battery screen memory storage
processor weightlimit warranty accessory quantity stock reorder shelf aisle warehouse carrier tracking delivery""".split()
SPECIES = """dog cat rabbit hamster parrot horse goldfish turtle pony canary snake lizard goat sheep ferret budgie mouse""".split()
FOODS = """flour sugar butter eggs milk rice pasta tomatoes onions garlic carrots potatoes cheese beans lentils spinach mushrooms
lemon apples honey salt pepper basil oil yeast cream chicken salmon tofu nuts chocolate cinnamon bread yoghurt""".split()
SKIES = ["sunny", "cloudy", "rainy", "foggy", "windy", "snowy", "clear", "overcast", "stormy", "partly cloudy"]

FILLER = """the a new old small big project report plan final first second great open local annual summer winter morning
evening weekly quick simple broken late early missing wrong delayed""".split()
PROBLEMS = ["the screen stays black", "the app crashes on start", "the battery drains too fast", "login fails",
            "the package never arrived", "the invoice shows the wrong amount", "the export button does nothing",
            "the password reset email never comes", "the page loads very slowly", "the sound cuts out",
            "the door does not close", "the refund has not been paid", "the printer jams every time",
            "the map shows the wrong place", "the update cannot be installed", "the camera picture is blurred",
            "the wheel is bent", "it makes a loud noise", "the coupon code is rejected", "the display flickers",
            "two parts are missing", "the colour is wrong", "the search finds nothing", "data is lost after saving",
            "the handle broke off", "the card payment was declined twice", "the video stops after a minute"]  # fmt: skip

ONSETS = [*"b br c ch cl d dr f fl g gr h j k kr l m n p pl qu r s sh sk sl st t th tr v w y z".split(), ""]
NUCLEI = "a e i o u a e i o u a e i o u ai ea ie ou ee oo au".split()
CODAS = ["n", "r", "l", "s", "m", "t", "d", "k", "nd", "rt", "st", "ck", "x", "ng", "rn", "lm", *[""] * 24]
TAILS = "son sen ova ski man berg ton ford ville ham ley wick stad burg mar dale ia us ez ini er a o i".split()
SCRIPTS = [
    ("А Б В Г Д Е И К Л М Н О П Р С Т".split(), "ан ова ир ел ина ор ша ев ко ла ми на рий сла та ван".split()),
    ("Α Β Γ Δ Ε Κ Λ Μ Ν Π Σ Θ".split(), "άννα ος ιά ης εω ργί αρί να λα κος ίδης άκης".split()),
    (list("王李张刘陈杨赵黄周吴林高马"), list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平")),
    (list("김이박최정강조윤장임"), list("민준서연지우현수영하은진호재")),
    (["さ", "ゆ", "は", "み", "あ", "け"], ["くら", "き", "な", "おい", "かり", "すけ", "ると", "さき"]),
    (["م", "ع", "س", "ن", "ف", "ح"], ["حمد", "لي", "ارة", "اطمة", "سن", "ور", "مر", "يم"]),
]


def is_held_word(word: str) -> bool:
    """True when `word` belongs to the held-out half of the values (fixed for ever by its CRC-32)."""
    return zlib.crc32(word.lower().encode("utf-8")) % SPLIT == 0


class Words:
    """Draws words of one half of the split; every method returns a fresh string."""

    def __init__(self, rng: random.Random, held: bool) -> None:
        self.rng = rng
        self.held = held
        # Pieces that the tokenizer knows, set by the trainer: random strings of them make rare tokens copyable.
        self.pieces: Sequence[str] = ()

    def listed(self, words: Sequence[str]) -> str:
        """One word of `words` that lies in this half; a built word when the list has none there."""
        for _ in range(40):
            word = self.rng.choice(words)
            if is_held_word(word) == self.held:
                return word
        return self.invented()

    def invented(self, n_syllables: int = 0, capital: bool = True) -> str:
        """A pronounceable word that no list holds, or a string of random tokens."""
        rng = self.rng
        for _ in range(200):
            if self.pieces and rng.random() < 0.12:
                word = "".join(rng.choice(self.pieces) for _ in range(rng.randint(1, 3)))
                word = word[:14]
            else:
                count = n_syllables or rng.choice((1, 2, 2, 2, 2, 3))
                word = "".join(rng.choice(ONSETS) + rng.choice(NUCLEI) + rng.choice(CODAS) for _ in range(count))
                if rng.random() < 0.3:
                    word += rng.choice(TAILS)
            if len(word) > 2 and is_held_word(word) == self.held:
                return word.capitalize() if capital else word.lower()
        return "Held" if self.held else "Open"

    def first_name(self) -> str:
        roll = self.rng.random()
        if roll < 0.42:
            return self.listed(FIRST)
        if roll < 0.50:
            return self.listed(FIRST_MARKED)
        return self.invented()

    def last_name(self) -> str:
        roll = self.rng.random()
        if roll < 0.40:
            return self.listed(LAST)
        if roll < 0.46:
            return self.listed(LAST_MARKED)
        if roll < 0.50:
            return self.invented() + "-" + self.listed(LAST)
        return self.invented()

    def person(self) -> tuple[str, str]:
        """(first, last): mostly Latin script, sometimes another one; the full name is `first + " " + last`."""
        if self.rng.random() < 0.04:
            heads, tails = self.rng.choice(SCRIPTS)
            for _ in range(100):
                first = self.rng.choice(heads) + self.rng.choice(tails)
                last = self.rng.choice(heads) + self.rng.choice(tails) + self.rng.choice(tails)
                if is_held_word(first) == self.held:
                    return first, last
        first = self.first_name()
        if self.rng.random() < 0.07:
            first += " " + self.rng.choice("ABCDEFGHJKLMNPRSTW") + "."
        return first, self.last_name()

    def city(self) -> str:
        roll = self.rng.random()
        if roll < 0.42:
            return self.listed(CITIES)
        if roll < 0.52:
            return self.listed(CITIES_MORE)
        if roll < 0.58:
            return self.rng.choice(("New", "Port", "San", "North", "Bad", "Upper", "Saint")) + " " + self.invented()
        return self.invented()

    def company(self) -> str:
        name = self.invented() if self.rng.random() < 0.75 else self.last_name()
        if self.rng.random() < 0.15:
            name += " " + self.invented()
        return name if self.rng.random() < 0.35 else name + " " + self.rng.choice(COMPANY_TAILS)

    def street(self) -> str:
        name = self.invented() if self.rng.random() < 0.6 else self.listed(LAST)
        return name + " " + self.rng.choice(STREET_TAILS)

    def product(self) -> str:
        rng = self.rng
        roll = rng.random()
        if roll < 0.25:
            return self.invented() + " " + rng.choice(PRODUCT_NOUNS)
        if roll < 0.40:
            return self.invented() + " " + rng.choice(("X", "Pro", "Mini", "Max", "S", "")) + str(rng.randint(1, 990))
        if roll < 0.48:
            return self.invented()
        for _ in range(40):
            mark = rng.choice(PRODUCT_MARKS if rng.random() < 0.6 else COLORS)
            name = mark + " " + rng.choice(PRODUCT_NOUNS)
            if is_held_word(name) == self.held:
                return name
        return self.invented() + " " + rng.choice(PRODUCT_NOUNS)

    def title(self) -> str:
        """The name of an event, a project or a book, in title case."""
        rng = self.rng
        topic = rng.choice(TOPICS).capitalize() if rng.random() < 0.6 else self.invented()
        for _ in range(40):
            roll = rng.random()
            if roll < 0.45:
                name = topic + " " + rng.choice(EVENT_NOUNS).capitalize()
            elif roll < 0.65:
                name = rng.choice(FILLER).capitalize() + " " + topic + " " + rng.choice(EVENT_NOUNS).capitalize()
            elif roll < 0.8:
                name = topic + " " + rng.choice(EVENT_NOUNS).capitalize() + " " + str(rng.randint(2019, 2032))
            else:
                name = self.invented() + " " + topic + " " + rng.choice(("Day", "Night", "Week", "Days", "Forum"))
            if is_held_word(name) == self.held:
                return name
        return self.invented() + " " + self.invented()

    def phrase(self, n: int) -> str:
        """`n` lower-case words, real or invented."""
        rng = self.rng
        pools = (TOPICS, PRODUCT_NOUNS, FILLER, HOBBIES, PRODUCT_MARKS)
        return " ".join(
            self.invented(capital=False) if rng.random() < 0.35 else rng.choice(rng.choice(pools)) for _ in range(n)
        )

    def code(self) -> str:
        """An identifier such as AB-1234, #90211, INV-2024-017 or K7Q2ZD."""
        rng = self.rng
        letters = "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randint(1, 4)))
        digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(2, 6)))
        roll = rng.random()
        if roll < 0.4:
            return letters + "-" + digits
        if roll < 0.6:
            return letters + digits
        if roll < 0.72:
            return f"{letters}-{rng.randint(2018, 2031)}-{rng.randint(1, 999):03d}"
        if roll < 0.85:
            return digits
        return "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(rng.randint(5, 8)))

    def email(self, first: str, last: str) -> str:
        rng = self.rng
        plain = [w for w in (first.split(" ")[0], last) if w.isascii() and w.isalpha()]
        user = plain[0].lower() if plain and rng.random() < 0.7 else self.invented(capital=False)
        if len(plain) > 1 and rng.random() < 0.5:
            user += rng.choice((".", "_", "")) + plain[1].lower()
        if rng.random() < 0.2:
            user += str(rng.randint(1, 99))
        host = rng.choice(("example", "mail", "post")) if rng.random() < 0.3 else self.invented(capital=False)
        return user + "@" + host + "." + rng.choice(("com", "org", "net", "io", "de", "co.uk", "fr", "dev"))

    def phone(self) -> str:
        rng = self.rng

        def digits(n: int) -> str:
            return "".join(rng.choice("0123456789") for _ in range(n))

        return rng.choice(
            (
                f"+{rng.randint(1, 98)} {digits(3)} {digits(4)}",
                f"{digits(3)}-{digits(4)}",
                f"0{digits(2)} {digits(6)}",
                f"({digits(3)}) {digits(3)}-{digits(4)}",
                f"555-{digits(4)}",
            )
        )

    def postcode(self) -> str:
        rng = self.rng
        roll = rng.random()
        if roll < 0.65:
            return "".join(rng.choice("0123456789") for _ in range(rng.choice((4, 5, 5, 5))))
        a = "".join(rng.choice("ABCEGHKLMNPRSTWY") for _ in range(rng.randint(1, 2)))
        return f"{a}{rng.randint(1, 29)} {rng.randint(1, 9)}" + "".join(rng.choice("ABDEFGHJLN") for _ in range(2))
