"""The bot. Importing it switches LangSmith's tracing off, which would send each question to its servers."""

import os

os.environ["LANGSMITH_TRACING_V2"] = "false"  # the first name that langsmith reads; it overrules the others
