"""The words mail clients put around quoted mail, in about thirty languages.

One table per kind of word, phrases in casefolded NFC separated by bars. Adding a language means
adding its words here; the recognisers that use them are in the other quoting modules.
"""

from __future__ import annotations


def fold(phrase: str) -> str:
    """A phrase as the tables hold it: casefolded, single blanks, the dot of a folded Turkish İ gone."""
    return " ".join(phrase.split()).casefold().replace("\u0307", "")


def _phrases(table: str) -> frozenset[str]:
    return frozenset(fold(phrase) for phrase in table.split("|"))


_FROM = """
    from | von | de | da | van | från | fra | fra/från | od | from/de | от | от кого | від | від кого |
    gönderen | kimden | kimden/from | 差出人 | 送信者 | 发件人 | 發件人 | 寄件者 | 寄件人 | 发送人 |
    보낸 사람 | 보낸사람 | 발신 | מאת | من | από | feladó | lähettäjä | expéditeur | remitente | mittente |
    afzender | avsändare | afsender | avsender | absender | nadawca | odesílatel | odesilatel |
    odosielateľ | expeditor | отправитель | відправник | dari | từ | จาก | od/from | pošiljatelj | šalje |
    kimtől | saatja | frá | از | oд | remetente | vom | ktoré | 送信元 |
    de la | dal | від кого | auteur du message |
    nuo | зі адреси | expedido por | de parte de | remitent | od koga
"""
_SENT = """
    sent | gesendet | envoyé | envoyé le | enviado | enviado el | enviado em | enviada | enviada em |
    inviato | inviata | verzonden | verstuurd | skickat | skickades | sendt | lähetetty | lähetysaika |
    wysłano | wysłane | odesláno | odoslané | poslano | отправлено | gönderildi | gönderme tarihi |
    gönderilme tarihi | 送信日時 | 送信日 | 发送时间 | 發送時間 | 傳送時間 | 寄件日期 | 发送日期 |
    보낸 날짜 | 보낸날짜 | 보낸시간 | 보낸 시간 | 발송 | נשלח | تاريخ الإرسال | تم الإرسال | أرسلت |
    أُرسلت | στάλθηκε | απεσταλμένα | elküldve | küldve | trimis | надіслано | відправлено | dikirim |
    đã gửi | received | data trimiterii | sent at | sent on | saadetud |
    gönderilme | küldés ideje | изпратено | išsiųsta | nosūtīts | saatmisaeg | enviades |
    enviadas em | enviat | enviada a | verzonden op | inviato il | gesendet am | envoyée | datum verzonden |
    已发送 | 傳送日期 | 送信日付
"""
_DATE = """
    date | datum | fecha | data | data/hora | päiväys | päivämäärä | дата | дата отправки | tarih | 日時 |
    日付 | 日期 | 时间 | 날짜 | 일시 | בתאריך | תאריך | التاريخ | تاريخ | ημερομηνία | dátum | tanggal |
    วันที่ | dată | erhalten | datum/uhrzeit | kuupäev | ngày | ngày gửi |
    dato | ημ/νία | datums | dátum a čas | päiväys ja aika | tid | 傳送 | kuupäev ja kellaaeg
"""
_TO = """
    to | an | à | a | para | pour | aan | till | til | vastaanottaja | do | komu | pro | кому | kime |
    alıcı | 宛先 | 收件人 | 收件者 | 받는 사람 | 받는사람 | 수신 | אל | إلى | الى | προς | címzett | către |
    catre | destinatario | destinatário | destinataire | ontvanger | mottagare | modtager | mottaker |
    odbiorca | příjemce | adresat | kepada | đến | tới | ถึง | za | kam | saajad | kellele | til/to |
    an/to | empfänger |
    до | per a | destinatari | destinatarios | dla | 受信者 | 送信先 | alicilar | alıcılar
"""
_CC = """
    cc | kopie | kopia | kopi | copie | copia | cópia | copia a | kopio | dw | do wiadomości | копия |
    копію | bilgi | 抄送 | 副本 | 참조 | עותק | نسخة | κοιν | κοιν. | másolatot kap | másolat | în cc |
    cc/kopie | bcc | blindkopie | cco | cci | 密送 | 숨은참조 | skrytá kopie |
    másolatot kapja | kopi till | in copia | en copie | копія | копии | másolatot | สำเนา | tembusan
"""
_SUBJECT = """
    subject | betreff | betr. | betr | objet | sujet | asunto | assunto | oggetto | onderwerp | ämne |
    emne | aihe | temat | předmět | predmet | тема | konu | 件名 | 主题 | 主旨 | 主題 | 题目 | 標題 | 제목 |
    נושא | الموضوع | موضوع | θέμα | tárgy | subiect | subiectul | subjek | perihal | chủ đề | tiêu đề |
    เรื่อง | naslov | teema | efni |
    주제 | относно | tema | tēma | zadeva | assumpte | gaia | titolo | теми |
    oggetto del messaggio
"""
_OTHER = """
    reply-to | antwort an | répondre à | responder a | antwoord aan | odpowiedz do | rispondi a |
    importance | priority | wichtigkeit | priorität | importancia | importância | importanza | attachments |
    anlagen | anhang | anhänge | pièces jointes | datos adjuntos | anexos | allegati | bijlagen |
    bifogade filer | organization | organisation | mailing list | newsgroups
"""
_TABLES = {
    "other": _OTHER,
    "cc": _CC,
    "subject": _SUBJECT,
    "to": _TO,
    "date": _DATE,
    "sent": _SENT,
    "from": _FROM,
}
FIELDS = {name: field for field, table in _TABLES.items() for name in _phrases(table)}
"""Label of a copied header line -> "from", "sent", "date", "to", "cc", "subject" or "other"."""

