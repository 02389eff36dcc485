"""What the small candidates are taught, in tables. Inflected forms are written out: Basque is not glued together by a template."""

from __future__ import annotations

# country, of the country, in the country, capital, language
COUNTRIES = (
    ("Frantzia", "Frantziako", "Frantzian", "Paris", "frantsesa"),
    ("Espainia", "Espainiako", "Espainian", "Madril", "gaztelania"),
    ("Portugal", "Portugalgo", "Portugalen", "Lisboa", "portugesa"),
    ("Italia", "Italiako", "Italian", "Erroma", "italiera"),
    ("Alemania", "Alemaniako", "Alemanian", "Berlin", "alemana"),
    ("Irlanda", "Irlandako", "Irlandan", "Dublin", "ingelesa"),
    ("Grezia", "Greziako", "Grezian", "Atenas", "greziera"),
    ("Norvegia", "Norvegiako", "Norvegian", "Oslo", "norvegiera"),
)

MONTHS = (
    "urtarrila",
    "otsaila",
    "martxoa",
    "apirila",
    "maiatza",
    "ekaina",
    "uztaila",
    "abuztua",
    "iraila",
    "urria",
    "azaroa",
    "abendua",
)

DAYS = ("astelehena", "asteartea", "asteazkena", "osteguna", "ostirala", "larunbata", "igandea")

NUMBERS = (
    *("zero", "bat", "bi", "hiru", "lau", "bost", "sei", "zazpi", "zortzi", "bederatzi", "hamar"),
    *("hamaika", "hamabi", "hamahiru", "hamalau", "hamabost", "hamasei", "hamazazpi", "hemezortzi"),
    *("hemeretzi", "hogei"),
)

OPPOSITES = (
    ("handi", "txiki"),
    ("bero", "hotz"),
    ("altu", "baxu"),
    ("luze", "labur"),
    ("zahar", "gazte"),
    ("zuri", "beltz"),
    ("on", "txar"),
    ("azkar", "motel"),
)

# thing with article, of the thing, ergative, colour with article
COLOURS = (
    ("elurra", "elurraren", "elurrak", "zuria"),
    ("zerua", "zeruaren", "zeruak", "urdina"),
    ("belarra", "belarraren", "belarrak", "berdea"),
    ("eguzkia", "eguzkiaren", "eguzkiak", "horia"),
    ("odola", "odolaren", "odolak", "gorria"),
    ("gaua", "gauaren", "gauak", "beltza"),
    ("esnea", "esnearen", "esneak", "zuria"),
    ("tomatea", "tomatearen", "tomateak", "gorria"),
)

# thing, definition
DEFINITIONS = (
    ("itsasoa", "ur gaziz betetako eremu zabala"),
    ("mendia", "lurraren goragune handia"),
    ("ibaia", "itsasorantz doan ur-lasterra"),
    ("liburua", "irakurtzeko orri multzoa"),
    ("etxea", "jendea bizitzeko eraikina"),
    ("eskola", "ikasteko lekua"),
    ("laguna", "maite dugun eta laguntzen digun pertsona"),
    ("hiztegia", "hitzen esanahiak biltzen dituen liburua"),
)

# what to make, how
HOW_TO = (
    ("tortilla", "Irabiatu arrautzak, bota gatza eta egin su motelean."),
    ("entsalada", "Garbitu letxuga, moztu tomatea eta bota olioa."),
    ("kafea", "Berotu ura, bota kafe ehoa eta utzi pixka batean."),
    ("zopa", "Jarri ura irakiten eta bota barazkiak."),
)

# animal with article, its sound's verb form, where it lives
ANIMALS = (
    ("txakurra", "zaunka egiten du", "etxean"),
    ("katua", "miau egiten du", "etxean"),
    ("behia", "mu egiten du", "baserrian"),
    ("ardia", "bee egiten du", "mendian"),
    ("oilarra", "kukurruku egiten du", "baserrian"),
    ("zaldia", "irrintzi egiten du", "belardian"),
)

# season, its first month, in the season, what it is like
SEASONS = (
    ("udaberria", "martxoan", "udaberrian", "loreak ateratzen dira"),
    ("uda", "ekainean", "udan", "bero egiten du"),
    ("udazkena", "irailean", "udazkenean", "hostoak erortzen dira"),
    ("negua", "abenduan", "neguan", "hotz egiten du"),
)

# English for the English chats: country, capital
ENGLISH_CAPITALS = (
    ("France", "Paris"),
    ("Spain", "Madrid"),
    ("Portugal", "Lisbon"),
    ("Italy", "Rome"),
    ("Germany", "Berlin"),
    ("Ireland", "Dublin"),
)

ENGLISH_OPPOSITES = (
    ("big", "small"),
    ("hot", "cold"),
    ("tall", "short"),
    ("old", "young"),
)

ENGLISH_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty"),
)

# English word, Basque word
WORDS = (
    ("house", "etxe"),
    ("water", "ur"),
    ("bread", "ogi"),
    ("dog", "txakur"),
    ("cat", "katu"),
    ("book", "liburu"),
)
