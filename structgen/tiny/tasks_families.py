"""The task families: which fields a record has and how sentences state them.

Purpose: data for `tasks.py`. A family has a subject ("{main}" is the value of its first field), fields with predicates that
follow a subject ("lives in {v}"), fragments for note style ("from {v}") and openers that state several fields at once.
The split: a phrase that starts with "~" is held out: training never sees it, the evaluation uses nothing else.
Limits: English text only (values may be in any script).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ASIDES",
    "CHATTER",
    "FAMILIES",
    "FIELD_NOTES",
    "GENERIC",
    "INSTRUCTIONS",
    "INSTRUCTION_PARTS",
    "NOTE_PARTS",
    "QUESTIONS",
    "Family",
    "Field",
    "make_field",
    "phrases",
]


@dataclass(frozen=True, slots=True)
class Field:
    """A field: canonical key, kind of value, other names, predicates, note fragments; for booleans also the negatives."""

    key: str
    kind: str
    aliases: tuple[str, ...]
    preds: tuple[str, ...]
    frags: tuple[str, ...] = ()
    negatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of record; `fields[0]` is the main field that names the subject."""

    name: str
    subjects: tuple[str, ...]
    nameless: str
    pronouns: tuple[str, ...]
    fields: tuple[Field, ...]
    openers: tuple[str, ...]


def phrases(options: tuple[str, ...], held: bool) -> list[str]:
    """The half of `options` that training (or the held-out set) may use, without the mark."""
    chosen = [text.removeprefix("~") for text in options if text.startswith("~") == held]
    return chosen or [text.removeprefix("~") for text in options]


def make_field(key: str, kind: str, aliases: str, preds: str, frags: str = "", negatives: str = "") -> Field:
    """A `Field` from lists that are separated by "|"."""

    def split(text: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in text.split("|") if part.strip())

    return Field(key, kind, split(aliases), split(preds), split(frags), split(negatives))


_field = make_field

