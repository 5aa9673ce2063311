"""How automatic replies and absences are worded, by language.

Plain words, compared after case-folding. A subject counts only when it starts with one of them the way
programs write it (alone, or followed by a colon or dash); a text, only in its own first lines. Neither
decides alone. Words that people write as well ("holiday", "Urlaub") are no subjects of absences here.
An acknowledgement is a whole phrase that people do not say, beside a ticket's number in the same lines.
"""

from __future__ import annotations

ABSENCE_SUBJECTS: dict[str, tuple[str, ...]] = {
    "en": (
        *("out of office", "out of the office", "out-of-office", "ooo", "i am out of the office"),
        *("i'm out of the office", "vacation reply", "vacation notice", "away from the office"),
        *("away from my mail", "out of office autoreply", "out of office reply"),
    ),
    "de": (
        *("abwesenheitsnotiz", "abwesenheitsassistent", "nicht im büro", "abwesenheitsmeldung"),
        *("abwesenheitsnachricht", "ich bin nicht im büro", "außer haus", "abwesenheitsbenachrichtigung"),
        *("urlaubsmeldung",),
    ),
    "fr": (
        *("absence du bureau", "absent du bureau", "message d'absence", "je suis absent"),
        *("je suis absente", "absent(e) du bureau", "avis d'absence"),
    ),
    "es": (
        *("fuera de la oficina", "ausente de la oficina", "fuera de oficina", "aviso de ausencia"),
        *("estoy fuera de la oficina", "mensaje de ausencia"),
    ),
    "it": (
        *("fuori sede", "fuori ufficio", "assenza dall'ufficio", "avviso di assenza", "fuori dall'ufficio"),
        *("sono fuori ufficio",),
    ),
    "pt": (
        *("fora do escritório", "ausência temporária", "ausente do escritório", "fora da empresa"),
        *("aviso de ausência",),
    ),
    "nl": (
        *("afwezigheidsbericht", "niet aanwezig", "niet op kantoor", "buiten kantoor"),
        *("afwezigheidsmelding",),
    ),
    "sv": ("frånvarande", "ej på kontoret", "frånvaromeddelande", "inte på kontoret"),
    "da": ("ikke til stede", "ikke på kontoret"),
    "no": ("fraværsmelding", "ikke på kontoret", "ikke til stede"),
    "fi": ("poissaoloviesti", "en ole paikalla", "poissa toimistosta"),
    "pl": ("nieobecność", "poza biurem", "nieobecny w biurze", "nieobecna w biurze"),
    "cs": ("mimo kancelář", "nepřítomnost", "nepřítomen", "nepřítomnost v kanceláři"),
    "ru": ("вне офиса", "нет на месте", "нет на рабочем месте"),
    "uk": ("поза офісом", "відсутній на робочому місці"),
    "tr": ("ofis dışında", "ofis dışındayım", "işyeri dışında", "ofis dışı"),
    "hu": ("házon kívül", "nem vagyok az irodában", "irodán kívül"),
    "ro": ("în afara biroului", "absent din birou"),
    "el": ("εκτός γραφείου",),
    "ja": ("不在通知", "不在連絡", "不在のお知らせ", "休暇のお知らせ"),
    "zh": ("不在办公室", "外出通知", "不在辦公室", "休假通知", "外出自动回复"),
    "ko": ("부재 중", "부재중", "부재 알림"),
}

REPLY_SUBJECTS: dict[str, tuple[str, ...]] = {
    "en": (
        *("automatic reply", "auto reply", "autoreply", "auto-reply", "automated reply", "auto response"),
        *("auto-response", "automatic response", "autoresponse", "automated response", "autoresponder"),
        *("automatic notification", "automated message", "auto-responder", "automatic confirmation"),
    ),
    "de": (
        *("automatische antwort", "autom. antwort", "automatische rückantwort", "auto-antwort"),
        *("automatische eingangsbestätigung", "eingangsbestätigung", "automatische nachricht"),
    ),
    "fr": ("réponse automatique", "réponse auto", "message automatique", "accusé de réception automatique"),
    "es": ("respuesta automática", "respuesta automatica", "respuesta automatizada", "mensaje automático"),
    "it": ("risposta automatica", "risposta automatizzata", "messaggio automatico"),
    "pt": ("resposta automática", "resposta automatica", "mensagem automática"),
    "nl": (
        *("automatisch antwoord", "automatische beantwoording", "automatische reactie"),
        *("automatisch bericht",),
    ),
    "sv": ("autosvar", "automatiskt svar"),
    "da": ("automatisk svar", "autosvar"),
    "no": ("automatisk svar", "autosvar"),
    "fi": ("automaattinen vastaus", "automaattivastaus"),
    "pl": ("automatyczna odpowiedź", "odpowiedź automatyczna", "autoodpowiedź", "autoresponder"),
    "cs": ("automatická odpověď", "automaticka odpoved"),
    "ru": ("автоматический ответ", "автоответ", "автоответчик"),
    "uk": ("автоматична відповідь", "автовідповідь"),
    "tr": ("otomatik yanıt", "otomatik cevap"),
    "hu": ("automatikus válasz",),
    "ro": ("răspuns automat",),
    "el": ("αυτόματη απάντηση",),
    "ja": ("自動応答", "自動返信", "自動返信メール", "自動回答"),
    "zh": ("自动答复", "自动回复", "自動回覆", "自動答覆", "自動回復"),
    "ko": ("자동 회신", "자동 응답", "자동회신", "자동응답"),
}

