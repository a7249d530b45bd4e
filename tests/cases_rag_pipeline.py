"""Right ways and wrong ways to do the exercises of notebook 02: what `test_checks.py` tries.

RIGHT: name, function.  WRONG: name, mistake, function, words that name it.  QUIET: wrong in a less typical way.
"""

from itertools import count

import numpy as np


def prompt_with(line="[{n}] {title}. {text}", first=True, last=True, start=1, between="\n", most=None):
    """A user_prompt with something changed."""

    def attempt(question, passages):
        numbered = [line.format(n=n, title=t, text=x) for n, (t, x) in enumerate(passages[:most], start=start)]
        asked = [f"Question: {question}"]
        return between.join([*asked * first, *numbered, *asked * last])

    return attempt


def prompt_by_hand(question, passages):
    text = f"Question: {question}\n"
    for n in range(len(passages)):
        text += f"[{n + 1}] {passages[n][0]}. {passages[n][1]}\n"
    return text + f"Question: {question}"


def threshold_by(judge, candidates=sorted):
    """A best_threshold with another judgement of (answered, withheld): two lists of truths."""

    def attempt(scores, answerable):
        def value(threshold):
            answered = [score >= threshold for score, known in zip(scores, answerable, strict=True) if known]
            withheld = [score < threshold for score, known in zip(scores, answerable, strict=True) if not known]
            return judge(answered, withheld)

        return max(candidates(scores), key=value)

    return attempt


def both_shares(answered, withheld):
    return sum(answered) / len(answered) + sum(withheld) / len(withheld)


def threshold_strict(scores, answerable):
    def value(threshold):
        answered = [s > threshold for s, known in zip(scores, answerable, strict=True) if known]
        withheld = [s <= threshold for s, known in zip(scores, answerable, strict=True) if not known]
        return both_shares(answered, withheld)

    return max(sorted(scores), key=value)


def prompt_with_comprehension(question, passages):
    ask = f"Question: {question}"
    return f"{ask}\n" + "".join(f"[{n}] {title}. {text}\n" for n, (title, text) in zip(count(1), passages)) + ask


def prompt_with_append(question, passages):
    lines = []
    for title, text in passages:
        lines.append("[" + str(len(lines) + 1) + "] " + title + ". " + text)
    lines.insert(0, "Question: " + question)
    lines.append(lines[0])
    return "\n".join(lines)


def threshold_with_numpy(scores, answerable):
    scores, known = np.array(scores), np.array(answerable)
    candidates = np.unique(scores)
    values = [(scores[known] >= c).mean() + (scores[~known] < c).mean() for c in candidates]
    return candidates[int(np.argmax(values))]


def threshold_by_loop(scores, answerable):
    best, best_value = None, -1.0
    for candidate in sorted(scores):
        hits = [(score >= candidate) == known for score, known in zip(scores, answerable, strict=True)]
        answered = [hit for hit, known in zip(hits, answerable, strict=True) if known]
        withheld = [hit for hit, known in zip(hits, answerable, strict=True) if not known]
        value = 0.5 * sum(answered) / len(answered) + 0.5 * sum(withheld) / len(withheld)
        if value > best_value:
            best, best_value = candidate, value
    return best


def threshold_among_the_answerable(scores, answerable):
    """The best one is always the score of a question that has an answer."""
    known = [score for score, has in zip(scores, answerable, strict=True) if has]
    rest = [score for score, has in zip(scores, answerable, strict=True) if not has]

    def youden(threshold):
        return sum(s >= threshold for s in known) / len(known) - sum(s >= threshold for s in rest) / len(rest)

    return max(sorted(known), key=youden)


def threshold_of_sorted_input(scores, answerable):
    return next(score for score, known in zip(scores, answerable, strict=True) if known) if len(scores) < 9 else 0.6


