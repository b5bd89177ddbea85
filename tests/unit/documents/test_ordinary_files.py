"""What people bring in is read whole, in order, with what the file says about itself."""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from extensions.airoboros_longctx.documents import reading
from extensions.airoboros_longctx.documents.read_document import ReadingCancelledError
from extensions.airoboros_longctx.documents.reading import DocumentReadError, read_document

from .sample_files import write_docx, write_encrypted_pdf, write_epub, write_pdf, write_xlsx


def test_text_is_the_file_as_it_is(tmp_path):
    path = tmp_path / "0a1b"
    path.write_bytes("\ufeffThe harbor is téal.\r\n\r\n  Old.\n".encode())
    read = read_document(path, "The harbor.md")
    assert (read.title, read.text) == ("The harbor", "The harbor is téal.\r\n\r\n  Old.\n")
    assert (read.metadata, read.notes) == ((("file", "The harbor.md"),), ())


@pytest.mark.parametrize("name", ["a.py", "a.rs", "a.json", "a.TXT", "a.sql", "Makefile", "notes.org"])
def test_source_code_is_text(tmp_path, name):
    path = tmp_path / "upload"
    path.write_text("x = 1\n")
    assert read_document(path, name).text == "x = 1\n"


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.csv", 'name,year\n"Smith, Ann",1820\n,\n', "name | year\nSmith, Ann | 1820"),
        ("a.csv", "name;price\nA;1,50\n", "name | price\nA | 1,50"),
        ("a.tsv", "a,b\tc\n1\t2\n", "a,b | c\n1 | 2"),
        ("a.csv", '"two\nlines",b\n', "two lines | b"),
        ("a.csv", 'a,b\n"' + "x" * 200_000, 'a,b\n"' + "x" * 200_000),  # a quote that never closes
    ],
)
def test_tables_of_text_become_rows(tmp_path, name, content, text):
    path = tmp_path / "upload"
    path.write_text(content)
    assert read_document(path, name).text == text


def test_a_pdf_page_by_page_with_its_metadata(tmp_path):
    pytest.importorskip("pypdf")
    info = "/Title (Old harbors) /Author (Ann Smith) /CreationDate (D:20240501120000Z)"
    path = write_pdf(tmp_path / "a.pdf", ["The harbor is old.", "", "It is teal."], info)
    seen = []
    read = read_document(path, "harbors.pdf", progress=lambda *pages: seen.append(pages))
    assert (read.title, read.text) == ("Old harbors", "The harbor is old.\n\nIt is teal.")
    assert read.metadata == (
        ("title", "Old harbors"),
        ("author", "Ann Smith"),
        ("date", "2024-05-01"),
        ("pages", "1-3"),
        ("file", "harbors.pdf"),
    )
    assert read.notes == ("1 of 3 pages hold no text; they may be pictures, such as scans.",)
    assert seen[-1] == (3, 3)
    assert seen == sorted(seen)


def test_a_pdf_that_is_locked_against_editing_only(tmp_path):
    pytest.importorskip("pypdf")
    pytest.importorskip("cryptography")
    assert read_document(write_encrypted_pdf(tmp_path / "a.pdf", ""), "a.pdf").text == "The harbor is old."