ABSENCE_TEXTS: dict[str, tuple[str, ...]] = {
    "en": (
        *("out of the office", "out of office", "on vacation", "on annual leave", "on leave", "on holiday"),
        *("limited access to email", "limited access to e-mail", "limited access to my email"),
        *("maternity leave", "away from the office", "away from my desk", "not in the office"),
        *("will be back", "upon my return", "when i return", "i will return", "i'll be back"),
        *("out of town", "currently away", "parental leave"),
    ),
    "de": (
        *("nicht im büro", "abwesend", "im urlaub", "außer haus", "nicht im haus", "nicht im hause"),
        *("nicht erreichbar", "wieder erreichbar", "wieder im büro", "in elternzeit", "im mutterschutz"),
        *("nicht am arbeitsplatz", "abwesenheit", "wieder für sie da", "nicht weitergeleitet"),
    ),
    "fr": (
        *("absent du bureau", "absente du bureau", "suis absent", "suis absente", "en congé", "de retour"),
        *("actuellement absent", "hors du bureau", "en vacances", "mon absence", "mon retour", "absent(e)"),
    ),
    "es": (
        *("fuera de la oficina", "de vacaciones", "ausente", "mi regreso", "fuera de oficina"),
        *("mi ausencia", "no estaré disponible", "acceso limitado al correo", "a mi vuelta", "de baja"),
    ),
    "it": (
        *("fuori ufficio", "in ferie", "assente", "al mio rientro", "fuori sede", "mia assenza"),
        *("rientrerò",),
    ),
    "pt": (
        *("fora do escritório", "de férias", "em férias", "ausente", "meu retorno", "meu regresso"),
        *("minha ausência", "regressarei", "retornarei"),
    ),
    "nl": (
        *("niet op kantoor", "afwezig", "op vakantie", "met vakantie", "niet bereikbaar", "met verlof"),
        *("weer aanwezig", "mijn afwezigheid", "niet aanwezig", "weer bereikbaar"),
    ),
    "sv": (
        *("inte på kontoret", "på semester", "åter på kontoret", "frånvarande", "tillbaka den"),
        *("tjänstledig",),
    ),
    "da": (
        *("ikke på kontoret", "på ferie", "holder ferie", "fraværende", "tilbage på kontoret"),
        *("tilbage den",),
    ),
    "no": ("ikke på kontoret", "på ferie", "har ferie", "fraværende", "tilbake på kontoret", "tilbake den"),
    "fi": (
        *("en ole paikalla", "lomalla", "poissa toimistosta", "palaan", "poissa"),
        *("tavoitettavissa jälleen",),
    ),
    "pl": ("poza biurem", "na urlopie", "nieobecny", "nieobecna", "po powrocie", "przebywam na", "wracam"),
    "cs": ("mimo kancelář", "na dovolené", "nepřítomen", "nepřítomna", "po návratu", "čerpám dovolenou"),
    "ru": (
        *("вне офиса", "в отпуске", "отсутствую", "буду отсутствовать", "нет на месте", "вернусь"),
        *("на больничном",),
    ),
    "uk": ("у відпустці", "поза офісом", "відсутній", "відсутня", "повернуся", "буду відсутн"),
    "tr": ("ofis dışında", "izinde", "yıllık izin", "izindeyim", "tatilde", "döneceğim"),
    "hu": ("házon kívül", "szabadságon", "nem vagyok az irodában", "irodán kívül", "távollét", "visszatér"),
    "ro": ("în concediu", "în afara biroului", "nu sunt la birou", "voi reveni", "absența mea"),
    "el": ("εκτός γραφείου", "σε άδεια", "θα επιστρέψω", "απουσιάζω"),
    "ja": (
        "不在にして",
        "不在です",
        "不在とな",
        "休暇を",
        "休暇中",
        "外出して",
        "休暇をいただ",
        "お休みをいただ",
        "出社",
    ),
    "zh": ("不在办公室", "休假", "外出", "不在辦公室", "出差", "回来后", "休假中"),
    "ko": ("부재 중", "부재중", "휴가 중", "휴가입니다", "출장 중", "자리를 비", "휴가로"),
}