def bare(where):
    """A user_prompt that leaves out "Question: " in one line or in both."""

    def attempt(question, passages):
        first, *rest, last = prompt_by_hand(question, passages).split("\n")
        return "\n".join([question if where != "last" else first, *rest, question if where != "first" else last])

    return attempt


RIGHT = [
    ("user_prompt", prompt_with()),
    ("user_prompt", prompt_by_hand),
    ("user_prompt", prompt_with_comprehension),
    ("user_prompt", prompt_with_append),
    ("best_threshold", threshold_by(both_shares)),
    ("best_threshold", threshold_by(lambda a, w: both_shares(a, w) / 2, lambda scores: sorted(set(scores)))),
    ("best_threshold", threshold_with_numpy),
    ("best_threshold", threshold_by_loop),
    ("best_threshold", threshold_among_the_answerable),
]
WRONG = [
    ("user_prompt", "from 0", prompt_with(start=0), "count from 1"),
    ("user_prompt", "only after", prompt_with(first=False), "put it before them too"),
    ("user_prompt", "only before", prompt_with(last=False), "put it after them too"),
    ("user_prompt", "no question", prompt_with(first=False, last=False), "The first line and the last should be"),
    ("user_prompt", "no titles", prompt_with("[{n}] {text}"), "The titles are missing"),
    ("user_prompt", "no brackets", prompt_with("{n} {title}. {text}"), "should be the line"),
    ("user_prompt", "no full stop", prompt_with("[{n}] {title} {text}"), "should be the line"),
    ("user_prompt", "one line", prompt_with(between=" "), "all on one line"),
    ("user_prompt", "bare question last", bare("last"), '"Question: " is missing in the last line'),
    ("user_prompt", "bare question first", bare("first"), '"Question: " is missing in the first line'),
    ("user_prompt", "bare question twice", bare("both"), '"Question: " is missing in the first line'),
    ("user_prompt", "line break at the end", lambda q, p: prompt_by_hand(q, p) + "\n", "ends with a line break"),
    ("user_prompt", "line break first", lambda q, p: "\n" + prompt_by_hand(q, p), "begins with a line break"),
    ("user_prompt", "empty lines", prompt_with(between="\n\n"), "There are empty lines"),
    ("user_prompt", "no space", lambda q, p: prompt_by_hand(q, p).replace("Question: ", "Question:"), "'Question:What"),
    ("user_prompt", "space at the end", lambda q, p: prompt_by_hand(q, p) + " ", "The last line should be"),
    ("user_prompt", "only the first", prompt_with(most=1), "and yours has 1"),
    ("user_prompt", "two at most", prompt_with(most=2), "with 3 it was not"),
    ("user_prompt", "lines", lambda question, passages: [question, question], "join them into one text"),
    ("user_prompt", "messages", lambda question, passages: {"role": "user"}, "Return one text"),
    ("best_threshold", "strict", threshold_strict, "with >=, not >"),
    ("best_threshold", "accuracy", threshold_by(lambda a, w: sum(a) + sum(w)), "take the share of each kind"),
    ("best_threshold", "answers all", lambda scores, known: min(scores), "every question is answered"),
    ("best_threshold", "highest", lambda scores, known: max(scores), "At 0.8"),
    ("best_threshold", "upper tie", threshold_by(both_shares, lambda s: sorted(s)[::-1]), "take the lower one"),
    ("best_threshold", "position", lambda scores, known: 2, "2 is a position"),
    ("best_threshold", "a mean", lambda scores, known: sum(scores) / len(scores), "should be one of the scores"),
    ("best_threshold", "order", threshold_of_sorted_input, "in another order"),
    ("best_threshold", "list", lambda scores, known: list(scores), "Return one number"),
]


def prompt_of(change_question=str, change_passages=list):
    """The right prompt of something else than what was passed in."""
    return lambda question, passages: prompt_by_hand(change_question(question), change_passages(passages))


