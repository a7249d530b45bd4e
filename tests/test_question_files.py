"""Question files in JSONL, CSV and Excel become questions; each complaint names the line."""

import io
import json
import zipfile
from datetime import date, datetime, time, timedelta

import pytest
from openpyxl import Workbook

from utils.documents import Read
from utils.documents.spreadsheet import CellError, shown_as
from utils.errors import CourseError
from utils.handbook import Article, Question
from utils.prompts import ABSTENTION
from utils.question_files import read_question_file

ARTICLES = [Article(name, "T", "", "public", "", "Text.") for name in ("leave", "people/pay", "café")]
HEADER = "question,answer,document\n"


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(tmp_path, content, name="q.csv"):
    return read_question_file(written(tmp_path, name, content), ARTICLES)


def test_a_document_may_be_named_by_its_file_where_the_files_are_known(tmp_path):
    files = [Read("leave.md", "leave", "utf-8"), Read("old/leave.md", "leave", "utf-8"), Read("x|y.md", "café", "")]
    path = written(tmp_path, "q.csv", HEADER + "A?,1,leave.md\nB?,2,old/leave\nC?,3,people/pay\n")
    found = [one.articles for one in read_question_file(path, ARTICLES, files)]
    assert found == [("leave",), ("leave",), ("people/pay",)]
    copy = [*files, Read("old/pay.md", "people/pay", "", own_id="pay-2024")]
    path = written(tmp_path, "q.csv", HEADER + "A?,1,pay-2024\n")
    assert read_question_file(path, ARTICLES, copy)[0].articles == ("people/pay",)
    with pytest.raises(CourseError, match="names the document 'leave.docx', which is not there"):
        read_question_file(written(tmp_path, "q.csv", HEADER + "A?,1,leave.docx\n"), ARTICLES, files)


def refusal(tmp_path, content, name="q.csv"):
    with pytest.raises(CourseError) as caught:
        read(tmp_path, content, name)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence.replace(str(tmp_path), "FOLDER").replace("\\", "/")


def xlsx(rows, formats=()):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for place, style in formats:
        book.active[place].number_format = style
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# Questions


def test_a_csv_file(tmp_path):
    rows = "How long is leave?,25 days,leave\nHow long and how much?,25 days | $5,leave|people/pay\nWhy?,,\n"
    assert read(tmp_path, HEADER + rows) == [
        Question("q-2", "How long is leave?", "plain", ("25 days",), ("leave",), (), "25 days"),
        Question(
            "q-3", "How long and how much?", "two_facts", ("25 days", "$5"), ("leave", "people/pay"), (), "25 days $5"
        ),
        Question("q-4", "Why?", "unanswerable", (), (), (), ABSTENTION),
    ]


def test_a_jsonl_file(tmp_path):
    rows = [
        {"id": "a", "text": "How long?", "values": ["25 days"], "articles": ["leave"], "category": "jargon", "x": {}},
        {"question": "How much | many?", "answer": 5, "document": "people/pay", "audience": "staff"},
        {"question": "Why?", "answer": None},
    ]
    found = read(tmp_path, "\n\n".join(map(json.dumps, rows)), "q.jsonl")
    assert [(one.id, one.category, one.values, one.articles, one.audience) for one in found] == [
        ("a", "jargon", ("25 days",), ("leave",), "public"),
        ("q-3", "plain", ("5",), ("people/pay",), "staff"),
        ("q-5", "unanswerable", (), (), "public"),
    ]
    assert found[1].text == "How much | many?"
    assert not found[2].answerable


def test_an_excel_file(tmp_path):
    rows = [
        ["Question", "Answer", "Document", "Note"],
        ["How long?", "25 days", "leave", "x"],
        [],
        ["Why?", None, None],
    ]
    found = read(tmp_path, xlsx(rows), "q.xlsx")
    assert [(one.id, one.text, one.values) for one in found] == [
        ("q-2", "How long?", ("25 days",)),
        ("q-4", "Why?", ()),
    ]


def test_a_number_of_jsonl_stays_as_it_is_written(tmp_path):
    line = '{"question": "How much?", "answer": [12.50, 1e6, 007.5], "document": "leave"}'
    (question,) = read(tmp_path, line.replace("007.5", "30"), "q.jsonl")
    assert question.values == ("12.50", "1e6", "30")


def test_half_a_character_becomes_a_whole_one(tmp_path):
    (question,) = read(
        tmp_path, '{"question": "Price \\ud83d?", "answer": "\\ud83d\\ude00", "document": "leave"}', "q.jsonl"
    )
    assert question.text.encode() and question.values == ("\U0001f600",)


