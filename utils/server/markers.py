"""Markers of chat templates in what people and documents write, for servers that do not show their tokenizer."""

from __future__ import annotations

import re

# The markers of common chat templates.  HTML such as <b> is none; <s> is both, and counts as one.
_MARKERS = re.compile(
    r"<[|｜][^<>\n]*>"  # <|end|>, <｜User｜>, <|turn>
    r"|<[^<>\s|｜]+[|｜]>"  # <turn|>
    r"|</?(?:s|bos|eos|pad|unk|think|tool_call|tool_response|start_of_turn|end_of_turn)>"
    r"|<(?:[a-z]+_)*(?:bos|eos|sop|eop|start_of|end_of)(?:_[a-z]+)*>"  # <EOS_TOKEN>, <end_of_utterance>
    r"|<</?SYS>>"
    r"|\[\|[^\[\]\n]*\|\]"  # [|system|]
    r"|\[/?(?:INST|SYSTEM_PROMPT|THINK|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|IMG|gMASK)\]",
    re.IGNORECASE,
)


def without_known_markers(text: str) -> str:
    """The text with a space inside the markers of common chat templates: "<|end|>" becomes "< |end|>".

    `utils.chat` asks the tokenizer what a marker is.  A server does not show its tokenizer, so here is a list.
    """
    while (apart := _MARKERS.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)) != text:
        text = apart
    return text
