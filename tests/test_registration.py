"""Registration, as it is heard in the three languages, with its ways back and its bumps."""

import pytest
from sqlalchemy import func, select

from storage import members, purposes
from storage.members import Profile
from storage.tables import Consent, Member, Purpose, Side
from tests.town import Resident, Town

WELCOME = {
    "fr": "Bienvenue ! En quelle langue nous parlons-nous ?",
    "ar": "مرحبا! بأي لغة نتحدث؟",
    "en": "Welcome! Which language shall we speak?",
}
NAME_EN = "Question 1 of 7\nWhat is your name? Please write your first name and family name."
COUNTRY_EN = (
    "Question 2 of 7\nIn which country do you live? Tap it, or write its name.\n"
    "[France] [Morocco]\n[Belgium] [Spain]\n[Italy] [Netherlands]\n[Germany] [Canada]\n[‹ Back]"
)
CITY_EN = (
    "Question 3 of 7\nIn which city? Tap it, or write its name.\n"
    "[Paris] [Lyon]\n[Marseille] [Toulouse]\n[Lille] [Montpellier]\n[‹ Back]"
)
CORRECTIONS_EN = (
    "[Yes, that's right]\n[✎ Name] [✎ Country]\n[✎ City] [✎ Profession]\n"
    "[✎ Organisation] [✎ Themes]\n[✎ Side]"
)
CONSENT_FR = (
    "Une dernière chose : vos données.\n\nPour vous inscrire, je conserve ces réponses et vos "
    "places, j'organise les événements que vous choisissez et je vous les rappelle. Le reste "
    "dépend de vous : cochez ce qui vous convient. /settings le modifie à tout moment, /stop y "
    "met fin.\n\nÊtes-vous d'accord ?\n"
    "[▫️ Annonces de l'équipe]\n[▫️ Nouveaux événements pour vous]\n"
    "[▫️ Mises en relation avec d'autres membres]\n[▫️ Votre fiche dans l'annuaire]\n"
    "[🔒 Qui, pourquoi, combien de temps]\n"
    "[Je suis d'accord]\n[Je ne suis pas d'accord]\n[‹ Retour]"
)


async def to_the_summary(person: Resident) -> list[str]:
    await person.says("/start")
    await person.taps("English")
    await person.says("Emma Berrada")
    await person.taps("France")
    await person.taps("Lyon")
    await person.says("Engineer")
    await person.taps("Skip")
    await person.says("1, 5")
    return await person.taps("In the diaspora")


async def profile(town: Town, person: Resident) -> Profile:
    async with town.app.storage.read() as db:
        return await members.profile_of(db, await town.member_of(db, person))