def prompt_by_index(question, passages):
    """Numbers a repeated passage like its first."""
    lines = [f"[{passages.index(passage) + 1}] {passage[0]}. {passage[1]}" for passage in passages]
    return "\n".join([f"Question: {question}", *lines, f"Question: {question}"])


def prompt_that_empties(question, passages):
    text, number = f"Question: {question}\n", 0
    while passages:
        number += 1
        title, sentence = passages.pop(0)
        text += f"[{number}] {title}. {sentence}\n"
    return text + f"Question: {question}"


def f1(scores, answerable):
    def value(threshold):
        right = sum(score >= threshold for score, known in zip(scores, answerable, strict=True) if known)
        return 2 * right / (sum(score >= threshold for score in scores) + sum(answerable))

    return max(sorted(scores), key=value)


def threshold_that_sorts(scores, answerable):
    known = dict(zip(scores, answerable, strict=True))
    scores.sort()
    return threshold_by_loop(scores, [known[score] for score in scores])


def threshold_in_one_pass(scores, answerable):
    """Stops at the first candidate that is no better than the one before."""
    best, best_value = None, -1.0
    for candidate in sorted(scores):
        value = np.mean([s >= candidate for s, known in zip(scores, answerable, strict=True) if known])
        value += np.mean([s < candidate for s, known in zip(scores, answerable, strict=True) if not known])
        if value < best_value:
            break
        if value > best_value:
            best, best_value = candidate, value
    return best


def lowest_answerable_above(scores, answerable):
    """The lowest score with an answer above the highest without, as if the two kinds never mixed."""
    rest = max(score for score, known in zip(scores, answerable, strict=True) if not known)
    above = [score for score, known in zip(scores, answerable, strict=True) if known and score > rest]
    return min(above, default=max(scores))


QUIET = [
    ("user_prompt", "repeated passages dropped", prompt_of(change_passages=lambda ps: list(dict.fromkeys(ps)))),
    ("user_prompt", "numbered by index", prompt_by_index),
    ("user_prompt", "five at most", prompt_of(change_passages=lambda ps: ps[:5])),
    ("user_prompt", "sorted", prompt_of(change_passages=sorted)),
    ("user_prompt", "one digit", lambda q, p: prompt_by_hand(q, p).replace("[10]", "[0]")),
    ("user_prompt", "two digits", lambda q, p: prompt_by_hand(q, p).replace("[1]", "[01]")),
    ("user_prompt", "lower case", prompt_of(str.lower)),
    ("user_prompt", "question mark added", prompt_of(lambda question: question.rstrip("?.") + "?")),
    ("user_prompt", "titles in capitals", prompt_of(change_passages=lambda ps: [(t.title(), x) for t, x in ps])),
    ("user_prompt", "empties its input", prompt_that_empties),
    ("best_threshold", "plain accuracy", threshold_by(lambda a, w: (sum(a) + sum(w)) / (len(a) + len(w)))),
    ("best_threshold", "F1", f1),
    ("best_threshold", "answered share only", threshold_by(lambda a, w: sum(a) / len(a) + 0.5 * sum(w) / len(w))),
    ("best_threshold", "withheld counted", threshold_by(lambda a, w: sum(a) / len(a) + sum(w))),
    ("best_threshold", "worse of both", threshold_by(lambda a, w: min(sum(a) / len(a), sum(w) / len(w)))),
    ("best_threshold", "product", threshold_by(lambda a, w: sum(a) / len(a) * sum(w) / len(w))),
    ("best_threshold", "sorts in place", threshold_that_sorts),
    ("best_threshold", "first peak", threshold_in_one_pass),
    ("best_threshold", "no mixing", lowest_answerable_above),
    ("best_threshold", "first score skipped", threshold_by(both_shares, lambda scores: sorted(scores)[1:])),
    ("best_threshold", "last score skipped", threshold_by(both_shares, lambda scores: sorted(scores)[:-1])),
]
