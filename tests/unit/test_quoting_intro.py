"""The lines that introduce quotes, as clients write them."""

from __future__ import annotations

import pytest

from mailticket.mail.quoting import split
from mailticket.mail.quoting_intro import grade

WITH_ADDRESS = """
On Tue, Feb 4, 2020 at 10:05 AM Bob Builder <bob@b.example> wrote:
On Tue, 4 Feb 2020 at 10:05, Bob Builder <bob@b.example> wrote:
On Feb 4, 2020, at 10:05 AM, Bob Builder <bob@b.example> wrote:
On Feb 4, 2020, at 10:05, Bob Builder via Support <bob@b.example> wrote:
On Tuesday, February 4, 2020, 10:05:33 AM GMT+1, Bob Builder <bob@b.example> wrote:
On Tuesday, February 4th, 2020 at 10:05 AM, Bob Builder <bob@b.example> wrote:
On Feb 4, 2020, 10:05 AM +0100, Bob Builder <bob@b.example>, wrote:
On Tue, Feb 4, 2020 at 10:05 AM -0800, "Bob Builder" <bob@b.example> wrote:
On Tue, Feb 04, 2020 at 10:05:33AM +0100, bob@b.example wrote:
On 4 February 2020 10:05:33 CET, Bob Builder <bob@b.example> wrote:
---- On Tue, 04 Feb 2020 10:05:33 +0100 Bob Builder <bob@b.example> wrote ----
----- Bob Builder <bob@b.example> wrote:
Feb 4, 2020, 10:05 by bob@b.example:
Quoting Bob Builder <bob@b.example>:
Bob Builder <bob@b.example> wrote on 04/02/2020 10:05:33:
2020-02-04 10:05 GMT+01:00 Bob Builder <bob@b.example>:
Am Di., 4. Feb. 2020 um 10:05 Uhr schrieb Bob Baumeister <bob@b.example>:
Am 04.02.2020 um 10:05 schrieb Bob Baumeister <bob@b.example>:
Am 4. Februar 2020 10:05:33 MEZ schrieb Bob Baumeister <bob@b.example>:
Am 04.02.20 10:05 schrieb Bob Baumeister via Support <bob@b.example>:
Zitat von Bob Baumeister <bob@b.example>:
Bob Baumeister <bob@b.example> schrieb am Di., 4. Feb. 2020, 10:05:
Le mar. 4 févr. 2020 à 10:05, Bob Bricoleur <bob@b.example> a écrit :
Le 4 févr. 2020 à 10:05, Bob Bricoleur <bob@b.example> a écrit :
Le mardi 4 février 2020 à 10:05:33 UTC+1, Bob Bricoleur <bob@b.example> a écrit :
Bob Bricoleur <bob@b.example> a écrit :
El mar, 4 feb 2020 a las 10:05, Bob Constructor (<bob@b.example>) escribió:
El 4 feb 2020, a las 10:05, Bob Constructor <bob@b.example> escribió:
El martes, 4 de febrero de 2020 10:05:33 CET, Bob <bob@b.example> escribió:
Em ter., 4 de fev. de 2020 às 10:05, Bob Construtor <bob@b.example> escreveu:
No dia 4 de fev. de 2020, às 10:05, Bob Construtor <bob@b.example> escreveu:
Em 4 de fev de 2020, à(s) 10:05, Bob Construtor <bob@b.example> escreveu:
Il giorno mar 4 feb 2020 alle ore 10:05 Bob Muratore <bob@b.example> ha scritto:
Il giorno 4 feb 2020, alle ore 10:05, Bob Muratore <bob@b.example> ha scritto:
Il martedì 4 febbraio 2020, 10:05:33 CET, Bob Muratore <bob@b.example> ha scritto:
Op di 4 feb. 2020 om 10:05 schreef Bob de Bouwer <bob@b.example>:
Op 4 feb. 2020, om 10:05 heeft Bob de Bouwer <bob@b.example> het volgende geschreven:
Op 4 feb. 2020 om 10:05 heeft Bob de Bouwer <bob@b.example> geschreven
Den tis 4 feb. 2020 kl 10:05 skrev Bob Byggare <bob@b.example>:
4 feb. 2020 kl. 10:05 skrev Bob Byggare <bob@b.example>:
Den tirs. 4. feb. 2020 kl. 10.05 skrev Bob Bygmester <bob@b.example>:
tir. 4. feb. 2020 kl. 10:05 skrev Byggmester Bob <bob@b.example>:
ti 4. helmik. 2020 klo 10.05 Puuha-Pete (bob@b.example) kirjoitti:
Puuha-Pete <bob@b.example> kirjoitti 4.2.2020 kello 10.05:
wt., 4 lut 2020 o 10:05 Bob Budowniczy <bob@b.example> napisał(a):
W dniu wt., 4.02.2020 o 10:05 Bob Budowniczy <bob@b.example> napisał(a):
Wiadomość napisana przez Bob Budowniczy <bob@b.example> w dniu 4 lut 2020, o godz. 10:05:
út 4. 2. 2020 v 10:05 odesílatel Bořek Stavitel <bob@b.example> napsal:
4. 2. 2020 v 10:05, Bořek Stavitel <bob@b.example>:
ut 4. 2. 2020 o 10:05 Bob Staviteľ <bob@b.example> napísal(a):
вт, 4 февр. 2020 г. в 10:05, Боб Строитель <bob@b.example>:
4 февр. 2020 г., в 10:05, Боб Строитель <bob@b.example> написал(а):
Вторник, 4 февраля 2020, 10:05 +03:00 от Боб Строитель <bob@b.example>:
04.02.2020, 10:05, "Боб Строитель" <bob@b.example>:
вт, 4 лют. 2020 р. о 10:05 Боб Будівельник <bob@b.example> пише:
Bob Usta <bob@b.example>, 4 Şub 2020 Sal, 10:05 tarihinde şunu yazdı:
Bob Usta <bob@b.example> şunları yazdı (4 Şub 2020 10:05):
2020年2月4日(火) 10:05 ボブ <bob@b.example>:
2020/02/04 10:05、ボブ <bob@b.example>のメール:
Bob Builder <bob@b.example> 于2020年2月4日周二 上午10:05写道：
Bob Builder <bob@b.example> 於 2020年2月4日 週二 上午10:05寫道：
在 2020年2月4日，上午10:05，Bob Builder <bob@b.example> 写道：
在 2020-02-04 10:05:33，"Bob Builder" <bob@b.example> 写道：
2020년 2월 4일 (화) 오전 10:05, 밥 <bob@b.example>님이 작성:
2020. 2. 4. 오전 10:05, 밥 <bob@b.example> 작성:
‫בתאריך יום ג׳, 4 בפבר׳ 2020 ב-10:05 מאת ‪בוב הבנאי‬‏ <‪bob@b.example‬‏>:‬
ב-4 בפבר׳ 2020, בשעה 10:05, ‏בוב <bob@b.example> כתב/ה:
في الثلاثاء، 4 فبراير 2020 في 10:05 ص تمت كتابة ما يلي بواسطة ‪بوب‬‏ <‪bob@b.example‬‏>:
في ٤ فبراير ٢٠٢٠، الساعة ١٠:٠٥ ص، كتب/كتبت بوب <bob@b.example>:
Στις Τρί, 4 Φεβ 2020 στις 10:05 π.μ., ο χρήστης Μπομπ <bob@b.example> έγραψε:
Bob Mester <bob@b.example> ezt írta (időpont: 2020. febr. 4., K, 10:05):
În mar., 4 feb. 2020 la 10:05, Bob Constructorul <bob@b.example> a scris:
Vào Th 3, 4 thg 2, 2020 vào lúc 10:05 Bob <bob@b.example> đã viết:
Pada tanggal Sel, 4 Feb 2020 pukul 10.05 Bob <bob@b.example> menulis:
ในวันที่ อ. 4 ก.พ. 2020 เวลา 10:05 Bob <bob@b.example> เขียนว่า:
на вт, 4.02.2020 г. в 10:05 Боб Строителя <bob@b.example> написа:
uto, 4. velj 2020. u 10:05 Bob Graditelj <bob@b.example> napisao je:
""".strip().splitlines()

