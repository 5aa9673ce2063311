"""Where a signature, a mobile client's footer or a mailing list's footer begins in new text.

Only what says so itself is taken: the "-- " line of RFC 3676 section 4.3 and its usual mutilations,
"Sent from my iPhone" in the words of about thirty languages, and list footers. A closing such as
"Regards, Jane" stays: it is what the person wrote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_SIGNATURE = 24
"""Lines that are not blank below "-- "; more than that is text somebody wrote below a rule."""
_MAX_LOOSE_SIGNATURE = 12
"""The same below a delimiter that is not exactly "-- "."""
_MAX_FOOTER = 120
_MAX_FOOTER_LINES = 14

_DELIMITERS = frozenset({"--", "- --", "—", "––", "— —", "__", "-—"})
_SENT_FROM = re.compile(
    r"[\"'*_(\[<-]{0,3}\s?(?:"
    r"sent (?:from|via|with|using|on|by)|get outlook|get (?:yahoo|aol|bluemail)|sent securely|envoyé d|"
    r"envoyé à partir|envoyé avec|envoyé par|envoyé via|télécharge|obtene[zr]|obtenir|von meine[mr]|"
    r"diese nachricht wurde von|gesendet (?:von|mit|über|aus|per|vom)|von .{2,30} gesendet|"
    r"holen sie sich outlook|outlook f|mit .{2,30} gesendet|enviado (?:d|a p|por|vía|via|com|con)|"
    r"enviada (?:d|por)|enviat des|inviato (?:d|con|tramite)|scarica|ottieni|verzonden (?:v|met|door)|"
    r"verstuurd (?:v|met)|download outlook|skickat från|skickat med|sänt från|hämta outlook|sendt (?:f|"
    r"med|via)|"
    r"hent outlook|få outlook|skaff deg outlook|lähetetty|hanki outlook|wysłan[eoay] z|pobierz|"
    r"odesláno z|odoslané z|získat outlook|stáhnout outlook|отправлено (?:с|из)|отправлено от|скачать "
    r"outlook|"
    r"надіслано (?:з|із)|отримати outlook|trimis de|trimis din|στάλθηκε από|λήψη του outlook|"
    r"elküldve|küldve|发自|來自我的|從我的|从我的|寄自|获取 outlook|取得 outlook|나의|נשלח מ|نشرت من|"
    r"أ?ُ?رسلت من|أ?ُ?رسل من|مرسل من|تم الإرسال من|dikirim dari|được gửi từ|đã gửi từ|gửi từ|ส่งจาก|"
    r"poslano (?:s|z|iz)|"
    r"poslané z|изпратено от|saadetud minu|iphone'|ipad'|mobilimről|az? (?:iphone|ipad|android)"
    r")",
    re.IGNORECASE,
)
_SENT_FROM_END = re.compile(
    r"(?:から送信|から送信されました|より送信|에서 보냄|에서 보낸 메일|에서 나의 .{2,20} 보냄|gönderildi|"
    r"傳送|发送|küldve|gesendet|"
    r"küldtem|elküldve)[\s.。>*_)]{0,4}$",
    re.IGNORECASE,
)
_FOOTER_WORDS = re.compile(
    r"iphon|ipad|android|outlook|mobil|handy|smartphone|samsung|galaxy|huawei|xiaomi|redmi|blackberry|"
    r"windows|"
    r"mail|app\b|phone|telefon|teléfono|móvil|téléphone|celular|cellulare|device|gerät|tablet|hotmail|"
    r"yahoo|gmx|"
    r"proton|tutanota|tuta\b|zoho|polymail|spark|superhuman|boxer|nine\b|acompli|aqua|fairemail|k-9|"
    r"thunderbird|"
    r"телефон|смартфон|手机|手機|スマ|携帯|휴대|폰|imac|mac\b|imachine|watch|nokia|lumia|sony|xperia|lg\b|"
    r"htc|motorola|"
    r"oneplus|pixel|front\b|hey\b|airmail|newton|edison|cloudmagic|wireless|verizon|at&t|t-mobile|vodafone|"
    r"аппарат|устройств|urządzeni|zařízení|dispositiv|appareil|enhet|enhed|laite|uređaj|készülék",
    re.IGNORECASE,
)
_DEVICE_WITHIN = 44
"""Characters: "Sent from my desk, which is easier than from my mobile phone" is a sentence."""
_PLAYFUL = re.compile(r"[Ss]ent from (?:my|a) [^\s.,;!?]{1,20}(?: [^\s.,;!?]{1,20}){0,4}$")
_LIST_RULE = re.compile(r"[_=*-]{3,}$")
_LIST_FOOTER = re.compile(
    r"mailing list|mailinglist|unsubscribe|listinfo|google groups|googlegroups|abmelden|abbestellen|"
    r"se désabonner|désinscri|darse de baja|cancelar (?:a |la )?suscri|disiscri|afmelden|avregistrera|"
    r"отписаться|checked for viruses|virus-free|avast|virenfrei|viren geprüft|sans virus|libre de virus|"
    r"без вирусов",
    re.IGNORECASE,
)


def signature_start(lines: Sequence[str], first: int, end: int) -> int:
    """The line at which the signature of lines[first:end] begins; `end` when there is none.

    lines: stripped lines without directional marks; "" for a blank one. The block given is one
    stretch of new text; a signature reaches to its end.
    """
    start = _delimiter(lines, first, end)
    return min(start, _footer(lines, first, start))


def _delimiter(lines: Sequence[str], first: int, end: int) -> int:
    """The first "-- " line, or list rule, that has a signature's amount of text below it."""
    below = 0
    start = end
    for index in range(end - 1, first - 1, -1):
        text = lines[index]
        if not text:
            continue
        if text in _DELIMITERS:
            if below and below <= (_MAX_SIGNATURE if text == "--" else _MAX_LOOSE_SIGNATURE):
                start = index
            elif not below:
                start = min(start, index)
        elif text[0] in "_=*-" and below <= _MAX_LOOSE_SIGNATURE and _starts_list_footer(lines, index, end):
            start = index
        below += 1
        if below > _MAX_SIGNATURE:
            break
    return start


