"""Any folder of Markdown or text becomes articles; what cannot be read is refused in one sentence."""

import pytest

from utils.datasets import load_articles
from utils.documents import MAX_MEGABYTES, read_folder
from utils.errors import CourseError
from utils.paths import DATASETS


def write(folder, texts):
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def refusal(folder):
    with pytest.raises(CourseError) as caught:
        read_folder(folder)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence.replace(str(folder), "FOLDER").replace("\\", "/")


def test_the_handbook_reads_as_its_own_loader_reads_it():
    assert read_folder(DATASETS / "handbook") == load_articles()


def test_front_matter_is_optional(tmp_path):
    write(tmp_path, {"trips/canal_walk.md": "# The canal walk\r\n\r\nIt takes two hours.\r\nBring water.\r\n"})
    (article,) = read_folder(tmp_path)
    assert (article.id, article.title, article.section) == ("trips/canal_walk", "The canal walk", "trips")
    assert (article.audience, article.valid_from) == ("public", "")
    assert article.text == "It takes two hours.\nBring water."


def test_a_text_file_is_named_by_its_file(tmp_path):
    write(tmp_path, {"opening_hours.txt": "# is no heading here."})
    (article,) = read_folder(tmp_path)
    assert (article.title, article.section, article.text) == ("Opening hours", "", "# is no heading here.")


def test_front_matter_goes_first_and_may_be_partial(tmp_path):
    write(
        tmp_path,
        {"a.md": "---\nid: 7\ntitle: Hours\nvalid_from: 2026-03-01\ntags: [x]\naudience: staff\n---\n# Open\nAt 9."},
    )
    (article,) = read_folder(tmp_path)
    assert (article.id, article.title, article.valid_from, article.audience) == ("7", "Hours", "2026-03-01", "staff")
    assert article.text == "# Open\nAt 9."


@pytest.mark.parametrize("text", ["---\nJust a rule above.\n---\nAnd below.", "---\nOne rule only."])
def test_a_rule_is_not_front_matter(tmp_path, text):
    write(tmp_path, {"a.md": text})
    assert read_folder(tmp_path)[0].text == text


def test_empty_front_matter_and_a_byte_order_mark_do_no_harm(tmp_path):
    write(tmp_path, {"a.md": "\ufeff---\n---\nText."})
    assert read_folder(tmp_path)[0].text == "Text."


def test_articles_come_in_the_order_of_their_ids_from_every_depth(tmp_path):
    write(tmp_path, {"b.md": "B.", "c/d/e.TXT": "E.", "a.markdown": "A.", "z.png": b"\x89PNG", "f.MD": "F."})
    write(tmp_path, {".git/x.md": "hidden", "c/.y.md": "hidden"})
    assert [article.id for article in read_folder(tmp_path)] == ["a", "b", "c/d/e", "f"]


def test_a_path_may_be_text(tmp_path, monkeypatch):
    write(tmp_path, {"docs/a.md": "A."})
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # the name on Windows
    wanted = read_folder(tmp_path / "docs")
    assert read_folder(str(tmp_path / "docs")) == read_folder("~/docs") == wanted


def test_values_are_kept_as_they_are_written(tmp_path):
    write(tmp_path, {"a.md": "---\nid: 012\ntitle: No\nsection: 1.0\nvalid_from: 2026-03-01\n---\nText."})
    (article,) = read_folder(tmp_path)
    assert (article.id, article.title, article.section, article.valid_from) == ("012", "No", "1.0", "2026-03-01")


def test_blank_lines_above_front_matter_do_no_harm(tmp_path):
    write(tmp_path, {"a.md": "\n\n---\naudience: managers\n---\nText."})
    assert read_folder(tmp_path)[0].audience == "managers"


# What is refused


def test_a_missing_folder_and_a_file(tmp_path):
    assert refusal(tmp_path / "gone") == "The folder FOLDER does not exist: check its path."
    write(tmp_path, {"a.md": "A."})
    assert refusal(tmp_path / "a.md") == "FOLDER is a file, not a folder: name the folder that contains it."


def test_an_empty_folder(tmp_path):
    write(tmp_path, {"picture.png": b"\x89PNG"})
    assert refusal(tmp_path) == "The folder FOLDER has no .md or .txt file: put at least one into it."


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", "café".encode("latin-1"), "text".encode("utf-16"), b"a\0b"])
def test_a_binary_file(tmp_path, content):
    write(tmp_path, {"a.md": "A.", "b.txt": content})
    assert refusal(tmp_path) == (
        "The file FOLDER/b.txt is not plain text in UTF-8: save it as such, or take it out of the folder."
    )