AUTOMATIC_TEXTS: tuple[str, ...] = (
    *("this is an automated", "this is an automatic", "this is an auto-generated", "this is an autoreply"),
    *("this is an auto-reply", "automatically generated", "do not reply to this"),
    *("please do not respond to this", "this mailbox is not monitored", "this inbox is not monitored"),
    *("automated response", "automatic response", "automated reply", "auto-generated e"),
    *("auto-generated m", "machine generated", "please do not reply", "automatisch generiert"),
    *("automatisch erstellt", "automatisch versandt", "automatische antwort"),
    *("bitte antworten sie nicht auf diese", "automatisch erzeugt", "nicht auf diese e-mail antworten"),
    *("message automatique", "réponse automatique", "généré automatiquement", "ne pas répondre à ce"),
    *("mensaje automático", "respuesta automática", "generado automáticamente", "no responda a este"),
    *("messaggio automatico", "risposta automatica", "generato automaticamente", "non rispondere a questo"),
    *("mensagem automática", "resposta automática", "gerada automaticamente", "não responda a este"),
    *("automatisch gegenereerd", "automatisch antwoord", "niet op deze e-mail te antwoorden"),
    *("automatisch bericht", "automatiskt genererat", "automatiskt svar", "autogenerert"),
    *("automatisk svar", "automatisk genereret", "automaattinen viesti", "automaattinen vastaus"),
    *("wiadomość wygenerowana automatycznie", "automatyczna odpowiedź", "prosimy nie odpowiadać"),
    *("automatická odpověď", "automaticky generovan", "автоматический ответ", "сформировано автоматически"),
    *("отправлено автоматически", "не отвечайте на это", "автоматична відповідь", "otomatik olarak"),
    *("otomatik yanıt", "automatikus válasz", "automatikusan", "răspuns automat", "αυτόματη απάντηση"),
    *(
        "自動返信",
        "自動応答",
        "自動送信",
        "自動的に送信",
        "自动回复",
        "自动答复",
        "自動回覆",
        "自動發送",
        "系统自动",
        "请勿回复",
        "자동 응답",
        "자동 회신",
    ),
    *("자동으로 발송", "발신 전용"),
)

RECEIVED_TEXTS: tuple[str, ...] = (
    *("your request was received", "your request has been received", "we have received your request"),
    *("we received your request", "we have received your message", "we have received your inquiry"),
    *("we have received your enquiry", "we have received your email", "we have received your e-mail"),
    *("your message has been received", "your message was received", "your email has been received"),
    *("your ticket number is", "your ticket id is", "your case number is", "your reference number is"),
    *("your ticket has been created", "a ticket has been created", "a ticket has been opened"),
    *("has been assigned a ticket", "assigned the ticket number", "a support ticket has been"),
    *("your enquiry has been received", "your inquiry has been received", "a request for support has been"),
    *("ihre anfrage ist bei uns eingegangen", "wir haben ihre anfrage erhalten", "ihre ticketnummer"),
    *("ihre anfrage wurde", "wir haben ihre nachricht erhalten", "ihre nachricht ist bei uns eingegangen"),
    *("nous avons bien reçu votre demande", "votre demande a bien été", "nous avons bien reçu votre message"),
    *("hemos recibido su solicitud", "su solicitud ha sido", "hemos recibido su mensaje"),
    *("abbiamo ricevuto la sua richiesta", "la sua richiesta è stata", "la tua richiesta è stata"),
    *("recebemos a sua mensagem", "recebemos sua solicitação", "sua solicitação foi", "o seu pedido foi"),
    *("uw bericht is ontvangen", "uw verzoek is ontvangen", "we hebben uw bericht ontvangen"),
    *("vi har mottagit ditt ärende", "vi har modtaget din henvendelse", "vi har mottatt din henvendelse"),
    *("olemme vastaanottaneet", "otrzymaliśmy twoje zgłoszenie", "twoje zgłoszenie zostało"),
    *("obdrželi jsme váš požadavek", "váš požadavek byl", "мы получили ваш запрос", "ваше обращение принято"),
    *("ваш запрос зарегистрирован", "ваше обращение зарегистрировано", "ми отримали ваш запит"),
    *(
        "talebiniz alınmıştır",
        "talebiniz alındı",
        "お問い合わせを受け付け",
        "已收到您的请求",
        "我们已收到您的",
    ),
    *("접수되었습니다",),
)

CHALLENGE_SUBJECTS: tuple[str, ...] = (
    *("your email requires verification", "please confirm your message", "confirm your message"),
    *("please confirm your email to", "message requires confirmation", "delivery confirmation required"),
    *("verification required for your", "your message awaits", "confirmation required", "boxbe"),
    *("please verify your message", "bitte bestätigen sie ihre nachricht", "sender verification"),
)

CHALLENGE_TEXTS: tuple[str, ...] = (
    *("verify that you are", "confirm that you are", "prove that you are", "prove you are"),
    *("you are a real person", "added to my allow", "added to the allow", "whitelist"),
    *("will be delivered once", "to release your message", "before your message will be delivered"),
    *("before it is delivered", "in order to deliver your message", "message is being held"),
    *("has been held", "click the link below to confirm", "not yet on my list"),
    *("to have your message delivered", "mensch sind", "spam filter requires"),
)
