"""Web pages: what is fetched, from where, and everything a hostile server or name could do about it."""

from __future__ import annotations

import datetime
import gzip
import socket
import ssl
import sys
import threading
import time
import tracemalloc

import pytest

from extensions.airoboros_longctx.documents import download as download_module
from extensions.airoboros_longctx.documents.download import PUBLIC_INTERNET, Network, download
from extensions.airoboros_longctx.documents.public_address import is_public_address
from extensions.airoboros_longctx.documents.read_document import DocumentReadError, ReadingCancelledError
from extensions.airoboros_longctx.documents.web_page import fetch_document

from .sample_files import pdf_bytes
from .web_server import SERVER, page, redirect, serving

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no second address of its own to serve from")


def fetched(answer, path="/harbors.txt", **options):
    with serving(answer) as server:
        return fetch_document(f"http://web.test:{server.port}{path}", network=server.network(**options)), server


def refusal(answer, path="/", **options):
    with serving(answer) as server:
        with pytest.raises(DocumentReadError) as error:
            fetch_document(f"http://web.test:{server.port}{path}", network=server.network(**options))
        return str(error.value).replace(f":{server.port}", ""), server


def test_a_text_with_the_address_it_came_from():
    read, server = fetched(page(b"The harbor is old."), "/old/The%20harbor?x=1#part")
    assert (read.title, read.text) == ("The harbor", "The harbor is old.")
    assert read.metadata == (("url", f"http://web.test:{server.port}/old/The%20harbor?x=1"),)
    assert server.asked == [(f"web.test:{server.port}", "/old/The%20harbor?x=1")]
    assert not {"Cookie", "Authorization", "Referer"} & set(server.headers[0])


def test_an_article_with_its_title():
    pytest.importorskip("trafilatura")
    html = (
        "<html><head><title>Old harbors</title><meta name=author content='Ann Smith'>"
        "<link rel=canonical href='https://elsewhere.example/a'></head><body><article><h1>Old harbors</h1>"
        "<p>The harbor is téal. It was built in 1820, and fishermen use it to this day.</p></article></body></html>"
    )
    read, server = fetched(page(html.encode("cp1252"), "text/html; charset=windows-1252"), "/a")
    assert "The harbor is téal. It was built" in read.text
    assert read.title == "Old harbors"
    assert read.metadata == (
        ("title", "Old harbors"),
        ("author", "Ann Smith"),
        ("url", f"http://web.test:{server.port}/a"),
    )


@pytest.mark.parametrize(
    ("content_type", "path"), [("application/pdf", "/get?id=7"), ("application/octet-stream", "/a.pdf")]
)
def test_a_pdf_by_its_type_or_by_its_ending(content_type, path):
    pytest.importorskip("pypdf")
    read, _ = fetched(page(pdf_bytes(["The harbor is old."]), content_type), path)
    assert read.text == "The harbor is old."
    assert dict(read.metadata)["pages"] == "1"
    assert "file" not in dict(read.metadata)


@pytest.mark.parametrize(
    ("charset", "text"), [("koi8-r", "Привет"), ("punycode", "abc"), ("zip", "abc"), ("nonsense", "abc")]
)
def test_the_encoding_that_the_server_names(charset, text):
    content = text.encode("koi8-r")
    assert fetched(page(content, f"text/plain; charset={charset}"))[0].text == text


def test_a_packed_page():
    packed = gzip.compress(b"The harbor is old.")
    assert fetched(page(packed, Content_Encoding="gzip"))[0].text == "The harbor is old."


