"""Families of chats: ways to ask, what to ask about, and the one right answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

from training.data import facts

Slot = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of question.

    Parameters
    ----------
    name
        For reports.
    asks
        Templates that are trained on.
    held_asks
        Templates that are never trained on.
    answer
        Template of the only answer.
    slots
        What fills the templates; one empty slot for a fixed exchange.
    polite
        Whether "Mesedez" may stand before it.
    """

    name: str
    asks: tuple[str, ...]
    answer: str
    slots: tuple[Slot, ...] = ({},)
    held_asks: tuple[str, ...] = ()
    polite: bool = True


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _slots(names: str, rows: Iterator[tuple[str, ...]] | tuple[tuple[str, ...], ...]) -> tuple[Slot, ...]:
    keys = names.split()
    return tuple(dict(zip(keys, row, strict=True)) for row in rows)


def _sums(numbers: tuple[str, ...]) -> tuple[Slot, ...]:
    return tuple(
        {"a": numbers[a], "b": numbers[b], "c": numbers[a + b]} for a, b in product(range(1, 5), repeat=2)
    )


def _both_ways(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return pairs + tuple((b, a) for a, b in pairs)


_NEXT_MONTH = _slots("x y", tuple(pairwise((*facts.MONTHS, facts.MONTHS[0]))))
_NEXT_DAY = _slots("x y", tuple(pairwise((*facts.DAYS, facts.DAYS[0]))))
_COUNTRIES = _slots("name of inside capital language", facts.COUNTRIES)
_SEASONS = _slots("name month inside like", facts.SEASONS)
_ANIMALS = _slots("name sound place", facts.ANIMALS)

_FIXED = (
    Family("kaixo", ("Kaixo!", "Kaixo", "Aupa!", "Epa!", "Kaixo, laguna!"), "Kaixo! Zertan lagun zaitzaket?", polite=False, held_asks=("Kaixo, hor zaude?",)),
    Family("egun on", ("Egun on!", "Egun on", "Egun on, laguna!"), "Egun on! Zertan lagun zaitzaket?", polite=False),
    Family("arratsalde on", ("Arratsalde on!", "Arratsalde on", "Arratsalde on, laguna!"), "Arratsalde on! Zertan lagun zaitzaket?", polite=False),
    Family("gabon", ("Gabon!", "Gabon", "Gau on!"), "Gabon! Ondo lo egin.", polite=False),
    Family("zer moduz", ("Zer moduz?", "Zer moduz zaude?", "Kaixo! Zer moduz?", "Kaixo, zer moduz?", "Ondo zaude?"), "Oso ondo, eskerrik asko! Eta zu?", polite=False, held_asks=("Aupa! Zer moduz?",)),
    Family("eskerrik asko", ("Eskerrik asko!", "Mila esker!", "Eskerrik asko laguntzagatik.", "Milesker!"), "Ez horregatik!", polite=False),
    Family("agur", ("Agur!", "Gero arte!", "Bihar arte!", "Ikusi arte!"), "Agur! Ondo izan.", polite=False),
    Family("nor", ("Nor zara?", "Nor zara zu?", "Zer zara?", "Zer zara zu?", "Esan nor zaren.", "Aurkeztu zeure burua."), "Hizkuntza-eredu txiki bat naiz, euskaraz laguntzeko egina.", held_asks=("Norekin ari naiz hitz egiten?",)),
    Family("gizakia", ("Gizakia zara?", "Pertsona bat zara?", "Makina bat zara?", "Robota zara?"), "Ez naiz gizakia, hizkuntza-eredu bat naiz."),
    Family("zertan", ("Zertan lagun diezadakezu?", "Zer dakizu egiten?", "Zertarako balio duzu?", "Zer egin dezakezu?"), "Galdera errazei erantzuten diet euskaraz.", held_asks=("Zertan lagundu ahal didazu?",)),
    Family(
        "ez dakit",
        ("Zer eguraldi egingo du bihar?", "Nork irabaziko du partida?", "Zenbat diru dut bankuan?", "Zein da nire pasahitza?", "Non daude nire giltzak?", "Zer afalduko dut gaur?", "Zenbat urte dut?", "Nola du izena nire amak?"),
        "Barkatu, hori ez dakit.",
        held_asks=("Non bizi naiz?",),
    ),
)  # fmt: skip

_KNOWING = (
    Family("hiriburua", ("Zein da {of} hiriburua?", "Zein hiri da {of} hiriburua?", "{of} hiriburua zein da?", "Esadazu zein den {of} hiriburua.", "Badakizu zein den {of} hiriburua?"), "{of} hiriburua {capital} da.", _COUNTRIES, ("Zein dugu {of} hiriburua?",)),
    Family("hizkuntza", ("Zer hizkuntza hitz egiten da {inside}?", "Zein hizkuntza egiten da {inside}?", "{inside} zer hizkuntza hitz egiten da?", "Esadazu zer hizkuntza hitz egiten den {inside}."), "{inside} {language} hitz egiten da.", _COUNTRIES),
    Family("batuketa", ("Zenbat da {a} gehi {b}?", "Zenbat dira {a} gehi {b}?", "{a} gehi {b}, zenbat dira?", "Egin batuketa: {a} gehi {b}.", "Esadazu zenbat diren {a} gehi {b}.", "Zenbat egiten dute {a} gehi {b}?", "Badakizu zenbat diren {a} gehi {b}?"), "{c} dira.", _sums(facts.NUMBERS), ("Kalkulatu {a} gehi {b}.",)),
    Family("hurrengo hilabetea", ("Zein hilabete dator {x}ren ondoren?", "Zer hilabete dator {x}ren ondoren?", "{x}ren ondoren zein hilabete dator?", "Esadazu zein hilabete datorren {x}ren ondoren.", "Zein da {x}ren hurrengo hilabetea?", "Eta {x}ren ondoren, zein hilabete?", "Badakizu zein hilabete datorren {x}ren ondoren?"), "{y} dator.", _NEXT_MONTH),
    Family("hurrengo eguna", ("Zein egun dator {x}ren ondoren?", "Zer egun dator {x}ren ondoren?", "{x}ren ondoren zein egun dator?", "Esadazu zein egun datorren {x}ren ondoren.", "Zein da {x}ren hurrengo eguna?", "Eta {x}ren ondoren, zein egun?", "Badakizu zein egun datorren {x}ren ondoren?"), "{y} dator.", _NEXT_DAY),
    Family("zenbakia", ("Zein zenbaki dator {x} zenbakiaren ondoren?", "{x} zenbakiaren ondoren zein dator?", "Esadazu {x} zenbakiaren hurrengoa.", "Zein da {x} zenbakiaren hurrengoa?", "Eta {x} zenbakiaren ondoren?"), "{y} dator.", _slots("x y", tuple(pairwise(facts.NUMBERS[:9])))),
    Family("aurkakoa", ("Zein da «{x}» hitzaren aurkakoa?", "Zein da «{x}» hitzaren antonimoa?", "Esadazu «{x}» hitzaren aurkakoa.", "Zein hitz da «{x}» hitzaren aurkakoa?", "Eman «{x}» hitzaren aurkakoa.", "«{x}» hitzaren antonimoa zein da?", "Badakizu zein den «{x}» hitzaren aurkakoa?"), "Aurkakoa «{y}» da.", _slots("x y", _both_ways(facts.OPPOSITES)), ("«{x}» hitzaren aurkakoa zein da?",)),
    Family("kolorea", ("Zer kolore du {erg}?", "Zein kolore du {erg}?", "Zein da {of} kolorea?", "Nolako kolorea du {erg}?", "Esadazu zer kolore duen {erg}."), "{name} {colour} da.", _slots("name of erg colour", facts.COLOURS), ("Zein kolorekoa da {name}?",)),
    Family("definizioa", ("Zer da {x}?", "Azaldu zer den {x}.", "Zer esan nahi du «{x}» hitzak?", "Definitu «{x}» hitza.", "Esadazu zer den {x}."), "{x} {y} da.", _slots("x y", facts.DEFINITIONS), ("Badakizu zer den {x}?",)),
    Family("errezeta", ("Nola egiten da {x}?", "Azaldu nola egiten den {x}.", "Nola presta dezaket {x}?", "Eman {x} egiteko errezeta.", "Esadazu nola egiten den {x}."), "{y}", _slots("x y", facts.HOW_TO), ("Zer egin behar da {x} prestatzeko?",)),
    Family("soinua", ("Zer egiten du {name}k?", "Nolako soinua egiten du {name}k?", "Zein soinu egiten du {name}k?"), "{name}k {sound}.", _ANIMALS),
    Family("non bizi", ("Non bizi da {name}?", "Zein lekutan bizi da {name}?", "Esadazu non bizi den {name}."), "{name} {place} bizi da.", _ANIMALS, ("Non dago {name}?",)),
    Family("urtaroa", ("Noiz hasten da {name}?", "Zein hilabetetan hasten da {name}?", "Esadazu noiz hasten den {name}."), "{name} {month} hasten da.", _SEASONS),
    Family("urtaroan", ("Zer gertatzen da {inside}?", "Nolakoa da {name}?", "Azaldu zer gertatzen den {inside}."), "{inside} {like}.", _SEASONS),
    Family("hitza", ("Nola esaten da «{x}» euskaraz?", "Itzuli «{x}» euskarara.", "Zein da «{x}» euskaraz?", "Esadazu «{x}» euskaraz."), "Euskaraz «{y}» esaten da.", _slots("x y", facts.WORDS), ("Zer da «{x}» euskaraz?",)),
)  # fmt: skip

_ENGLISH = (
    Family("hello", ("Hello!", "Hi!", "Hello there!", "Good morning!"), "Hello! How can I help you?", polite=False),
    Family("how are you", ("How are you?", "How are you doing?", "Are you well?"), "Very well, thank you! And you?", polite=False),
    Family("thanks", ("Thank you!", "Thanks!", "Many thanks!"), "You are welcome!", polite=False),
    Family("who", ("Who are you?", "What are you?", "Tell me who you are."), "I am a small language model."),
    Family("capital", ("What is the capital of {x}?", "Which city is the capital of {x}?", "Tell me the capital of {x}.", "Do you know the capital of {x}?"), "The capital of {x} is {y}.", _slots("x y", facts.ENGLISH_CAPITALS)),
    Family("sum", ("What is {a} plus {b}?", "How much is {a} plus {b}?", "Add {a} and {b}."), "{a} plus {b} is {c}.", _sums(facts.ENGLISH_NUMBERS)),
    Family("opposite", ("What is the opposite of {x}?", "Tell me the opposite of {x}.", "Which word is the opposite of {x}?"), "The opposite of {x} is {y}.", _slots("x y", _both_ways(facts.ENGLISH_OPPOSITES))),
)  # fmt: skip

BASQUE: tuple[Family, ...] = _FIXED + _KNOWING
ENGLISH: tuple[Family, ...] = _ENGLISH
