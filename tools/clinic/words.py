"""The words that the sample patients are made of: names, places, sentences. All of it is made up."""

from __future__ import annotations

from commsched.model.facts import Mood

FIRST = (
    "Anna Lena Maria Sophie Katharina Johanna Theresa Franziska Magdalena Ursula Monika Brigitte Renate Ingrid Elif "
    "Ayşe Milica Olena Giulia Fatima Thomas Michael Stefan Andreas Josef Franz Sebastian Lukas Florian Maximilian "
    "Georg Ludwig Karl Helmut Werner Mehmet Goran Taras Paolo Yusuf"
)
LAST = (
    "Huber Maier Bauer Wagner Fischer Weber Schmid Hofmann Lechner Aigner Brandl Kellner Reindl Stadler Moser Gruber "
    "Obermeier Pichler Sedlmayr Zehetmair Yilmaz Kaya Petrović Shevchenko Rossi Novák Kowalczyk Nguyen Haddad Okoye"
)
CHILDREN = ("Emil", "Mia", "Jonas")
STREETS = (
    "Amselgasse", "Birnbaumweg", "Eschenstieg", "Flößerweg", "Hopfengasse", "Kiesbankweg", "Mühlbachweg", "Uferstieg",
)  # fmt: skip
TOWNS = (
    "80331 München", "80538 München", "80797 München", "81241 München", "81547 München", "82031 Grünwald",
    "85521 Ottobrunn", "82152 Planegg",
)  # fmt: skip

# Those who come from elsewhere, or spend the year there: address, region, zone, locale, and a number kept for fiction.
ELSEWHERE = (
    ("4 Gull Lane, London N1", "GB-ENG", "Europe/London", "en_GB", "+447700900123"),
    ("Rua da Ribeira 12, 1200 Lisboa", "PT-11", "Europe/Lisbon", "pt_PT", None),
    ("Lindengasse 8, 1070 Wien", "AT-9", "Europe/Vienna", "de_AT", None),
    ("210 Maple Court, Brooklyn, NY 11215", "US-NY", "America/New_York", "en_US", "+17185550148"),
    ("Odos Elias 3, 10555 Athina", "GR-I", "Europe/Athens", "el_GR", None),
    ("15 Harbour Road, Auckland 1010", "NZ-AUK", "Pacific/Auckland", "en_NZ", None),
)

# What is said on the telephone, and written down.
CALLS = (
    "Asked whether coffee is allowed on the last day. Explained the leaflet.",
    "Asked whether the blood pressure tablets may be taken. The doctor called back.",
    "Has nobody to see them home; will ask a neighbour.",
    "Could not find the leaflet. Sent it again by post.",
    "Asked for the way from the underground station.",
    "Wanted to know how long it takes.",
)
FEEDBACK: tuple[tuple[Mood, str], ...] = (
    ("delighted", "Everybody explained what they were doing."),
    ("fine", "A bit of waiting, but kind."),
    ("fine", "The instructions came in good time."),
    ("annoyed", "I waited for an hour on an empty stomach."),
    ("delighted", "I was afraid of it for years, and it was nothing."),
    ("annoyed", "Two people told me two different things about my tablets."),
)
HOLDS = ("In hospital until the end of the month.", "A death in the family; write to nobody there for now.")
DOCTORS = ("Dr Adler", "Dr Winkler", "Dr Sommer")
DESK = ("Frau Lang", "Herr Ott")
