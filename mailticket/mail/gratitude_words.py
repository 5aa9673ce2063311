"""How people say thanks and nothing else, in six languages. Data for gratitude.py, in lower case.

`THANKS` are the words without which a text is no thanks; `FILLERS` may stand around them. Every word of
a text must be in one of the two, so a word left out here costs a reopened ticket and nothing else.
"""

from __future__ import annotations

from typing import Final

THANKS: Final[dict[str, str]] = {
    "en": "thanks|thank you|thank u|thankyou|thx|ty|tysm|cheers|much appreciated|appreciated|"
    "appreciate it|many thanks|grateful|gratitude",
    "de": "danke|dank|danke schön|dankeschön|vielen dank|herzlichen dank|besten dank|lieben dank|"
    "tausend dank|merci|bedanke mich|danke dir|danke ihnen|danke euch|danke sehr|vergelts gott",
    "fr": "merci|mille mercis|remercie|remerciements|grand merci",
    "es": "gracias|muchas gracias|mil gracias|agradezco|agradecido|agradecida|se agradece",
    "pt": "obrigado|obrigada|obrigados|muito obrigado|muito obrigada|brigado|brigada|agradeço|"
    "agradecido|agradecida|valeu",
    "ja": "ありがとうございました|ありがとうございます|有難うございました|有難うございます|"
    "有り難うございました|有り難うございます|ありがとう|有難う|感謝いたします|感謝致します|"
    "感謝します|御礼申し上げます|お礼申し上げます|助かりました|サンキュー",
}
"""Language -> phrases, joined by |."""

FILLERS: Final[dict[str, str]] = {
    "en": "hi|hello|hey|dear|all|team|everyone|folks|guys|sir|madam|mr|mrs|ms|a|the|so|very|much|many|"
    "lot|lots|million|again|for|your|you|u|the|quick|fast|speedy|prompt|great|good|kind|kindly|"
    "help|helping|support|assistance|reply|response|answer|answering|responding|replying|service|"
    "work|job|time|effort|efforts|information|info|update|explanation|that|this|it|is|was|were|i|"
    "we|am|are|very|really|truly|most|works|worked|working|now|fine|perfectly|perfect|great|"
    "excellent|awesome|wonderful|fantastic|super|brilliant|amazing|lovely|ok|okay|all|solved|"
    "fixed|resolved|done|well|everything|problem|issue|has|been|got|yes|and|to|of|my|our|best|"
    "regards|kind|warm|sincerely|yours|greetings|have|nice|day|weekend|evening|week|take|care|"
    "bye|from|with|in|on|sent|iphone|ipad|android|mobile|phone|outlook|cheers|br|me",
    "de": "hallo|hi|guten|tag|morgen|abend|liebe|lieber|liebes|sehr|geehrte|geehrter|damen|und|herren|"
    "frau|herr|team|zusammen|allerseits|moin|servus|grüezi|für|die|der|das|den|dem|ihre|ihren|"
    "ihrer|ihr|eure|euren|euer|deine|deinen|dein|schnelle|schnellen|schneller|rasche|raschen|"
    "prompte|tolle|tollen|gute|super|toll|prima|klasse|perfekt|wunderbar|hervorragend|bestens|"
    "spitze|genial|hilfe|unterstützung|antwort|rückmeldung|info|information|informationen|"
    "auskunft|mühe|bemühungen|bearbeitung|erledigung|lösung|service|arbeit|ich|wir|bin|sind|mich|"
    "uns|ihnen|dir|euch|es|alles|hat|funktioniert|klappt|geht|läuft|jetzt|nun|wieder|gut|ja|ok|"
    "okay|passt|erledigt|gelöst|behoben|so|recht|nochmals|nochmal|vielmals|im|voraus|mit|"
    "freundlichen|freundliche|freundlichem|gruß|grüße|grüßen|gruss|grüsse|grüssen|beste|besten|"
    "liebe|lieben|viele|vielen|schöne|schönen|schönes|herzliche|herzlichen|mfg|vg|lg|bg|"
    "wochenende|noch|einen|ein|eine|von|meinem|gesendet|iphone|ipad|handy",
    "fr": "bonjour|bonsoir|salut|cher|chère|madame|monsieur|madame|équipe|toute|l|le|la|les|à|vous|tu|"
    "te|toi|tous|beaucoup|bien|infiniment|encore|pour|votre|vos|ton|ta|tes|aide|réponse|rapidité|"
    "rapide|retour|soutien|support|assistance|service|travail|efficacité|réactivité|de|d|du|je|"
    "nous|et|c|est|parfait|super|génial|excellent|top|impeccable|tout|fonctionne|marche|"
    "maintenant|va|résolu|réglé|ok|oui|très|grand|un|une|mille|fois|cordialement|bien|"
    "sincèrement|salutations|meilleures|bonne|bon|journée|soirée|week|end|weekend|semaine|"
    "continuation|envoyé|mon|depuis|iphone|ipad|ça|cela|explications|explication|informations|"
    "information|intervention|mes|nos|sincères",
    "es": "hola|buenos|buenas|días|tardes|noches|estimado|estimada|estimados|señor|señora|equipo|a|"
    "todos|todo|el|la|los|las|muchas|mil|muchísimas|de|nuevo|nuevamente|antemano|por|su|sus|tu|"
    "tus|vuestra|ayuda|respuesta|rápida|rápido|rapidez|pronta|atención|apoyo|soporte|servicio|"
    "trabajo|gestión|información|solución|y|muy|amable|amables|es|está|ya|funciona|perfecto|"
    "perfecta|perfectamente|excelente|genial|estupendo|ahora|bien|resuelto|solucionado|arreglado|"
    "listo|ok|sí|vale|le|les|te|os|lo|mucho|un|una|saludo|saludos|cordial|cordiales|abrazo|"
    "atentamente|que|tenga|tengan|tengas|buen|buena|día|tarde|semana|fin|enviado|desde|mi|iphone",
    "pt": "olá|oi|bom|boa|dia|tarde|noite|caro|cara|caros|prezado|prezada|prezados|senhor|senhora|"
    "equipe|equipa|a|o|os|as|todos|tudo|muito|muita|muitíssimo|mais|uma|vez|novamente|desde|já|"
    "pela|pelo|pelas|pelos|sua|seu|suas|vossa|ajuda|resposta|rápida|rápido|rapidez|pronta|"
    "atenção|apoio|suporte|serviço|trabalho|atendimento|informação|informações|solução|e|de|da|"
    "do|está|esta|é|foi|funciona|funcionou|funcionando|perfeito|perfeita|perfeitamente|excelente|"
    "ótimo|ótima|óptimo|agora|bem|certo|resolvido|solucionado|ok|sim|lhe|vos|te|um|abraço|"
    "abraços|att|atenciosamente|cumprimentos|melhores|cordiais|saudações|tenha|tenham|bons|fim|"
    "semana|enviado|meu|iphone|gentileza|esclarecimento|esclarecimentos",
    "ja": "こんにちは|こんばんは|おはようございます|お世話になっております|お世話になります|"
    "いつもお世話になっております|お疲れ様です|お疲れさまです|担当者様|担当者|ご担当者様|"
    "サポート|の|皆様|様|さん|早速|迅速|な|ご対応|対応|ご回答|ご返信|回答|返信|ご連絡|ご返答|"
    "ご教示|ご支援|サポート|いただき|いただきまして|頂き|頂きまして|くださり|下さり|して|に|を|"
    "は|が|で|と|も|誠に|本当に|大変|とても|どうも|すべて|全て|無事|問題なく|解決しました|"
    "解決いたしました|解決しております|動きました|動作しました|できました|出来ました|直りました|"
    "使えました|使えるようになりました|ようになりました|今後ともよろしくお願いいたします|"
    "今後とも宜しくお願い致します|よろしくお願いいたします|よろしくお願いします|"
    "よろしくお願い致します|宜しくお願いいたします|宜しくお願い致します|宜しくお願いします|"
    "取り急ぎ|取り急ぎお礼まで|お礼まで|御礼まで|心より|深く|はい|了解しました|了解です|"
    "承知しました|確認しました|完璧です|素晴らしいです|おかげさまで|おかげで|お陰様で",
}
"""Language -> words (phrases in Japanese), joined by |."""

