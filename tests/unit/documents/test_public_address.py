"""Public addresses alone are opened, in whatever way another one is written or carried."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.airoboros_longctx.documents.public_address import is_public_address
from extensions.airoboros_longctx.documents.read_document import DocumentReadError
from extensions.airoboros_longctx.documents.web_address import checked_addresses, parse_web_address

PUBLIC = "1.1.1.1 93.184.216.34 2606:4700::1111 ::ffff:1.1.1.1 2002:101:101:: 64:ff9b::101:101".split()
NOT_PUBLIC = (
    "0.0.0.0 10.0.0.1 127.0.0.1 127.9.9.9 100.64.0.1 169.254.169.254 172.16.0.1 192.168.1.1 192.0.2.1 198.18.0.1 "
    "224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 fe80::1 fe80::1%eth0 fec0::1 fd00::1 ff02::1 ff0e::1 "
    "2001:db8::1 100::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 2002:7f00:1:: 2002:a9fe:a9fe:: 64:ff9b::7f00:1 "
    "64:ff9b::a00:1 64:ff9b:1::1 2001:0:4136:e378:8000:63bf:80ff:fffe 2606:4700::1111%1 localhost 1 ''"
).split()


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    assert is_public_address(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address):
    assert not is_public_address(address)


@pytest.mark.parametrize(
    ("host", "leads_to"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("2130706433", "127.0.0.1"),  # decimal
        ("0177.0.0.1", "127.0.0.1"),  # octal
        ("0x7f.1", "127.0.0.1"),  # hexadecimal, short
        ("169.254.169.254", "169.254.169.254"),
        ("[::ffff:10.0.0.1]", "::ffff:10.0.0.1"),
        ("①②⑦.0.0.1", "127.0.0.1"),  # what the international form of a name makes of it
    ],
)
def test_a_number_in_a_url_is_what_the_system_takes_it_for(host, leads_to):
    with pytest.raises(DocumentReadError, match="is not on the public internet; only public pages are read") as error:
        checked_addresses(parse_web_address(f"http://{host}/"))
    assert f"has the address {leads_to}," in str(error.value)


def test_one_private_address_among_public_ones_is_enough():
    def resolve(*_, **__):
        return [(socket.AF_INET, 1, 6, "", (address, 80)) for address in ("1.1.1.1", "10.0.0.1")]

    with pytest.raises(DocumentReadError) as error:
        checked_addresses(parse_web_address("http://web.site"), resolve)
    assert str(error.value) == (
        "The host web.site has the address 10.0.0.1, which is not on the public internet; only public pages are read. "
        "Save the page as a file and add that."
    )


def test_a_host_that_is_not_found():
    def resolve(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(DocumentReadError) as error:
        checked_addresses(parse_web_address("http://web.site"), resolve)
    assert str(error.value) == "The host web.site was not found; look at the address and at your connection."


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "file:///etc/passwd",
            "file:///etc/passwd is no web address; one that begins with http:// or https:// is needed.",
        ),
        (
            "javascript:alert(1)",
            "javascript:alert(1) is no web address; one that begins with http:// or https:// is needed.",
        ),
        ("ftp://web.site/a", "ftp://web.site/a is no web address; one that begins with http:// or https:// is needed."),
        ("web.site", "web.site is no web address; one that begins with http:// or https:// is needed."),
        ("http://", "http:// is no web address; one that begins with http:// or https:// is needed."),
        ("http://a b", "http://a b names no host that could exist; look at its spelling."),
        ("http://[::1", "http://[::1 is no web address; one like https://web.site/page is needed."),
        ("http://web.site:99999", "http://web.site:99999 is no web address; one like https://web.site/page is needed."),
        ("http://web.site:25/", "http://web.site:25/ names port 25; web pages are read from 80, 443, and 1024 up."),
        ("http://me:secret@web.site", "The address holds a user name or a password; one without them is needed."),
        ("http://web..site", "http://web..site names no host that could exist; look at its spelling."),
    ],
)
def test_what_is_no_address_of_a_page(url, sentence):
    with pytest.raises(DocumentReadError) as error:
        parse_web_address(url)
    assert str(error.value) == sentence


@given(
    st.one_of(st.text(), st.text().map(lambda text: f"http://{text}"), st.text().map(lambda text: f"http://a/{text}"))
)
def test_any_text_is_an_address_or_refused_with_a_sentence(text):
    try:
        address = parse_web_address(text)
    except DocumentReadError:
        return
    assert address.url.isascii()
    assert address.url.isprintable()
    assert " " not in address.url
    assert parse_web_address(address.url) == address


def test_an_address_is_written_for_a_request():
    address = parse_web_address(" HTTPS://Bücher.example:8443/a b?q=ä#part ")
    assert address.url == "https://xn--bcher-kva.example:8443/a%20b?q=%C3%A4"
    assert (address.host, address.port, address.target) == ("xn--bcher-kva.example", 8443, "/a%20b?q=%C3%A4")
