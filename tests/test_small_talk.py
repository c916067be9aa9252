"""Small talk is told from questions, in many languages, whatever it is decorated with."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_service.small_talk import recognise, reply

SAID = {
    "greeting": """Hello|hi there|heyyyy|Good morning :)|good evening everybody|hello, anybody home?|Hey bot|GOOD DAY SIR
        |nice to meet you|hi again|Hallo zusammen|Guten Tag|Grüß Gott|Moin|Servus|guten abend|Bonjour|Bonsoir à tous|coucou|Salut !
        |¡Hola!|Buenos días|buenas tardes|hola, ¿qué tal?|Ciao a tutti|Buongiorno|buona sera|salve|Olá|Bom dia|oi|boa tarde
        |Goedemorgen|hoi|goedenavond|Dzień dobry|cześć|Dobrý den|ahoj|dobré ráno|Hej på dig|God morgon|hejsan|Goddag
        |God aften|halløj|hei på deg|god kveld|Hyvää päivää|moikka|Terve|Merhaba|Selam|günaydın|Привет|Здравствуйте!|Добрый день
        |Привіт|Добрий день|Γεια σας|Καλημέρα|Bună ziua|salutare|Jó napot|Szia|sziasztok|你好|您好！|早上好|こんにちは|おはようございます
        |안녕하세요|안녕|مرحبا|السلام عليكم|صباح الخير|नमस्ते|namaste|สวัสดีครับ|สวัสดีค่ะ|ＨＥＬＬＯ|hello👋|hello there 😀""",
    "thanks": """thanks|Thank you so much|thx!!|ty|thanks a lot, that helped!|Great, thanks for this|thank you, you're great
        |no thanks|many thanks for your quick reply|I really appreciate your help|ok thanks 👍|thanks <3|that was helpful
        |Danke schön|vielen Dank für die Hilfe|dankeee|Merci beaucoup|merci pour votre aide|Muchas gracias|gracias por la ayuda
        |Grazie mille|grazie dell'aiuto|Muito obrigado|obrigada pela ajuda|valeu|Dank je wel|hartelijk bedankt|Dziękuję bardzo
        |dzięki za pomoc|Děkuji moc|díky|Tack så mycket|Mange tak|tusen takk|Takk for hjelpen|Kiitos paljon|kiitti
        |Teşekkür ederim|çok teşekkürler|Спасибо большое|благодарю вас|Дуже дякую|щиро дякую|Ευχαριστώ πολύ|Mulțumesc frumos|mersi
        |Köszönöm szépen|köszi|谢谢你|非常感谢|謝謝|ありがとうございます|どうもありがとう|감사합니다|고마워요|شكرا جزيلا|धन्यवाद|बहुत बहुत धन्यवाद
        |ขอบคุณมากครับ""",
    "farewell": """ok bye|Goodbye|see you later|bye bye|cya|good night|ok, that is all|that's all for today, thanks|nothing else
        |I have to go now|take care|Tschüss|Auf Wiedersehen|bis bald|das war's|Au revoir|à bientôt|bonne nuit|Adiós|hasta luego
        |hasta mañana|eso es todo|Arrivederci|a presto|buonanotte|Tchau|até logo|até amanhã|Tot ziens|doei|Do widzenia|na razie
        |Na shledanou|dobrou noc|Hej då|vi ses|Farvel|på gensyn|Ha det bra|vi snakkes|Näkemiin|hyvää yötä|Hoşça kal|görüşürüz
        |До свидания|пока|До побачення|бувай|Αντίο|καληνύχτα|La revedere|pe curând|Viszontlátásra|viszlát|再见|拜拜|さようなら|またね
        |안녕히 가세요|잘 가|مع السلامة|अलविदा|फिर मिलेंगे|ลาก่อน""",
    "wishes": """have a nice weekend!|Have a great day|happy new year|Merry Christmas|you too|good luck|Schönes Wochenende!
        |schönen Tag noch|frohe Weihnachten|Bonne journée|bon week-end|Buen fin de semana|que tengas un buen día|Buona giornata
        |buon fine settimana|Bom fim de semana|tenha um bom dia|Prettig weekend|fijne dag nog|Miłego dnia|miłego weekendu
        |Hezký den|pěkný víkend|Trevlig helg|ha en bra dag|God weekend|hav en god dag|God helg|ha en fin dag|Hyvää viikonloppua
        |İyi hafta sonları|Хорошего дня|хороших выходных|Гарного дня|Καλό Σαββατοκύριακο|O zi bună|weekend plăcut|Szép napot
        |周末愉快|良い一日を|좋은 하루 보내세요""",
    "praise": """You are awesome|well done|good bot|wow, amazing!|I love you|perfect, exactly what I needed|u r the best|so cool
        |Du bist toll|sehr gut|super gemacht|C'est génial|tu es super|bravo|Muy bien|eres genial|¡Excelente!|Sei bravissimo
        |ottimo lavoro|Muito bom|você é demais|Goed gedaan|wat leuk|Jesteś super|świetnie|Výborně|jsi skvělý|Du är bäst|bra jobbat
        |Du er fantastisk|godt gået|kjempebra|Hienoa|olet mahtava|Harikasın|çok iyi|Молодец|отлично|Чудово|ти супер|Μπράβο
        |είσαι τέλειος|Ești grozav|foarte bine|Szuper|nagyon jó|太好了|你真棒|すごい|素晴らしい|대단해요|أحسنت|शाबाश|เก่งมาก""",
    "about": """who are you?|what can you do?|are you a real person or a robot|who made you?|What's your name?|how old are you
        |Hello, what can you help me with?|are you a bot|am I talking to a human?|tell me a joke|do you speak German?
        |who created you|how do you work?|what can I ask you?|where are you from|Wer bist du?|Was kannst du?|Bist du ein Roboter?
        |Wer hat dich gemacht?|Wie heißt du?|Sind Sie ein Mensch?|Qui es-tu ?|Que peux-tu faire ?|Êtes-vous un robot ?
        |Qui t'a créé ?|comment tu t'appelles|¿Quién eres?|¿Qué puedes hacer?|¿Eres un robot?|¿Quién te creó?|¿Cómo te llamas?
        |Chi sei?|Cosa puoi fare?|Sei un robot?|Chi ti ha creato?|Come ti chiami?|Quem é você?|O que você pode fazer?
        |Você é um robô?|Quem te criou?|Wie ben je?|Wat kun je?|Ben je een robot?|Wie heeft je gemaakt?|Kim jesteś?|Co potrafisz?
        |Czy jesteś robotem?|Kto cię stworzył?|Kdo jsi?|Co umíš?|Jsi robot?|Kdo tě vytvořil?|Vem är du?|Vad kan du göra?
        |Är du en robot?|Vem har skapat dig?|Hvem er du?|Hvad kan du?|Er du en robot?|Hvem har lavet dig?|Hva kan du gjøre?
        |Hvem har laget deg?|Kuka olet?|Mitä osaat tehdä?|Oletko robotti?|Kuka loi sinut?|Sen kimsin?|Ne yapabilirsin?
        |Robot musun?|Seni kim yaptı?|Кто ты?|Что ты умеешь?|Ты робот?|Кто тебя создал?|Как тебя зовут?|Хто ти?|Що ти вмієш?
        |Ти робот?|Хто тебе створив?|Ποιος είσαι;|Τι μπορείς να κάνεις;|Είσαι ρομπότ;|Ποιος σε έφτιαξε;|Cine ești?
        |Ce poți să faci?|Ești un robot?|Cine te-a creat?|Ki vagy?|Mit tudsz csinálni?|Robot vagy?|Ki készített téged?|你是谁
        |你能做什么？|你是机器人吗|谁创造了你|あなたは誰ですか|何ができますか|あなたはロボットですか|넌 누구야|로봇이에요?|من أنت؟
        |هل أنت روبوت؟|आप कौन हैं|คุณคือใคร|คุณทำอะไรได้บ้าง""",
    "well_being": """how are you?|how r u today|How's it going?|hi, how are you doing|Wie geht es dir?|wie geht's|Comment ça va ?
        |ça va bien et toi|¿Cómo estás?|Come stai?|Tudo bem?|como vai você|Hoe gaat het?|Jak się masz?|Jak se máš?|Hur mår du?
        |Hvordan har du det?|Hvordan går det?|Mitä kuuluu?|Nasılsın?|Как дела?|Як справи?|Τι κάνεις;|Ce mai faci?|Hogy vagy?|你好吗
        |元気ですか|잘 지내요?|كيف حالك؟|आप कैसे हैं|สบายดีไหม""",
    "acknowledgement": """ok|okay|alright|got it|I see|never mind|yes|no|Alles klar|verstanden|d'accord|compris|vale|de acuerdo
        |va bene|capito|tá bom|entendi|begrepen|rozumiem|rozumím|jag förstår|jeg forstår|selvä|tamam|anladım|понятно|ладно
        |зрозуміло|εντάξει|am înțeles|rendben|好的|明白了|わかりました|알겠습니다|حسنا|ठीक है""",
    "complaint": """That was not my question|that's wrong|you are stupid|that doesn't help|wrong answer|Das war nicht meine Frage
        |das ist falsch|du bist dumm|Ce n'est pas ma question|Esa no era mi pregunta|no me entiendes|Non era la mia domanda
        |Não foi isso que perguntei|Dat was niet mijn vraag|To nie było moje pytanie|Det var inte min fråga|Это не мой вопрос
        |那不是我的问题""",
    "apology": "sorry|I'm so sorry|oops|Entschuldigung|tut mir leid|désolé|lo siento|mi dispiace|desculpe|przepraszam|förlåt|извините",
    "laughter": "haha|hahahahaha|looool|lol that's funny|jajaja|hihihi|ahahaha|rofl|хахаха|哈哈哈|ㅋㅋㅋㅋ|just kidding",
    "opening": """can you help me?|help|I have a question|can I ask you something?|Kannst du mir helfen?|ich habe eine Frage
        |j'ai une question|tengo una pregunta|ho una domanda|tenho uma pergunta|mam pytanie|у меня вопрос|我有个问题""",
    "reaction": "👍|😀😀😀|❤️|:D|<3|👍🏽|🇩🇪|1️⃣|:-P",
    "signs": "???|...|!|?!|-|:)|…|—",
}

