"""Cities as people type them: "Lyon", "lyon" and "ليون" are one.

A member's city is kept as typed, and folded (`storage/folding.py`). Folding can't know that two
scripts, or two languages, name the same place; the table here does, for the cities where most of
our members live. It is looked up when a rule is read, never when a city is written, so that it may
grow without anything being written again.
"""

from collections.abc import Iterable, Mapping
from functools import cache

from storage.folding import folded

# The width of the column `member.city_folded`, in characters: folding may lengthen a word.
LENGTH = 80
# The names of each city, the first one as most members write it.
NAMES = (
    # France
    "Paris, باريس",
    "Lyon, ليون, Lyons",
    "Marseille, مرسيليا, مارسيليا, مارسيي, Marseilles",
    "Toulouse, تولوز",
    "Lille, ليل",
    "Bordeaux, بوردو",
    "Strasbourg, ستراسبورغ, Straßburg, Strassburg",
    "Montpellier, مونبلييه, مونبيلييه",
    "Nantes, نانت",
    "Nice, نيس",
    "Rennes, رين",
    "Grenoble, غرونوبل",
    "Orléans, أورليان",
    "Dijon, ديجون",
    "Saint-Étienne, Saint Etienne, St Etienne, St-Étienne, سانت إتيان",
    "Villeurbanne, فيلوربان",
    "Saint-Denis, Saint Denis, St Denis, سان دوني",
    "Clermont-Ferrand, كليرمون فيران",
    "Mulhouse, مولوز",
    "Nîmes, نيم",
    # Morocco
    "Rabat, الرباط, رباط, ⵔⴱⴰⵟ",
    "Casablanca, الدار البيضاء, الدارالبيضاء, كازابلانكا, Casa, Dar el Beida",
    "Marrakech, مراكش, Marrakesh, Marrakch",
    "Fès, فاس, Fez, Fes",
    "Tanger, طنجة, Tangier, Tangiers, Tánger",
    "Agadir, أكادير, أغادير",
    "Oujda, وجدة",
    "Meknès, مكناس, Meknes",
    "Tétouan, تطوان, Tetouan, Tetuán",
    "Salé, سلا",
    "Kénitra, القنيطرة, قنيطرة, Kenitra",
    "Nador, الناظور, الناضور",
    "Al Hoceïma, الحسيمة, Al Hoceima, Hoceima, Alhucemas",
    "Béni Mellal, بني ملال, Beni Mellal",
    "Khouribga, خريبكة",
    "El Jadida, الجديدة",
    "Safi, آسفي, أسفي",
    "Laâyoune, العيون, Laayoune, El Aaiún",
    "Essaouira, الصويرة, Mogador",
    "Errachidia, الرشيدية",
    "Ouarzazate, ورزازات",
    # Belgium, the Netherlands, Germany, Luxembourg, Switzerland
    "Bruxelles, بروكسل, بروكسيل, Brussels, Brussel, Brüssel",
    "Anvers, أنتويرب, أنفرس, Antwerpen, Antwerp",
    "Liège, لييج, Luik, Liege",
    "Gand, غنت, Gent, Ghent",
    "Charleroi, شارلروا",
    "Amsterdam, أمستردام",
    "Rotterdam, روتردام",
    "La Haye, لاهاي, Den Haag, The Hague",
    "Utrecht, أوتريخت, أوترخت",
    "Berlin, برلين",
    "Francfort, فرانكفورت, Frankfurt, Frankfurt am Main, Francfort-sur-le-Main",
    "Düsseldorf, دوسلدورف, Duesseldorf",
    "Cologne, كولونيا, Köln, Koeln",
    "Munich, ميونخ, ميونيخ, München, Muenchen",
    "Hambourg, هامبورغ, Hamburg",
    "Luxembourg, لوكسمبورغ, Luxemburg",
    "Genève, جنيف, Geneva, Genf",
    "Zurich, زيورخ, زوريخ, Zürich",
    # Spain, Portugal, Italy
    "Madrid, مدريد",
    "Barcelone, برشلونة, Barcelona",
    "Valence, بلنسية, فالنسيا, Valencia, València",
    "Séville, إشبيلية, Sevilla, Seville",
    "Malaga, مالقة, ملقة, Málaga",
    "Almeria, ألمرية, المرية, Almería",
    "Murcie, مرسية, Murcia",
    "Lisbonne, لشبونة, Lisboa, Lisbon",
    "Rome, روما, Roma",
    "Milan, ميلانو, Milano",
    "Turin, تورينو, Torino",
    "Bologne, بولونيا, Bologna",
    "Naples, نابولي, Napoli",
    # Elsewhere
    "Londres, لندن, London",
    "Manchester, مانشستر",
    "Copenhague, كوبنهاغن, København, Copenhagen",
    "Stockholm, ستوكهولم",
    "Oslo, أوسلو",
    "Vienne, فيينا, Wien, Vienna",
    "Montréal, مونتريال, مونريال, Montreal",
    "Québec, كيبيك, كيبك, Quebec",
    "Ottawa, أوتاوا",
    "Toronto, تورونتو",
    "New York, نيويورك, New York City, NYC",
    "Washington, واشنطن, Washington DC",
    "Boston, بوسطن",
    "Tunis, تونس العاصمة",
    "Alger, الجزائر العاصمة, Algiers",
    "Dakar, داكار",
    "Abidjan, أبيدجان",
    "Le Caire, القاهرة, Cairo",
    "Doubaï, دبي, Dubai, Dubaï",
    "Abou Dabi, أبو ظبي, أبوظبي, Abu Dhabi",
    "Doha, الدوحة",
    "Riyad, الرياض, Riyadh, Riad",
    "Djeddah, جدة, Jeddah",
    "Istanbul, إسطنبول, اسطنبول",
)


def key(city: str) -> str:
    """A city as `member.city_folded` holds it."""
    return folded(city)[:LENGTH].strip()


def names_of(city: str) -> frozenset[str]:
    """All the names, folded, of the city that is called so; that name alone if no other is known."""
    wanted = key(city)
    return _by_name().get(wanted, frozenset({wanted}))


def is_in(city: str, cities: Iterable[str]) -> bool:
    """Whether a city, however it is written, is one of these."""
    return not names_of(city).isdisjoint(map(key, cities))


def one_name(city: str) -> str:
    """The one folded name that stands for all the names of a city."""
    return min(names_of(city))


@cache
def _by_name() -> Mapping[str, frozenset[str]]:
    groups = [frozenset(key(name) for name in names.split(",")) for names in NAMES]
    return {name: names for names in groups for name in names}