PERSON = Family(
    "person",
    ("{main}", "{main}", "{main}", "~Our new colleague {main}", "My friend {main}", "A person named {main}", "~Someone called {main}"),
    "The person",
    ("She", "He", "They"),
    (
        _field("name", "person", "full_name|person|person_name|customer_name|contact",
               "is called {v}|goes by the name {v}|~has the name {v}"),
        _field("age", "age", "years|age_years|years_old",
               "is {v} years old|is aged {v}|is {v}|turned {v} this year|has just turned {v}|~is now {v} years of age|~celebrated birthday number {v}",
               "{v} years old|aged {v}|age {v}|~{v} y/o"),
        _field("city", "city", "town|location|home_city|lives_in|residence",
               "lives in {v}|lived in {v}|is based in {v}|comes from {v}|resides in {v}|moved to {v}|has a flat in {v}|~calls {v} home|~has settled in {v}",
               "from {v}|in {v}|{v}|~living in {v}"),
        _field("country", "country", "nation|home_country",
               "was born in {v}|is a citizen of {v}|is originally from {v}|~grew up in {v}"),
        _field("job", "job", "occupation|profession|job_title|role|position|work",
               "works as a {v}|is a {v}|was a {v}|worked as a {v}|is employed as a {v}|has a job as a {v}|is a {v} by profession|~earns a living as a {v}|~makes money as a {v}",
               "{v}|a {v}|works as {v}|~{v} by trade"),
        _field("company", "company", "employer|organisation|organization|works_at",
               "works for {v}|works at {v}|is employed by {v}|has joined {v}|~is on the payroll of {v}",
               "at {v}|~with {v}"),
        _field("email", "email", "mail|email_address|e_mail|contact_email",
               "can be reached at {v}|has the email address {v}|uses the email {v}|reads mail at {v}|~answers messages sent to {v}",
               "{v}|email {v}|mail: {v}|~write to {v}"),
        _field("phone", "phone", "phone_number|telephone|mobile|tel",
               "has the phone number {v}|can be called on {v}|answers the phone at {v}|~picks up calls on {v}",
               "tel. {v}|phone {v}|~call {v}"),
        _field("birth_date", "birth", "date_of_birth|born|birthday|dob",
               "was born on {v}|has a birthday on {v}|~came into the world on {v}", "born {v}|~b. {v}"),
        _field("languages", "languages", "spoken_languages|speaks",
               "speaks {v}|is fluent in {v}|knows {v}|~can talk in {v}", "speaks {v}|~languages {v}"),
        _field("hobbies", "hobbies", "interests|likes|activities",
               "likes {v}|enjoys {v}|spends free time on {v}|loves {v}|~is a fan of {v}", "likes {v}|hobbies {v}|~into {v}"),
        _field("children", "small", "kids|number_of_children",
               "has {v} children|is a parent of {v} children|~is raising {v} kids", "{v} children"),
        _field("married", "bool", "is_married|has_partner",
               "is married|has been married for years|~tied the knot last year", "married", "is not married|is single|is unmarried|~never tied the knot"),
        _field("student", "bool", "is_student|studying",
               "is a student|still studies|~goes to university", "student", "is not a student|no longer studies|~left university"),
        _field("height_cm", "centimetres", "height", "is {v} cm tall|measures {v} cm|~stands {v} centimetres tall", "{v} cm"),
        _field("salary", "salary", "income|pay|wage", "earns {v}|has a salary of {v}|is paid {v}|~takes home {v}"),
        _field("address", "address", "home_address|postal_address",
               "lives at {v}|has the address {v}|~can be found at {v}", "{v}"),
    ),
    (
        "{name} is a {age}-year-old {job} from {city}.", "{name} was a {job} from {city}.", "{name} is {age} years old and lives in {city}.", "{name}, {age}, {city}.", "{name} is {age}.", "{age}-year-old {name} lives in {city}.", "I'm {name}, a {job}, and I'm {age}.", "{name} was born on {birth_date} and works as a {job}.", "Meet {name}, a {age} year old {job}.", "{name} ({age}) lives in {city}.",
        "{name}, {age}, works as a {job} in {city}.", "{name} from {city} is {age}.", "I am {name}, {age} years old, and I live in {city}.",
        "My name is {name} and my email is {email}.", "Hi, this is {name} from {company}.", "{name} is a {job} at {company}.",
        "This is {name}, {job} at {company}.", "In {city} lives {name}, who is {age} years old.", "At the age of {age}, {name} moved to {city}.",
        "{name}, born on {birth_date} in {city}.", "Contact {name} at {email}.", "Please add {name} ({email}) to the list.", "{name} turned {age}.",
        "~At {age}, {name} is the youngest {job} in {city}.", "~The {job} {name} ({age}) was seen in {city}.", "~Say hello to {name} from {city}, {age}.",
        "~You can write to {name} under {email}.", "~Our {job} {name} recently joined {company}.",
    ),
)  # fmt: skip