QUESTIONS = """hello world program|hello world|thanks to whom?|who are you owned by|good morning routine|thanks, and how long does shipping take?
    |ok how do I cancel|what can you do about a late parcel|bye-law section 3|Who made you-know-what|hi-fi speakers|HELLO statement
    |hi, my order is late|thank you note template|how are you handling refunds|who made your furniture|are you open on Sunday
    |good night's sleep tips|hello kitty|and to Canada?|why?|how much is it?|help with login|how old are your eggs|bye week
    |how can you help me move my account|do you have a family discount|great wall|nice airport|cool down|start date|perfect tense
    |exit code|quit smoking|sorry for your loss card|how does it work?|it does not work|the best|42|hello 42|ok 2|no refunds?|yes or no
    |what is your return policy|are you a bot friendly site|can you do gift wrapping|do you speak at conferences|happy hour
    |thanks for nothing lyrics|credits|delivery|love handles|what do you sell|where are you located|bra|top|gut|tack för betalning
    |Hallo, was kostet der Versand?|Danke, und wie lange dauert die Lieferung?|guten Morgen Yoga|Wer bist du im Handelsregister|Was kannst du empfehlen
    |Dankesschreiben|Gute Nacht Geschichte|merci de me dire le prix|Bonjour, où est mon colis ?|salut fiscal|qui es-tu pour décider des prix
    |bonne nuit hôtel|hola, cuánto cuesta el envío|gracias por devolver el pedido|adiós contrato|qué puedes hacer con un paquete perdido
    |ciao bella pizzeria|grazie ma quanto costa|buongiorno orario|come ti chiami per un rimborso|olá, qual é o prazo|obrigado e quanto custa
    |bom dia supermercado|hallo wat kost verzending|bedankt maar hoe lang duurt het|goedemorgen bakkerij|cześć ile kosztuje wysyłka
    |dziękuję a kiedy dostawa|dobrý den kolik stojí doprava|díky a kdy to přijde|hej vad kostar frakten|tack men när kommer paketet
    |hej hvad koster fragt|tak men hvornår kommer pakken|hei hva koster frakt|takk men når kommer pakken|hei mitä toimitus maksaa
    |kiitos mutta milloin paketti tulee|merhaba kargo ne kadar|teşekkürler ama ne zaman gelir|привет сколько стоит доставка
    |спасибо а когда придёт заказ|кто ты по знаку|привіт скільки коштує доставка|дякую а коли прийде посилка|γεια πόσο κοστίζει η αποστολή
    |ευχαριστώ αλλά πότε έρχεται|bună ziua cât costă livrarea|mulțumesc dar când ajunge|szia mennyibe kerül a szállítás
    |köszönöm de mikor érkezik|你好运费多少|谢谢什么时候到|你能做什么蛋糕|こんにちは送料はいくらですか|ありがとう返品はできますか|안녕하세요 배송비는 얼마예요
    |مرحبا كم تكلفة الشحن|नमस्ते डिलीवरी कितने की है|สวัสดีค่ะ ค่าส่งเท่าไหร่"""

