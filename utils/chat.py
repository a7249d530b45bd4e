"""Chat messages become the text that a model reads; what people and documents write never becomes a marker.

A chat template puts markers such as <|end|> between the turns.  A tokenizer makes special tokens of them wherever they
are, so a question or a passage that holds one could end its turn and begin another.
"""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from utils.errors import CourseError
from utils.prompts import END_OF_THOUGHT, THINK, Message, fold_system


def render(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], prompt: bool = True) -> str:
    """The conversation as the chat template writes it, its texts without markers.

    A template that has no system role, or leaves it out, gets the system's text at the top of the first user turn.
    Models that think before they answer are asked not to: the course compares answers, and gives them little room.

    prompt: up to where the model goes on.  Raises CourseError when the template refuses the conversation.
    """
    plain = [{**message, "content": without_markers(message["content"], tokenizer)} for message in messages]
    try:
        text = _apply(tokenizer, plain, prompt)
    except Exception as error:  # whatever a template raises
        folded = fold_system(plain)
        if folded == plain:
            raise CourseError(f"The chat template of this model refuses the conversation: {error}.") from error
        return render(tokenizer, folded, prompt)
    if plain and plain[0]["role"] == "system" and plain[0]["content"].strip() not in text:
        return render(tokenizer, fold_system(plain), prompt)
    # A template that opens a thought at the end of the prompt, whatever it is told.
    return f"{text.rstrip()}\n{END_OF_THOUGHT}\n\n" if prompt and text.rstrip().endswith(THINK) else text


def turn_ends(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The marker that the chat template writes after an answer, as a list of its id; empty where it writes none.

    Some models name another token as their end, the end of a whole text, and would go on with the next turn.
    """
    said = "Yes"
    try:
        turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": said}]
        after = _apply(tokenizer, turns, prompt=False).rpartition(said)[2].lstrip()
    except Exception:  # a template of another shape: the model's own end has to do
        return []
    first = tokenizer(after, add_special_tokens=False)["input_ids"][:1] if after else []
    return [token for token in first if token in tokenizer.added_tokens_decoder]


def _apply(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message], prompt: bool) -> str:
    # Templates ignore what they do not know, such as enable_thinking.
    return tokenizer.apply_chat_template(
        list(messages), tokenize=False, add_generation_prompt=prompt, enable_thinking=False
    )


def without_markers(text: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """The text with a space inside whatever this tokenizer would read as a marker: "<|end|>" becomes "< |end|>"."""
    while spans := _marker_spans(text, tokenizer):
        for start, end in reversed(spans):  # from the last, so that the earlier places stay true
            marker = text[start:end].strip()
            apart = f"{marker[0]} {marker[1:]}" if len(marker) > 1 else " "
            text = text[:start] + apart + text[end:]
    return text


def _marker_spans(text: str, tokenizer: PreTrainedTokenizerBase) -> list[tuple[int, int]]:
    """Where the tokenizer reads markers in a text, as (start, end), in order."""
    # Added tokens are matched as a whole.  Those of spaces alone are layout; the one for unknown letters is a marker
    # only where somebody wrote its name.
    added = {number: token for number, token in tokenizer.added_tokens_decoder.items() if token.content.strip()}
    markers = {number: token.content for number, token in added.items()}
    # Those that are not normalised are found letter by letter: nearly every text is done with here.
    if not any(token.normalized or token.content in text for token in added.values()):
        return []
    if not tokenizer.is_fast:
        places = ((text.find(name), name) for name in markers.values())
        return [(at, at + len(name)) for at, name in sorted(places) if at >= 0][:1]
    read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    found = zip(read["input_ids"], read["offset_mapping"], strict=True)
    return [
        (start, end)
        for number, (start, end) in found
        if number in markers and (number != tokenizer.unk_token_id or markers[number] in text[start:end])
    ]
