"""Places: in which zone a city's day is, and what that zone is called.

Countries and cities come from CLDR (through Babel): the zones of each country, and the city that
each zone is named after, in our three languages. CLDR doesn't tell where most people of a large
country live, nor which other cities share a zone; the two small tables here do.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone_location

from handlers.words import LOCALES, Html, Words, country_named
from storage.folding import folded

# Where most people live in countries of several zones.
LARGEST = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CD": "Africa/Kinshasa",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PS": "Asia/Hebron",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
}
# Cities that no zone is named after and whose zone isn't their country's largest; "" where their
# country has but one, or none is told.
CITIES = {
    "CA": {
        "America/Edmonton": "Calgary, كالغاري, Red Deer, Lethbridge",
        "America/Halifax": "Charlottetown, Sydney",
        "America/Moncton": "Fredericton, Saint John, Dieppe, Bathurst",
        "America/Vancouver": "Victoria, Surrey, Burnaby, Richmond, Kelowna",
        "America/Regina": "Saskatoon",
        "America/Winnipeg": "Saint-Boniface, Brandon",
    },
    "ES": {"Atlantic/Canary": "Las Palmas, Las Palmas de Gran Canaria, Tenerife, Lanzarote"},
    "PT": {"Atlantic/Azores": "Ponta Delgada", "Atlantic/Madeira": "Funchal"},
    "US": {
        "America/Chicago": "Houston, Dallas, Austin, San Antonio, New Orleans, Minneapolis, "
        "Saint Louis, Milwaukee, Nashville, هيوستن, دالاس",
        "America/Denver": "Salt Lake City, Albuquerque, Colorado Springs",
        "America/Los_Angeles": "San Francisco, San Diego, San Jose, Seattle, Portland, Las Vegas, "
        "Sacramento, سان فرانسيسكو, سياتل",
        "America/Phoenix": "Tucson, Mesa",
    },
    "AU": {"Australia/Sydney": "Canberra"},
    "": {
        "Africa/Casablanca": "Rabat, الرباط, Marrakech, Marrakesh, مراكش, Fès, Fez, فاس, Tanger, "
        "Tangier, طنجة, Agadir, أكادير, Oujda, وجدة, Meknès, Meknes, مكناس",
        "America/Toronto": "Montréal, مونتريال, Ottawa, أوتاوا, Québec, كيبيك, Laval, Gatineau",
        "America/New_York": "Washington, واشنطن, Boston, بوسطن, Philadelphia, Atlanta, Miami",
        "Europe/Paris": "Lyon, ليون, Marseille, مرسيليا, Toulouse, تولوز, Lille, ليل, Bordeaux, "
        "Strasbourg, Montpellier, مونبلييه, Nantes, Nice, Rennes, Grenoble",
        "Europe/Brussels": "Anvers, Antwerpen, Liège, Gand, Charleroi",
        "Europe/Madrid": "Barcelone, Barcelona, برشلونة, Valence, Séville, Málaga",
        "Europe/Rome": "Milan, Milano, ميلانو, Turin, Torino, Bologne, Naples",
        "Europe/Amsterdam": "Rotterdam, La Haye, Den Haag, Utrecht, Eindhoven",
        "Europe/Berlin": "Francfort, Frankfurt, Cologne, Köln, Munich, München, Düsseldorf, "
        "Hambourg, Hamburg, Stuttgart",
        "Asia/Dubai": "Abou Dabi, Abu Dhabi, أبو ظبي",
    },
}


def zone_of(country: str | None, city: str | None) -> str | None:
    """Guess the IANA zone of a city; None where nothing is known of it or its country."""
    code = country or ""
    listed: list[str] = get_global("territory_zones").get(code) or []
    zones = [zone for zone in listed if _exists(zone)]
    wanted = folded(city or "")
    for zone in (*zones, *CITIES.get(code, {})):
        if wanted and wanted in _names(zone) | _table(code).get(zone, frozenset()):
            return zone
    if code in LARGEST:
        return LARGEST[code]
    return zones[0] if len(zones) == 1 else None


def zone_named(typed: str) -> str | None:
    """The zone of a place anywhere: a large city, or a country, in any of our languages."""
    wanted = folded(typed)
    if not wanted:
        return None
    for table in map(_table, CITIES):
        for zone, cities in table.items():
            if wanted in cities:
                return zone
    for zone in _all_zones():
        if wanted in _names(zone):
            return zone
    country = country_named(typed)
    return zone_of(country, None) if country else None


def zone_title(words: Words, zone: str, now: datetime) -> Html:
    """A zone as people know it, by its city, with the time it is there."""
    return words(
        "{city} ({time})", city=city_of(words, zone), time=words.clock(now, ZoneInfo(zone))
    )


def city_of(words: Words, zone: str) -> str:
    """The city that a zone is named after."""
    return get_timezone_location(zone, locale=words.locale, return_city=True)


@cache
def _all_zones() -> tuple[str, ...]:
    zones = sorted(get_global("zone_territories"))
    return tuple(zone for zone in zones if "/" in zone and _exists(zone))


@cache
def _exists(zone: str) -> bool:
    """CLDR and the installed zones come in different versions."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError):
        return False
    return not zone.startswith("Etc/")


@cache
def _names(zone: str) -> frozenset[str]:
    """What the city of a zone is called in each language."""
    locales = (Locale.parse(locale) for locale in LOCALES.values())
    cities = {get_timezone_location(zone, locale=one, return_city=True) for one in locales}
    return frozenset(map(folded, cities | {zone.rpartition("/")[2]}))


@cache
def _table(country: str) -> Mapping[str, frozenset[str]]:
    listed = CITIES.get(country, {})
    return {
        zone: frozenset(folded(city) for city in cities.split(","))
        for zone, cities in listed.items()
    }
