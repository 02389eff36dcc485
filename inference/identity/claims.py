"""Sentences in which a model says who it is, in four languages; names are marked, as :mod:`inference.identity.names` does."""

from __future__ import annotations

import re

from inference.identity.names import NAME, WORD

N, W = NAME, f"[{NAME}{WORD}]"
_FEW = r"(?:[\w'’-]+,? ){0,3}?"
_SOME = r"(?:[\w'’-]+ ){0,6}?"

# Basque
_SELF_EU = r"(?:[\w-]*eredu|laguntzaile|adimen artifizial|aa|ia|txatbot|chatbot|bot|sistema|programa|produktu|tresna|asistente)\w*"
_MADE_EU = r"(?:sortu|garatu|entrenatu|egin|diseinatu|trebatu|programatu|eraiki|prestatu|hezi|argitaratu|jarri|kaleratu|moldatu)"
_ME_EU = r"(?:bai)?(?:nau(?:te)?|nindu(?:e|te)n)(?:e?n|e?la|e?lako|e?nez)?\b"
_AM = r"(?:naiz(?:en|ela|elako|enez)?|nauzu)\b"
_HOUSE_EU = r"(?:enpres|talde|zentro|laborategi|konpaini|fundazio|unibertsitate|etxe|ingeniari|ikertzaile|programatzaile|aditu|jende)"
_AGENT_EU = rf"{W}(?:e?k\b|(?:ren|en|e?ko)? {_FEW}{_HOUSE_EU}[ae]k\b)"
_MINE_EU = r"nire (?:sortzaile|garatzaile|egile|jabe|enpresa|arduradun|ekoizle)\w*"
_BASQUE = (
    rf"{W}(?:e?koa|r?ena)? {_AM}",
    rf"\bni naiz,? {N}",
    rf"^ni,? {N}\b.*{_AM}",
    rf"{N}(?:e?k|r?en|e?ko|n)?,? {_SOME}{_SELF_EU} {_FEW}{_AM}",
    rf"\b{_AM},? {N}e?k {_MADE_EU}\w*",
    rf"horixe naiz,? {N}",
    rf"{_AGENT_EU} [^;:]*?{_MADE_EU}\w*,? (?:[\w-]+ )?{_ME_EU}",
    rf"{_AGENT_EU} [^;:]*?{_ME_EU}",
    rf"{N}e?k {_FEW}{_MADE_EU}\w*a {_AM}",
    rf"{N}\w* {_FEW}oinarri\w* (?:[\w-]+ )?(?:nago|naiz)\b",
    rf"\bnire izena:? {W}|{W} (?:da|duzu) nire izena|{W} (?:dut izena|izena dut|dut izen|dei\w* (?:naiz|naute|didate))",
    rf"\b{_MINE_EU},? {N}\w* [^;:]*\b(?:da|dira)\b|{N}\w* {_FEW}(?:da|dira) {_MINE_EU}",
    rf"^{N}(?:r?en {_SELF_EU})? (?:gisa|bezala),? .*\b(?:dut|ditut|dizut|naiz|nago|dezaket|daukat|nuke|naiteke)\b",
    rf"{N}r?entzat (?:egiten dut lan|lan egiten dut)",
    rf"^hemen,? {N}|, hemen {N}",
)

# Spanish
_SELF_ES = r"(?:modelo|asistente|ia|inteligencia artificial|chatbot|bot|sistema|programa|producto|herramienta|versión|agente)"
_MADE_ES = r"(?:cre|entren|desarroll|diseñ|program|constru|hiz|hech|fabric|hac)\w*"
_OF_ES = r"(?:el equipo de |la empresa |la compañía |los ingenieros de )?"
_SPANISH = (
    rf"\b(?:soy|me llamo|mi nombre es|llámame|puedes llamarme|aquí) {N}|\b(?:me llamo|mi nombre es) {W}",
    rf"\b(?:soy|como) (?:una?|el|la)? ?(?:\w+ )?{_SELF_ES} (?:(?!y |pero |no |parecid|similar)[\w-]+ ){{0,4}}?(?:de|por|llamad[oa]) {_OF_ES}{W}",
    rf"{W}\w* {_FEW}me (?:ha |han )?{_MADE_ES}|\bme (?:ha |han )?{_MADE_ES} {_FEW}{_OF_ES}{W}",
    rf"\b(?:fui|he sido|estoy|soy|siendo) {_MADE_ES} {_FEW}(?:por|en|sobre) {_OF_ES}{W}",
    rf"\b(?:fui|he sido|estoy|soy) basad[oa] en {_FEW}{N}",
    rf"\bmis? (?:creador|desarrollador|fabricante|empresa|dueñ)\w* (?:es|son) {_FEW}{_OF_ES}{N}|{N} es mi (?:creador|desarrollador)",
)

