"""What an English question is answered with around the French quotes, and one sentence for every other
language. A French phrase is its own key; one without a translation stays French.
"""

from bot import phrases

IN_ENGLISH = {
    phrases.HELLO: "Hello! Ask me a question about the documents: I answer by quoting them, in French as they are.",
    phrases.HOW_ARE_YOU: "Very well, thank you! What would you like to know?",
    phrases.THANKS: "You are welcome! Do you have another question?",
    phrases.NOTED: "Noted. Do you have another question?",
    phrases.GOODBYE: "Goodbye, see you soon!",
    phrases.WHO_I_AM: (
        "I am Repère, a program that answers questions about this organisation’s documents. I always quote the "
        "sentence that proves my answer, in French as it is written, and I say so when I do not know."
    ),
    phrases.TOO_LONG: "Your question is too long: sum it up in fewer than {longest} characters.",
    phrases.NO_ANSWER: "I did not find the answer in the documents.",
    phrases.SUBJECTS: " They are about: {subjects}.",
    phrases.MORE_SUBJECTS: " and {count} more subjects",
    phrases.SAID_BY: "From “{title}”{source}: {quotes}",
    phrases.STRANGE: "The nearest passages say nothing of: {names}.",
    phrases.NOTHING_MORE: "The documents say nothing more about it.",
    phrases.NEEDS_PERSON: (
        "I can neither give legal advice nor help in an emergency. If there is danger, call your country’s "
        "emergency services at once."
    ),
    phrases.CONTACT: " To reach the organisation: {contact}",
    phrases.TO_A_PERSON: "A matter for a person",
    phrases.WRITING: "Writing the answer…",
    phrases.LLM_WITHHELD: "Answer worded by a language model; what was not proved has been withdrawn.",
    phrases.LLM_UNPROVED: "The worded answer was not proved: here are the documents’ own sentences.",
    phrases.LLM_NO_ANSWER: "The language model had no answer: here are the nearest sentences of the documents.",
    phrases.LLM_LATE: "The language model took too long: here are the documents’ own sentences.",
    phrases.LLM_UNAVAILABLE: "The language model is not available: here are the documents’ own sentences.",
    phrases.YOUR_QUESTION: "Your question:",
    phrases.SEARCHING: "Searching the documents…",
    phrases.UNDERSTOOD: "Understood as: {question}",
    phrases.TRY: "Try: {question}",
    phrases.PROOFS: "Proofs",
    phrases.QUOTE_NUMBER: "Quote {number}",
    phrases.SOURCE: "Source:",
    phrases.OPENS_OUTSIDE: "(opens in a new tab)",
    phrases.REFUSED: "I do not know",
    phrases.UNCLEAR: "Please rephrase",
    phrases.FAILED: "No answer possible",
    phrases.FAILED_TEXT: "An error keeps me from answering. Please try again in a moment.",
    phrases.SUGGESTIONS: "Questions that I can answer:",
    phrases.COPY: "Copy",
    phrases.HELPFUL: "Helpful",
    phrases.UNHELPFUL: "Not helpful",
    phrases.JUDGE: "Your opinion, kept on this machine",
}

# « I answer questions asked in French and in English. »
ANSWERED_LANGUAGES = {
    "am": "በፈረንሳይኛ እና በእንግሊዝኛ ለሚቀርቡ ጥያቄዎች እመልሳለሁ።",
    "ar": "أجيب عن الأسئلة المطروحة باللغتين الفرنسية والإنجليزية.",
    "bn": "আমি ফরাসি ও ইংরেজি ভাষায় করা প্রশ্নের উত্তর দিই।",
    "de": "Ich beantworte Fragen auf Französisch und auf Englisch.",
    "el": "Απαντώ σε ερωτήσεις στα γαλλικά και στα αγγλικά.",
    "es": "Respondo a las preguntas formuladas en francés y en inglés.",
    "fa": "من به پرسش‌هایی که به زبان‌های فرانسوی و انگلیسی مطرح شوند پاسخ می‌دهم.",
    "he": "אני עונה על שאלות בצרפתית ובאנגלית.",
    "hi": "मैं फ़्रेंच और अंग्रेज़ी में पूछे गए प्रश्नों के उत्तर देता हूँ।",
    "it": "Rispondo alle domande poste in francese e in inglese.",
    "ja": "フランス語と英語のご質問にお答えします。",
    "ko": "프랑스어와 영어로 된 질문에 답변합니다.",
    "nl": "Ik beantwoord vragen in het Frans en in het Engels.",
    "pl": "Odpowiadam na pytania zadane po francusku i po angielsku.",
    "pt": "Respondo a perguntas feitas em francês e em inglês.",
    "ro": "Răspund la întrebările puse în franceză și în engleză.",
    "ru": "Я отвечаю на вопросы, заданные на французском и английском языках.",
    "sw": "Ninajibu maswali yanayoulizwa kwa Kifaransa na Kiingereza.",
    "tr": "Fransızca ve İngilizce sorulan soruları yanıtlıyorum.",
    "uk": "Я відповідаю на запитання, поставлені французькою та англійською мовами.",
    "ur": "میں فرانسیسی اور انگریزی میں پوچھے گئے سوالات کے جواب دیتا ہوں۔",
    "zgh": "ⵔⴰⵔⵖ ⵅⴼ ⵉⵙⵇⵙⵉⵜⵏ ⵙ ⵜⴼⵕⴰⵏⵙⵉⵙⵜ ⴷ ⵜⵏⴳⵍⵉⵣⵜ.",
    "zh": "我可以回答用法语和英语提出的问题。",
}


def said_in(language: str, phrase: str) -> str:
    """A phrase of `bot.phrases` in English for an English question, else in French."""
    return IN_ENGLISH.get(phrase, phrase) if language == "en" else phrase


def answered_languages(language: str) -> str:
    """In the visitor's language: questions are answered in French and English; else said in these two."""
    both = f"{phrases.UNREADABLE} I only read French and English: please ask in one of them."
    return ANSWERED_LANGUAGES.get(language, both)