ORDER = Family(
    "order",
    ("Order {main}", "The order {main}", "Order number {main}", "Order no. {main}", "~Purchase {main}", "~The purchase with number {main}"),
    "The order",
    ("It", "The order", "This order"),
    (
        _field("order_id", "code", "id|order_number|number|order|reference",
               "has the number {v}|is registered as {v}|~carries the reference {v}"),
        _field("customer", "person", "customer_name|buyer|client|ordered_by|name",
               "was placed by {v}|is for {v}|was made by {v}|belongs to {v}|was ordered by {v}|~came in from {v}|~has {v} as the buyer",
               "for {v}|customer {v}|~buyer {v}"),
        _field("items", "items", "products|lines|order_items|articles",
               "contains {v}|includes {v}|consists of {v}|has {v}|lists {v}|~is made up of {v}|~covers {v}", "{v}|items: {v}"),
        _field("total", "money", "total_price|amount|sum|total_amount|cost|price",
               "costs {v} in total|comes to {v}|has a total of {v}|adds up to {v}|totals {v}|~amounts to {v} altogether|~is worth {v}",
               "total {v}|{v} in total|~sum {v}"),
        _field("currency", "currency", "currency_code", "is paid in {v}|is billed in {v}|~uses {v}"),
        _field("date", "date", "order_date|ordered_on|placed_on|day",
               "was placed on {v}|was made on {v}|is dated {v}|~came in on {v}", "on {v}|dated {v}|{v}"),
        _field("status", "enum:order_status", "state|order_status",
               "is {v}|is marked as {v}|has the status {v}|is currently {v}|~now counts as {v}", "{v}|status {v}"),
        _field("city", "city", "ship_to|destination|delivery_city",
               "ships to {v}|goes to {v}|will be delivered to {v}|~is headed for {v}", "to {v}"),
        _field("shipping_address", "address", "address|delivery_address|ship_to_address",
               "ships to {v}|will be delivered to {v}|goes to {v}|~should arrive at {v}", "ship to {v}"),
        _field("gift", "bool", "is_gift|gift_wrap", "is a gift|should be gift wrapped|~is meant as a present", "gift",
               "is not a gift|needs no gift wrap|~is not meant as a present"),
        _field("paid", "bool", "is_paid|payment_received", "has been paid|is already paid|~is settled", "paid",
               "has not been paid|is still unpaid|~is not settled"),
        _field("email", "email", "contact_email|customer_email", "should be confirmed to {v}|has the contact {v}|~gets its receipt at {v}", "{v}"),
    ),
    (
        "{customer} ordered {items}.", "{customer} bought {items} on {date}.", "{customer} would like to order {items}.", "Please send {items} to {customer}.",
        "I would like {items}, please. My name is {customer}.", "On {date} {customer} ordered {items} for {total}.", "{customer} placed order {order_id} on {date}.",
        "Order {order_id}: {items}.", "Hello, I want to buy {items}.", "{customer} paid {total} for order {order_id}.", "New order from {customer}: {items}.",
        "~{customer} has just purchased {items}.", "~We received an order of {items} from {customer}.", "~Can I get {items}? Thanks, {customer}",
        "~{order_id} was requested by {customer} on {date}.",
    ),
)  # fmt: skip

EVENT = Family(
    "event",
    ("The {main}", "{main}", "Our {main}", "The event {main}", "~The upcoming {main}", "~This year's {main}"),
    "The event",
    ("It", "The event"),
    (
        _field("title", "title", "name|event|event_name|event_title", "is called {v}|has the title {v}|~goes under the name {v}"),
        _field("date", "date", "day|event_date|on|when",
               "takes place on {v}|is on {v}|will be held on {v}|happens on {v}|is planned for {v}|~is set for {v}|~falls on {v}", "on {v}|{v}|~date {v}"),
        _field("time", "time", "start_time|starts_at|start|begin",
               "starts at {v}|begins at {v}|opens at {v}|~kicks off at {v}", "at {v}|{v}|from {v}"),
        _field("location", "city", "city|place|where|town", "takes place in {v}|is held in {v}|will be in {v}|is in {v}|~brings people to {v}", "in {v}|{v}"),
        _field("venue", "company", "host|hall|building", "is hosted at {v}|will be at {v}|uses the rooms of {v}|~fills the halls of {v}", "at {v}"),
        _field("organizer", "person", "organiser|host_name|contact|organized_by",
               "is organised by {v}|is organized by {v}|is run by {v}|is led by {v}|~was put together by {v}", "by {v}|host {v}|~organiser {v}"),
        _field("attendees", "firsts", "participants|guests|people|invited",
               "will be attended by {v}|brings together {v}|is for {v}|~welcomes {v}", "with {v}|attendees: {v}"),
        _field("speakers", "people", "talks_by|presenters", "has talks by {v}|features {v}|~puts {v} on stage", "speakers {v}"),
        _field("capacity", "count", "seats|max_people|places|number_of_guests",
               "has room for {v} people|offers {v} seats|is limited to {v} guests|~can take {v} visitors", "{v} seats|max {v} people"),
        _field("duration_minutes", "minutes", "duration|length|minutes", "lasts {v} minutes|takes {v} minutes|is {v} minutes long|~runs for {v} minutes", "{v} min|{v} minutes"),
        _field("price", "money", "ticket_price|fee|cost|entry", "costs {v}|has tickets for {v}|has an entry fee of {v}|~charges {v} at the door", "{v}|tickets {v}"),
        _field("online", "bool", "is_online|virtual|remote", "is held online|is virtual|takes place online|~can be joined from home", "online",
               "is held in person|is not online|is on site|~cannot be joined from home"),
        _field("free", "bool", "is_free|free_entry", "is free|has free entry|~costs nothing", "free entry", "is not free|needs a ticket|~is not without charge"),
    ),
    (
        "Join us for the {title} on {date} at {time} in {location}.", "{organizer} invites you to the {title} on {date}.", "{title} with {attendees} on {date} at {time}.",
        "The {title} will be held in {location} on {date}.", "Reminder: {title}, {date}, {time}.", "Please schedule {title} for {date} at {time} with {attendees}.",
        "{title} in {location}, {date}.", "We meet for the {title} at {time} on {date}.", "Put {title} in the calendar for {date} at {time}.",
        "~Save the date: {title} on {date} in {location}.", "~Do not miss the {title} in {location}, {time} on {date}.", "~{location} welcomes the {title} on {date}.",
        "~Book {time} on {date} for {title} with {attendees}.",
    ),
)  # fmt: skip

