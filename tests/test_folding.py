"""Words made comparable, in the three languages and whatever else people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.folding import folded, searchable, shapes


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Économie  sociale", "economie sociale"),
        ("Côte d'Ivoire", "cote d ivoire"),
        ("STRASSE Straße", "strasse strasse"),
        ("Œuvres, Kärtchen, Łódź", "oeuvres kartchen lodz"),
        ("الرَّبَاط", "الرباط"),
        ("إدارة، أمل، آمال", "اداره امل امال"),
        ("الطـــاقة", "الطاقه"),
        ("على مستوى", "علي مستوي"),
        ("مؤسسة بيئية", "موسسه بيييه"),
        ("۲۰۲۶ ٢٠٢٦", "2026 2026"),
        ("م\u200cن", "من"),
        ("Royaume-Uni_2", "royaume uni 2"),
        ("100%_\\", "100"),
        ("!?", ""),
    ],
)
def test_text_is_folded_to_compare_it(text, plain):
    assert folded(text) == plain


@given(st.text())
def test_what_is_folded_stays_as_it_is(text):
    plain = folded(text)
    assert folded(plain) == plain
    assert plain == " ".join(plain.split())
    assert all(char.isalnum() or char == " " for char in plain)


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        ("energie", ["energie"]),
        ("الطاقه", ["الطاقه", "طاقه"]),
        ("والطاقه", ["والطاقه", "طاقه"]),
        ("للمغرب", ["للمغرب", "مغرب"]),
        ("وتنميه", ["وتنميه", "تنميه"]),
        ("الف", ["الف"]),
        ("ورد", ["ورد"]),
    ],
)
def test_what_arabic_writes_onto_a_word_may_be_left_out(word, forms):
    assert list(shapes(word)) == forms


def test_a_session_is_found_by_every_language_of_its_parts():
    assert (
        searchable(
            {"fr": "L'énergie", "ar": "الطاقة", "en": "Energy"},
            ["Salma Idrissi"],
            [{"fr": "Recherche", "ar": "البحث", "en": "Research"}],
            None,
        )
        == " l energie الطاقه طاقه energy \n salma idrissi \n recherche البحث بحث research \n  "
    )