ORIGINAL = _phrases("""
    original message | original mail | original email | original e-mail | original message follows |
    forwarded/original message | original appointment | original-nachricht | originalnachricht |
    ursprüngliche nachricht | ursprüngliche mail | ursprüngliche e-mail | original nachricht |
    originalmail | ursprünglicher termin | message d'origine | message d’origine | message original |
    message initial | courriel original | mensaje original | correo original | missatge original |
    mensagem original | mensagem de origem | messaggio originale | messaggio originario |
    messaggio di origine | oorspronkelijk bericht | origineel bericht | originele bericht |
    oorspronkelijke bericht | ursprungligt meddelande | originalmeddelande | ursprungligt mail |
    oprindelig meddelelse | original meddelelse | originalmeddelelse | oprindelig besked |
    opprinnelig melding | original melding | opprinnelig meldingstekst | alkuperäinen viesti |
    wiadomość oryginalna | oryginalna wiadomość | pierwotna wiadomość | oryginał wiadomości |
    původní zpráva | původní e-mail | pôvodná správa | исходное сообщение | оригинальное сообщение |
    первоначальное сообщение | исходное письмо | вихідне повідомлення | оригінальне повідомлення |
    початкове повідомлення | özgün ileti | orijinal mesaj | orijinal ileti | asıl mesaj | 元のメッセージ |
    元のメール | オリジナルメッセージ | 原始邮件 | 原邮件 | 邮件原件 | 原始郵件 | 原始信件 | 原始訊息 |
    原件 | 原文 | 원본 메시지 | 원본 메일 | 원본메시지 | 원본메일 | הודעה מקורית | ההודעה המקורית |
    الرسالة الأصلية | رسالة أصلية | αρχικό μήνυμα | eredeti üzenet | eredeti levél | mesaj original |
    mesajul original | mesajul inițial | originalna poruka | izvorna poruka | izvirno sporočilo |
    оригинално съобщение | pesan asli | thư gốc | tin nhắn gốc | ข้อความต้นฉบับ | algne kiri |
    reply message | previous replies | previous reply | previous message | previous messages |
    previous discussion | previous comments | vorherige antworten | vorherige nachrichten |
    vorherige nachricht | réponses précédentes | respuestas anteriores | respuestas previas |
    respostas anteriores | risposte precedenti | vorige antwoorden | eerdere antwoorden | tidigare svar |
    tidligere svar | aiemmat vastaukset | poprzednie odpowiedzi | předchozí odpovědi | предыдущие ответы |
    попередні відповіді | önceki yanıtlar | önceki cevaplar | 以前の返信 | 以前的回复 | 之前的回复 |
    先前的回覆 | 이전 답글 | תשובות קודמות | الردود السابقة | προηγούμενες απαντήσεις
""")
"""What a rule above a quoted mail says: `-----Original Message-----`."""

FORWARDED = _phrases("""
    forwarded message | forwarded mail | forwarded email | forwarded by | begin forwarded message |
    start of forwarded message | weitergeleitete nachricht | weitergeleitete mail | weitergeleitete e-mail |
    anfang der weitergeleiteten nachricht | anfang der weitergeleiteten e-mail | message transféré |
    message transmis | message réexpédié | courriel transféré | début du message réexpédié |
    début du message transféré | mensaje reenviado | inicio del mensaje reenviado | mensagem encaminhada |
    mensagem reencaminhada | início da mensagem encaminhada | início da mensagem reencaminhada |
    messaggio inoltrato | inizio messaggio inoltrato | doorgestuurd bericht | doorgestuurde bericht |
    begin doorgestuurd bericht | vidarebefordrat meddelande | vidarebefordrat mail | vidarebefordrat brev |
    videresendt besked | videresendt meddelelse | start på videresendt besked | videresendt melding |
    start på videresendt melding | välitetty viesti | edelleenlähetetty viesti | välitetty viesti alkaa |
    przekazana wiadomość | wiadomość przekazana dalej | treść przekazanej wiadomości |
    początek przekazywanej wiadomości | przesłana dalej wiadomość | przeposlaná zpráva | předaná zpráva |
    začátek přeposlané zprávy | preposlaná správa | пересылаемое сообщение | пересланное сообщение |
    переадресованное сообщение | пересылаемое письмо | начало переадресованного сообщения |
    начало пересылаемого сообщения | переслане повідомлення | пересилане повідомлення | iletilen mesaj |
    iletilen ileti | yönlendirilen ileti | yönlendirilmiş mesaj | 転送されたメッセージ | 転送メッセージ |
    転送メール | 以下の転送メッセージ | 转发的邮件 | 转发邮件 | 下面是被转发的邮件 | 轉寄的郵件 | 轉寄郵件 |
    以下是轉寄的郵件 | 전달된 메시지 | 전달된 메일 | 전달받은 메시지 | הודעה שהועברה | הודעה מועברת |
    رسالة معاد توجيهها | رسالة مُعاد توجيهها | بدء الرسالة المُعاد توجيهها | προωθημένο μήνυμα |
    έναρξη προωθημένου μηνύματος | továbbított üzenet | továbbított levél | mesaj redirecționat |
    mesaj redirectionat | mesaj retransmis | proslijeđena poruka | prosleđena poruka |
    posredovano sporočilo | препратено съобщение | pesan yang diteruskan | tin nhắn được chuyển tiếp |
    ข้อความที่ส่งต่อ | edastatud kiri
""")
"""What a rule above a forwarded mail says: `---------- Forwarded message ---------`."""
