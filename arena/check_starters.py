"""Ten questions for a Basque check, from B1 to C1: declension, agreement of the verb, subordinate clauses, word order, vocabulary."""

from __future__ import annotations

STARTERS: tuple[tuple[str, tuple[str, ...], int], ...] = (
    ("Atzo amonari opari bat eraman ___.", ("nuen", "nintzen", "nion", "naiz"), 3),
    ("Guk oraindik ez ___ film hori ikusi.", ("dugu", "gara", "ditugu", "digu"), 1),
    ("Neskek sagarrak jan ___.", ("dira", "dituzte", "dute", "ditu"), 2),
    ("___ bizi naiz, baina Gasteizen egiten dut lan.", ("Bilbora", "Bilbotik", "Bilborantz", "Bilbon"), 4),
    ("Gaur ez daukat ___.", ("dirurik", "diruari", "diruaz", "dirutik"), 1),
    ("Atzo ikusi ___ filma oso ona zen.", ("genuela", "genuelako", "genuenik", "genuen"), 4),
    ("Uste dut bihar euria egingo ___.", ("duelako", "duela", "duenean", "duena"), 2),
    ("Dirua banu, etxe handi bat erosiko ___.", ("naiz", "nintzen", "nuke", "nintzateke"), 3),
    (
        "Nork egin du afaria?",
        ("Afaria egin du Mirenek.", "Egin du Mirenek afaria.", "Mirenek egin du afaria."),
        3,
    ),
    ("Zer da zerbait aintzat hartzea?", ("gaitzestea", "kontuan hartzea", "ahaztea", "mailegatzea"), 2),
)
"""Of each: the question, its options, and the number of the right one, from 1."""