def test_redirects_are_followed_and_the_last_address_is_kept():
    def answer(handler):
        if handler.path == "/harbors":
            redirect("/old?page=2", 301)(handler)
        elif handler.path.startswith("/old"):
            redirect(f"//web.test:{handler.server.server_port}/new.txt", 308)(handler)
        else:
            page(b"The harbor is old.")(handler)

    read, server = fetched(answer, "/harbors")
    assert [target for _, target in server.asked] == ["/harbors", "/old?page=2", "/new.txt"]
    assert read.metadata == (("url", f"http://web.test:{server.port}/new.txt"),)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "169.254.169.254",
        "2130706433",
        "0177.0.0.1",
        "0x7f000001",
        "[::ffff:127.0.0.1]",
        "localhost",
    ],
)
@pytest.mark.parametrize("straight", [True, False], ids=["straight", "redirected"])
def test_no_address_of_the_inside_is_opened(host, straight, monkeypatch):
    connected = []
    real = socket.create_connection
    monkeypatch.setattr(
        download_module.socket, "create_connection", lambda to, *rest: connected.append(to[0]) or real(to, *rest)
    )
    with serving(redirect(f"http://{host}/latest/meta-data")) as server:
        url = f"http://{host}/latest" if straight else f"http://web.test:{server.port}/"
        with pytest.raises(DocumentReadError, match="is not on the public internet; only public pages are read"):
            fetch_document(url, network=PUBLIC_INTERNET if straight else server.network())
    assert connected == ([] if straight else [SERVER])


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "javascript:alert(1)", "ftp://web.test/", "gopher://web.test/"]
)
def test_a_redirect_to_something_else_than_a_page(location):
    said, _ = refusal(redirect(location))
    assert said == f"{location} is no web address; one that begins with http:// or https:// is needed."


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "data:text/plain,x"])
def test_something_else_than_a_page(url):
    with pytest.raises(DocumentReadError) as error:
        fetch_document(url)
    assert str(error.value) == f"{url} is no web address; one that begins with http:// or https:// is needed."


def test_the_address_that_was_checked_is_the_one_that_is_connected_to():
    """A name that leads somewhere else when it is asked for again is not asked again."""
    asked = []

    def rebinding(host, port, **_):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (SERVER if len(asked) == 1 else "127.0.0.1", port))]

    read, server = fetched(page(b"from the checked one"), resolve=rebinding)
    assert read.text == "from the checked one"
    assert asked == ["web.test"]
    assert len(server.asked) == 1


def test_every_redirect_is_checked_anew():
    asked = []

    def rebinding(host, port, **_):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (SERVER if len(asked) == 1 else "127.0.0.1", port))]

    said, server = refusal(redirect("/again"), resolve=rebinding)
    assert said.startswith("The host web.test has the address 127.0.0.1, which is not on the public internet")
    assert asked == ["web.test", "web.test"]
    assert len(server.asked) == 1


def test_an_address_that_does_not_answer_is_followed_by_the_next_checked_one():
    def two(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in ("127.0.0.10", SERVER)]

    read, _ = fetched(page(b"text"), resolve=two, is_allowed=lambda one: one in ("127.0.0.10", SERVER))
    assert read.text == "text"


def test_a_loop_of_redirects_ends():
    said, server = refusal(redirect("/"))
    assert said == (
        "http://web.test/ was reached after 5 redirects and leads further; the address of the page itself is needed."
    )
    assert len(server.asked) == 6


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_proxies_are_ignored(proxy, monkeypatch):
    monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    assert fetched(page(b"text"))[0].text == "text"


def test_more_than_may_be_sent():
    said, _ = refusal(page(bytes(3 << 20)), most_bytes=2 << 20)
    assert said == "http://web.test/ has more than 2 MiB; save the part you need as a file and add that."


def test_a_gzip_bomb_is_not_unpacked():
    packed = gzip.compress(bytes(300 << 20), 9)
    tracemalloc.start()
    try:
        said, _ = refusal(page(packed, Content_Encoding="gzip"), most_bytes=2 << 20)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert said == "http://web.test/ has more than 2 MiB; save the part you need as a file and add that."
    assert peak_bytes < 16 << 20


def test_a_packing_that_was_not_asked_for():
    said, _ = refusal(page(b"x", Content_Encoding="br"))
    assert said == "http://web.test/ came packed as br, which was not asked for; try again."


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b"x")
        time.sleep(0.1)


def drip_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(600):
        handler.wfile.write(f"X-{number}: x\r\n".encode())
        time.sleep(0.1)


@pytest.mark.parametrize("answer", [drip, drip_headers])
def test_a_slow_drip_ends_with_the_time_for_all_of_it(answer):
    said, _ = refusal(answer, seconds=1)
    assert (
        said == "http://web.test/ did not arrive within 1 seconds; try again, or save the page as a file and add that."
    )


def test_a_name_server_that_never_answers():
    def resolve(*_, **__):
        time.sleep(5)
        return []

    with pytest.raises(DocumentReadError, match=r"did not arrive within 0\.5 seconds"):
        download("http://web.test/", network=Network(resolve=resolve, seconds=0.5))


