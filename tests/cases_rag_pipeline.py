"""Right ways and typical mistakes in the exercises of notebook 02: what `test_checks.py` tries."""


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


def threshold_of_sorted_input(scores, answerable):
    return next(score for score, known in zip(scores, answerable, strict=True) if known) if len(scores) < 9 else 0.6


RIGHT = [
    ("user_prompt", prompt_with()),
    ("user_prompt", prompt_by_hand),
    ("best_threshold", threshold_by(both_shares)),
    ("best_threshold", threshold_by(lambda a, w: both_shares(a, w) / 2, lambda scores: sorted(set(scores)))),
]
WRONG = [
    ("user_prompt", "from 0", prompt_with(start=0), "count from 1"),
    ("user_prompt", "only after", prompt_with(first=False), "write it before them too"),
    ("user_prompt", "only before", prompt_with(last=False), "write it after them once more"),
    ("user_prompt", "no question", prompt_with(first=False, last=False), "first line and the last"),
    ("user_prompt", "no titles", prompt_with("[{n}] {text}"), "The titles are missing"),
    ("user_prompt", "no brackets", prompt_with("{n} {title}. {text}"), "should be the line"),
    ("user_prompt", "no full stop", prompt_with("[{n}] {title} {text}"), "should be the line"),
    ("user_prompt", "one line", prompt_with(between=" "), "first line and the last"),
    ("user_prompt", "only the first", prompt_with(most=1), "and there are 1"),
    ("user_prompt", "two at most", prompt_with(most=2), "with 3 it was not"),
    ("user_prompt", "lines", lambda question, passages: [question, question], "join them into one text"),
    ("user_prompt", "messages", lambda question, passages: {"role": "user"}, "Return one text"),
    ("best_threshold", "strict", threshold_strict, "with >=, not >"),
    ("best_threshold", "accuracy", threshold_by(lambda a, w: sum(a) + sum(w)), "take the share of each kind"),
    ("best_threshold", "answers all", lambda scores, known: min(scores), "every question is answered"),
    ("best_threshold", "highest", lambda scores, known: max(scores), "At 0.8"),
    ("best_threshold", "upper tie", threshold_by(both_shares, lambda s: sorted(s)[::-1]), "take the lower one"),
    ("best_threshold", "position", lambda scores, known: 2, "2 is a position"),
    ("best_threshold", "a mean", lambda scores, known: sum(scores) / len(scores), "is one of the scores"),
    ("best_threshold", "order", threshold_of_sorted_input, "in another order"),
    ("best_threshold", "list", lambda scores, known: list(scores), "Return one number"),
]
