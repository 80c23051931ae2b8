"""More task families: films, cars, companies, restaurants, recipes, pets, weather reports, jobs, songs, measurements.

Purpose: breadth, so that the model reads fields that the main families do not have. The data has the form of tasks_families.py, and the
same mark for held-out phrases ("~").
"""

from __future__ import annotations

from structgen.tiny.tasks_families import FAMILIES, Family
from structgen.tiny.tasks_families import make_field as _field

__all__ = ["ALL_FAMILIES"]

FILM = Family(
    "film",
    ("The film {main}", "{main}", "The movie {main}", "~The picture {main}"),
    "The film",
    ("It", "The film", "The movie"),
    (
        _field("title", "title", "name|film|movie|movie_title", "is called {v}|~carries the title {v}"),
        _field("director", "other_person", "directed_by|filmmaker|director_name", "was directed by {v}|is by {v}|was made by {v}|~was shot by {v}", "by {v}|directed by {v}"),
        _field("year", "year", "release_year|released|year_released", "was released in {v}|came out in {v}|is from {v}|~reached cinemas in {v}", "{v}|({v})"),
        _field("genre", "enum:genre", "category|type|kind", "is a {v}|is a {v} film|~counts as {v}", "{v}"),
        _field("actors", "people", "cast|starring|stars", "stars {v}|features {v}|has {v} in the cast|~shows {v} in the main parts", "with {v}|starring {v}"),
        _field("duration_minutes", "minutes", "length|runtime|minutes|duration", "runs {v} minutes|is {v} minutes long|lasts {v} minutes|~takes {v} minutes to watch", "{v} min|{v} minutes"),
        _field("rating", "rating", "score|stars_out_of_ten|imdb", "is rated {v}|has a score of {v}|got {v} points|~earned {v} from the critics", "rated {v}|score {v}"),
        _field("seen", "bool", "watched|already_seen", "has been watched already|was already seen|~is on the list of watched films", "seen", "has not been watched yet|is still unseen|~is not on the list of watched films"),
    ),
    (
        "{title} is a {year} film directed by {director}.", "{director} directed {title} in {year}.", "In {year} {director} made the film {title}.", "{title} ({year}) by {director}.",
        "Last night we watched {title} by {director}.", "{title}, a {genre} from {year}.", "~{year} brought us {title}, directed by {director}.", "~The {genre} {title} was made by {director}.",
    ),
)  # fmt: skip

CAR = Family(
    "car",
    ("The {main}", "My {main}", "A {main}", "~This used {main}"),
    "The car",
    ("It", "The car"),
    (
        _field("brand", "brand", "make|manufacturer|maker", "is made by {v}|is a {v}|~bears the badge of {v}"),
        _field("model", "code", "model_name|type", "is the model {v}|is a {v}|~goes by the model name {v}", "model {v}"),
        _field("color", "color", "colour|paint", "is {v}|is painted {v}|has a {v} finish|~shines in {v}", "{v}"),
        _field("year", "year", "built|model_year|year_built", "was built in {v}|is from {v}|dates from {v}|~left the factory in {v}", "{v}|built {v}"),
        _field("mileage", "distance", "km|kilometers|kilometres|odometer", "has {v} km on the clock|has driven {v} km|has a mileage of {v} km|~has covered {v} kilometres", "{v} km"),
        _field("price", "money", "cost|asking_price|amount", "costs {v}|is for sale at {v}|is offered for {v}|~is yours for {v}", "{v}"),
        _field("owner", "person", "seller|name|driver", "belongs to {v}|is owned by {v}|is sold by {v}|~is in the hands of {v}", "owner {v}"),
        _field("license_plate", "code", "plate|registration|plate_number", "has the plate {v}|is registered as {v}|~carries the number plate {v}", "plate {v}"),
        _field("doors", "small", "number_of_doors", "has {v} doors|~comes with {v} doors", "{v} doors"),
        _field("electric", "bool", "is_electric|ev", "is electric|runs on a battery|~needs no petrol", "electric", "is not electric|runs on petrol|~needs petrol"),
    ),
    (
        "{owner} drives a {color} {brand}.", "The car is a {color} {brand} with {mileage} km.", "For sale: {brand} {model}, {year}, {price}.", "{owner} sells a {brand} from {year} for {price}.",
        "I have a {color} {brand} {model}.", "{brand} {model}, {color}, {mileage} km.", "~A {color} {brand} built in {year} is on offer for {price}.", "~{owner} wants {price} for the {brand} {model}.",
    ),
)  # fmt: skip

