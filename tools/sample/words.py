"""The words that the sample customers are made of: names, places, vehicles, sentences. All of it is made up."""

from __future__ import annotations

from typing import Literal, NamedTuple


class People(NamedTuple):
    """Names that go together, and how often they are met with around Chicago."""

    share: int
    first: str
    last: str
    spanish: bool = False


PEOPLE = (
    People(
        16,
        "James Karen Michael Susan Robert Linda William Patricia David Nancy Emily Kevin Laura Brian Megan Scott "
        "Rachel Greg Hannah Peter",
        "Johnson Miller Anderson Clark Baker Peterson Hughes Reed Foster Bennett Carlson Olson Hayes Lindqvist Brooks",
    ),
    People(
        8, "Sean Maureen Patrick Colleen Brendan Eileen Declan Bridget", "Murphy Sullivan Doyle Gallagher Byrne Nolan"
    ),
    People(
        10,
        "Piotr Agnieszka Tomasz Katarzyna Marek Joanna Andrzej Magdalena Krzysztof Ewa",
        "Kowalski Nowak Wójcik Kamiński Zieliński Szymański Dąbrowski Mazur",
    ),
    People(
        18,
        "María José Guadalupe Luis Carmen Juan Rosa Miguel Elena Jorge Alejandra Ricardo Verónica Héctor Lucía Ángel",
        "García Hernández Martínez López Ramírez Torres Flores Gutiérrez Salazar Ortega Mendoza Vázquez Núñez",
        spanish=True,
    ),
    People(
        5, "Carlos Marisol Ángel Ivelisse Javier Damaris", "Rivera Colón Santiago Vélez Ortiz Maldonado", spanish=True
    ),
    People(
        14,
        "Darnell Keisha Marcus Denise Terrence Latoya Andre Monique Reginald Yolanda Curtis Tamika Isaiah Simone",
        "Washington Jefferson Banks Coleman Robinson Simmons Whitfield Gaines Booker Hampton Tate",
    ),
    People(8, "Priya Arjun Sunita Rajesh Ananya Vikram Deepa Sanjay", "Patel Sharma Iyer Reddy Kapoor Nair Desai"),
    People(4, "Ayesha Imran Fatima Bilal Sana Usman", "Khan Ahmed Siddiqui Qureshi Malik"),
    People(5, "Maricel Jose Rowena Ramon Liza Danilo", "Santos Reyes Bautista Villanueva Dela-Cruz"),
    People(5, "Wei Mei Jian Xiu Ling Hao", "Chen Wang Liu Zhang Huang Lin"),
    People(4, "Min-jun Ji-woo Sung Hye-jin Young", "Kim Park Lee Choi Jung"),
    People(3, "Dimitri Eleni Nikos Sophia", "Papadopoulos Georgiou Karras Stathopoulos"),
    People(3, "Ashur Ramina Sargon Nineveh", "Yonan Khoshaba Odisho Warda"),
    People(4, "Chinedu Ngozi Emeka Adaeze Tunde", "Okafor Adeyemi Eze Balogun"),
    People(4, "Oleksandr Olena Iryna Taras", "Shevchenko Kovalenko Bondar Melnyk"),
    People(4, "Daniel Miriam Joshua Rebecca Ari", "Goldberg Rosen Feldman Katz Levin"),
)

# Town, ZIP code, some of its streets, the area codes that people there have.
TOWNS = (
    ("Evanston", "60201", "Ridge Avenue|Central Street|Maple Avenue|Church Street|Orrington Avenue", ("847", "224")),
    ("Evanston", "60202", "Main Street|Asbury Avenue|Hinman Avenue|Dodge Avenue|Oakton Street", ("847", "224")),
    ("Skokie", "60076", "Crawford Avenue|Church Street|Kostner Avenue|Drake Avenue", ("847", "224")),
    ("Wilmette", "60091", "Lake Avenue|Greenleaf Avenue|Elmwood Avenue|Wilmette Avenue", ("847", "224")),
    ("Lincolnwood", "60712", "Touhy Avenue|Kilbourn Avenue|Pratt Avenue", ("847", "708")),
    ("Niles", "60714", "Milwaukee Avenue|Harlem Avenue|Oakton Street", ("847", "331")),
    ("Morton Grove", "60053", "Dempster Street|Lincoln Avenue|Ferris Avenue", ("847", "630")),
    ("Park Ridge", "60068", "Prospect Avenue|Talcott Road|Cumberland Avenue", ("847", "708")),
    ("Chicago", "60626", "Sheridan Road|Greenview Avenue|Lunt Avenue|Morse Avenue", ("773", "872", "312")),
    ("Chicago", "60645", "Western Avenue|Pratt Boulevard|Sacramento Avenue", ("773", "872", "464")),
    ("Chicago", "60640", "Clark Street|Foster Avenue|Winnemac Avenue|Argyle Street", ("773", "312", "872")),
    ("Chicago", "60625", "Lawrence Avenue|Kimball Avenue|Albany Avenue", ("773", "872", "464")),
)