async def test_a_newcomer_registers_in_french(town: Town):
    await town.programme()
    salma = town.stranger("Salma", "fr")
    assert await salma.says("/start rabat-2018") == [
        f"{WELCOME['fr']}\n{WELCOME['ar']}\n{WELCOME['en']}\n[Français]\n[العربية]\n[English]"
    ]
    assert await salma.taps("Français") == [
        "Parlons français.",
        "Je suis Jisr, le pont entre votre communauté, votre consulat et vos événements. "
        "Quelques questions brèves, et vous pourrez réserver vos places. "
        "Vous pouvez vous arrêter à tout moment et revenir plus tard.\n\n"
        "Question 1 sur 7\nQuel est votre nom ? Merci d'écrire votre prénom et votre nom.",
    ]
    assert await salma.says("Salma El Idrissi") == [
        "Question 2 sur 7\nDans quel pays vivez-vous ? Touchez-le ou écrivez son nom.\n"
        "[France] [Maroc]\n[Belgique] [Espagne]\n[Italie] [Pays-Bas]\n[Allemagne] [Canada]\n"
        "[‹ Retour]"
    ]
    assert await salma.says("maroc") == [
        "Question 3 sur 7\nDans quelle ville ? Touchez-la ou écrivez son nom.\n"
        "[Casablanca] [Rabat]\n[Marrakech] [Fès]\n[Tanger] [Agadir]\n[‹ Retour]"
    ]
    assert await salma.taps("Fès") == [
        "Dans quelle ville ? Touchez-la ou écrivez son nom.\nFès",
        "Question 4 sur 7\nQuelle est votre profession ou votre domaine d'études ?\n"
        "[Passer]\n[‹ Retour]",
    ]
    assert await salma.taps("Passer") == [
        "Quelle est votre profession ou votre domaine d'études ?\n–",
        "Question 5 sur 7\n"
        "Pour quelle entreprise, université ou association travaillez-vous ?\n"
        "[Passer]\n[‹ Retour]",
    ]
    assert await salma.says("Université Sidi Mohamed Ben Abdellah") == [
        "Question 6 sur 7\nQuels thèmes vous intéressent ? Touchez-en autant que vous voulez, "
        "ou écrivez leurs numéros, par exemple 1, 3.\n"
        "[▫️ 1. Innovation et nouvelles technologies]\n"
        "[▫️ 2. Entrepreneuriat et investissement]\n"
        "[▫️ 3. Éducation et formation]\n"
        "[▫️ 4. Agriculture et agro-industrie]\n"
        "[▫️ 5. Environnement et énergies renouvelables]\n"
        "[▫️ 6. Recherche scientifique et technique]\n"
        "[▫️ 7. Médecine et santé]\n"
        "[▫️ 8. Arts et sports]\n"
        "[▫️ 9. Économie sociale et solidaire]\n"
        "[▫️ 10. Interculturalité et vivre-ensemble]\n"
        "[Aucun de ceux-ci]\n[‹ Retour]"
    ]
    assert await salma.says("1 et 3") == [
        "Question 7 sur 7\nÊtes-vous dans la diaspora ou au Maroc ?\n"
        "[Au Maroc]\n[Dans la diaspora]\n[‹ Retour]"
    ]
    answers = (
        "Est-ce exact ?\n\nNom : Salma El Idrissi\nPays : Maroc\nVille : Fès\nProfession : –\n"
        "Organisme : Université Sidi Mohamed Ben Abdellah\n"
        "Thèmes : Innovation et nouvelles technologies, Éducation et formation\nRive : Au Maroc"
    )
    assert await salma.taps("Au Maroc") == [
        "Êtes-vous dans la diaspora ou au Maroc ?\nAu Maroc",
        f"{answers}\n[Oui, c'est exact]\n[✎ Nom] [✎ Pays]\n[✎ Ville] [✎ Profession]\n"
        "[✎ Organisme] [✎ Thèmes]\n[✎ Rive]",
    ]
    assert await salma.taps("Oui, c'est exact") == [
        answers,
        CONSENT_FR,
    ]
    ticked = CONSENT_FR.replace("▫️ Annonces", "✅ Annonces").replace("▫️ Votre", "✅ Votre")
    await salma.taps("▫️ Annonces de l'équipe")
    await salma.taps("▫️ Nouveaux événements pour vous")
    await salma.taps("▫️ Votre fiche dans l'annuaire")
    assert await salma.taps("✅ Nouveaux événements pour vous") == [ticked]
    # The notice is one tap away, and one tap back: what was ticked stays so.
    (notice,) = await salma.taps("🔒 Qui, pourquoi, combien de temps")
    assert notice.startswith("Vos données\n\nResponsable : ")
    assert notice.endswith("\n[‹ Retour]")
    assert await salma.taps("‹ Retour") == [ticked]
    welcome, agenda = await salma.taps("Je suis d'accord")
    assert welcome == (
        "Bienvenue, Salma El Idrissi ! Votre inscription est faite. "
        "/settings permet de modifier vos réponses."
    )
    assert agenda.startswith("1er Atelier thématique des experts marocains en France\n")
    assert await profile(town, salma) == Profile(
        name="Salma El Idrissi",
        country="MA",
        city="Fès",
        profession=None,
        organisation="Université Sidi Mohamed Ben Abdellah",
        themes=("innovation", "education"),
        side=Side.MOROCCO,
    )
    async with town.app.storage.read() as db:
        consents = (await db.scalars(select(Consent).order_by(Consent.id))).all()
    assert [(one.purpose, one.given, one.language, one.channel) for one in consents] == [
        ("events", True, "fr", "telegram"),
        ("reminders", True, "fr", "telegram"),
        ("announcements", True, "fr", "telegram"),
        ("directory", True, "fr", "telegram"),
    ]
    assert {one.at for one in consents} == {town.clock.now()}
    assert {one.version for one in consents} == {town.app.terms.version}


