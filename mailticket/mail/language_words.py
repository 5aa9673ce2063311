"""Words that stand in almost every text of a language, and hardly ever in one of its neighbours.

Mail to a help desk is polite and short, so greetings and thanks are among them. A word in two lists
counts for both. Italian, Dutch, Danish, Swedish and Polish have no mails of ours: they are here so
that their texts are not taken for Spanish or German. Casefolded; letters only.
"""

from __future__ import annotations

_TABLE = {
    "en": """
        the and is are was were have has had not but with for from this that these there they you your
        we our my me it its of to in on at be been will would can could should do does did don how when
        what which who why please thank thanks hello hi dear regards since after before any some if i am
        an or as by need help working get got cannot could about just still also again now sincerely
    """,
    "de": """
        der die das den dem des und ist sind war nicht ich wir sie ihr mein meine meinen meiner unser
        unsere ein eine einen einem einer mit von für auf aus bei nach seit bitte danke vielen dank
        hallo guten tag sehr geehrte geehrter damen herren grüße gruß mfg freundlichen kann können
        könnte habe haben hat wird werden wurde wenn aber auch noch schon oder wie was warum mir mich
        uns euch kein keine keinen nur zu zum zur im am es dass da hier immer wieder mehr leider gerne
    """,
    "fr": """
        le la les des un une du et est sont était pas ne je nous vous mon ma mes notre nos votre vos
        avec pour dans sur par depuis que qui quoi comment pourquoi quand mais aussi encore merci
        bonjour bonsoir madame monsieur cordialement salutations svp plaît il elle ils au aux ce cette
        ces cela ça suis avez avons ai plus très bien peux pouvez pourriez fait être avoir sans si ou où
        mot passe reçu
    """,
    "es": """
        el la los las un una unos y es son está están no yo nosotros usted ustedes mi mis su sus con
        para por en desde que quien cómo como cuándo pero también gracias hola buenos días buenas tardes
        estimado estimada estimados saludos cordiales favor se lo le me nos al del este esta esto puedo
        puede pueden podría tengo tiene hay muy más ya todavía cuando hasta donde necesito ayuda he
        hemos sin si
    """,
    "pt": """
        o a os as um uma uns e é são está estão não eu nós você vocês meu minha meus seu sua com para
        por em no na nos nas do da dos das desde que quem como quando mas também obrigado obrigada olá
        bom dia boa tarde prezado prezada prezados cumprimentos atenciosamente favor se ao à pelo pela
        este esta isso isto posso pode podem poderia tenho tem há muito mais já ainda onde preciso ajuda
        foi sem senha
    """,
    "it": """
        il lo la i gli le un uno una e è sono era non io noi voi lei mio mia nostro vostro con per in da
        di del della dei delle nel nella sul che chi come quando perché ma anche grazie buongiorno salve
        gentile cordiali saluti distinti prego si ci mi vi questo questa posso può potete potrebbe ho ha
        abbiamo molto più già ancora dove ciao se al alla dopo
    """,
    "nl": """
        de het een en is zijn was niet ik wij we u jij jullie mijn onze uw met van voor op uit bij naar
        sinds graag bedankt dank hallo goedendag geachte beste groet groeten vriendelijke kan kunnen
        kunt heb hebben heeft wordt worden als maar ook nog al of hoe wat waarom wanneer mij ons geen
        wel te aan dat dit die er hier om meer
    """,
    "sv": """
        och är var inte jag vi ni du min mitt vår vårt med för på av från till hej tack vänliga
        hälsningar kan har hade blir om men också hur vad när varför det den ett en som att så här mer
        eller efter sedan mig
    """,
    "da": """
        og er var ikke jeg vi du min mit vores med for på af fra til hej tak venlig hilsen kan har havde
        bliver hvis men også hvordan hvad når hvorfor det den et en som at så her mere eller efter siden
        mig
    """,
    "pl": """
        i jest są nie ja my pan pani mój moje nasz z ze do na w od dla po dzień dobry dziękuję proszę
        witam pozdrawiam poważaniem mogę może można mam ma jak co kiedy dlaczego ale też jeszcze już to
        ten ta się oraz lub że czy przez bardzo
    """,
}

STOP_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split()) for language, words in _TABLE.items()
}
"""By language, so that a vote can say which of them a text is closest to."""

VOTES: dict[str, tuple[str, ...]] = {
    word: tuple(language for language, words in STOP_WORDS.items() if word in words)
    for word in frozenset().union(*STOP_WORDS.values())
}
"""The languages each word votes for."""