def test_a_download_can_be_cancelled():
    with serving(drip) as server, pytest.raises(ReadingCancelledError) as error:
        fetch_document(
            f"http://web.test:{server.port}/", cancelled=lambda: bool(server.asked), network=server.network()
        )
    assert str(error.value) == f"http://web.test:{server.port}/ was not read: it was cancelled."


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            lambda handler: handler.send_error(404),
            "http://web.test/ answered 404 Not Found; a page that can be read without signing in is needed.",
        ),
        (
            page(b"x", "image/png"),
            "http://web.test/ holds image/png; a web page, text, PDF, .docx, .pptx, .xlsx or .epub is needed.",
        ),
        (
            page(b"x", ""),
            "http://web.test/ holds something of no stated type; a web page, text, PDF, .docx, .pptx, .xlsx or .epub "
            "is needed.",
        ),
        (
            lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n"),
            "http://web.test/ gave an answer that is broken or was cut short (BadStatusLine); try again.",
        ),
        (
            lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"),
            "http://web.test/ gave an answer that is broken or was cut short (IncompleteRead); try again.",
        ),
        (
            page(gzip.compress(b"The harbor is old." * 999)[:40], Content_Encoding="gzip"),
            "http://web.test/ gave an answer that is broken or was cut short (IncompleteRead); try again.",
        ),
        (
            lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 100_000),
            "http://web.test/ gave an answer that is broken or was cut short (LineTooLong); try again.",
        ),
        (page(b" "), "http://web.test/ holds no text; something with text is needed."),
        (
            page(b"\0\1"),
            "http://web.test/ is not text (it holds zero bytes); text is needed, or the ending of a name that says "
            "what it is.",
        ),
    ],
)
def test_what_a_server_can_answer_instead_of_a_page(answer, sentence):
    assert refusal(answer)[0] == sentence


def test_a_port_where_nobody_listens():
    with serving(page(b"")) as server:
        pass
    with pytest.raises(DocumentReadError, match=r"could not be reached \(Connection refused\); try again later\.$"):
        fetch_document(f"http://web.test:{server.port}/", network=server.network())


def certificate(folder, host):
    """A certificate for ``host``, signed by itself, and its key."""
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.mark.parametrize(
    ("host", "trusted", "why"),
    [
        ("web.test", True, ""),
        ("web.test", False, "CERTIFICATE_VERIFY_FAILED"),
        ("other.test", True, "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_certificates_are_verified_for_the_name_in_the_address(tmp_path, host, trusted, why):
    path = certificate(tmp_path, host)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)

    def client():
        context = ssl.create_default_context()
        if trusted:
            context.load_verify_locations(path)
        return context

    with serving(page(b"text"), tls) as server:
        url = f"https://web.test:{server.port}/"
        if not why:
            assert fetch_document(url, network=server.network(tls=client)).text == "text"
            return
        with pytest.raises(DocumentReadError) as error:
            fetch_document(url, network=server.network(tls=client))
        assert str(error.value) == (
            f"{url} has no certificate that can be trusted, or speaks no TLS ({why}); save the page as a file "
            "and add that."
        )
        assert server.asked == []


def test_the_network_of_users_is_the_public_one():
    assert PUBLIC_INTERNET.is_allowed is is_public_address
    assert PUBLIC_INTERNET.resolve is socket.getaddrinfo
    assert (PUBLIC_INTERNET.seconds, PUBLIC_INTERNET.most_bytes) == (30, 20 << 20)
    assert PUBLIC_INTERNET.tls().verify_mode == ssl.CERT_REQUIRED
    assert PUBLIC_INTERNET.tls().check_hostname


def test_a_download_that_was_given_up_while_it_connected_asks_for_nothing(monkeypatch):
    """An address without an answer, then one that drips: nobody waits for that any more."""
    connect, given_up, threads = socket.create_connection, threading.Event(), list[threading.Thread]()

    def slow(*given):
        threads.append(threading.current_thread())
        given_up.wait(10)
        return connect(*given)

    def stop():
        return bool(threads)

    monkeypatch.setattr(download_module.socket, "create_connection", slow)
    with serving(page(b"The harbor is old.")) as server:
        with pytest.raises(ReadingCancelledError):
            download(f"http://web.test:{server.port}/", cancelled=stop, network=server.network())
        given_up.set()
        threads[0].join(10)
        assert not threads[0].is_alive()
        assert server.asked == []