COMPANY = Family(
    "company",
    ("{main}", "The company {main}", "{main}", "~The firm {main}"),
    "The company",
    ("It", "The company"),
    (
        _field("name", "company", "company|company_name|business|firm", "is called {v}|trades as {v}|~does business as {v}"),
        _field("founded", "year", "year_founded|founding_year|since|year", "was founded in {v}|has existed since {v}|was started in {v}|~opened its doors in {v}", "founded {v}|since {v}"),
        _field("headquarters", "city", "city|location|hq|based_in", "is based in {v}|has its headquarters in {v}|sits in {v}|~is run from {v}", "{v}|based in {v}"),
        _field("employees", "count", "staff|headcount|number_of_employees|workers", "has {v} employees|employs {v} people|has a staff of {v}|~gives work to {v} people", "{v} employees"),
        _field("ceo", "other_person", "director|boss|chief|head|managed_by", "is led by {v}|is run by {v}|has {v} as its CEO|is headed by {v}|~answers to {v}", "CEO {v}"),
        _field("founders", "people", "founded_by|started_by", "was founded by {v}|was started by {v}|~goes back to {v}", "founders: {v}"),
        _field("industry", "phrase", "sector|field|business_area", "works in {v}|is active in {v}|makes its money with {v}|~belongs to the {v} business", "industry {v}"),
        _field("revenue", "salary", "turnover|sales|income", "has a revenue of {v}|turned over {v}|made {v} last year|~took in {v}", "revenue {v}"),
        _field("website", "website", "url|homepage|web", "has the website {v}|is online at {v}|~can be visited at {v}", "{v}"),
        _field("public", "bool", "listed|is_public", "is listed on the stock exchange|is public|~trades its shares openly", "listed", "is not listed|is privately owned|~does not trade its shares openly"),
    ),
    (
        "{ceo} is the CEO of {name} in {headquarters}.", "{name} was founded in {founded} in {headquarters}.", "{name}, based in {headquarters}, has {employees} employees.",
        "{founders} founded {name} in {founded}.", "{name} ({headquarters}, {employees} employees).", "~Since {founded}, {name} has grown to {employees} employees.", "~{headquarters} is home to {name}, led by {ceo}.",
    ),
)  # fmt: skip

RESTAURANT = Family(
    "reservation",
    ("The reservation for {main}", "The booking of {main}", "The table for {main}", "~The party of {main}"),
    "The reservation",
    ("It", "The reservation"),
    (
        _field("name", "person", "guest|customer|booked_by|contact", "is under the name {v}|is for {v}|~was made by {v}", "{v}"),
        _field("restaurant", "company", "place|venue|location|hotel", "is at {v}|is for {v}|~takes place at {v}", "at {v}|{v}"),
        _field("guests", "small", "people|party_size|persons|number_of_people|seats", "is for {v} people|is for a party of {v}|covers {v} guests|~expects {v} persons", "{v} people|party of {v}"),
        _field("date", "date", "day|reservation_date|when", "is on {v}|is booked for {v}|~is down for {v}", "on {v}|{v}"),
        _field("time", "time", "start_time|at|hour", "is at {v}|starts at {v}|~begins at {v}", "at {v}|{v}"),
        _field("phone", "phone", "phone_number|telephone|contact_phone", "can be confirmed at {v}|has the phone number {v}|~gets its call back on {v}", "phone {v}"),
        _field("room", "small", "table|room_number|table_number", "is at table {v}|has the table number {v}|~gets table {v}", "table {v}"),
        _field("notes", "phrase", "remarks|wish|special_request|comment", "comes with the note {v}|asks for {v}|~mentions {v} as a wish", "note: {v}"),
        _field("vegetarian", "bool", "is_vegetarian|meatless", "should be vegetarian|needs vegetarian food|~wants no meat", "vegetarian", "needs no vegetarian food|is not vegetarian|~wants meat"),
    ),
    (
        "Book a table for {guests} at {restaurant} on {date} at {time}.", "{name} would like a table for {guests} people at {time}.", "Table for {guests}, {date}, {time}, name {name}.",
        "Hi, this is {name}. I need a table for {guests} on {date}.", "{name} reserved {restaurant} for {date}.", "~{name} has booked {guests} seats at {restaurant} for {date}.", "~We are {guests} and come on {date} at {time}, {name}.",
    ),
)  # fmt: skip