ASKING: Final[dict[str, str]] = {
    "en": "is|are|was|were|has|am",
    "de": "hat|sind|bin",
    "fr": "est",
    "es": "",
    "pt": "é",
}
"""Words that make a question of the clause they begin, without its mark."""

DOUBTS: Final[dict[str, str]] = {
    "en": "but|however|still|not|no|never|nor|cannot|cant|can't|don't|dont|doesn't|doesnt|didn't|didnt|"
    "won't|isn't|isnt|though|although|yet|except|unless|please|again happening|also|another|more|"
    "question|when|what|why|how|where|who|which|could|would|should|can|unfortunately|sadly|error|"
    "fails|failed|broken|wrong|until|if|one thing|only|nothing|instead|anyway|for nothing|wait|"
    "stop|reopen",
    "de": "aber|jedoch|leider|noch nicht|nicht|kein|keine|keinen|nie|nein|trotzdem|allerdings|dennoch|"
    "doch|nur|bitte|frage|wann|was|warum|wieso|wie|wo|wer|welche|können|könnten|kann|könnte|"
    "fehler|falsch|kaputt|außer|weiterhin|immer noch|nichts|ohne|auch|erst|wenn|falls|sobald|"
    "statt|wieder nicht|obwohl|mal sehen|geht es|klappt es|funktioniert es|läuft es",
    "fr": "mais|cependant|toutefois|pas|plus|ne|n|jamais|non|sauf|malheureusement|toujours|pourtant|"
    "encore un|question|quand|quoi|pourquoi|comment|où|qui|quel|quelle|pouvez|pourriez|peux|"
    "erreur|si|aussi|rien|aucun|aucune|sans|sinon|hélas|néanmoins|svp|s'il",
    "es": "pero|sin embargo|aunque|no|nunca|tampoco|ni|todavía|aún|lamentablemente|desgraciadamente|"
    "pregunta|cuándo|cuando|qué|por qué|cómo|dónde|quién|cuál|puede|pueden|podría|puedes|error|"
    "falla|falta|salvo|excepto|nada|ningún|ninguna|si|también|además|favor|sino|solo|sólo",
    "pt": "mas|porém|contudo|entretanto|não|nao|nunca|nem|ainda|infelizmente|pergunta|dúvida|quando|"
    "que|por que|porque|como|onde|quem|qual|pode|podem|poderia|erro|falha|falta|exceto|nada|"
    "nenhum|nenhuma|se|também|além|favor|só|apenas|todavia|embora",
    "ja": "しかし|ですが|ますが|ましたが|だが|けど|けれど|でも|ただし|まだ|ません|ない|なかった|ず|"
    "再度|もう一度|質問|教えて|ください|下さい|でしょうか|ですか|ますか|か？|か?|エラー|また発生|"
    "失敗|残念|一方|ところが|とはいえ|なお",
}
"""Words that make a thanks no mere thanks, whatever else is said; they win over every filler."""