# Where those live who have moved away, or come over from: town, postal code, region, zone, street, area code.
ELSEWHERE = (
    ("Kenosha", "WI 53140", "US-WI", "America/Chicago", "Sheridan Road", "262"),
    ("Hammond", "IN 46320", "US-IN", "America/Chicago", "Hohman Avenue", "219"),
    ("Indianapolis", "IN 46220", "US-IN", "America/Indiana/Indianapolis", "Broad Ripple Avenue", "317"),
    ("Ann Arbor", "MI 48104", "US-MI", "America/Detroit", "Packard Street", "734"),
    ("Phoenix", "AZ 85016", "US-AZ", "America/Phoenix", "Camelback Road", "602"),
    ("Denver", "CO 80206", "US-CO", "America/Denver", "Colfax Avenue", "303"),
    ("San Diego", "CA 92103", "US-CA", "America/Los_Angeles", "University Avenue", "619"),
    ("Naples", "FL 34102", "US-FL", "America/New_York", "Fifth Avenue South", "239"),
    ("Brooklyn", "NY 11215", "US-NY", "America/New_York", "Prospect Park West", "718"),
    ("Honolulu", "HI 96815", "US-HI", "Pacific/Honolulu", "Kapahulu Avenue", "808"),
)


class Model(NamedTuple):
    """A vehicle as it is sold: what drives it, which wheels, since and until when, about what a new one costs."""

    make: str
    model: str
    fuel: str
    drive: tuple[str, ...]
    years: tuple[int, int]
    price: int
    transmission: str = "automatic"
    coolant: str = "orange"


NEW_MODELS = (
    Model("Ford", "Escape", "gasoline", ("fwd", "awd"), (2013, 2026), 30000),
    Model("Ford", "Escape Hybrid", "hybrid", ("fwd", "awd"), (2020, 2026), 34000),
    Model("Ford", "Escape PHEV", "plug_in", ("fwd",), (2021, 2026), 40000),
    Model("Ford", "Explorer", "gasoline", ("rwd", "4wd"), (2012, 2027), 42000),
    Model("Ford", "Edge", "gasoline", ("fwd", "awd"), (2011, 2024), 38000),
    Model("Ford", "F-150", "gasoline", ("rwd", "4wd"), (2012, 2027), 45000),
    Model("Ford", "F-150 Lightning", "electric", ("awd",), (2022, 2025), 62000, "single_speed", "battery"),
    Model("Ford", "Mustang Mach-E", "electric", ("rwd", "awd"), (2021, 2027), 47000, "single_speed", "battery"),
    Model("Ford", "Mustang", "gasoline", ("rwd",), (2015, 2027), 36000, "manual"),
    Model("Ford", "Maverick Hybrid", "hybrid", ("fwd", "awd"), (2022, 2027), 29000),
    Model("Ford", "Bronco Sport", "gasoline", ("4wd",), (2021, 2027), 33000),
    Model("Ford", "Fusion", "gasoline", ("fwd",), (2013, 2020), 25000),
    Model("Ford", "Focus", "gasoline", ("fwd",), (2012, 2018), 20000),
    Model("Lincoln", "Corsair", "gasoline", ("fwd", "awd"), (2020, 2027), 41000),
    Model("Lincoln", "Nautilus", "gasoline", ("fwd", "awd"), (2019, 2027), 48000),
)
USED_MODELS = (
    Model("Ford", "Crown Victoria", "gasoline", ("rwd",), (2003, 2011), 28000, "automatic", "green"),
    Model("Mercury", "Grand Marquis", "gasoline", ("rwd",), (2003, 2011), 29000, "automatic", "green"),
    Model("Ford", "Ranger", "gasoline", ("rwd", "4wd"), (2004, 2011), 20000, "manual", "green"),
    Model("Toyota", "Camry", "gasoline", ("fwd",), (2010, 2024), 26000),
    Model("Toyota", "Prius", "hybrid", ("fwd",), (2010, 2024), 28000),
    Model("Honda", "CR-V", "gasoline", ("fwd", "awd"), (2010, 2024), 28000),
    Model("Honda", "Civic", "gasoline", ("fwd",), (2010, 2024), 22000, "manual"),
    Model("Subaru", "Outback", "gasoline", ("awd",), (2012, 2024), 30000),
    Model("Chevrolet", "Bolt EV", "electric", ("fwd",), (2017, 2023), 33000, "single_speed", "battery"),
    Model("Volkswagen", "Jetta TDI", "diesel", ("fwd",), (2010, 2015), 25000),
    Model("Nissan", "Rogue", "gasoline", ("fwd", "awd"), (2013, 2024), 27000),
    Model("Hyundai", "Ioniq 5", "electric", ("rwd", "awd"), (2022, 2024), 44000, "single_speed", "battery"),
)
FLEET_MODELS = (
    Model("Ford", "Transit", "gasoline", ("rwd",), (2016, 2026), 45000),
    Model("Ford", "Transit Connect", "gasoline", ("fwd",), (2016, 2023), 31000),
    Model("Ford", "E-Transit", "electric", ("rwd",), (2022, 2026), 51000, "single_speed", "battery"),
    Model("Ford", "F-250", "diesel", ("4wd",), (2016, 2026), 56000),
    Model("Ford", "F-150", "gasoline", ("rwd", "4wd"), (2016, 2026), 42000),
)
COLORS = ("white", "black", "silver", "gray", "blue", "red", "green")

