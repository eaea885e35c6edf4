"""What a medium is called in a sentence."""

__all__ = ["with_article"]


def with_article(name: str) -> str:
    """The name of a medium behind its article.

    >>> with_article("sound"), with_article("array")
    ('a sound', 'an array')
    """
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