def test_an_encrypted_pdf_names_the_package_that_it_needs(tmp_path, monkeypatch):
    pytest.importorskip("pypdf")
    pytest.importorskip("cryptography")
    path = write_encrypted_pdf(tmp_path / "a.pdf", "")
    for package in ("cryptography", "Crypto"):
        (tmp_path / f"{package}.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(DocumentReadError) as error:
        read_document(path, "a.pdf")
    assert str(error.value) == (
        'a.pdf is encrypted, which needs the package cryptography to read: run pip install "cryptography>=42" in the '
        "Python environment of this program, then try again."
    )


@pytest.mark.parametrize(("said", "title"), [("Microsoft Word - lease.doc", "lease.doc"), ("untitled", "a"), ("", "a")])
def test_a_title_that_a_program_made_up(tmp_path, said, title):
    pytest.importorskip("pypdf")
    assert read_document(write_pdf(tmp_path / "a.pdf", ["x"], f"/Title ({said})"), "a.pdf").title == title


def test_the_reader_is_found_whatever_the_extension_is_called(tmp_path):
    """A copy of the folder, imported as a webui imports one, with nothing else of the extension in sys.modules."""
    pytest.importorskip("docx")
    source = Path(reading.__file__).parents[1]
    copy = tmp_path / "user_data" / "extensions" / "longctx_from_git"
    for room in ("core", "documents"):
        shutil.copytree(source / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for package in (copy, *copy.parents[:2]):
        (package / "__init__.py").touch()
    write_docx(tmp_path / "a.docx", ["The harbor is old."])
    script = (
        "from pathlib import Path\n"
        "from user_data.extensions.longctx_from_git.documents.reading import read_document\n"
        "print(read_document(Path('a.docx'), 'a.docx').text)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("The harbor is old.\n", "")


def test_a_document_of_word_in_its_order(tmp_path):
    docx = pytest.importorskip("docx")
    from docx.oxml import parse_xml

    path = tmp_path / "a.docx"
    document = docx.Document()
    document.add_heading("Lease", 1)
    table = document.add_table(2, 2)
    for row, texts in zip(table.rows, [("Rent", "900"), ("Since", "May\n2024")], strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(1, 1).add_table(1, 1).cell(0, 0).text = "inner"
    document.add_paragraph("After\tthe table.")
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    changed = parse_xml(
        f"<w:p {names}><w:ins><w:r><w:t>added </w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>"
    )
    control = parse_xml(
        f"<w:sdt {names}><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    compatibility = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    boxed = "<w:txbxContent><w:p><w:r><w:t>in a box</w:t></w:r></w:p></w:txbxContent>"
    box = parse_xml(
        f'<w:p {names} xmlns:mc="{compatibility}"><w:r><mc:AlternateContent><mc:Choice>{boxed}</mc:Choice>'
        f"<mc:Fallback><w:pict>{boxed}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    document.element.body.insert(-1, changed)
    document.element.body.insert(-1, box)
    document.element.body.insert(-1, control)
    about = document.core_properties
    about.title, about.author, about.modified = "The lease", "Ann Smith", datetime.datetime(2024, 5, 1)
    document.save(str(path))

    read = read_document(path, "lease.docx")
    assert read.text == (
        "Lease\nRent | 900\nSince | May 2024 inner\n\nAfter\tthe table.\nadded kept\n\nin a box\ncontrolled"
    )
    assert read.title == "The lease"
    assert read.metadata == (
        ("title", "The lease"),
        ("author", "Ann Smith"),
        ("date", "2024-05-01"),
        ("file", "lease.docx"),
    )


def test_slides_with_tables_and_notes(tmp_path):
    pptx = pytest.importorskip("pptx")
    path = tmp_path / "a.pptx"
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Harbors", "They are old."
    slide.notes_slide.notes_text_frame.text = "Say it slowly."
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Numbers"
    table = slide.shapes.add_table(1, 2, 0, 0, 9999, 9999).table
    table.cell(0, 0).text, table.cell(0, 1).text = "1820", "teal"
    box = slide.shapes.add_group_shape().shapes.add_textbox(0, 0, 9999, 9999)
    box.text_frame.text = "in a group"
    presentation.core_properties.author = "Ann Smith"
    presentation.save(str(path))

    seen = []
    read = read_document(path, "harbors.pptx", progress=lambda *slides: seen.append(slides))
    assert read.text == "Harbors\nThey are old.\nNotes: Say it slowly.\n\nNumbers\n1820 | teal\nin a group"
    assert read.title == "harbors"
    assert dict(read.metadata)["author"] == "Ann Smith"
    assert dict(read.metadata)["slides"] == "1-2"
    assert seen[-1] == (2, 2)


def test_sheets_under_their_names(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("defusedxml")
    path = tmp_path / "a.xlsx"
    workbook = openpyxl.Workbook()
    first = workbook.active
    first.title = "Rents"
    first.append(["who", "when", "how much"])
    first.append([])
    first.append([None, datetime.datetime(2024, 5, 1), 900.5, None])
    first.append(["two\nlines", datetime.datetime(2024, 5, 1, 12, 30), True])
    workbook.create_sheet("Rest").append([7])
    workbook.properties.creator, workbook.properties.title = "Ann Smith", "All rents"
    workbook.save(path)

    read = read_document(path, "rents.xlsx")
    assert read.text == (
        "Rents\nwho | when | how much\n | 2024-05-01 | 900.5\ntwo lines | 2024-05-01 12:30:00 | True\n\nRest\n7"
    )
    assert dict(read.metadata)["sheets"] == "Rents, Rest"
    assert (read.title, dict(read.metadata)["author"]) == ("All rents", "Ann Smith")


def test_a_book_in_reading_order(tmp_path):
    pytest.importorskip("defusedxml")
    about = "<dc:title>Old harbors</dc:title><dc:creator>Ann Smith</dc:creator><dc:date>2024-05-01T10:00:00Z</dc:date>"
    chapters = {
        "z.xhtml": "<h1>One</h1><p>The harbor is <b>old</b>.<br/>Very.</p><script>no()</script>",
        "a%20b.xhtml": "<p>Two &amp; more</p><table><tr><td>1</td><td>2</td></tr></table>",
    }
    path = write_epub(tmp_path / "a.epub", {"z.xhtml": chapters["z.xhtml"]}, about)
    assert read_document(path, "a.epub").text == "One\nThe harbor is old.\nVery."
    seen = []
    path = write_epub(tmp_path / "b.epub", {"z.xhtml": chapters["z.xhtml"], "a.xhtml": chapters["a%20b.xhtml"]}, about)
    read = read_document(path, "b.epub", progress=lambda *done: seen.append(done))
    assert read.text == "One\nThe harbor is old.\nVery.\n\nTwo & more\n1 | 2"
    assert read.metadata == (
        ("title", "Old harbors"),
        ("author", "Ann Smith"),
        ("date", "2024-05-01"),
        ("file", "b.epub"),
    )
    assert seen[-1] == (2, 2)


def test_the_article_of_a_page(tmp_path):
    pytest.importorskip("trafilatura")
    path = tmp_path / "a.html"
    path.write_text(
        "<html><head><title>Old harbors - The Site</title><meta name=author content='Ann Smith'>"
        "<meta property='article:published_time' content='2024-05-01'>"
        "<link rel=canonical href='https://web.site/harbors'></head>"
        "<body><nav><a href=/>Home</a><a href=/b>Shop</a></nav>"
        "<article><h1>Old harbors</h1><p>The harbor is old. It was built in 1820, and fishermen use it to this day.</p>"
        "<p>It is teal, which nobody can explain, though many have tried it.</p></article>"
        "<footer>All rights reserved</footer><script>steal()</script></body></html>"
    )
    read = read_document(path, "a.html")
    assert "The harbor is old. It was built in 1820, and fishermen use it to this day.\nIt is teal, " in read.text
    assert not any(word in read.text for word in ("Home", "Shop", "rights", "steal"))
    assert read.metadata == (
        ("title", "Old harbors"),
        ("author", "Ann Smith"),
        ("date", "2024-05-01"),
        ("url", "https://web.site/harbors"),
        ("file", "a.html"),
    )


def test_a_page_without_an_article_is_read_whole(tmp_path):
    pytest.importorskip("trafilatura")
    path = tmp_path / "a.html"
    path.write_text("<p>Blueberries are now green.</p><style>p {}</style>")
    read = read_document(path, "a.html")
    assert (read.title, read.text) == ("a", "Blueberries are now green.")


def test_reading_can_be_cancelled(tmp_path):
    pytest.importorskip("pypdf")
    path = write_pdf(tmp_path / "a.pdf", ["The harbor is old."])
    with pytest.raises(ReadingCancelledError) as error:
        read_document(path, "a.pdf", cancelled=lambda: True)
    assert str(error.value) == "a.pdf was not read: it was cancelled."


def test_a_scan_is_said_to_be_one(tmp_path):
    pytest.importorskip("pypdf")
    with pytest.raises(DocumentReadError) as error:
        read_document(write_pdf(tmp_path / "a.pdf", ["", ""]), "a.pdf")
    assert str(error.value) == (
        "a.pdf holds no text, only pictures (2 pages), as scans do; let a program for text recognition (OCR) add a "
        "text layer, then add that file."
    )


def test_what_a_package_would_be_needed_for_says_which(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = tmp_path / "a.docx"
    path.write_bytes(b"PK")
    with pytest.raises(DocumentReadError) as error:
        read_document(path, "a.docx")
    assert str(error.value) == (
        "a.docx was not read. Reading .docx files needs python-docx, which is not installed: run pip install "
        '"python-docx>=1.1,<2" in the Python environment of this program, then try again.'
    )
    path.write_text("text needs none")
    assert read_document(path, "a.txt").text == "text needs none"


def test_a_package_that_is_there_and_broken_is_named(tmp_path, monkeypatch):
    pytest.importorskip("docx")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "docx.py").write_text("raise ImportError('half an installation')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    with pytest.raises(DocumentReadError) as error:
        read_document(write_docx(tmp_path / "a.docx", ["x"]), "a.docx")
    assert str(error.value) == (
        "a.docx was not read, because a package cannot be imported (ImportError: half an installation); run pip "
        'install "python-docx>=1.1,<2" in the Python environment of this program, then try again.'
    )


def test_empty_sheets_are_no_document(tmp_path):
    pytest.importorskip("pptx")
    import pptx

    pptx.Presentation().save(str(tmp_path / "a.pptx"))
    with pytest.raises(DocumentReadError, match=r"^a\.pptx holds no text; something with text is needed\.$"):
        read_document(tmp_path / "a.pptx", "a.pptx")


def test_old_formats_say_what_to_save_them_as(tmp_path):
    pytest.importorskip("openpyxl")
    path = write_xlsx(tmp_path / "a.xlsx", [[1]])
    with pytest.raises(DocumentReadError) as error:
        read_document(path, "a.xls")
    assert str(error.value) == "a.xls is of the type .xls, which is not read; save it as .xlsx and add that."