def test_the_course_s_own_questions_read_the_same(tmp_path):
    from utils.datasets import load_articles, load_questions
    from utils.paths import DATASETS

    path = DATASETS / "questions" / "dev.jsonl"
    assert read_question_file(path, load_articles()) == load_questions("dev")


@pytest.mark.parametrize(
    "content",
    [
        "question;answer;document\nHow, long?;2,5 days;leave\n".encode("utf-8-sig"),
        "question\tanswer\tdocument\nHow, long?\t2,5 days\tleave\n".encode("utf-16"),
        b'sep=;\r\nquestion;answer;document\r\n"How, long?";2,5 days;leave\r\n',
        b'\n"Question(s)",Answers,DOCUMENTS\n"How, long?","2,5 days",leave\n',
    ],
)
def test_separators_and_marks(tmp_path, content):
    (question,) = read(tmp_path, content)
    assert (question.text, question.values, question.articles) == ("How, long?", ("2,5 days",), ("leave",))


def test_a_file_from_windows(tmp_path):
    content = (HEADER + "How much is it – “today”?,5 €,café\n").encode("cp1252")
    assert read(tmp_path, content)[0].values == ("5 €",)


@pytest.mark.parametrize("name", ["people/pay", "people\\pay", "people/pay.md", "./people/pay.docx"])
def test_a_document_is_named_by_id_or_file(tmp_path, name):
    assert read(tmp_path, f"{HEADER}Q?,A,{name}\n")[0].articles == ("people/pay",)


def test_a_document_with_another_form_of_accents(tmp_path):
    assert read(tmp_path, f"{HEADER}Q?,A,cafe\u0301\n")[0].articles == ("café",)


def test_a_document_named_twice_counts_once(tmp_path):
    assert read(tmp_path, f"{HEADER}Q?,A|B,leave|leave.md\n")[0].articles == ("leave",)


def test_a_question_over_several_lines(tmp_path):
    found = read(tmp_path, HEADER + '"How\nlong?",A,leave\nQ?,B,leave\n')
    assert [(one.id, one.text) for one in found] == [("q-2", "How\nlong?"), ("q-4", "Q?")]


# What is refused


def test_a_missing_file_and_another_kind(tmp_path):
    with pytest.raises(CourseError, match="is missing: check its path"):
        read_question_file(tmp_path / "q.csv", ARTICLES)
    assert refusal(tmp_path, "", "q.doc") == (
        "The question file FOLDER/q.doc is of no known kind: save it as .jsonl, .csv or .xlsx."
    )


def test_a_file_that_may_not_be_opened_says_what_to_check(tmp_path, monkeypatch):
    path = written(tmp_path, "q.csv", HEADER)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(CourseError) as caught:
        read_question_file(path, ARTICLES)
    assert str(caught.value) == (
        f"The question file {path} cannot be read (Permission denied): close it in other programs, and check who may "
        "read it."
    )


@pytest.mark.parametrize(("name", "content"), [("q.csv", HEADER), ("q.jsonl", "\n"), ("q.csv", "")])
def test_a_file_without_questions(tmp_path, name, content):
    assert "has no question: write one on each line." in refusal(tmp_path, content, name)


def test_a_missing_column(tmp_path):
    assert refusal(tmp_path, "question,anwser,document\nQ?,A,leave\n") == (
        "Line 1 of FOLDER/q.csv has no column 'answer': name the columns question, answer and document."
    )
    assert refusal(tmp_path, '{"question": "Q?", "anwser": "A"}', "q.jsonl").startswith(
        "Line 1 of FOLDER/q.jsonl has no column 'answer'"
    )


def test_two_columns_for_one_thing(tmp_path):
    assert refusal(tmp_path, "question,text,answer,document\n") == (
        "Line 1 of FOLDER/q.csv has two columns for the question: keep one."
    )


def test_a_document_that_is_not_there_gets_a_suggestion(tmp_path):
    assert refusal(tmp_path, f"{HEADER}Q?,A,leave\nHow long?,A,peple/pay\n") == (
        "Line 3 of FOLDER/q.csv names the document 'peple/pay', which is not there (did you mean 'people/pay'?): "
        "fix 'How long?'."
    )
    assert "did you mean" not in refusal(tmp_path, f"{HEADER}Q?,A,zzz\n")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",A,leave", "has no question: write one, or delete the line."),
        ("Q?,A,", "names no document: write the id of the one that has the answer."),
        ("Q?, | ,leave", "names a document and has no answer: write the answer, or delete the document."),
        ("Q?,A,leave,B", "has more cells than the header: put text with separators in quotes."),
    ],
)
def test_a_row_that_is_wrong(tmp_path, row, said):
    assert refusal(tmp_path, HEADER + row) == f"Line 2 of FOLDER/q.csv {said}"


