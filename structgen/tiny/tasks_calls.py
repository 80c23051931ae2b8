"""Function calls and sentiment: the tasks of the embedded model that are no records.

Purpose: data for `tasks.py`. A tool has a name, arguments (name, kind) and requests that mention the arguments.
The split is that of tasks_families.py: a phrase with "~" in front is held out.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OPINIONS", "OPINION_CLAIMS", "OPINION_FRAMES", "TOOLS", "TOOL_NOTES", "Tool"]


@dataclass(frozen=True, slots=True)
class Tool:
    """A callable: its name, its other names, arguments (name, kind) and requests."""

    name: str
    aliases: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...]
    requests: tuple[str, ...]


def _tool(name: str, aliases: str, arguments: str, requests: str) -> Tool:
    pairs = [part.split("=") for part in arguments.split()]
    return Tool(
        name,
        tuple(aliases.split()),
        tuple((key, kind) for key, kind in pairs),
        tuple(part.strip() for part in requests.split("|")),
    )


TOOLS = (
    _tool("get_weather", "weather weather_lookup current_weather", "city=city unit=enum:unit",
          "What is the weather in {city}?|How warm is it in {city} in {unit}?|Weather in {city}, {unit} please|Tell me the temperature in {city} in {unit}.|Is it raining in {city}?|~Do I need an umbrella in {city}?|~Give me the {city} forecast in {unit}"),
    _tool("set_alarm", "create_alarm alarm wake_me", "time=time label=phrase",
          "Wake me up at {time}.|Set an alarm for {time}.|Set an alarm at {time} called {label}.|Alarm at {time} for {label}|~Ring at {time} for {label}|~I have to get up at {time}."),
    _tool("set_timer", "start_timer timer countdown", "minutes=minutes label=phrase",
          "Set a timer for {minutes} minutes.|Start a {minutes} minute timer for the {label}.|Count down {minutes} minutes.|~Let me know in {minutes} minutes.|~The {label} needs {minutes} minutes, start the clock"),
    _tool("send_email", "email write_email mail", "to=email subject=title body=sentence",
          "Send an email to {to} with the subject {subject}.|Write to {to} about {subject}: {body}|Email {to}, subject {subject}, and say {body}.|Mail {to} that {body}|~Drop {to} a line about {subject}.|~Let {to} know that {body}"),
    _tool("send_message", "text_message message sms", "recipient=other_person text=sentence",
          "Tell {recipient} that {text}.|Text {recipient}: {text}|Send {recipient} the message {text}.|~Message {recipient} saying {text}"),
    _tool("book_table", "reserve_table restaurant_booking", "restaurant=company people=small time=time date=date",
          "Book a table for {people} at {restaurant} at {time}.|Reserve a table at {restaurant} on {date} for {people} people.|Table for {people}, {restaurant}, {date}, {time}|~We are {people} and want to eat at {restaurant} at {time}"),
    _tool("book_flight", "flight_booking reserve_flight", "origin=city destination=city date=date passengers=small",
          "Book a flight from {origin} to {destination} on {date}.|Fly me from {origin} to {destination} on {date}.|I need {passengers} seats from {origin} to {destination}.|~Get me to {destination} from {origin} on {date}"),
    _tool("find_hotel", "search_hotels hotel_search", "city=city nights=small guests=small max_price=money",
          "Find a hotel in {city} for {nights} nights.|I need a room in {city} for {guests} people under {max_price}.|Hotel in {city}, {nights} nights, {guests} guests|~Where can {guests} of us sleep in {city} for {nights} nights?"),
    _tool("convert_currency", "exchange currency_converter", "amount=count source=currency target=currency",
          "Convert {amount} {source} to {target}.|How much is {amount} {source} in {target}?|Change {amount} {source} into {target}|~What do I get in {target} for {amount} {source}?"),
    _tool("translate", "translate_text translation", "text=phrase language=language",
          "Translate {text} into {language}.|How do you say {text} in {language}?|What is {text} in {language}?|~Give me the {language} for {text}"),
    _tool("play_music", "play play_song music", "song=title artist=other_person",
          "Play {song} by {artist}.|Put on {song}.|I want to hear {song} by {artist}|~Let us listen to {artist} with {song}"),
    _tool("create_event", "add_event calendar_add schedule", "title=title date=date time=time",
          "Add {title} to my calendar on {date} at {time}.|Schedule {title} for {date}.|Create an event {title} on {date} at {time}|~Put down {title}, {date}, {time}"),
    _tool("add_todo", "add_task todo create_task", "task=sentence due=date",
          "Add a task: {task}, due {due}.|Remind me that {task}.|Todo: {task}|~Note that {task}, by {due}"),
    _tool("search_products", "product_search find_products shop", "query=product max_price=money",
          "Find a {query} under {max_price}.|Search for a {query}.|I am looking for a {query} for at most {max_price}|~Show me every {query} below {max_price}"),
    _tool("get_stock_price", "stock_price quote", "symbol=code",
          "What is the stock price of {symbol}?|Get the quote for {symbol}.|How is {symbol} doing?|~Current value of {symbol}?"),
    _tool("call_contact", "call phone_call dial", "name=other_person number=phone",
          "Call {name}.|Dial {number}.|Phone {name} on {number}|~Ring up {name}"),
    _tool("get_directions", "directions route navigate", "origin=city destination=city mode=enum:mode",
          "How do I get from {origin} to {destination}?|Directions from {origin} to {destination} by {mode}.|Route from {origin} to {destination}|~Guide me by {mode} from {origin} to {destination}"),
    _tool("set_temperature", "thermostat heating_set", "room=enum:room degrees=small",
          "Set the {room} to {degrees} degrees.|Make it {degrees} degrees in the {room}.|Heat the {room} to {degrees}|~I want {degrees} degrees in the {room}"),
    _tool("turn_on_light", "light_on lights switch_on", "room=enum:room brightness=percent",
          "Turn on the light in the {room}.|Light in the {room} at {brightness}.|Set the {room} lights to {brightness}|~Make the {room} bright, {brightness}"),
    _tool("track_order", "order_status where_is_order", "order_id=code",
          "Where is my order {order_id}?|Track {order_id}.|What is the status of order {order_id}?|~Any news about {order_id}?"),
    _tool("create_user", "add_user register new_user", "name=other_person email=email admin=bool:admin:guest",
          "Create a user {name} with the email {email}.|Register {name} ({email}) as {admin}.|Add {name} as {admin}|~Sign up {name}, {email}"),
    _tool("calculate_sum", "add sum_numbers total", "numbers=numbers",
          "Add {numbers}.|What is the sum of {numbers}?|Sum up {numbers}|~Total of {numbers}?"),
    _tool("get_time", "time_in world_clock", "city=city", "What time is it in {city}?|Time in {city}?|Tell me the local time in {city}|~How late is it in {city}?"),
)  # fmt: skip

TOOL_NOTES = (
    "Tools: {tools}", "Functions: {tools}", "You can call: {tools}", "Available functions: {tools}. Call one.", "Choose a function: {tools}",
    "~Pick one of these tools: {tools}",
)  # fmt: skip

OPINIONS = {
    "positive": """great wonderful excellent amazing fantastic perfect lovely superb brilliant delightful good awesome
        outstanding impressive beautiful enjoyable nice incredible terrific marvellous splendid magnificent pleasant""",
    "negative": """terrible awful bad horrible useless disappointing broken dreadful poor annoying ugly unusable
        overpriced faulty boring worthless disgusting flimsy cheap mediocre unpleasant frustrating defective""",
    "neutral": """okay average ordinary acceptable fine standard usual normal unremarkable so-so adequate passable""",
}

OPINION_CLAIMS = {
    "positive": ("I love this {thing}!", "Best {thing} ever.", "I would buy the {thing} again.", "I really like my {thing}.", "The {thing} works like a charm.",
                 "I am very happy with the {thing}.", "~I adore this {thing}.", "~The {thing} made my day."),
    "negative": ("I hate this {thing}.", "Worst {thing} ever.", "I want my money back for this {thing}.", "I do not like the {thing}.", "The {thing} broke after a day.",
                 "I am very unhappy with the {thing}.", "~I regret buying this {thing}.", "~The {thing} is a waste of money."),
    "neutral": ("The {thing} does its job.", "The {thing} is what it says.", "The {thing} is neither good nor bad.", "I have no opinion on the {thing}.", "~The {thing} is just a {thing}."),
}  # fmt: skip

OPINION_FRAMES = (
    "The {thing} is {word}.", "This {thing} was {word}!", "I think the {thing} is {word}.", "What a {word} {thing}!", "My {thing} turned out to be {word}.", "{word}. That is all about the {thing}.",
    "I bought a {thing} and it is {word}.", "~Honestly, a {word} {thing}.", "~We found the {thing} {word}.",
)  # fmt: skip
