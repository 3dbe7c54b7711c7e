"""Bots that `python -m evals run --target tests.bots:NAME` asks: stand-ins for other people's programs."""

import os
import signal

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda


def parrot(text: str) -> str:
    """Says the question again; crashes at « casse », refuses at « rien »."""
    if "casse" in text:
        raise RuntimeError("en panne")
    return "Je ne sais pas." if "rien" in text else f"La réponse : {text}"


runnable = RunnableLambda(lambda text: AIMessage(parrot(text)))


def stopped(text: str) -> str:
    """As if somebody pressed Ctrl-C at the fifth question, once: the flag is a file."""
    flag = os.environ["TESTS_STOPPED_FLAG"]
    if "n° 5" in text and not os.path.exists(flag):  # noqa: PTH110
        open(flag, "w").close()  # noqa: PTH123
        os.kill(os.getpid(), signal.SIGINT)
    return parrot(text)