INVOICE = Family(
    "invoice",
    ("Invoice {main}", "The invoice {main}", "Invoice number {main}", "Bill {main}", "~The bill numbered {main}", "~Invoice no. {main}"),
    "The invoice",
    ("It", "The invoice", "This invoice"),
    (
        _field("invoice_number", "code", "number|invoice_id|id|invoice|reference", "has the number {v}|is numbered {v}|~runs under {v}"),
        _field("seller", "company", "vendor|from|issuer|supplier|company", "was issued by {v}|comes from {v}|was sent by {v}|~was drawn up by {v}", "from {v}|seller {v}"),
        _field("customer", "other_person", "client|billed_to|to|buyer|recipient", "is addressed to {v}|was sent to {v}|is for {v}|~is billed to {v}", "to {v}|client {v}"),
        _field("date", "date", "invoice_date|issued_on|issue_date", "is dated {v}|was issued on {v}|was written on {v}|~bears the date {v}", "dated {v}|{v}"),
        _field("due_date", "date", "due|pay_by|payable_until|deadline", "is due on {v}|must be paid by {v}|is payable until {v}|~has to be settled by {v}", "due {v}|~pay by {v}"),
        _field("items", "items", "lines|positions|products", "lists {v}|covers {v}|charges for {v}|contains {v}|~itemises {v}", "{v}"),
        _field("total", "money", "amount|sum|total_amount|amount_due|price", "has a total of {v}|is for {v}|amounts to {v}|comes to {v}|totals {v}|~asks for {v}", "total {v}|{v}|~sum {v}"),
        _field("tax", "percent", "vat|tax_rate|vat_rate", "includes {v} VAT|includes {v} tax|adds {v} tax|~has {v} VAT on top", "VAT {v}"),
        _field("currency", "currency", "currency_code", "is in {v}|is billed in {v}|~is stated in {v}"),
        _field("paid", "bool", "is_paid|settled|payment_received", "has been paid|is paid|was already settled|~has been cleared", "paid",
               "has not been paid|is unpaid|is still open|~has yet to be cleared"),
    ),
    (
        "{seller} sent invoice {invoice_number} over {total} to {customer}.", "Invoice {invoice_number} of {date}, due {due_date}: {total}.", "{customer} owes {seller} {total}.",
        "Please pay {total} by {due_date}.", "{seller} billed {customer} {total} on {date}.", "Invoice {invoice_number} from {seller}.",
        "~Attached you find bill {invoice_number} from {seller} for {total}.", "~{customer} has until {due_date} to pay {total} to {seller}.",
    ),
)  # fmt: skip