# Organisations: name, domain, how many vehicles they drive.
ORGANISATIONS = (
    ("Lakeshore Plumbing Co.", "lakeshore-plumbing.example", 9),
    ("North Branch Landscaping", "northbranch-landscaping.example", 8),
    ("Howard Street Bakery", "howardstreet-bakery.example", 5),
    ("Evergreen Home Care", "evergreen-homecare.example", 11),
    ("Skokie Valley Electric", "skokievalley-electric.example", 10),
    ("St. Brendan Parish", "stbrendan-parish.example", 3),
    ("Midway Courier Service", "midway-courier.example", 13),
    ("Tienda La Estrella", "tienda-estrella.example", 4),
    ("Ridge Avenue Pediatrics", "ridge-pediatrics.example", 3),
    ("Patel & Sons Catering", "patel-catering.example", 6),
    ("Great Lakes Elevator Inspection", "greatlakes-elevator.example", 7),
    ("Harbor Property Management", "harbor-pm.example", 8),
    ("Zielony Dom Builders", "zielonydom.example", 8),
    ("Lakeside Senior Shuttle", "lakeside-shuttle.example", 3),
)
CONTACT_ROLES = (("owner", "buyer"), ("fleet_manager",), ("accounts",), ("driver",), ("assistant",))

# Recall campaigns of the sample; the numbers follow no maker's scheme.
RECALLS = (
    ("EX-26-07", "the rear camera image may go dark", "Escape", (2019, 2023)),
    ("EX-26-11", "a fuel line may crack and leak", "Transit", (2018, 2022)),
)

INTENTS: tuple[tuple[str, Literal["never", "not_before", "wants"], str | None, str], ...] = (
    ("trade_in", "never", "10y", "I keep my cars ten years. Please don't ask me before that."),
    ("trade_in", "never", "10y", "We drive them until they fall apart."),
    ("sales", "never", None, "No offers, please. Just tell me when it needs service."),
    ("trade_in", "not_before", None, "Not before our youngest is out of college."),
    ("lease_end", "wants", None, "I want to buy it out at the end, not swap it."),
    ("trade_in", "wants", None, "Call me when there is a plug-in hybrid that fits two child seats."),
    ("winter_tires", "never", None, "I take the train in winter."),
    ("survey", "never", None, "I don't do surveys."),
)
WINTERS = (
    "I'm on Lake Shore Drive at five in the morning, before the plows",
    "up to Wisconsin to ski most weekends",
    "night shifts at the hospital, whatever the weather",
    "my street is never plowed",
    "we visit my mother in Minnesota every month",
    "manejo a Milwaukee dos veces por semana",
    "the alley behind our garage is solid ice until March",
)
COMPLAINTS = (
    ("noise", "medium", "A rattle from the front left that was there before the repair and is still there."),
    ("billing", "medium", "Charged for a cabin filter that was not replaced."),
    ("delay", "low", "The car was promised for noon and was ready at five."),
    ("damage", "high", "A scratch on the rear door that was not there at drop-off."),
    ("repair", "high", "The check engine light came back two days after the repair."),
    ("paperwork", "low", "Title and plates have still not arrived, six weeks after the purchase."),
)
PROMISES = (
    "Call back with the price of a second key",
    "Send the title work by overnight mail",
    "Repaint the scratched door at our cost",
    "Find out whether the tow hitch is covered by the warranty",
    "Hold the blue Maverick until the end of the month",
    "Have a loaner with a child seat ready at drop-off",
)
CALLS: tuple[tuple[Literal["in", "out"], str, str | None, str | None, str], ...] = (
    ("in", "voice", "service", "maintenance", "Asked what the 60,000 mile service includes; no booking yet."),
    ("out", "voice", "service", "maintenance", "Reminded them of the brake inspection; will think about it."),
    ("in", "letter", "service", "complaint", "Letter about the waiting time on a Saturday; answered by hand."),
    ("in", "voice", None, None, "Asked for directions to the new drop-off lane."),
    ("out", "voice", "sales", "lease_end", "Talked through what can be done at the end of the lease."),
    ("in", "voice", "service", "inspection", "Asked whether we see to the emissions test; we do."),
    ("out", "email", "service", "maintenance", "Sent photos of the brake pads with the estimate."),
    ("in", "voice", "sales", "trade_in", "Wanted a rough figure for the old car; said to bring it by."),
)
DELIGHTED = ("Rosa at the desk remembered my dog's name.", "In and out in forty minutes.", "Gracias, todo perfecto.")
ANNOYED = ("Third time for the same noise.", "You keep writing to me about a car I sold.", "Nobody called back.")
TRAPPED = ("The loan says I have to service it here, and you know it.", "I can't get out of this lease, can I.")
STAFF = ("Rosa Delgado", "Tom Brandt", "Aisha Greene", "Kyle Nguyen", "Marta Wrona")