async def test_a_newcomer_registers_in_arabic(town: Town):
    await town.programme()
    salma = town.stranger("سلمى", "ar")
    assert await salma.says("السلام عليكم") == [
        f"{WELCOME['ar']}\n{WELCOME['fr']}\n{WELCOME['en']}\n[العربية]\n[Français]\n[English]"
    ]
    assert await salma.taps("العربية") == [
        "لنتحدث بالعربية.",
        "أنا «جسر»، صلة الوصل بينكم وبين القنصلية والجالية والفعاليات. بضعة أسئلة قصيرة، "
        "ثم يمكنكم حجز مقاعدكم. يمكن التوقف في أي وقت والعودة لاحقا.\n\n"
        "السؤال 1 من 7\nما اسمكم؟ يرجى كتابة الاسم الشخصي والعائلي.",
    ]
    assert await salma.says("سلمى الإدريسي") == [
        "السؤال 2 من 7\nفي أي بلد تقيمون؟ يمكن اختياره أو كتابة اسمه.\n"
        "[فرنسا] [المغرب]\n[بلجيكا] [إسبانيا]\n[إيطاليا] [هولندا]\n[ألمانيا] [كندا]\n[‹ رجوع]"
    ]
    assert await salma.says("فرنسا") == [
        "السؤال 3 من 7\nفي أي مدينة؟ يمكن اختيارها أو كتابة اسمها.\n"
        "[باريس] [ليون]\n[مارسيليا] [تولوز]\n[ليل] [مونبلييه]\n[‹ رجوع]"
    ]
    assert await salma.taps("ليون") == [
        "في أي مدينة؟ يمكن اختيارها أو كتابة اسمها.\nليون",
        "السؤال 4 من 7\nما مهنتكم أو مجال دراستكم؟\n[تخطي]\n[‹ رجوع]",
    ]
    assert await salma.says("مهندسة") == [
        "السؤال 5 من 7\nفي أي مقاولة أو جامعة أو جمعية تعملون؟\n[تخطي]\n[‹ رجوع]"
    ]
    await salma.taps("تخطي")
    assert await salma.says("١ و ٥") == [
        "السؤال 7 من 7\nهل أنتم من مغاربة العالم أم تقيمون بالمغرب؟\n"
        "[من مغاربة العالم]\n[بالمغرب]\n[‹ رجوع]"
    ]
    answers = (
        "هل هذه المعلومات صحيحة؟\n\nالاسم: سلمى الإدريسي\nالبلد: فرنسا\nالمدينة: ليون\n"
        "المهنة: مهندسة\nالمؤسسة: –\n"
        "المحاور: الابتكار والتكنولوجيات الحديثة، البيئة والطاقات المتجددة\n"
        "الضفة: من مغاربة العالم"
    )
    assert await salma.taps("من مغاربة العالم") == [
        "هل أنتم من مغاربة العالم أم تقيمون بالمغرب؟\nمن مغاربة العالم",
        f"{answers}\n[نعم، صحيحة]\n[✎ الاسم] [✎ البلد]\n[✎ المدينة] [✎ المهنة]\n"
        "[✎ المؤسسة] [✎ المحاور]\n[✎ الضفة]",
    ]
    assert await salma.taps("نعم، صحيحة") == [
        answers,
        "أمر أخير: معطياتكم الشخصية.\n\nلتسجيلكم أحتفظ بهذه الأجوبة وبمقاعدكم، لتنظيم الفعاليات "
        "التي تختارونها وتذكيركم بها. وما عدا ذلك فالاختيار لكم: ضعوا علامة على ما يناسبكم. يمكن "
        "تغييره في أي وقت عبر /settings وإيقافه عبر /stop.\n\nهل توافقون؟\n"
        "[▫️ إعلانات فريق العمل]\n[▫️ فعاليات جديدة تناسبكم]\n[▫️ التعارف مع أعضاء آخرين]\n"
        "[▫️ إدراجكم في دليل الأعضاء]\n[🔒 من يحفظها، ولماذا، وكم من الوقت]\n"
        "[أوافق]\n[لا أوافق]\n[‹ رجوع]",
    ]
    welcome, agenda = await salma.taps("أوافق")
    assert welcome == "مرحبا سلمى الإدريسي! تم تسجيلكم. يمكن تعديل الأجوبة عبر /settings."
    assert agenda.startswith("الملتقى الموضوعاتي الأول للخبراء المغاربة بفرنسا\n")


