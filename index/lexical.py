"""French full-text search on disk (tantivy): stems, pairs of stems, and character n-grams.

Knows nothing about vectors. tantivy is imported here alone.
"""

from collections.abc import Iterable
from pathlib import Path

import tantivy

from index import french
from index.passages import Passage

TITLE_BOOST = 0.5  # see index/training/README.md for the values that were tried
LONGEST_QUESTION = 64  # terms; more say nothing new and cost time


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw")
    for field in ("title", "text", "pairs", "grams"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="freq")
    return builder.build()


class LexicalIndex:
    """BM25 over stems, over pairs of stems, and over character n-grams, which forgive typos."""

    def __init__(self, folder: Path) -> None:
        """Open the index in `folder`. Raises ValueError when it is damaged."""
        self._schema = _schema()
        self._index = tantivy.Index(self._schema, path=str(folder), reuse=True)
        self._searcher = self._index.searcher()

    @staticmethod
    def write(folder: Path, passages: Iterable[Passage]) -> None:
        """Write a new index of all passages into an empty folder."""
        folder.mkdir(parents=True)
        writer = tantivy.Index(_schema(), path=str(folder)).writer(heap_size=64_000_000, num_threads=1)
        for passage in passages:
            writer.add_document(
                tantivy.Document(
                    key=passage.key,
                    title=" ".join(french.terms(" ".join((passage.title, *passage.questions)))),
                    text=" ".join(french.terms(passage.text)),
                    pairs=" ".join(french.pairs(passage.searched)),
                    grams=" ".join(french.ngrams(passage.searched)),
                )
            )
        writer.commit()
        writer.wait_merging_threads()

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def stems(self, question: str, count: int) -> dict[str, float]:
        """BM25 scores of the best `count` passages by stems, key → score > 0."""
        fields = [("text", 1.0), ("title", TITLE_BOOST)]
        return self._search(french.terms(question), fields, count)

    def pairs(self, question: str, count: int) -> dict[str, float]:
        """BM25 scores of the best `count` passages by pairs of neighbouring stems, key → score > 0."""
        return self._search(french.pairs(question), [("pairs", 1.0)], count)

    def grams(self, question: str, count: int) -> dict[str, float]:
        """BM25 scores of the best `count` passages by character n-grams, key → score > 0."""
        return self._search(french.ngrams(question), [("grams", 1.0)], count)

    def _search(self, terms: list[str], fields: list[tuple[str, float]], count: int) -> dict[str, float]:
        unique = list(dict.fromkeys(terms))[: LONGEST_QUESTION * (4 if fields[0][0] == "grams" else 1)]
        clauses = [
            (
                tantivy.Occur.Should,
                tantivy.Query.boost_query(
                    tantivy.Query.term_query(self._schema, field, term, index_option="freq"), boost
                ),
            )
            for term in unique
            for field, boost in fields
        ]
        if not clauses:
            return {}
        hits = self._searcher.search(tantivy.Query.boolean_query(clauses), count, count=False).hits
        return {self._searcher.doc(address)["key"][0]: float(score) for score, address in hits}
