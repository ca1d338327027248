"""Command lines, taken apart as Windows does it: cmd's carets first, then the program's quotes."""


class Beyond(Exception):
    """The line has cmd redirect or chain programs, which the lab does not do."""


def words(line: str) -> list[str]:
    """Return the words of a line that was given to ``cmd /c`` [doc]. Raises Beyond."""
    return split(bare(line))


def bare(line: str) -> str:
    """Return what cmd hands to the program: outside of quotes a caret makes the next one plain."""
    kept: list[str] = []
    quoted, at = False, 0
    while at < len(line):
        letter = line[at]
        if letter == "^" and not quoted:
            at += 1
            kept.append(line[at : at + 1])
        elif letter in "&|<>" and not quoted:
            raise Beyond(letter)
        else:
            quoted ^= letter == '"'
            kept.append(letter)
        at += 1
    return "".join(kept)


def split(line: str) -> list[str]:
    """Return the words of a line by the rules of CommandLineToArgvW [doc].

    Backslashes mean themselves, except before a quote: two make one, an odd one makes it plain.
    """
    found: list[str] = []
    word, begun, quoted, at = "", False, False, 0
    while at < len(line):
        letter = line[at]
        if letter == "\\":
            run = len(line) - at - len(line[at:].lstrip("\\"))
            at += run
            before_quote = line[at : at + 1] == '"'
            word += "\\" * (run // 2 if before_quote else run)
            if before_quote and run % 2:
                word += '"'
                at += 1
            begun = True
            continue
        if letter == '"':
            quoted, begun = not quoted, True
        elif letter in " \t" and not quoted:
            if begun:
                found.append(word)
            word, begun = "", False
        else:
            word, begun = word + letter, True
        at += 1
    return [*found, word] if begun else found