WITHOUT_ADDRESS = """
On 2/4/20 10:05 AM, Bob Builder wrote:
On 04/02/2020 10:05, Bob Builder wrote:
On Tue, Feb 4, 2020, at 10:05 AM, Bob Builder wrote:
On Tue, 2020-02-04 at 10:05 +0100, Bob Builder wrote:
On Tue, Feb 04, 2020 at 10:05:33AM +0100, Bob Builder wrote:
On Dienstag, 4. Februar 2020 10:05:33 CET Bob Builder wrote:
Am 04.02.20 um 10:05 schrieb Bob Baumeister:
Am 2020-02-04 10:05, schrieb Bob Baumeister:
Am Dienstag, dem 04.02.2020 um 10:05 +0100 schrieb Bob Baumeister:
Le 04/02/2020 à 10:05, Bob Bricoleur a écrit :
El 4/2/20 a las 10:05, Bob Constructor escribió:
Em 04/02/2020 10:05, Bob Construtor escreveu:
Il 04/02/20 10:05, Bob Muratore ha scritto:
Op 04-02-2020 om 10:05 schreef Bob de Bouwer:
Den 2020-02-04 kl. 10:05, skrev Bob Byggare:
Den 04.02.2020 10:05, skrev Byggmester Bob:
4.2.2020 10.05, Puuha-Pete kirjoitti:
W dniu 04.02.2020 o 10:05, Bob Budowniczy pisze:
Dne 04. 02. 20 v 10:05 Bořek Stavitel napsal(a):
04.02.2020 10:05, Боб Строитель пишет:
04.02.20 10:05, Боб Будівельник пише:
4.02.2020 10:05 tarihinde Bob Usta yazdı:
在 2020/2/4 10:05, 鲍勃 写道:
Στις 4/2/20 10:05, ο/η Μπομπ έγραψε:
2020. 02. 04. 10:05 keltezéssel, Bob Mester írta:
La 04.02.2020 10:05, Bob Constructorul a scris:
ב-04/02/2020 10:05, בוב כתב:
20. 2. 4. 오전 10:05에 밥 이(가) 쓴 글:
""".strip().splitlines()

