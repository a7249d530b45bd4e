"""Passages follow a document's structure, fit the embedder, and lose no word."""

import re
import subprocess
import sys
import time
from collections import Counter

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from utils.documents import passages_of
from utils.documents.chunks import MIN_TOKENS
from utils.documents.headings import plain, split_heading
from utils.errors import CourseError
from utils.handbook import Article, Passage
from utils.paths import ROOT
from utils.retrieval import passage_text


def count(text):
    """Words and single signs, as a simple tokenizer counts them; each character of Chinese or Japanese is one."""
    return len(re.findall(r"[a-zA-Z0-9]+|\S", text))


def article(text, title="Benefits"):
    return Article("a", title, "people", "staff", "2026-03-01", text)


def passages(text, tokens=64, title="Benefits", counting=count):
    found = passages_of(article(text, title), counting, tokens)
    assert max(counting(passage_text(passage)) for passage in found) <= tokens
    return found


def texts(text, tokens=64, **more):
    return [passage.text for passage in passages(text, tokens, **more)]


def without_spaces(text):
    return "".join(text.split())


# Passages


def test_a_passage_carries_what_its_article_has():
    assert passages("Leave is 25 days.") == [
        Passage("a#1", "a", "Benefits", "Leave is 25 days.", "people", "staff", "2026-03-01")
    ]


def test_the_ids_count_from_one():
    found = passages("# A\n\nOne.\n\n# B\n\nTwo.")
    assert [passage.id for passage in found] == ["a#1", "a#2"]


def test_a_title_or_an_abbreviation_is_no_end_of_a_sentence():
    found = texts("Please bring these papers to Dr. Smith, and ask in room No. 12. " * 6, tokens=24)
    assert len(found) > 2 and not any(text.endswith(("Dr.", "No.")) for text in found)


@pytest.mark.parametrize("text", ["", " \n\n", "---\n\n***\n"])
def test_an_article_without_text_is_named(text):
    with pytest.raises(CourseError, match=r"The article 'a' has no text: write some, or leave it out\."):
        passages_of(article(text), count, 64)


def test_a_size_without_room_is_refused():
    with pytest.raises(ValueError, match="16 tokens or more, not 15"):
        passages_of(article("Text."), count, MIN_TOKENS - 1)
    with pytest.raises(ValueError, match="no room"):
        passages_of(article("Text."), lambda text: 99, 64)


def test_nothing_here_imports_torch():
    code = "import sys, utils.documents; print('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout == "False\n"


# Headings


def test_headings_become_the_path_of_every_passage():
    leave = "Each parent takes time off after a birth or an adoption. " * 20
    found = passages(f"Intro.\n\n## Parental leave\n\n{leave}\n### Pay\n\nFull pay.\n\n## Pension\n\nFive percent.")
    titles = [passage.title for passage in found]
    assert titles[0] == "Benefits"
    assert titles[1:-2] == ["Benefits › Parental leave"] * (len(titles) - 3) and len(titles) > 5
    assert titles[-2:] == ["Benefits › Parental leave › Pay", "Benefits › Pension"]


def test_underlined_headings_count_too():
    assert [passage.title for passage in passages("Leave\n=====\n\nText.\n\nPay\n---\n\nMore.")] == [
        "Benefits › Leave",
        "Benefits › Leave › Pay",
    ]


def test_a_heading_that_repeats_the_title_is_said_once():
    assert passages("# Benefits\n\n## Leave\n\nText.")[0].title == "Benefits › Leave"


def test_a_heading_in_code_is_none():
    assert [passage.title for passage in passages("```sh\n# Install\nmake\n```")] == ["Benefits"]


def test_a_heading_loses_its_marks():
    (passage,) = passages("## The **long** [leave](leave.md) of `staff` ## \n\nText.")
    assert passage.title == "Benefits › The long leave of staff"
    assert plain("Leave {#leave}") == "Leave"


def test_a_heading_with_very_many_spaces_takes_no_long_time():
    before = time.process_time()
    assert plain(f"Pay{' ' * 32_000}and leave #") == "Pay and leave"
    assert plain("Pay" + " \t" * 16_000 + "{#pay}") == "Pay"
    assert time.process_time() - before < 2


def test_a_heading_with_nothing_below_is_found_all_the_same():
    found = passages("## Leave\n\n### Days\n\n## Pay\n\nFull.")
    assert [(passage.title, passage.text) for passage in found] == [
        ("Benefits › Leave › Days", "Days"),
        ("Benefits › Pay", "Full."),
    ]