@pytest.mark.parametrize(
    ("category", "said"),
    [
        ("plian", "has the category 'plian' (did you mean 'plain'?): write one of plain, paraphrase"),
        ("unanswerable", "has the category 'unanswerable' and an answer: change one of them."),
    ],
)
def test_a_category_that_is_wrong(tmp_path, category, said):
    content = f"question,answer,document,category\nQ?,A,leave,{category}\n"
    assert f"Line 2 of FOLDER/q.csv {said}" in refusal(tmp_path, content)


def test_an_id_that_occurs_twice(tmp_path):
    content = "id,question,answer,document\na,Q?,A,leave\nb,Q?,A,leave\na,R?,A,leave\n"
    assert refusal(tmp_path, content) == "Lines 2 and 4 of FOLDER/q.csv share the id 'a': give each one."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not JSON: write one object such as {...} on each line."),
        ("[" * 100_000, "is not JSON"),
        ("[1]", "is no object: write fields such as question and answer in braces."),
        ('{"question": "Q?", "answer": {"a": 1}}', "has no usable 'answer': write text, a number or a list of them."),
        ('{"question": "Q?", "answer": true}', "has no usable 'answer'"),
    ],
)
def test_a_line_that_is_no_question(tmp_path, line, said):
    good = '{"question": "Q?", "answer": "A", "document": "leave"}\n'
    assert f"Line 2 of FOLDER/q.jsonl {said}" in refusal(tmp_path, good + line, "q.jsonl")


def test_quotes_that_do_not_close(tmp_path):
    assert refusal(tmp_path, HEADER + 'Q?,A,leave\n"R?,A,leave\n').startswith("Line 3 of FOLDER/q.csv is not CSV")


def test_a_binary_file(tmp_path):
    assert (
        refusal(tmp_path, b"\x89PNG\r\n\x1a\n\0")
        == "The question file FOLDER/q.csv is not plain text: save it in UTF-8."
    )


# Excel


def test_cells_read_as_they_are_shown(tmp_path):
    values = [0.15, 1234.5, date(2026, 3, 1), 25.0, True, 0.1 + 0.2, 7]
    rows = [["question", "answer", "document"], *(["Q?", value, "leave"] for value in values)]
    styles = ["0%", '#,##0.00" km"', "dd.mm.yyyy", "General", "General", "General", "000"]
    content = xlsx(rows, [(f"B{at}", style) for at, style in enumerate(styles, start=2)])
    shown = [one.values[0] for one in read(tmp_path, content, "q.xlsx")]
    assert shown == ["15%", "1,234.50 km", "01.03.2026", "25", "TRUE", "0.3", "007"]


@pytest.mark.parametrize(
    ("value", "style", "shown"),
    [
        (5, "General", "5"),
        (1e12, "General", "1000000000000"),
        (0.125, "0.0%", "12.5%"),
        (2.5, "0", "3"),
        (-3, "0", "-3"),
        (-3, "0;(0)", "(3)"),
        (3.10, "0.##", "3.1"),
        (3, "0.##", "3"),
        (20, "[$£-809]#,##0.00", "£20.00"),
        (1234.5, "#,##0.00\\ [$€-407]", "1,234.50 €"),
        (12, '"Room 0"0', "Room 012"),
        (1234, "_-* #,##0_-;[Red]-* #,##0_-", "1,234"),
        (5, "@", "5"),
        (12345, "0.00E+00", "1.23E+04"),
        (datetime(2026, 3, 1), "dd/mm/yy", "01/03/26"),
        (datetime(2026, 3, 1), "d mmmm yyyy", "1 March 2026"),
        (datetime(2026, 3, 1), 'dddd", the "d', "Sunday, the 1"),
        (datetime(2026, 3, 1, 15, 4), "yyyy-mm-dd hh:mm", "2026-03-01 15:04"),
        (datetime(2026, 3, 1, 15, 4), "h:mm AM/PM", "3:04 PM"),
        (time(9, 30), "h:mm", "9:30"),
        (time(0, 5, 30), "mm:ss", "05:30"),
        (datetime(2026, 3, 1, 14, 5, 9), "m:ss", "5:09"),
        (datetime(2026, 3, 1, 14, 5, 9), "d.m. h:m:ss", "1.3. 14:5:09"),
        (datetime(2026, 3, 1), "mmmmm", "M"),
        (0, '0.00;(0.00);"free"', "free"),
        (0, "0.00;(0.00)", "0.00"),
        (-3, '0;"none"', "none"),
        (date(2026, 3, 1), "General", "2026-03-01"),
        (0, '_(* #,##0.00_);_(* \\(#,##0.00\\);_(* "-"??_);_(@_)', "-"),
        (0, '_-[$€-2]* #,##0_-;-[$€-2]* #,##0_-;_-[$€-2]* "-"??_-', "€-"),
        (0, "0", "0"),
        ("text", "0%", "text"),
    ],
)
def test_a_value_in_its_format(value, style, shown):
    assert shown_as(value, style) == shown