def _starts_list_footer(lines: Sequence[str], rule: int, end: int) -> bool:
    if len(lines[rule]) > 200 or _LIST_RULE.match(lines[rule]) is None:
        return False
    return any(len(text) < 400 and _LIST_FOOTER.search(text) for text in lines[rule + 1 : min(end, rule + 6)])


def _footer(lines: Sequence[str], first: int, end: int) -> int:
    """Where the mobile client's footer at the end of lines[first:end] begins; `end` for none.

    Walks up over footer lines and blank ones, at most _MAX_FOOTER_LINES.
    """
    start = end
    for index in range(end - 1, max(first, end - _MAX_FOOTER_LINES) - 1, -1):
        text = lines[index]
        if not text:
            continue
        if is_footer(text):
            start = index
        elif not (_LIST_RULE.match(text) or text.startswith(("<http", "(http"))) or len(text) > _MAX_FOOTER:
            break
    return start


def is_footer(text: str) -> bool:
    """True for one line such as "Sent from my iPhone" or "Get Outlook for iOS".

    It must be short and name a device or a program beside the words for sending.
    """
    if len(text) > _MAX_FOOTER:
        return False
    if not _FOOTER_WORDS.search(text, 0, _DEVICE_WITHIN):
        return _PLAYFUL.match(text) is not None
    lowered = text.casefold()
    if "outlook" in lowered and ("ios" in lowered or "android" in lowered):
        return True
    if len(text) > 90 and "http" not in lowered:
        return False
    return _SENT_FROM.match(text) is not None or _SENT_FROM_END.search(text) is not None