def test_a_path_that_is_too_long_keeps_its_ends_and_its_words():
    middle = "a very long heading about many things " * 3
    (first, *_) = found = passages(f"# {middle}\n\n## Pay\n\nFull pay.", tokens=24)
    assert first.title == "Benefits › … › Pay"
    assert without_spaces(middle) in without_spaces("".join(passage.text for passage in found))


def test_the_first_heading_is_told_from_rules_and_lists():
    assert split_heading("Leave\n---\nText.") == ("Leave", "Text.")
    assert split_heading("# Leave #\n\nText.") == ("Leave", "Text.")
    assert split_heading("- Leave\n---\nText.") == ("", "- Leave\n---\nText.")
    assert split_heading("#leave is a tag.") == ("", "#leave is a tag.")


# Blocks

TABLE = "| Country | Weeks |\n|---|---|\n" + "".join(f"| Country {n} | {n} |\n" for n in range(40))


def test_a_table_keeps_its_header_row_in_every_piece():
    found = texts(f"## Leave\n\n{TABLE}")
    assert len(found) > 3
    assert all(text.startswith("| Country | Weeks |\n|---|---|\n| Country ") for text in found)
    assert "".join(text.split("|---|---|\n")[1] + "\n" for text in found) == TABLE.split("|---|---|\n")[1]


def test_a_row_that_is_too_long_names_the_columns_of_its_cells():
    long = "It is paid in full for the first month. " * 4
    found = texts(f"| Country | Note |\n|---|---|\n| France | {long}|\n| Spain | Short. |", tokens=40)
    assert all(text.startswith("| Country | Note |\n|---|---|\n") for text in found)
    assert "Country: France\nNote: It is paid" in found[0]
    assert found[-1].endswith("| Spain | Short. |")


def test_a_row_with_an_empty_first_cell_keeps_its_columns():
    long = "Paid in full. " * 12
    found = texts(f"| a | b |\n|---|---|\n|| {long}|", tokens=30)
    assert "b: Paid" in found[0] and not any("a: Paid" in text for text in found)


@pytest.mark.parametrize("before", ["Please note:\n\n", ""])
def test_a_table_of_a_header_row_alone_is_text(before):
    long = " ".join(["You get 25 days."] * 60)
    found = texts(f"{before}| {long} |\n|---|\n", tokens=40)
    assert sum(text.count("25") for text in found) == 60


@pytest.mark.parametrize("blank", ["\u00a0", "\f", "\u3000"])
def test_a_line_that_only_looks_empty_is_empty(blank):
    (found,) = texts(f"You need:\n\n{blank}\n\n- One day\n")
    assert found == "You need:\n\n- One day"
    assert "B" in " ".join(texts(f"# A\n\nText.\n\n# B\n\n{blank}\n"))


def test_code_stays_whole_where_it_fits():
    code = "```py\nfor day in week:\n\n    # a comment\n    print(day)\n```"
    found = texts(f"{'Words before. ' * 12}\n\n{code}\n\n{'Words after. ' * 12}", tokens=48)
    assert sum(code in text for text in found) == 1


def test_code_that_is_too_long_is_cut_between_lines_and_keeps_its_fences():
    lines = [f"    total = total + {n}" for n in range(40)]
    found = texts("~~~py\n" + "\n".join(lines) + "\n~~~")
    assert len(found) > 3
    assert all(text.startswith("~~~py\n    total") and text.endswith("\n~~~") for text in found)
    assert [line for text in found for line in text.split("\n")[1:-1]] == lines


def test_a_list_keeps_the_sentence_that_leads_to_it_in_every_piece():
    items = "".join(f"- Bring document number {n}.\n" for n in range(30))
    found = texts(f"{'Write to us early. ' * 10}You need these things:\n\n{items}")
    assert found[0] == ("Write to us early. " * 10).strip()
    assert len(found) > 3
    assert all(text.startswith("You need these things:\n\n- Bring") for text in found[1:])


def test_a_lead_in_that_is_too_long_to_repeat_stays_with_the_first_item():
    lead = " ".join(["word"] * 30)
    items = "".join(f"- Bring document number {n}.\n" for n in range(30))
    found = texts(f"{'Before. ' * 20}\n\n{lead}\n\n{items}")
    assert f"{lead}\n\n- Bring document number 0." in found[1]


def test_an_item_that_is_too_long_is_cut_along_its_own_structure():
    inner = "".join(f"  | {n} | Country {n} |\n" for n in range(20))
    item = f"- See the table:\n\n  | Weeks | Country |\n  |---|---|\n{inner}\n  Done."
    found = texts(f"{item}\n- Short.")
    assert len(found) > 2
    assert all("| Weeks | Country |\n|---|---|\n" in text for text in found[:-1])
    assert found[-1].endswith("- Short.")