ADDRESS = Family(
    "address",
    ("The address {main}", "{main}", "The house at {main}", "~The building at {main}"),
    "The address",
    ("It", "The address"),
    (
        _field("street", "street", "street_address|address|line1|street_name", "has the street {v}|is at {v}|~lies on {v}"),
        _field("city", "city", "town|place|municipality", "is in {v}|lies in {v}|belongs to {v}|~is part of {v}", "{v}|in {v}"),
        _field("zip", "postcode", "postal_code|postcode|zip_code|plz", "has the postal code {v}|has the zip code {v}|has the postcode {v}|~uses the code {v}", "{v}|zip {v}"),
        _field("country", "country", "nation|country_name", "is in {v}|lies in {v}|~is located in {v}", "{v}"),
        _field("state", "word", "region|province|county", "is in the state of {v}|lies in the region {v}|~is in the province {v}", "{v} state"),
        _field("recipient", "person", "name|addressee|to|person", "belongs to {v}|is the home of {v}|~receives mail for {v}", "{v}|c/o {v}"),
        _field("floor", "small", "level|storey", "is on floor {v}|is on level {v}|~is up on storey {v}", "floor {v}"),
    ),
    (
        "{street}, {city} {zip}.", "{street}, {zip} {city}, {country}.", "{recipient}, {street}, {city}, {country}.", "Ship it to {recipient}, {street}, {zip} {city}.",
        "I live at {street} in {city}, {country}.", "Our office is at {street}, {city}.", "{recipient} lives at {street} in {city}, {zip}.", "Send the letter to {street}, {city}, {country}.",
        "~Deliver to {recipient} at {street} in {zip} {city}.", "~Our new home is {street}, {city}, {country}.", "~Mail for {recipient} goes to {street}, {zip} {city}.",
    ),
)  # fmt: skip

TICKET = Family(
    "ticket",
    ("Ticket {main}", "The ticket {main}", "Support ticket {main}", "Case {main}", "~The support case {main}", "~Request {main}"),
    "The ticket",
    ("It", "The ticket"),
    (
        _field("ticket_id", "code", "id|ticket|ticket_number|case_id|number", "has the number {v}|is filed as {v}|~is tracked as {v}"),
        _field("customer", "person", "reporter|user|name|reported_by|customer_name",
               "was opened by {v}|comes from {v}|was reported by {v}|was sent by {v}|~was raised by {v}", "from {v}|customer {v}|~user {v}"),
        _field("product", "product", "item|device|article|affected_product", "is about the {v}|concerns the {v}|is about a {v}|~deals with the {v}", "product {v}|re: {v}"),
        _field("problem", "sentence", "issue|description|summary|subject|message", "says that {v}|reports that {v}|describes that {v}|~complains that {v}", "{v}|problem: {v}"),
        _field("priority", "enum:priority", "urgency|severity|importance", "has {v} priority|is of {v} priority|has the priority {v}|~was rated {v} in priority", "priority {v}|{v} priority"),
        _field("category", "enum:ticket_category", "type|department|queue|topic", "is a {v} question|belongs to {v}|is in the category {v}|~goes to the {v} team", "{v}|category {v}"),
        _field("status", "enum:ticket_status", "state|ticket_status", "is {v}|has the status {v}|is marked as {v}|~currently counts as {v}", "{v}|status {v}"),
        _field("email", "email", "contact|contact_email|mail", "can be answered at {v}|has the contact {v}|~wants replies at {v}", "{v}|reply to {v}"),
        _field("order_id", "code", "order|order_number|reference", "refers to order {v}|is about order {v}|~mentions order {v}", "order {v}"),
        _field("date", "date", "created|opened_on|reported_on|created_at", "was opened on {v}|was reported on {v}|~arrived on {v}", "{v}|opened {v}"),
        _field("version", "version", "app_version|software_version", "concerns version {v}|was seen in version {v}|~shows up in release {v}", "v{v}|version {v}"),
        _field("urgent", "bool", "is_urgent|needs_quick_answer", "is urgent|needs an answer today|~cannot wait", "urgent", "is not urgent|can wait|~is in no hurry"),
        _field("refund", "bool", "refund_requested|wants_refund", "asks for a refund|demands the money back|~wants to be reimbursed", "refund wanted",
               "does not ask for a refund|wants no refund|~does not want to be reimbursed"),
    ),
    (
        "{customer} writes: {problem} on my {product}.", "Hi, {problem}. My order is {order_id}. Regards, {customer}", "{customer} reports that {problem}.", "Since {date} {problem}.",
        "The {product} is broken: {problem}.", "{customer} ({email}) has a problem with the {product}: {problem}.", "Help! With my {product}, {problem}. {customer}",
        "User {customer} says {problem} in version {version}.", "~Dear support, {problem}. Yours, {customer}", "~{customer} is unhappy with the {product} because {problem}.",
        "~We have a complaint from {customer}: {problem}.",
    ),
)  # fmt: skip

