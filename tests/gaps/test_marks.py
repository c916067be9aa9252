"""What a question names, and what only looks like a name."""

import pytest

from rag_service.gaps.marks import codes_of, names_of, numbers_of


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("How much is the Pro plan?", {"pro"}),
        ("How do I pay with PayPal?", {"paypal"}),
        ("is my iPhone supported", {"iphone"}),
        ("Can I export it as CSV?", {"csv"}),
        ("Do you ship to Canada? Is it quick?", {"canada"}),
        ("Does it work in Zürich and in Bern?", {"zurich", "bern"}),
        ("how much is the pro plan", set()),
        ("I think I am lost, what can I do?", set()),
        ("HOW DO I RESET MY PASSWORD", set()),
        ("How Do I Reset My Password?", set()),
        ("Wie setze ich mein Passwort zurück?", set()),
        ("Wann kommt meine Rechnung als PDF?", {"pdf"}),
        ("", set()),
    ],
)
def test_names_are_words_with_a_capital_that_means_something(question, names):
    assert names_of(question) == names


def test_codes_have_one_spelling():
    assert codes_of("error ax-1005-b") == codes_of("What is AX1005B?") != ""
    assert codes_of("error E42") != codes_of("error E43")
    assert codes_of("what is an error") == ""


def test_numbers_are_marks_in_any_script():
    assert numbers_of("room 12 and room 7") == {"12", "7"}
    assert numbers_of("room \uff11\uff12") == {"12"}