async def test_a_newcomer_registers_in_english_and_corrects_on_the_way(town: Town):
    await town.programme()
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    assert await emma.says("Ema Berada") == [COUNTRY_EN]
    assert await emma.taps("‹ Back") == [NAME_EN]
    assert await emma.says("Emma Berrada") == [COUNTRY_EN]
    assert await emma.taps("France") == [
        "In which country do you live? Tap it, or write its name.\nFrance",
        CITY_EN,
    ]
    await emma.says("Grenoble")
    await emma.says("Engineer")
    await emma.taps("Skip")
    themes = emma.last
    ticked = (await emma.taps("▫️ 1. Innovation and new technologies"))[0]
    assert "[✅ 1. Innovation and new technologies]" in ticked
    assert "[That's all]" in ticked
    assert "[None of these]" in (await emma.taps("✅ 1. Innovation and new technologies"))[0]
    await emma.taps("▫️ 5. Environment and renewable energy")
    assert (await emma.taps("That's all"))[0] == (
        "Which themes interest you? Tap as many as you like, or write their numbers, e.g. 1, 3.\n"
        "Environment and renewable energy"
    )
    answers = (
        "Is this right?\n\nName: Emma Berrada\nCountry: France\nCity: Grenoble\n"
        "Profession: Engineer\nOrganisation: –\nThemes: Environment and renewable energy\n"
        "Side: In the diaspora\n"
    )
    assert (await emma.says("in the diaspora")) == [answers + CORRECTIONS_EN]
    assert await emma.taps("✎ City") == [CITY_EN.removeprefix("Question 3 of 7\n")]
    assert await emma.taps("‹ Back") == [answers + CORRECTIONS_EN]
    await emma.taps("✎ Profession")
    answers = answers.replace("Engineer", "Data engineer")
    assert await emma.says("Data engineer") == [answers + CORRECTIONS_EN]
    # A new country asks for the city again.
    await emma.taps("✎ Country")
    assert (await emma.taps("Morocco"))[1].startswith("In which city? Tap it, or write its name.")
    moved = answers.replace("France", "Morocco").replace("Grenoble", "Rabat") + CORRECTIONS_EN
    assert (await emma.taps("Rabat"))[1] == moved
    # The keyboard of a question that is closed says so.
    assert await emma.after(emma.person.taps_data("tick:3", themes)) == [
        "(You have already answered this. You can correct it at the end.)"
    ]


async def test_who_stops_half_way_goes_on_where_they_were(town: Town):
    await town.programme()
    emma = town.stranger("Emma", "en")
    await emma.says("/start rabat-2018")
    await emma.taps("English")
    await emma.says("Emma Berrada")
    await town.passes(days=3)
    assert await emma.says("/start") == [COUNTRY_EN]
    help_, question = await emma.says("/help")
    assert help_.startswith("What I can do\n")
    assert question == COUNTRY_EN
    assert await emma.says("/cancel") == [
        "Let's stop here for now. Your answers so far are kept.\n[Go on]\n[Erase my answers]"
    ]
    assert await emma.taps("Go on") == [COUNTRY_EN]
    await emma.says("/cancel")
    assert await emma.taps("Erase my answers") == ["Your answers are erased. /start begins again."]
    assert (await emma.says("/start"))[0].endswith(NAME_EN)


async def test_nothing_is_ticked_beforehand_and_what_is_not_ticked_is_not_agreed_to(town: Town):
    await town.programme()
    emma = town.stranger("Emma", "en")
    await to_the_summary(emma)
    _, card = await emma.taps("Yes, that's right")
    assert "✅" not in card
    await emma.taps("I agree")
    async with town.app.storage.read() as db:
        agreed = await purposes.agreed_to(db, await town.member_of(db, emma))
    assert agreed == {Purpose.EVENTS, Purpose.REMINDERS}