ALL_SAID = [(kind, said.strip()) for kind, several in SAID.items() for said in several.split("|")]
WORDY = [said for kind, said in ALL_SAID if kind not in ("reaction", "signs")]
ENDS = [
    "!",
    "?",
    "...",
    " :)",
    "\N{WAVING HAND SIGN}",
    " \N{HEAVY BLACK HEART}\ufe0f",
    "!!!\n",
    " \u200b",
]
CONTENT = [
    "parcel",
    "invoice",
    "Versandkosten",
    "livraison",
    "entrega",
    "доставка",
    "退款",
    "返品",
    "배송비",
    "42",
]


@pytest.mark.parametrize(("kind", "said"), ALL_SAID)
def test_what_people_say_without_asking_is_recognised(kind, said):
    talk = recognise(said)
    assert talk is not None
    assert talk.kind == kind


@pytest.mark.parametrize("question", [question.strip() for question in QUESTIONS.split("|")])
def test_a_question_is_no_small_talk_though_it_begins_like_one(question):
    assert recognise(question) is None


@given(st.sampled_from(WORDY), st.lists(st.sampled_from(ENDS), max_size=4), st.randoms())
def test_case_punctuation_and_emoji_do_not_matter(said, ends, chance):
    plain = recognise(said)
    for changed in (said.upper(), said.lower(), said.title()):
        assert (
            recognise(chance.choice(["", " ", "\N{PARTY POPPER}"]) + changed + "".join(ends))
            == plain
        )