PRODUCT = Family(
    "product",
    ("The {main}", "The product {main}", "Our {main}", "{main}", "~The article {main}", "~This {main}"),
    "The product",
    ("It", "The product"),
    (
        _field("name", "product", "product|product_name|title|item|article", "is called {v}|is named {v}|~is sold as {v}"),
        _field("brand", "brand", "maker|manufacturer|producer|company", "is made by {v}|is from {v}|comes from the brand {v}|is manufactured by {v}|~is built by {v}", "by {v}|brand {v}"),
        _field("price", "money", "cost|unit_price|amount", "costs {v}|is priced at {v}|sells for {v}|is available for {v}|has a price of {v}|~goes for {v}|~can be had for {v}", "{v}|price {v}|only {v}|~for just {v}"),
        _field("currency", "currency", "currency_code", "is priced in {v}|~is sold in {v}"),
        _field("category", "enum:product_category", "type|department|section", "belongs to the {v} category|is in the {v} section|is listed under {v}|~sits in the {v} aisle", "{v}|category {v}"),
        _field("colors", "colors", "colours|available_colors", "comes in {v}|is available in {v}|is offered in {v}|~can be ordered in {v}", "in {v}|colours: {v}"),
        _field("color", "color", "colour|finish", "is {v}|has the colour {v}|~is painted {v}", "{v}"),
        _field("weight_kg", "float", "weight|kg|mass", "weighs {v} kg|has a weight of {v} kg|~brings {v} kg to the scales", "{v} kg"),
        _field("rating", "rating", "stars|score|average_rating", "is rated {v} out of 5|has a rating of {v}|has {v} stars|~scores {v} with customers", "{v} stars|rated {v}"),
        _field("stock", "count", "quantity|units|available|in_stock_count", "has {v} units in stock|is in stock {v} times|~is on the shelf {v} times", "{v} in stock"),
        _field("in_stock", "bool", "available|is_available", "is in stock|is available now|~can be shipped at once", "in stock", "is out of stock|is sold out|is not available|~cannot be shipped now"),
        _field("sku", "code", "code|article_number|product_id|id", "has the article number {v}|has the code {v}|~is filed as {v}", "SKU {v}|art. {v}"),
        _field("materials", "words", "made_of|material", "is made of {v}|consists of {v}|~is built from {v}", "of {v}"),
        _field("warranty_years", "small", "warranty|guarantee", "has a warranty of {v} years|comes with {v} years of warranty|~is covered for {v} years", "{v} years warranty"),
        _field("size", "enum:size", "format", "is {v} in size|has the size {v}|~comes as a {v} model", "size {v}"),
    ),
    (
        "The {name} by {brand} costs {price}.", "{name} ({brand}) for {price}.", "New from {brand}: the {name} at {price}.", "Buy the {color} {name} for {price}.", "We sell the {name} for {price}.",
        "{brand} presents the {name}, now {price}.", "The {name} is available in {colors} for {price}.", "For sale: {name}, {price}.",
        "~Get the {name} from {brand} for only {price}.", "~At {price}, the {name} is a bargain.", "~{brand} has released the {name}.",
    ),
)  # fmt: skip

BOOK = Family(
    "book",
    ("The book {main}", "{main}", "The novel {main}", "~The volume {main}"),
    "The book",
    ("It", "The book"),
    (
        _field("title", "title", "name|book|book_title", "is titled {v}|~bears the title {v}"),
        _field("author", "person", "writer|written_by|author_name", "was written by {v}|is by {v}|is the work of {v}|~comes from the pen of {v}", "by {v}|author {v}"),
        _field("year", "year", "published|publication_year|year_published", "was published in {v}|appeared in {v}|came out in {v}|~was first printed in {v}", "{v}|({v})"),
        _field("pages", "count", "page_count|number_of_pages|length", "has {v} pages|runs to {v} pages|is {v} pages long|~fills {v} pages", "{v} pages"),
        _field("publisher", "company", "published_by|press", "was published by {v}|is sold by {v}|~was brought out by {v}", "{v}"),
        _field("genre", "enum:genre", "type|category", "is a {v}|belongs to the {v} genre|~counts as {v}", "{v}"),
        _field("price", "money", "cost", "costs {v}|sells for {v}|~goes for {v}", "{v}"),
        _field("language", "language", "written_in|lang", "is written in {v}|was written in {v}|~reads in {v}", "in {v}"),
        _field("isbn", "code", "id|number", "has the ISBN {v}|~is catalogued under {v}", "ISBN {v}"),
    ),
    (
        "{author} wrote {title} in {year}.", "In {year}, {author} published {title}.", "{title} by {author} ({year}).", "I am reading {title} by {author}, {pages} pages.",
        "~{author} is the author of {title}, which appeared in {year}.", "~{year} saw the release of {title} by {author}.",
    ),
)  # fmt: skip