ONLY_BEFORE_A_MARKED_QUOTE = """
Bob Builder writes:
bob@b.example wrote:
On Tue, 4 Feb 2020, Bob Builder wrote:
2020/2/4 Bob Builder <bob@b.example>
Bob Builder schrieb:
Dnia 4 lutego 2020 10:05 Bob Budowniczy napisał:
Bob scripsit 4.2.2020 10:05, bob@b.example:
""".strip().splitlines()

ORDINARY_LINES = """
From: the 3rd floor printer, since Tuesday, nothing works:
On Monday at 10:00 we open the doors:
On 12 March 2024 at 10:15 you wrote:
Our office (info@b.example) is open on these days, from 9:00 to 17:00:
The error that I see is:
Please call me back tomorrow at 14:30:
Am Montag schrieb ich Ihnen bereits:
My colleague wrote the following letter:
there should be a quote below this line:
Steps to reproduce:
Contact me at jane@c.example:
Jan 01 10:05:33 mx1 sshd[123]: message from root@host.example:
2024-01-01 10:05:33 ERROR cannot deliver to bob@b.example:
2024-01-01 10:05 [warn] <bob@b.example> is over quota, details:
""".strip().splitlines()


@pytest.mark.parametrize("intro", WITH_ADDRESS + WITHOUT_ADDRESS)
def test_an_intro_ends_the_new_text_even_when_the_quote_below_is_not_marked(intro: str) -> None:
    content = split(f"It works now.\n\n{intro}\n\nIs the printer still broken?\nBob\n")
    assert content.reply == "It works now."
    assert content.confidence >= 0.8


@pytest.mark.parametrize("intro", WITH_ADDRESS + WITHOUT_ADDRESS + ONLY_BEFORE_A_MARKED_QUOTE)
def test_an_answer_below_a_marked_quote_stays_and_the_intro_goes(intro: str) -> None:
    content = split(f"{intro}\n> Is the printer still broken?\n> Bob\n\nIt works now.\n")
    assert content.reply == "It works now."


@pytest.mark.parametrize("intro", [line for line in WITH_ADDRESS if line.find("bob@b.example") >= 20])
def test_an_intro_wrapped_before_the_address_is_one_intro(intro: str) -> None:
    at = intro.find("bob@b.example")
    wrapped = f"{intro[:at].rstrip()}\n{intro[at:]}"
    assert split(f"It works now.\n\n{wrapped}\n\n> Still broken?\n").reply == "It works now."
    assert split(f"It works now.\n\n{wrapped}\n\nStill broken?\n").reply == "It works now."


@pytest.mark.parametrize(
    "intro", [line for line in WITH_ADDRESS + WITHOUT_ADDRESS if not line.startswith("-")]
)
def test_an_intro_wrapped_before_its_last_word_is_one_intro(intro: str) -> None:
    head, _, tail = intro.replace(" :", "\u00a0:").rpartition(" ")
    assert split(f"It works now.\n\n{head}\n{tail}\n\n> Still broken?\n").reply == "It works now."


@pytest.mark.parametrize("line", ORDINARY_LINES)
def test_an_ordinary_line_that_ends_in_a_colon_is_not_an_intro(line: str) -> None:
    assert grade(line) < 2
    text = f"Hello,\n\n{line}\n\nnothing comes out of it.\nJane"
    assert split(text).reply == text


def test_a_sentence_before_a_marked_quote_stays_new() -> None:
    content = split("There should be a quote below this line:\n\n> this is a quote\n")
    assert content.reply == "There should be a quote below this line:"


def test_what_somebody_wrote_right_above_an_intro_stays_new() -> None:
    content = split("Thanks, see you on Monday at 10:00\nOn 2/4/20 10:05 AM, Bob wrote:\n> Hi\n")
    assert content.reply == "Thanks, see you on Monday at 10:00"
