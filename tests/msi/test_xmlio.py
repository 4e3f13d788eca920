"""XML from outside: what is read, and what is refused before it can do harm."""

from __future__ import annotations

import io
import pickle
import socket

import pytest

from mpc.msi.xmlio import MAX_TAGS, XmlProblem, local_name, namespace, parse_xml

LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
 <!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">
]>
<lolz>&lol3;</lolz>"""


class Endless(io.RawIOBase):
    """A stream that goes on for ever and counts what was taken from it."""

    def __init__(self, start: bytes) -> None:
        self.start, self.taken = start, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "a stream is never asked for all that it has"
        part = (self.start if self.taken == 0 else b"")[:size].ljust(size)
        self.taken += len(part)
        return part


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", "empty", "f.xml is empty"),
        (b" \r\n\t", "empty", "f.xml is empty"),
        (b"<a><b></a>", "malformed", "line 1"),
        (b"<a>\n\n<b></a>", "malformed", "line 3"),
        (b"<a>", "malformed", "f.xml"),
        (b"no markup", "malformed", "there is no element"),
        (b"<a/><b/>", "malformed", "Extra content"),
        (b"<a x='1' x='2'/>", "malformed", "redefined"),
        (b"<a:b/>", "malformed", "prefix"),
        (b"<a>\x00</a>", "malformed", "line 1"),
        (b"<a>&undeclared;</a>", "malformed", "undeclared"),
        (b"<a>\xff\xfe</a>", "malformed", "line 1"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "malformed", "utf-7"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "malformed", "klingon"),
        ("<a/>".encode("utf-32"), "malformed", "UTF-32"),
        (b"\xff\xfe<", "malformed", "UTF-16"),
        (LAUGHS, "entities", "line 2"),
        (b"<!DOCTYPE a><a/>", "entities", "line 1"),
        (b"<!doctype a><a/>", "entities", "line 1"),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>', "entities", "DOCTYPE"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "entities", "DOCTYPE"),
        (b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><a/>', "entities", "DOCTYPE"),
        (b"<!-- <a> -->\n<?pi <a?>\n<!DOCTYPE a><a/>", "entities", "line 3"),
        ("<!DOCTYPE a><a/>".encode("utf-16"), "entities", "DOCTYPE"),
        (b"\xef\xbb\xbf<!DOCTYPE a><a/>", "entities", "DOCTYPE"),
        (b"<a>" * 300 + b"</a>" * 300, "too_deep", "nested deeper"),
        (b"<a>" + b"x" * 11_000_000 + b"</a>", "too_large", "10 MB"),
        (b"<a b='" + b"x" * 11_000_000 + b"'/>", "too_large", "10 MB"),
        (b"<a>" + b"<b/>" * MAX_TAGS + b"</a>", "too_large", "tags"),
        (b"<a " + b" ".join(b"b%d=''" % n for n in range(2_000_001)) + b"/>", "too_large", "attributes"),
    ],
)
def test_what_is_refused(content: bytes, kind: str, words: str) -> None:
    with pytest.raises(XmlProblem) as caught:
        parse_xml(content, what="f.xml")
    assert caught.value.kind == kind
    assert "f.xml" in str(caught.value)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "content",
    [
        b"<a>12</a>",
        b"<?xml version='1.0' encoding='UTF-8'?>\n<a>12</a>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?><a>12</a>",
        "<?xml version='1.0' encoding='UTF-16'?><a>12</a>".encode("utf-16"),
        "<?xml version='1.0' encoding='UTF-16'?><a>12</a>".encode("utf-16-be"),
        b"<a>1<!-- <!DOCTYPE a> -->2</a>",
        b"<?xml-stylesheet href='http://127.0.0.1:9/x.xsl'?><!-- <!DOCTYPE a> --><a><?php echo 1 ?>12</a><!-- end -->",
        b"<a><![CDATA[12]]></a>",
    ],
)
def test_what_is_read(content: bytes) -> None:
    root = parse_xml(content)
    assert (root.tag, root.text, len(root)) == ("a", "12", 0)


def test_latin_1_as_inventory_metadata_declare_it() -> None:
    assert parse_xml("<?xml version='1.0' encoding='ISO-8859-1'?><a>µm</a>".encode("latin-1")).text == "µm"


def test_xinclude_is_only_an_element() -> None:
    root = parse_xml(b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/passwd" parse="text"/></a>')
    assert (namespace(root[0]), local_name(root[0]), root[0].text) == (
        "http://www.w3.org/2001/XInclude",
        "include",
        None,
    )
    assert (namespace(root), local_name(root)) == ("", "a")


def test_no_address_in_a_document_is_asked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = b"http://127.0.0.1:%d/x" % server.getsockname()[1]
        hint = b'<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:a %s"/>' % url
        assert parse_xml(hint).tag == "a"
        include = b'<a xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="%s"/></a>' % url
        assert parse_xml(include).tag == "a"
        with pytest.raises(XmlProblem):
            parse_xml(b'<!DOCTYPE a SYSTEM "%s"><a/>' % url)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("start", [b"<a>", b""])
def test_a_large_stream_is_refused_without_being_read_whole(start: bytes) -> None:
    stream = Endless(start)
    with pytest.raises(XmlProblem, match="larger than 1000000 bytes") as caught:
        parse_xml(stream, what="MTD_DS.xml", limit=1_000_000)
    assert caught.value.kind == "too_large"
    assert stream.taken == 1_000_001


def test_200_megabytes_are_refused_by_the_usual_limit() -> None:
    stream = Endless(b"<a>")
    with pytest.raises(XmlProblem) as caught:
        parse_xml(stream)
    assert caught.value.kind == "too_large"
    assert stream.taken < 70_000_000


def test_the_limit_is_the_last_size_that_is_read() -> None:
    content = b"<a>12</a>"
    assert parse_xml(io.BytesIO(content), limit=len(content)).text == "12"
    assert parse_xml(content, limit=len(content)).text == "12"
    with pytest.raises(XmlProblem):
        parse_xml(content, limit=len(content) - 1)


def test_a_stream_that_gives_little_at_a_time_is_read_to_its_end() -> None:
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 1, 3))

    assert parse_xml(Dripping(b"<a>12</a>")).text == "12"


def test_an_error_of_the_stream_is_not_hidden() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        parse_xml(Broken())


def test_lines_beyond_65535_are_told() -> None:
    with pytest.raises(XmlProblem) as caught:
        parse_xml(b"<a>" + b"\n" * 70_000 + b"<b></a>")
    assert caught.value.line == 70_001


def test_a_problem_crosses_processes() -> None:
    problem = pickle.loads(pickle.dumps(XmlProblem("malformed", "f.xml, line 3: broken", 3)))
    assert (problem.kind, str(problem), problem.line) == ("malformed", "f.xml, line 3: broken", 3)


def test_the_largest_real_datastrip_is_read(realdata) -> None:
    (path,) = realdata.glob("products/*T56JMM*/DATASTRIP/*/MTD_DS.xml")
    assert path.stat().st_size == 12_771_123
    with path.open("rb") as stream:
        root = parse_xml(stream, what=path.name)
    assert local_name(root) == "Level-1C_DataStrip_ID"
    assert sum(1 for _ in root.iter("{*}QUATERNION_VALUES")) > 4000


def test_the_empty_real_datastrip_is_called_empty(realdata) -> None:
    (path,) = realdata.glob("products/*T32TNM*/DATASTRIP/*/MTD_DS.xml")
    with pytest.raises(XmlProblem) as caught:
        parse_xml(path.read_bytes(), what="MTD_DS.xml")
    assert (caught.value.kind, str(caught.value)) == ("empty", "MTD_DS.xml is empty")