TRIP = Family(
    "trip",
    ("The trip {main}", "Flight {main}", "Booking {main}", "The journey {main}", "~The reservation {main}"),
    "The trip",
    ("It", "The trip"),
    (
        _field("booking", "code", "booking_id|flight|id|code|flight_number", "has the code {v}|is booked as {v}|~is found under {v}"),
        _field("passenger", "person", "traveller|name|guest|traveler", "is booked for {v}|is for {v}|takes {v} along|~was reserved by {v}", "for {v}|passenger {v}"),
        _field("origin", "city", "from|departure|departure_city|start", "starts in {v}|leaves from {v}|departs from {v}|~sets off from {v}", "from {v}"),
        _field("destination", "city", "to|arrival|arrival_city|goes_to", "goes to {v}|ends in {v}|arrives in {v}|~is bound for {v}", "to {v}"),
        _field("date", "date", "departure_date|day|travel_date", "is on {v}|leaves on {v}|departs on {v}|~is planned for {v}", "on {v}|{v}"),
        _field("time", "time", "departure_time|leaves_at", "leaves at {v}|departs at {v}|~sets off at {v}", "at {v}"),
        _field("passengers", "small", "travellers|seats|people|guests", "is for {v} people|has {v} passengers|~takes {v} travellers", "{v} people"),
        _field("nights", "small", "stay|number_of_nights", "lasts {v} nights|includes {v} nights|~means {v} nights away", "{v} nights"),
        _field("hotel", "company", "accommodation|stay_at", "includes a stay at {v}|ends at the hotel {v}|~puts guests up at {v}", "hotel {v}"),
        _field("price", "money", "fare|cost|total", "costs {v}|is priced at {v}|has a fare of {v}|~sets you back {v}", "{v}"),
        _field("return_trip", "bool", "round_trip|is_return", "is a return trip|includes the way back|~also brings you home", "return", "is one way|does not include the way back|~does not bring you home"),
    ),
    (
        "{passenger} flies from {origin} to {destination} on {date}.", "I need a flight from {origin} to {destination} on {date}.", "Book a trip to {destination} for {passengers} people on {date}.",
        "{passenger} travels to {destination} on {date} at {time}.", "From {origin} to {destination}, {date}, {price}.", "Train from {origin} to {destination} at {time}.",
        "~{passenger} is leaving {origin} for {destination} on {date}.", "~Please reserve seats to {destination} leaving {origin} on {date}.",
    ),
)  # fmt: skip

FAMILIES = (PERSON, ORDER, EVENT, INVOICE, ADDRESS, TICKET, PRODUCT, BOOK, TRIP)

INSTRUCTIONS = (
    "Extract the {family} as JSON.", "Extract the data.", "Extract the following fields from the text.", "Return JSON.", "Turn the text into JSON.",
    "Convert to JSON:", "Read the text and fill in the fields.", "Extract the {family}.", "Give me the {family} as a JSON object.", "Parse this {family}.",
    "Extract information.", "Which {family} is described?", "Fill the form from the text.", "Make a JSON object of this.", "Answer in JSON.", "JSON please:",
    "~Pull out the {family} details.", "~Please write this {family} down as JSON.", "~Structure the following text.", "~What does this text say about the {family}?", "~Get the facts from this message.",
)  # fmt: skip