RECIPE = Family(
    "recipe",
    ("The recipe {main}", "{main}", "The dish {main}", "~The meal {main}"),
    "The recipe",
    ("It", "The recipe"),
    (
        _field("name", "phrase", "title|dish|recipe|recipe_name", "is called {v}|~is known as {v}"),
        _field("ingredients", "ingredients", "needs|contains|ingredient_list|shopping_list", "needs {v}|is made from {v}|contains {v}|uses {v}|~calls for {v}", "ingredients: {v}|with {v}"),
        _field("servings", "small", "portions|serves|people", "serves {v}|is for {v} people|makes {v} portions|~feeds {v}", "serves {v}|{v} portions"),
        _field("minutes", "minutes", "cooking_time|time_minutes|duration|prep_minutes", "takes {v} minutes|is ready in {v} minutes|needs {v} minutes|~is done after {v} minutes", "{v} minutes|{v} min"),
        _field("oven_temperature", "oven", "temperature|degrees|oven", "is baked at {v} degrees|goes into the oven at {v} degrees|~needs an oven of {v} degrees", "{v} degrees"),
        _field("calories", "count", "kcal|energy", "has {v} calories|contains {v} kcal|~comes with {v} calories", "{v} kcal"),
        _field("author", "other_person", "cook|chef|by", "is by {v}|comes from {v}|was invented by {v}|~was passed on by {v}", "by {v}"),
        _field("vegan", "bool", "is_vegan|plant_based", "is vegan|contains no animal products|~is entirely plant based", "vegan", "is not vegan|contains animal products|~is not plant based"),
    ),
    (
        "For {name} you need {ingredients}.", "{name} serves {servings} and takes {minutes} minutes.", "{author} cooks {name} with {ingredients}.", "To make {name}, mix {ingredients}.", "{name}: {ingredients}, {minutes} minutes.",
        "~{author} prepares {name} in {minutes} minutes.", "~Take {ingredients} and you get {name}.",
    ),
)  # fmt: skip

PET = Family(
    "pet",
    ("{main}", "{main}", "My pet {main}", "~Our dear {main}"),
    "The pet",
    ("It", "She", "He"),
    (
        _field("name", "brand", "pet_name|pet|called", "is called {v}|listens to the name {v}|~answers to {v}"),
        _field("species", "species", "animal|kind|type", "is a {v}|~belongs to the kind {v}", "{v}|a {v}"),
        _field("age", "small", "years|age_years", "is {v} years old|is {v}|~has lived for {v} years", "{v} years old|aged {v}"),
        _field("color", "color", "colour|fur", "is {v}|has {v} fur|~wears a {v} coat", "{v}"),
        _field("weight_kg", "float", "weight|kg|mass", "weighs {v} kg|~brings {v} kg to the scales", "{v} kg"),
        _field("owner", "person", "owner_name|belongs_to|keeper", "belongs to {v}|is owned by {v}|lives with {v}|~is looked after by {v}", "owner {v}"),
        _field("vaccinated", "bool", "is_vaccinated|has_shots", "is vaccinated|has had all shots|~got its injections", "vaccinated", "is not vaccinated|has had no shots|~did not get its injections"),
    ),
    (
        "{owner} has a {species} named {name}.", "{name} is a {age}-year-old {species}.", "My {species} {name} is {age} years old.", "The {color} {species} {name} belongs to {owner}.", "{owner} brought in {name}, a {species}.",
        "~{name} the {species} lives with {owner}.", "~{owner} keeps a {color} {species} called {name}.",
    ),
)  # fmt: skip

