"""Where the learner's progress and measurements are, whatever the variables say."""

from pathlib import Path

import pytest

from utils import personal_files
from utils.errors import CourseError
from utils.paths import ROOT, SOLUTIONS
from utils.personal_files import ledger_file


@pytest.mark.parametrize("variable, function", [("COURSE_PROGRESS", "progress_file"), ("COURSE_LEDGER", "ledger_file")])
def test_personal_files_follow_their_variable(monkeypatch, tmp_path, variable, function):
    monkeypatch.setenv(variable, str(tmp_path / "mine.json"))
    assert getattr(personal_files, function)() == tmp_path / "mine.json"
    monkeypatch.setenv(variable, "~/mine.json")
    assert getattr(personal_files, function)() == Path.home() / "mine.json"
    monkeypatch.setenv(variable, "~no-such-user/mine.json")
    with pytest.raises(CourseError, match=f"{variable} names a folder of a user"):
        getattr(personal_files, function)()
    monkeypatch.delenv(variable)
    default = getattr(personal_files, function)()
    assert default.is_absolute() and default.parent.name == "finetune-or-rag" and default.suffix == ".json"


@pytest.mark.parametrize("variable, function", [("COURSE_PROGRESS", "progress_file"), ("COURSE_LEDGER", "ledger_file")])
def test_a_relative_name_means_the_same_file_from_every_folder(monkeypatch, tmp_path, variable, function):
    monkeypatch.setenv(variable, "mine/mine.json")
    found = []
    for folder in (tmp_path, ROOT, SOLUTIONS):
        monkeypatch.chdir(folder)
        found.append(getattr(personal_files, function)())
    assert found == [ROOT / "mine" / "mine.json"] * 3


class TestTheLedgerOfAnotherModel:
    @pytest.fixture(autouse=True)
    def plain(self, monkeypatch, tmp_path):
        monkeypatch.setenv("COURSE_LEDGER", str(tmp_path / "ledger.json"))
        for name in (*personal_files.OTHER_MODELS, "COURSE_SHARE"):
            monkeypatch.delenv(name, raising=False)
        self.folder, self.set = tmp_path, monkeypatch.setenv

    def test_the_course_s_own_model_keeps_the_plain_name(self):
        assert ledger_file() == self.folder / "ledger.json"
        self.set("COURSE_MODEL", "qwen3")  # of a server that is not asked
        self.set("COURSE_GENERATOR", " ")
        assert ledger_file() == self.folder / "ledger.json"

    def test_each_model_has_its_own(self):
        names = [("smollm2", ""), ("../models/x", ""), ("http://127.0.0.1/v1", "a"), ("http://127.0.0.1/v1", "b")]
        files = []
        for generator, model in names:
            self.set("COURSE_GENERATOR", generator)
            self.set("COURSE_MODEL", model)
            files.append(ledger_file())
        assert len(set(files)) == 4 and {file.parent for file in files} == {self.folder}
        assert files[0].name.startswith("ledger-smollm2-") and all(file.suffix == ".json" for file in files)

    @pytest.mark.parametrize(
        ("one", "other"), [("smollm2", "SmolLM2 "), ("http://127.0.0.1/v1", "http://127.0.0.1/v1/")]
    )
    def test_one_model_has_one(self, one, other):
        self.set("COURSE_GENERATOR", one)
        first = ledger_file()
        self.set("COURSE_GENERATOR", other)
        assert ledger_file() == first
        assert ledger_file(own=True) == self.folder / "ledger.json"

    def test_a_model_on_a_server_makes_no_other_of_a_loaded_one(self):
        self.set("COURSE_GENERATOR", "smollm2")
        first = ledger_file()
        self.set("COURSE_MODEL", "qwen3")
        assert ledger_file() == first

    def test_another_embedder_has_its_own(self):
        self.set("COURSE_EMBEDDER", "some/embedder")
        assert ledger_file().name.startswith("ledger-embedder-")

    def test_a_share_of_the_questions_has_its_own(self):
        self.set("COURSE_SHARE", "0.1")
        tenth = ledger_file()
        assert tenth.name.startswith("ledger-share-") and ledger_file(own=True) == self.folder / "ledger.json"
        self.set("COURSE_GENERATOR", "smollm2")
        assert ledger_file().name.startswith("ledger-smollm2-")
        of_smollm2 = ledger_file()
        self.set("COURSE_SHARE", "0.10")
        assert ledger_file() == of_smollm2
        self.set("COURSE_SHARE", "1")
        assert ledger_file() not in (tenth, of_smollm2)

    @pytest.mark.parametrize("address", ["https://me:SECRET@host/v1", "https://host/v1?key=SECRET"])
    def test_no_part_of_an_address_is_in_the_name(self, address):
        self.set("COURSE_GENERATOR", address)
        assert "SECRET" not in ledger_file().name.upper()