@given(st.sampled_from(WORDY), st.sampled_from(CONTENT), st.booleans())
def test_with_one_word_of_content_it_is_small_talk_no_more(said, word, first):
    assert recognise(f"{word} {said}" if first else f"{said} {word}") is None


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    talk = recognise(text)
    assert talk is None or reply(talk)


def test_nothing_at_all_is_no_small_talk():
    assert recognise("") is None
    assert recognise(" \n\t") is None


def test_only_questions_about_the_assistant_may_be_answered_by_a_page():
    kinds = {talk.kind for _, said in ALL_SAID if (talk := recognise(said)) and talk.asks}
    assert kinds == {"about", "opening"}


def test_the_language_is_told_where_it_is_clear():
    for said, language in (
        ("Thank you kindly", "en"),
        ("Danke schön", "de"),
        ("ok merci", "fr"),
        ("¡Hola!", "es"),
        ("спасибо", "ru"),
        ("дякую", "uk"),
        ("谢谢", "zh"),
        ("ありがとう", "ja"),
        ("ok", None),
        ("hi", None),
        ("\N{THUMBS UP SIGN}", None),
    ):
        talk = recognise(said)
        assert talk is not None
        assert talk.language == language, said


def test_a_reply_is_of_the_kind_and_in_the_language_of_the_message():
    replies = {said: reply(recognise(said)) for said in ("Danke", "Hallo", "merci", "ok", "???")}
    assert len(set(replies.values())) == len(replies)
    assert replies["Danke"].startswith("Gern geschehen")
    assert replies["merci"].startswith("Avec plaisir")
    assert replies["ok"].isascii()
    assert all(reply(recognise(said)) for _, said in ALL_SAID)


@pytest.mark.parametrize(
    "text",
    [
        "hello " * 3_400,
        "a" * 20_000,
        "ha" * 10_000 + " refund",
        "he" + "y" * 20_000 + " how much",
        "\N{GRINNING FACE}" * 1_000_000 + " refund",
        "a" + "\u0301\u0327" * 10_000,
        "<3" * 10_000 + "x",
        "x_" * 10_000,
        "hi " * 30 + "hello there " * 30,
    ],
)
def test_long_texts_are_read_in_time_and_are_no_small_talk(text):
    assert recognise(text) is None


def test_a_million_emoji_are_a_reaction():
    talk = recognise("\N{GRINNING FACE}" * 1_000_000)
    assert talk is not None
    assert talk.kind == "reaction"


def test_drawn_out_words_are_read_however_long():
    chance = random.Random(7)
    for word in ("hello", "hey", "thanks", "bye", "danke", "ciao", "no"):
        drawn = word[:-1] + word[-1] * chance.randint(3, 5_000)
        assert recognise(drawn) == recognise(word), word