@pytest.mark.parametrize(
    ("value", "style"),
    [
        (datetime(2026, 3, 1), "mm-dd-yy"),  # what Excel stores for "as the reader's computer writes a date"
        (datetime(2026, 3, 1, 15, 4), "m/d/yy h:mm"),
        (datetime(2026, 3, 1), "[$-F800]dddd\\, mmmm dd\\, yyyy"),
        (time(9, 30), "[$-x-systime]h:mm:ss AM/PM"),
        (0.5, "# ?/?"),
        (1.25, "# ??/100"),
        (timedelta(hours=30), "[h]:mm"),
        (timedelta(hours=30), "General"),
        (time(9, 30), "[h]:mm"),
        (1.25, "[mm]"),
        (123456789, "000-00-0000"),
        (5551234567, "[<=9999999]###-####;(###) ###-####"),
        (12500000, '0.0,,"M"'),
        (1234567, "#,##0,"),
    ],
)
def test_a_format_that_cannot_be_shown_exactly_is_refused(value, style):
    with pytest.raises(CellError, match="^the cell's format cannot be shown exactly, so format it as text$"):
        shown_as(value, style)


@pytest.mark.parametrize(
    ("value", "style"), [(date(2026, 3, 1), "mm-dd-yy"), (0.5, "# ?/?"), (timedelta(hours=30), "[h]:mm")]
)
def test_a_cell_in_such_a_format_is_named_by_its_row(tmp_path, value, style):
    content = xlsx([["question", "answer", "document"], ["Q?", value, "leave"]], [("B2", style)])
    assert refusal(tmp_path, content, "q.xlsx") == (
        "Row 2 of FOLDER/q.xlsx: the cell's format cannot be shown exactly, so format it as text."
    )


def with_result(content, result):
    """An Excel file whose only formula has a stored result, as spreadsheet programs write it."""
    copy = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                assert text.count(b"<v />") + text.count(b"<v></v>") == 1
                text = text.replace(b"<v />", result).replace(b"<v></v>", result)
            new.writestr(name, text)
    return copy.getvalue()


FORMULA = [["question", "answer", "document"], ["Q?", "=5*5", "leave"]]


def test_a_formula_is_its_result(tmp_path):
    content = with_result(xlsx(FORMULA, [("B2", '0" days"')]), b"<v>25</v>")
    assert read(tmp_path, content, "q.xlsx")[0].values == ("25 days",)


def test_a_formula_without_a_result_is_no_empty_answer(tmp_path):
    assert refusal(tmp_path, xlsx(FORMULA), "q.xlsx") == (
        "Row 2 of FOLDER/q.xlsx: a formula has no result, so open the file in a spreadsheet program and save it."
    )


def test_a_cell_with_an_error_is_named(tmp_path):
    rows = [["question", "answer", "document"], ["Q?", "#REF!", "leave"]]
    assert refusal(tmp_path, xlsx(rows), "q.xlsx") == (
        "Row 2 of FOLDER/q.xlsx: a cell shows the error #REF!, so fix its formula."
    )


def test_a_damaged_excel_file_and_a_bomb(tmp_path):
    assert refusal(tmp_path, b"PK no zip", "q.xlsx").startswith(
        "The question file FOLDER/q.xlsx cannot be read as xlsx"
    )
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<a>" + " " * 120_000_000 + "</a>")
    assert "unpacks to more than 100 MB" in refusal(tmp_path, bomb.getvalue(), "q.xlsx")


def test_a_sheet_with_a_cell_far_away_takes_no_long_time(tmp_path):
    book = Workbook()
    for row in FORMULA[:1] + [["Q?", "A", "leave"]]:
        book.active.append(row)
    book.active["XFD90000"] = "far"
    book.save(tmp_path / "q.xlsx")
    assert len(read_question_file(tmp_path / "q.xlsx", ARTICLES)) == 1
