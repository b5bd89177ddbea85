"""Files made for the tests: PDFs by hand, e-books with zipfile, the others with the libraries that read them."""

from __future__ import annotations

import zipfile
from pathlib import Path

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""


def pdf_bytes(pages: list[str], info: str = "") -> bytes:
    """A PDF with one line of ASCII text on each page; a page with "" has no text. ``info`` is its dictionary."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    numbers = [4 + 2 * number for number in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for number, text in zip(numbers, pages, strict=True):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode() if text else b""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {number + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream")
    objects.append(f"<< {info} >>".encode())
    return _numbered(objects)


def _numbered(objects: list[bytes]) -> bytes:
    content = b"%PDF-1.4\n"
    places = []
    for number, written in enumerate(objects, 1):
        places.append(len(content))
        content += f"{number} 0 obj\n".encode() + written + b"\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    return (
        content
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\n"
            f"startxref\n{len(content)}\n%%EOF"
        ).encode()
    )


def write_pdf(path: Path, pages: list[str], info: str = "") -> Path:
    path.write_bytes(pdf_bytes(pages, info))
    return path


def write_encrypted_pdf(path: Path, password: str) -> Path:
    import pypdf

    plain = write_pdf(path.with_name("plain.pdf"), ["The harbor is old."])
    writer = pypdf.PdfWriter(clone_from=plain)
    writer.encrypt(password, "the owner's", algorithm="AES-256")
    with path.open("wb") as file:
        writer.write(file)
    return path


def write_epub(path: Path, chapters: dict[str, str], about: str = "", doctype: str = "") -> Path:
    """``chapters`` are file names and bodies in reading order; the archive holds them in the opposite one."""
    items = "".join(f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in chapters)
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    package = (
        f'<?xml version="1.0"?>{doctype}<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">{about}</metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/book.opf", package)
        for name, body in reversed(chapters.items()):
            archive.writestr(f"OEBPS/{name}", f"<html><head><title>t</title></head><body>{body}</body></html>")
    return path


def write_docx(path: Path, paragraphs: list[str]) -> Path:
    import docx

    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    document.save(str(path))
    return path


def write_xlsx(path: Path, rows: list[list[object]]) -> Path:
    import openpyxl

    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)
    return path


def with_member(path: Path, name: str, content: bytes, replace: bool = False) -> Path:
    """The archive at ``path`` with one more member, or another content for one."""
    with zipfile.ZipFile(path) as archive:
        kept = {member: archive.read(member) for member in archive.namelist() if member != name}
        assert replace == (name in archive.namelist())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**kept, name: content}.items():
            archive.writestr(member, data)
    return path


def write_bomb(path: Path, name: str, mebibytes: int) -> Path:
    """One more member of zeros in the archive at ``path``, a thousandth of its size when packed."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as member:
        for _ in range(mebibytes):
            member.write(bytes(1 << 20))
    return path