WEATHER = Family(
    "report",
    ("The report for {main}", "The weather in {main}", "{main}", "~Today's weather for {main}"),
    "The report",
    ("It", "The report"),
    (
        _field("city", "city", "location|place|town|station", "is for {v}|comes from {v}|~covers {v}", "{v}"),
        _field("date", "date", "day|on|measured_on", "is for {v}|was written on {v}|~was taken on {v}", "{v}|on {v}"),
        _field("temperature", "degrees", "degrees|temp|temperature_c", "shows {v} degrees|says {v} °C|has {v} degrees|~reads {v} degrees", "{v} degrees|{v}°C"),
        _field("humidity", "percent", "moisture|humidity_percent", "gives a humidity of {v}|shows {v} humidity|~puts humidity at {v}", "humidity {v}"),
        _field("wind_kmh", "small", "wind|wind_speed|speed", "has wind of {v} km/h|says wind at {v} km/h|~expects wind at {v} km/h", "wind {v} km/h"),
        _field("conditions", "sky", "sky|condition|summary|weather", "says it is {v}|calls it {v}|~describes it as {v}", "{v}"),
        _field("rain", "bool", "raining|will_rain", "expects rain|says that it will rain|~recommends an umbrella", "rain", "expects no rain|says that it will stay dry|~says no umbrella is needed"),
    ),
    (
        "It is {temperature} degrees in {city}.", "{city}: {temperature} °C, {conditions}.", "On {date} it was {conditions} in {city}.", "It is {conditions} in {city} with {temperature} degrees.", "{city} had {temperature} degrees on {date}.",
        "~In {city} we measured {temperature} degrees on {date}.", "~{conditions} and {temperature} degrees, that was {city} on {date}.",
    ),
)  # fmt: skip

VACANCY = Family(
    "vacancy",
    ("The position {main}", "The job as {main}", "The vacancy {main}", "~The post of {main}"),
    "The position",
    ("It", "The job", "The position"),
    (
        _field("title", "job", "position|job_title|role|job", "is for a {v}|is that of a {v}|~needs a {v}"),
        _field("company", "company", "employer|firm|organisation", "is at {v}|was posted by {v}|is offered by {v}|~comes from {v}", "at {v}|{v}"),
        _field("city", "city", "location|place|office", "is in {v}|is based in {v}|~means moving to {v}", "in {v}|{v}"),
        _field("salary", "salary", "pay|wage|compensation", "pays {v}|offers {v}|has a salary of {v}|~brings in {v}", "{v}|salary {v}"),
        _field("hours", "small", "weekly_hours|hours_per_week", "takes {v} hours a week|has {v} hours per week|~means {v} hours of work a week", "{v} h/week"),
        _field("skills", "words", "requirements|needed_skills|qualifications", "requires {v}|asks for {v}|needs knowledge of {v}|~expects experience with {v}", "skills: {v}"),
        _field("start_date", "date", "starts|start|begin", "starts on {v}|begins on {v}|~is to be filled on {v}", "start {v}"),
        _field("remote", "bool", "is_remote|home_office", "can be done remotely|is remote|~allows working from home", "remote", "is on site|is not remote|~does not allow working from home"),
    ),
    (
        "{company} is looking for a {title} in {city}.", "We are hiring a {title}. Salary: {salary}.", "Wanted: {title} at {company}, {city}.", "{title} needed in {city}, {salary}.", "{company} ({city}) hires a {title} for {salary}.",
        "~{company} has an opening for a {title} in {city}.", "~Become a {title} at {company} and earn {salary}.",
    ),
)  # fmt: skip

