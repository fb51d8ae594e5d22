"""Answers that the caller has already: told by their ETag, and not sent again (RFC 9110, If-None-Match)."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from export_trigger.http.request import Answer, Call

_ETAGS: Final = re.compile(r'(?:W/)?("[^"]*")')


def unless_known(call: Call, found: Answer) -> Answer:
    """Return what was found with an ETag, or 304 without a body if the caller has just that already.

    The ETag is a digest of the whole body. Where the answer has one of its own, which is its document's and guards a
    change by `If-Match`, it is sent each time: the document says nothing of the runs that are shown with it.
    """
    if found.status is not HTTPStatus.OK or "ETag" in found.headers:
        return found
    content = found.content()
    etag = f'"{sha256(content).hexdigest()[:32]}"'
    headers = {**found.headers, "ETag": etag}
    if etag in _ETAGS.findall(call.headers.get("if-none-match", "")):
        return Answer(HTTPStatus.NOT_MODIFIED, headers=headers)
    return replace(found, headers=headers)