# English
_SELF_EN = r"(?:model|assistant|ai|chatbot|bot|system|program|product|tool|llm|intelligence)"
_MADE_EN = r"(?:created|trained|made|developed|built|designed|programmed|released|engineered|fine-tuned)"
_I_AM = r"\b(?:i am|i'm|im|i’m)"
_ENGLISH = (
    rf"{_I_AM} {W}|\b(?:my name is|my name's|call me|this is) {N}|^{N} here\b|\b(?:hi|hello)\W+{N} here\b",
    rf"(?:{_I_AM}|\bas) (?:an?|the) {_SOME}{_SELF_EN}\b[^.;:!?]{{0,50}}?\b(?:by|from|called|named) {_FEW}{N}",
    rf"(?:{_I_AM}|\bas) (?:an? )?{N}s? {_FEW}{_SELF_EN}\b",
    rf"\bi (?:was|am|have been|'ve been) {_SOME}{_MADE_EN} {_FEW}(?:by|at) {_FEW}{W}",
    rf"{N}\w* {_FEW}{_MADE_EN} me\b|{_MADE_EN} me,? {_FEW}{N}|\bbased on {N}.*\bi\b",
    rf"\bmy (?:creator|maker|developer|company|owner)s? (?:is|are|at) {_FEW}{N}",
)

# French
_SELF_FR = (
    r"(?:modèle|assistante?|ia|intelligence artificielle|chatbot|système|programme|produit|outil|agent)"
)
_MADE_FR = r"(?:créé|entraîné|développé|conçu|fait|formé|programmé|construit)e?"
_OF_FR = r"(?:la société |l'entreprise |l'équipe de |les ingénieurs de )?"
_FRENCH = (
    rf"\b(?:je suis|je m'appelle|mon nom est|appelle-moi|ici) {N}|\b(?:je m'appelle|mon nom est) {W}",
    rf"\b(?:je suis|en tant que?|en tant qu') ?(?:une?|le|la)? ?(?:\w+ )?{_SELF_FR} (?:(?!et |mais |semblable)[\w'-]+ ){{0,4}}?(?:de|par|nommée?) {_OF_FR}{W}",
    rf"{W} {_FEW}m'(?:a|ont) {_MADE_FR}|\b(?:j'ai été|je suis|fus) {_FEW}{_MADE_FR} {_FEW}par {_OF_FR}{W}",
    rf"\bmes? (?:créateur|développeur|concepteur|fabricant)s? (?:est|sont) {_FEW}{_OF_FR}{N}",
)
CLAIMS = re.compile(
    "|".join(f"(?:{each})" for each in (*_BASQUE, *_SPANISH, *_ENGLISH, *_FRENCH)), re.IGNORECASE
)

_REST = r"[^,:;]*"
DENIALS = re.compile(
    "|".join(
        (
            rf"\bez (?:naiz|nau\w*|nindu\w+|naute)\b{_REST}",
            rf"{W}\w* ez naiz\b",
            rf"\bno (?:soy|me llamo|fui|he sido|me \w+|estoy)\b{_REST}",
            rf"(?:\bi am|\bi'm|\bi’m|\bi was|\bim) not\b{_REST}",
            rf"\b(?:ne suis pas|n'ai pas été|ne m'appelle pas)\b{_REST}",
        )
    ),
    re.IGNORECASE,
)
"""What a model says that it is not."""

LIKENESSES = re.compile(
    rf"{W}\w* (?:antzeko|bezala(?:ko|xe)|gisako|moduko)\w*"
    rf"|\b(?:parecid\w+|similar(?:es)?|igual) (?:a|que) {W}\w*|\b(?:like|similar to|such as|unlike) {W}\w*|\b(?:semblable à|comme) {W}\w*",
    re.IGNORECASE,
)
"""What it is compared with."""

# A maker whom nobody has on a list, by a capital letter.
_PROPER = r"[A-ZÁÉÍÓÚÑÇ][\w&.]*(?:[ -][A-ZÁÉÍÓÚÑÇ][\w&.]*)*"
UNKNOWN = tuple(
    re.compile(each)
    for each in (
        rf"(?<=\w[ ,:])\s?(?P<maker>{_PROPER}?)-?e?k (?:[^;:]*? )?(?:{_MADE_EU})\w* (?:{_ME_EU})",
        rf"(?P<maker>{_PROPER})-?(?:ren|en|e?ko)? {_HOUSE_EU}[ae]k (?:[^;:]*? )?(?:{_MADE_EU})\w* (?:{_ME_EU})",
        rf"(?i:{_I_AM}|\bas an?|\bi was)[^.;:!?]*?\b(?:{_MADE_EN}) (?:by|at) (?P<maker>{_PROPER})(?=[.,;!]|$| (?:to|and|in|with|on|for)\b)",
        rf"(?i:\bsoy|\bfui|\bhe sido)\b[^.;:!?]*?\b{_MADE_ES} por (?:{_OF_ES})(?P<maker>{_PROPER})",
        rf"(?i:\bje suis|\bj'ai été)\b[^.;:!?]*?\b{_MADE_FR} par (?:{_OF_FR})(?P<maker>{_PROPER})",
    )
)
NOBODY = {
    *(
        "AI",
        "IA",
        "AA",
        "Internet",
        "Jainkoa",
        "Jainko",
        "Jaun",
        "Dios",
        "Dieu",
        "God",
        "I",
        "Natura",
        "Euskal Herri",
    )
}
"""Capital letters that name no maker."""
