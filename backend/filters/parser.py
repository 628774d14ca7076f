"""From the text of a filter to its tree, by recursive descent."""

from __future__ import annotations

from typing import NoReturn, cast

from backend.filters.errors import FilterError
from backend.filters.syntax import And, Node, Not, Operator, Or, Place, Term, Value, Word
from backend.filters.tokens import Token, Tokenizer, TokenKind

MAX_LENGTH = 2_000
MAX_DEPTH = 16
MAX_PARTS = 200  # terms, words and values together

_WISHES = {
    "operator": "needs a key before it, as in utilisation>=0.9",
    "comma": "may stand only between the values of a key, as in state:completed,failed",
}


def parse(text: str) -> Node:
    """Read a filter; an empty one lets everything through.

    Raises:
        FilterError: where it is wrong, and what would be right.
    """
    if len(text) > MAX_LENGTH:
        wish = f"is more than the {MAX_LENGTH:,} characters that a filter may have"
        raise FilterError(text, Place(MAX_LENGTH, min(len(text), MAX_LENGTH + 20)), wish)
    for at, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise FilterError(text, Place(at, at + 1), "is not a character that can be searched")
    return _Parser(text, Tokenizer(text).read_all()).read()


class _Parser:
    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0
        self._num_parts = 0

    def read(self) -> Node:
        if self._token.kind == "end":
            return And(())
        node = self._alternatives(0)
        if self._token.kind == "close":
            self._fail(self._token, "has no opening bracket before it")
        return node

    # ---- the rules ---------------------------------------------------------------------------------------

    def _alternatives(self, depth: int) -> Node:
        parts = [self._all(depth)]
        while self._is_keyword("or"):
            self._advance()
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all(self, depth: int) -> Node:
        parts = [self._part(depth)]
        while self._token.kind not in ("end", "close") and not self._is_keyword("or"):
            if self._is_keyword("and"):
                self._advance()
            parts.append(self._part(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _part(self, depth: int) -> Node:
        token = self._token
        if depth > MAX_DEPTH:
            self._fail(token, f"stands in more than {MAX_DEPTH} brackets or negations")
        if token.kind == "minus" or self._is_keyword("not"):
            self._advance()
            return Not(self._part(depth + 1))
        if token.kind == "open":
            return self._brackets(depth)
        if token.kind not in ("word", "quoted"):
            self._fail(token, _WISHES.get(token.kind, "needs a key with a value, or a text to search"))
        if self._is_keyword("or") or self._is_keyword("and"):
            self._fail(token, 'needs something on both sides; to search the word, write it in quotes: "or"')
        self._advance()
        if self._token.kind == "operator":
            return self._term(token)
        self._count(token)
        if not token.text.strip():
            self._fail(token, "is an empty text to search")
        return Word(token.text, token.place)

    def _brackets(self, depth: int) -> Node:
        opening = self._token
        self._advance()
        if self._is_next("close"):
            self._fail(Token("open", "()", Place(opening.place.start, self._token.place.end)), "holds nothing")
        node = self._alternatives(depth + 1)
        if not self._is_next("close"):
            self._fail(opening, "has no closing bracket")
        self._advance()
        return node

    def _term(self, key: Token) -> Term:
        if key.kind == "quoted":
            self._fail(key, "is a text in quotes, and a key has none")
        operator = self._token
        self._advance()
        values: list[Value] = []
        while True:
            token = self._token
            if token.kind not in ("word", "quoted"):
                before = Place(key.place.start, operator.place.end) if not values else token.place
                self._fail(Token("end", "", before), "needs a value behind it")
            self._count(token)
            values.append(Value(token.text, token.place, token.kind == "quoted"))
            self._advance()
            if self._token.kind != "comma":
                break
            self._advance()
        place = Place(key.place.start, values[-1].place.end)
        return Term(key.text, key.place, cast(Operator, operator.text), tuple(values), place)

    # ---- tokens ------------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _advance(self) -> None:
        self._at += 1

    def _is_next(self, kind: TokenKind) -> bool:
        return self._token.kind == kind

    def _is_keyword(self, word: str) -> bool:
        """Tell whether a word joins or turns round: it does not where an operator makes a key of it."""
        token = self._token
        is_key = token.kind == "word" and self._tokens[self._at + 1].kind == "operator"
        return token.kind == "word" and token.text.lower() == word and not is_key

    def _count(self, token: Token) -> None:
        self._num_parts += 1
        if self._num_parts > MAX_PARTS:
            self._fail(token, f"is one more than the {MAX_PARTS} texts and values that a filter may have")

    def _fail(self, token: Token, wish: str) -> NoReturn:
        raise FilterError(self._text, token.place, wish)