@pytest.mark.parametrize("content", ["", " \n\t\n", "---\ntitle: A\n---\n", "# Only a heading\n"])
def test_an_article_without_text(tmp_path, content):
    write(tmp_path, {"a.md": content})
    assert refusal(tmp_path) == "The file FOLDER/a.md has no text: write some, or take it out of the folder."


def test_an_article_of_50_megabytes_is_refused_unread(tmp_path):
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(50_000_000)
    assert refusal(tmp_path) == (
        "The file FOLDER/a.txt has 50 MB, and one article may have 5 MB: split it, or take it out of the folder."
    )
    assert MAX_MEGABYTES == 5


def test_an_unreadable_file(tmp_path):
    write(tmp_path, {"a.md": "A."})
    try:
        (tmp_path / "b.md").symlink_to(tmp_path / "gone")
    except OSError:
        pytest.skip("this system makes no links")
    assert refusal(tmp_path) == (
        "The file FOLDER/b.md cannot be read (No such file or directory): fix that, or take it out of the folder."
    )


def test_two_files_with_one_id(tmp_path):
    write(tmp_path, {"a.md": "A.", "b.md": "---\nid: a\n---\nB."})
    assert refusal(tmp_path) == "FOLDER/a.md and FOLDER/b.md share the id 'a': give each its own."


def test_two_endings_of_one_name(tmp_path):
    write(tmp_path, {"a.md": "A.", "a.txt": "B."})
    assert "share the id 'a'" in refusal(tmp_path)


@pytest.mark.parametrize("block", ["title: 'open", "- a\n- b", "[" * 5000, "title: A\naudience:managers"])
def test_broken_front_matter(tmp_path, block):
    write(tmp_path, {"a.md": f"---\n{block}\n---\nText."})
    assert refusal(tmp_path) == (
        "The front matter of FOLDER/a.md cannot be read: fix the lines between its two --- lines, or delete them."
    )


def test_an_audience_that_nobody_knows(tmp_path):
    write(tmp_path, {"a.md": "---\naudience: everyone\n---\nText."})
    assert refusal(tmp_path) == "The audience of FOLDER/a.md is 'everyone': write one of public, staff, managers."


@pytest.mark.parametrize(
    ("written", "meant"), [("manager", "managers"), ("Managers", "managers"), ("staf", "staff"), ("publik", "public")]
)
def test_a_misspelt_audience_gets_a_suggestion(tmp_path, written, meant):
    write(tmp_path, {"a.md": f"---\naudience: {written}\n---\nText."})
    assert refusal(tmp_path) == (
        f"The audience of FOLDER/a.md is {written!r} (did you mean {meant!r}?): write one of public, staff, managers."
    )


@pytest.mark.parametrize("name", ["Audience", "audiance", "audiences", "audience "])
def test_a_misspelt_audience_field_does_not_make_an_article_public(tmp_path, name):
    write(tmp_path, {"a.md": f"---\n'{name}': managers\n---\nText."})
    assert refusal(tmp_path) == f"The front matter of FOLDER/a.md has a field {name!r}: name it 'audience'."


@pytest.mark.parametrize(
    "text",
    [
        "---\naudience: managers\nNever closed.",
        "---\naudience:managers\n---\nText.",
        "---\naudience:\n---\nText.",
    ],
)
def test_an_audience_that_cannot_be_read_does_not_make_an_article_public(tmp_path, text):
    write(tmp_path, {"a.md": text})
    assert refusal(tmp_path) == (
        "The audience of FOLDER/a.md cannot be read: write a line such as `audience: staff` between two --- lines at "
        "the top, or delete the line."
    )


def test_an_audience_below_the_front_matter_is_text(tmp_path):
    write(tmp_path, {"a.md": "---\ntitle: A\n---\nAudience: all who hike."})
    assert read_folder(tmp_path)[0].audience == "public"


@pytest.mark.parametrize(("field", "value"), [("id", "[a, b]"), ("title", "{a: 1}"), ("audience", "[staff]")])
def test_a_field_that_is_a_list_is_named(tmp_path, field, value):
    write(tmp_path, {"a.md": f"---\n{field}: {value}\n---\nText."})
    assert refusal(tmp_path) == f"The {field} of FOLDER/a.md is a list or has fields of its own: write one value."


@pytest.mark.parametrize("value", ["2026-02-31", "March 2026", "20260301", "2026-3-1"])
def test_a_date_that_is_none_is_named(tmp_path, value):
    write(tmp_path, {"a.md": f"---\nvalid_from: {value}\n---\nText."})
    assert refusal(tmp_path) == f"The valid_from of FOLDER/a.md is {value!r}: write a date such as 2026-03-01."


@pytest.mark.parametrize("name", ["\0", "~nobody-at-all/docs"])
def test_names_that_cannot_be_a_folder(name):
    assert "does not exist" in refusal(name)