def test_a_small_list_is_not_torn_from_its_paragraph():
    text = "Take leave early. You need:\n\n1. a passport\n2. a letter\n   - signed\n\nSend it."
    assert texts(text) == [text]


def test_wrapped_lines_are_joined_and_hard_breaks_are_kept():
    assert texts("Leave is\n25 days\nfor all.  \nAsk\\\nus.") == ["Leave is 25 days for all.  \nAsk\\\nus."]
    assert texts("休暇は\n二十日です。") == ["休暇は二十日です。"]


def test_definitions_of_links_and_footnotes_are_text():
    assert "[^1]: Free." in texts("Leave is free[^1].\n\n[^1]: Free.")[0]


@pytest.mark.parametrize(
    "text", ["休暇は二十日です。申請は二週間前です。" * 40, "员工每年有二十天假期" * 80, "x" * 500]
)
def test_text_without_spaces_is_bounded_and_whole(text):
    found = texts(text, tokens=32, counting=len)
    assert "".join(found) == text
    assert min(map(len, found[:-1])) > 8


def test_japanese_sentences_are_cut_at_their_ends():
    found = texts("休暇は二十日です。申請は二週間前です。" * 10)
    assert all(text.endswith("。") for text in found) and len(found) > 3


def test_a_family_of_emoji_is_one_character():
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    found = texts(family * 30, tokens=32, counting=len)
    assert {len(text) % len(family) for text in found} == {0}


def test_a_deep_quotation_does_no_harm():
    assert "deep" in "".join(texts(">" * 5000 + " deep", tokens=200))


def test_a_long_text_takes_no_long_time():
    """40,000 words: a cutter that counts the whole rest for each passage would need minutes."""
    spent = 0

    def counting(text):
        nonlocal spent
        spent += len(text)
        return count(text)

    text = "The office opens at nine and closes at five. " * 4_500
    assert len(passages_of(article(text), counting, 128)) > 300
    assert spent < 40 * len(text)


# Whatever the document

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking such documents takes minutes
WORDS = st.from_regex(r"[a-z]{1,12}[0-9]{0,3}", fullmatch=True) | st.sampled_from(
    ["休暇は二十日です。", "naïve", "§4.2"]
)
LINES = st.lists(WORDS, min_size=1, max_size=25).map(" ".join)
PARAGRAPHS = st.lists(LINES, min_size=1, max_size=4).map("\n".join)
LISTS = st.tuples(st.sampled_from(["- ", "1. ", "* "]), st.lists(LINES, min_size=1, max_size=6)).map(
    lambda made: "\n".join(made[0] + line for line in made[1])
)
NESTED = st.lists(LINES, min_size=2, max_size=5).map(lambda made: "\n  - ".join([f"- {made[0]}", *made[1:]]))
TABLES = st.lists(st.tuples(LINES, LINES), min_size=1, max_size=6).map(
    lambda rows: "\n".join(["| left | right |", "|---|---|", *(f"| {one} | {two} |" for one, two in rows)])
)
CODE = st.lists(LINES, min_size=1, max_size=8).map(lambda made: "\n".join(["```py", *made, "```"]))
QUOTES = PARAGRAPHS.map(lambda made: "> " + made.replace("\n", "\n> "))
HEADINGS = st.tuples(st.integers(1, 4), LINES).map(lambda made: f"{'#' * made[0]} {made[1]}")
DOCUMENTS = st.lists(
    PARAGRAPHS | LISTS | NESTED | TABLES | CODE | QUOTES | HEADINGS | LINES.map(lambda line: f"{line}:"),
    min_size=1,
    max_size=8,
).map("\n\n".join)


def words_in(text):
    """How often each word and each Chinese or Japanese character occurs."""
    return Counter(re.findall(r"[a-z0-9]+|[^\W_a-z0-9]", text))


@settings(max_examples=80, phases=PHASES)
@given(text=DOCUMENTS, tokens=st.integers(MIN_TOKENS, 120))
def test_no_passage_is_too_long_and_no_word_is_lost(text, tokens):
    found = passages_of(article(text, "On leave"), count, tokens)
    assert max(count(passage_text(passage)) for passage in found) <= tokens
    assert words_in(text) - words_in("\n".join(map(passage_text, found))) == Counter()


@settings(max_examples=60, phases=PHASES)
@given(text=st.text(min_size=1, max_size=300), tokens=st.integers(MIN_TOKENS, 60))
def test_any_text_at_all_is_bounded(text, tokens):
    try:
        found = passages_of(article(text), lambda text: len(text.encode()) // 3, tokens)
    except CourseError:
        assert not words_in(text)
        return
    assert max(len(passage_text(passage).encode()) // 3 for passage in found) <= tokens
