"""A chat server as generator: any that speaks OpenAI's protocol, such as Ollama, llama.cpp, vLLM, LM Studio.

COURSE_GENERATOR is its address, often http://127.0.0.1:8080/v1.  COURSE_MODEL names the model where the server has
several, and COURSE_API_KEY holds the key where the server wants one.  A server gives answers but no weights: it can do
what `utils.rag` needs, and nothing that looks into the model.
"""

from utils.server.generator import NeedsWeights, ServerGenerator, connect, forget_answers
from utils.server.transport import Server

__all__ = ["NeedsWeights", "Server", "ServerGenerator", "connect", "forget_answers"]
