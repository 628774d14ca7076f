"""A filter's text in tokens. O(length of the text)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.filters.errors import FilterError
from backend.filters.syntax import OPERATORS, Place

TokenKind = Literal["open", "close", "minus", "word", "quoted", "operator", "comma", "end"]

ENDS_WORD = ' \t\r\n()"' + ":=<>!"
ENDS_VALUE = ' \t\r\n()",'


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    text: str  # of a quoted one without quotes and backslashes
    place: Place


class Tokenizer:
    """Reads from left to right. What is a word depends on the place: a value may hold a colon, a key may not."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read_all(self) -> list[Token]:
        """Give all tokens, with an "end" behind the last.

        Raises:
            FilterError: a quotation mark that is not closed.
        """
        tokens: list[Token] = []
        is_value = False
        while (token := self._next(is_value)) is not None:
            tokens.append(token)
            is_value = token.kind in ("operator", "comma")
        tokens.append(Token("end", "", Place(len(self._text), len(self._text))))
        return tokens

    def _next(self, is_value: bool) -> Token | None:
        start = self._skip_space()
        if start == len(self._text):
            return None
        first = self._text[start]
        if first == '"':
            return self._quoted(start)
        if first in "()":
            return self._take("open" if first == "(" else "close", start, start + 1)
        if is_value:
            if first == ",":
                return self._take("comma", start, start + 1)
            return self._take("word", start, self._end_of(start, ENDS_VALUE))
        for operator in OPERATORS:
            if self._text.startswith(operator, start):
                return self._take("operator", start, start + len(operator))
        if first == "," and start > 0 and not self._text[start - 1].isspace():  # directly behind a value
            return self._take("comma", start, start + 1)
        if first == "-" and self._text[start + 1 : start + 2].strip() not in ("", "-"):
            return self._take("minus", start, start + 1)
        return self._take("word", start, max(start + 1, self._end_of(start, ENDS_WORD)))

    def _skip_space(self) -> int:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at

    def _end_of(self, start: int, ends: str) -> int:
        end = start
        while end < len(self._text) and self._text[end] not in ends and not self._text[end].isspace():
            end += 1
        return end

    def _take(self, kind: TokenKind, start: int, end: int) -> Token:
        self._at = end
        return Token(kind, self._text[start:end], Place(start, end))

    def _quoted(self, start: int) -> Token:
        pieces: list[str] = []
        at = start + 1
        while at < len(self._text):
            character = self._text[at]
            if character == '"':
                self._at = at + 1
                return Token("quoted", "".join(pieces), Place(start, at + 1))
            if character == "\\" and self._text[at + 1 : at + 2] in ('"', "\\"):
                at += 1
                character = self._text[at]
            pieces.append(character)
            at += 1
        raise FilterError(self._text, Place(start, len(self._text)), "needs a closing quotation mark")