async def test_who_does_not_agree_leaves_nothing_behind(town: Town):
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    await emma.says("Emma Berrada")
    await emma.taps("France")
    await emma.taps("Lyon")
    await emma.taps("Skip")
    # Without any agenda there are no themes to choose from: that question is left out.
    assert (await emma.taps("Skip"))[1].startswith("Question 7 of 7\n")
    summary = (await emma.taps("In the diaspora"))[1]
    await emma.taps("Yes, that's right")
    assert await emma.taps("‹ Back") == [summary]
    await emma.taps("Yes, that's right")
    assert await emma.taps("I don't agree") == [
        "Very well: your answers are erased. You can still read the agenda: /agenda. "
        "If you change your mind, /start begins again."
    ]
    async with town.app.storage.read() as db:
        member = await town.member_of(db, emma)
        assert (member.name, member.city, member.registered_at) == (None, None, None)
        assert await db.scalar(select(func.count()).select_from(Consent)) == 0


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("x" * 81, "That is too long: please keep it under 80 characters."),
        ("🌸🌸🌸", "Please write it in letters."),
        ("\u202e\u200b", "Please write it in letters."),
        ("7", "Please write it in letters."),
        ("/nonsense", "I don't know this command."),
    ],
)
async def test_a_name_that_is_none_is_asked_for_again(town: Town, typed: str, told: str):
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    assert await emma.says(typed) == [f"{told}\n\n{NAME_EN}"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Emma   Berrada ", "Emma Berrada"),
        ("Emma 🌸 Berrada", "Emma Berrada"),
        ("<b>Emma</b> & Co", "<b>Emma</b> & Co"),
        ("Emma \u202eadarreB", "Emma adarreB"),
        ("Anne\nMarie\tB.", "Anne Marie B."),
        ("Zoe\u0308 O'Neil-Ait", "Zoë O'Neil-Ait"),
        ("محمد الأمين", "محمد الأمين"),
    ],
)
async def test_a_name_is_kept_as_it_was_meant(town: Town, typed: str, kept: str):
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    assert await emma.says(typed) == [COUNTRY_EN]
    await emma.taps("France")
    await emma.taps("Lyon")
    await emma.taps("Skip")
    await emma.taps("Skip")
    assert f"\nName: {kept}\n" in (await emma.taps("In the diaspora"))[1]


async def test_what_is_no_text_is_no_answer(town: Town):
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    again = [f"Please answer by writing a short text.\n\n{NAME_EN}"]
    person = emma.person
    assert await emma.after(person.sends_sticker()) == again
    assert await emma.after(person.sends_voice()) == again
    assert await emma.after(person.forwards("Somebody Else", "A friend")) == again
    assert await emma.after(person.sends_document("cv.pdf", b"%PDF-1.7")) == again
    assert await emma.after(person.shares_location()) == again
    assert await emma.says("Emma Berrada") == [COUNTRY_EN]
    assert await emma.says("Atlantis") == [
        "I don't know a country of that name. Please check its spelling.\n\n" + COUNTRY_EN
    ]
    assert await emma.says("المغرب") == [
        "Question 3 of 7\nIn which city? Tap it, or write its name.\n"
        "[Casablanca] [Rabat]\n[Marrakesh] [Fez]\n[Tangier] [Agadir]\n[‹ Back]"
    ]


async def test_an_edited_message_changes_no_answer(town: Town):
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    await emma.says("Emma Berada")
    mine = [m for m in emma.person.chat.messages if not m.outgoing][-1]
    assert await emma.after(emma.person.edits(mine, "Emma Berrada")) == [
        "I only read a message as it was first sent. "
        "To correct an answer, use the buttons or /settings."
    ]


async def test_two_taps_at_once_answer_one_question(town: Town):
    emma = town.stranger("Emma", "en")
    await emma.says("/start")
    await emma.taps("English")
    await emma.says("Emma Berrada")
    countries = emma.last
    emma.person.taps("France", countries)
    assert await emma.taps("Morocco", countries) == [
        "(You have already answered this. You can correct it at the end.)",
        "In which country do you live? Tap it, or write its name.\nFrance",
        CITY_EN,
    ]


async def test_words_where_a_tap_is_asked_for_bring_the_card_again(town: Town):
    await town.programme()
    emma = town.stranger("Emma", "en")
    summary = (await to_the_summary(emma))[1]
    assert await emma.says("yes") == [f"Please tap one of the buttons.\n\n{summary}"]
    card = emma.last
    await emma.taps("Yes, that's right")
    assert (await emma.says("yes"))[0].startswith("Please tap one of the buttons.\n\nOne last")
    assert await emma.after(emma.person.taps_data("right", card)) == ["(This step is behind you.)"]


async def test_a_registered_member_is_welcomed_back(town: Town):
    await town.programme()
    emma = await town.member("Emma", "en")
    (told,) = await emma.says("/start")
    assert told.startswith("Welcome back, Emma!\n\n1st Thematic Workshop of Moroccan Experts")
    (told,) = await emma.says("/start nowhere-2030")
    assert told.startswith(
        "Welcome back, Emma!\n\nI don't know what this link leads to. Here is the agenda.\n\n1st"
    )


async def test_only_private_chats_are_answered(town: Town):
    emma = town.stranger("Emma", "en")
    group = town.sim.group("Diaspora", [emma.person])
    assert await emma.after(emma.person.says("hello everybody", group)) == []
    assert [m.text for m in group.chat.messages if m.outgoing] == []
    async with town.app.storage.read() as db:
        assert await db.scalar(select(func.count()).select_from(Member)) == 0