SONG = Family(
    "song",
    ("The song {main}", "{main}", "The track {main}", "~The tune {main}"),
    "The song",
    ("It", "The song"),
    (
        _field("title", "title", "song|track|name|song_title", "is called {v}|~bears the name {v}"),
        _field("artist", "other_person", "singer|band|performer|by|musician", "is by {v}|is sung by {v}|was recorded by {v}|~is performed by {v}", "by {v}"),
        _field("album", "title", "record|album_title|from_album", "is on the album {v}|appears on {v}|~belongs to the record {v}", "album {v}"),
        _field("year", "year", "released|release_year", "is from {v}|was released in {v}|~came onto the market in {v}", "{v}|({v})"),
        _field("seconds", "count", "length|duration|duration_seconds", "lasts {v} seconds|is {v} seconds long|~plays for {v} seconds", "{v} s"),
        _field("plays", "count", "streams|times_played|play_count", "was played {v} times|has {v} plays|~was heard {v} times", "{v} plays"),
        _field("favorite", "bool", "liked|is_favorite|favourite", "is a favourite|is much loved|~is at the top of my list", "favourite", "is not a favourite|is not loved|~is not on my list"),
    ),
    (
        "{artist} sings {title}.", "{title} by {artist} is from {year}.", "{artist} released {title} in {year}.", "{title} is a song by {artist} from the album {album}.", "I am listening to {title} by {artist}.",
        "~On {album}, {artist} performs {title}.", "~{artist} recorded {title} in {year}.",
    ),
)  # fmt: skip

MESSAGE = Family(
    "message",
    ("The message from {main}", "{main}'s message", "The mail from {main}", "~The note by {main}"),
    "The message",
    ("It", "The message"),
    (
        _field("sender", "person", "from|author|name|written_by", "was sent by {v}|is from {v}|~was written by {v}", "from {v}"),
        _field("recipient", "other_person", "to|receiver|addressee", "went to {v}|is addressed to {v}|was sent to {v}|~is meant for {v}", "to {v}"),
        _field("subject", "title", "title|topic|about|heading", "has the subject {v}|is about {v}|~is headed {v}", "subject {v}|re: {v}"),
        _field("date", "date", "sent_on|day|received", "was sent on {v}|arrived on {v}|~reached us on {v}", "{v}"),
        _field("email", "email", "sender_email|reply_to|address", "came from {v}|can be answered at {v}|~has the return address {v}", "{v}"),
        _field("text", "sentence", "body|content|message", "says that {v}|reads: {v}|~tells us that {v}", "{v}"),
        _field("attachments", "small", "files|attached_files|number_of_attachments", "has {v} attachments|comes with {v} files|~carries {v} files", "{v} files"),
        _field("spam", "bool", "is_spam|junk", "is spam|was marked as junk|~ended up in the junk folder", "spam", "is not spam|is no junk|~did not end up in the junk folder"),
    ),
    (
        "From: {sender}\nTo: {recipient}\nSubject: {subject}\n\n{text}", "{sender} wrote to {recipient} on {date}: {text}", "Dear {recipient}, {text}. Best wishes, {sender}", "{sender} <{email}> writes: {text}.",
        "Hello {recipient}, about the {subject}: {text}. {sender}", "~{sender} let {recipient} know that {text}.", "~Hi {recipient}! {text}. See you, {sender}",
    ),
)  # fmt: skip

ALL_FAMILIES = (*FAMILIES, FILM, CAR, COMPANY, RESTAURANT, RECIPE, PET, WEATHER, VACANCY, SONG, MESSAGE)