FIELD_NOTES = (
    "Fields: {fields}.", "Fields: {fields}", "Fields: {fields}", "Keys: {fields}", "JSON with keys {fields}.", "Return JSON with {fields}.", "Wanted: {fields}",
    "Use the fields {fields}.", "Extract {fields}.", "Extract {fields} as JSON.", "Give {fields}.", "Columns: {fields}", "Schema: {fields}", "Format: {fields}", "Find {fields}.",
    "~Needed are {fields}.", "~Please report {fields}.", "~Attributes: {fields}", "~The keys should be {fields}.",
)  # fmt: skip

# Instructions and field notes that are put together from parts: training draws half of its own from here, so that the model learns to
# read past wording. No part occurs in the held-out ones.
INSTRUCTION_PARTS = (
    ("Extract", "Collect", "Find", "Read", "List", "Return", "Give", "Identify", "Show", "Write", "Produce", "Take", "Parse", "Fill in", "Determine", "Note", "Print", "Output", "Convert", "I need", "I want", "Can you find", "Please extract", "Could you give"),
    (" the data", " all facts", " the {family}", " the values", " the information", " the {family} data", " everything about the {family}", " what is said", " the record", " the {family} record", " this {family}", " it", " the content", ""),
    ("", "", " from the text", " below", " above", " in this note", " from the message", " for me", " given here", " from the following"),
    ("", "", " as JSON", " in JSON", " as a JSON object", " as an object", " in JSON format", " (JSON)", " into JSON"),
    (".", ".", ":", "!", "", "..."),
)  # fmt: skip
NOTE_PARTS = (
    ("", "", "The ", "Use these ", "Only the ", "My ", "JSON ", "Give the ", "Return the ", "With the ", "Expected ", "Requested ", "Output ", "Required "),
    ("fields", "keys", "columns", "properties", "names", "entries", "labels", "slots", "values", "members", "items", "parts"),
    (": ", ": ", " are ", " = ", " - ", ":\n", " to fill: ", " I want: ", " in this order: ", " "),
    ("{fields}",),
    ("", "", ".", " please", "!", ", nothing else."),
)  # fmt: skip

# Sentences about something else, with values that must not be picked up.
ASIDES = ("Our office in {city} is closed on Mondays.", "We have had {n} visitors today.", "I spoke to {person} yesterday.", "The bus leaves at {time}.", "Last year it was {n}.",
          "By the way, {person} says hello.", "It is {n} degrees outside.", "The shop is in {city}.", "We met in {city}.", "I have been waiting for {n} days.",
          "~{person} will call you back.", "~There are {n} people in the queue.", "~I will be in {city} next week.")  # fmt: skip

CHATTER = ("Thanks a lot!", "Have a nice day.", "Please reply soon.", "Hello!", "Good morning,", "See you.", "Best regards", "FYI:", "Note:",
           "It was raining all day.", "More details will follow.", "That is all for now.", "~Cheers!", "~As promised:", "~Talk to you later.")  # fmt: skip

QUESTIONS = ("What is the {label}?", "Give me only the {label}.", "{label}?", "Answer with the {label} only.", "Return the {label}.", "Which {label} is stated?",
             "~Just tell me the {label}.", "~I only need the {label}.")  # fmt: skip

GENERIC = ("For the {noun} we have {v}", "the value of {noun} is {v}", "{noun} -> {v}", "I noted {v} for the {noun}", "On {noun} it says {v}", "{v} goes under {noun}",
           "we got {v} as its {noun}", "{noun} stands at {v}", "there is {v} under {noun}", "{noun} of {v}", "{v} was given as the {noun}", "its {noun}, {v}, is new",
           "I found {v} in the field {noun}", "The {noun} shows {v}", "{noun} {v}", "somebody entered {v} as {noun}", "{noun} ({v})", "Regarding {noun}: {v}", "It says {v} next to {noun}",
           "The {noun} is {v}", "Its {noun} is {v}", "It has a {noun} of {v}", "The {noun} was set to {v}", "{noun}: {v}", "{v} is the {noun}", "We chose {v} as {noun}",
           "with {noun} {v}", "the {noun} being {v}", "~As for the {noun}, it is {v}", "~The {noun} reads {v}", "~{v} is what we have for {noun}")  # fmt: skip
