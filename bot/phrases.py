"""Every French sentence a user sees. Knows nothing of where it is shown."""

from collections.abc import Callable

# --- answers ---

HELLO = "Bonjour ! Posez-moi une question sur les documents : je réponds en les citant."
HOW_ARE_YOU = "Très bien, merci ! Que souhaitez-vous savoir ?"
THANKS = "Avec plaisir ! Avez-vous une autre question ?"
NOTED = "Bien noté. Avez-vous une autre question ?"
GOODBYE = "Au revoir, et à bientôt !"
WHO_I_AM = (
    "Je suis Repère, un programme qui répond en français aux questions sur les documents de cette "
    "organisation. Je cite toujours la phrase qui prouve ma réponse, et je le dis quand je ne sais pas."
)
EMPTY = "Votre question est vide : écrivez quelques mots, puis envoyez."
TOO_LONG = "Votre question est trop longue : résumez-la en moins de {longest} caractères."
UNREADABLE = (
    "Je ne lis que le français et l’anglais : reformulez votre question avec des mots de ces langues."
)
SAID_BY = "D’après « {title} »{source} : {quotes}"
NOTHING_MORE = "Les documents n’en disent pas plus."
NO_ANSWER = "Je n’ai pas trouvé la réponse dans les documents."
SUBJECTS = " Ils portent sur : {subjects}."
MORE_SUBJECTS = " et {count} autres sujets"
SUBJECTS_NAMED = 8
WRITING = "Je rédige la réponse…"
WITHHELD = "(Une phrase que les documents ne prouvent pas a été retirée.)"
INSTEAD = "Les documents disent\u00a0:"
LLM_WITHHELD = "Réponse rédigée par un modèle de langue\u00a0; ce qui n’était pas prouvé a été retiré."
LLM_UNPROVED = "La réponse rédigée n’était pas prouvée\u00a0: voici les phrases mêmes des documents."
LLM_NO_ANSWER = (
    "Le modèle de langue n’a pas su répondre\u00a0: voici les phrases les plus proches des documents."
)
LLM_LATE = "Le modèle de langue a trop tardé\u00a0: voici les phrases mêmes des documents."
LLM_UNAVAILABLE = "Le modèle de langue n’est pas disponible\u00a0: voici les phrases mêmes des documents."
STRANGE = "Dans les passages les plus proches, rien n’est dit de\u00a0: {names}."
NEEDS_PERSON = (
    "Je ne peux ni donner un conseil juridique ni aider en cas d’urgence. En cas de danger, appelez sans "
    "attendre les secours de votre pays."
)
HOW_TO_REACH = (
    "Comment contacter l’organisation : téléphone, courriel, adresse, urgence"  # searched, not shown
)
CONTACT = " Pour joindre l’organisation\u00a0: {contact}"


def refusal(subjects: tuple[str, ...], say: Callable[[str], str] = str) -> str:
    """« Je ne sais pas », and which subjects the documents do cover; `say` translates a phrase."""
    named = " ; ".join(subjects[:SUBJECTS_NAMED])
    rest = len(subjects) - SUBJECTS_NAMED
    more = say(MORE_SUBJECTS).format(count=rest) if rest > 0 else ""
    return say(NO_ANSWER) + say(SUBJECTS).format(subjects=named + more)


# --- the terminal ---

INDEX_MISSING = "Il n’y a pas encore d’index. Lancez : {command}"
INDEX_OUTDATED = "L’index a été construit avec une autre version ou un autre encodeur. Lancez : {command}"
INDEX_DAMAGED = "L’index est abîmé. Lancez : {command}"
MODEL_MISSING = (
    "Le modèle « {model} » est introuvable. Vérifiez {setting} et le réseau, ou retirez ce réglage."
)
BAD_SETTING = "Le réglage {setting} n’est pas utilisable. Corrigez-le ou retirez-le."
BAD_LINE = "ligne {number} : {problem}"
NOT_JSON = "ce n’est pas un objet JSON"
NO_QUESTION = "le champ « question » manque ou n’est pas du texte"
BAD_TURNS = "le champ « history » doit être une liste d’objets « role » et « content »"
CHAT_WELCOME = "Posez vos questions (Ctrl+D pour quitter)."
CHAT_PROMPT = "Vous : "
TRY = "Essayez : {question}"
FROM = "[{number}] « {quote} » – {title}, {source}"
LLM_MISSING = (
    "Le modèle de langue «\u00a0{model}\u00a0» demande une bibliothèque de plus. Lancez\u00a0: {command}"
)
LLM_UNUSABLE = (
    "Le modèle de langue «\u00a0{model}\u00a0» ne peut pas être utilisé ({kind}). Vérifiez REPERE_LLM, "
    "REPERE_LLM_URL et la clé d’accès."
)
UNEXPECTED = "Une erreur inattendue m’empêche de répondre ({kind})."

# --- the page ---

MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
PAGE_TITLE = "Repère"
PAGE_SUBTITLE = "Des réponses prouvées, citation par citation."
PAGE_DESCRIPTION = (
    "Posez une question : Repère répond avec les phrases mêmes des documents et montre ses preuves."
)
PAGE_SKIP = "Aller à la zone de question"
PAGE_NEEDS_SCRIPT = "Cette page a besoin de JavaScript. Activez-le dans votre navigateur, puis rechargez-la."
WELCOME = "Bonjour ! Posez votre question."
WELCOME_HOW = (
    "Je réponds avec les phrases mêmes des documents et je montre d’où elles viennent. "
    "Quand les documents ne disent rien, je le dis aussi."
)
COVERED = "Ce que couvrent les documents"
MORE_COVERED = "et {count} autres sujets"
COVERED_UNTIL = "Les documents vont jusqu’au {date}."
EXAMPLES = "Exemples de questions"
CONVERSATION = "Conversation"
YOUR_QUESTION = "Votre question :"
QUESTION_LABEL = "Votre question"
QUESTION_PLACEHOLDER = "Écrivez votre question…"
QUESTION_HINT = "Entrée pour envoyer, Maj + Entrée pour aller à la ligne."
QUESTION_MISSING = "Écrivez d’abord une question."
QUESTION_TOO_LONG = "Votre question dépasse {limit} caractères. Raccourcissez-la pour l’envoyer."
SEND = "Envoyer"
START_AGAIN = "Nouvelle conversation"
SEARCHING = "Je cherche dans les documents…"
UNDERSTOOD = "Compris : {question}"
PROOFS = "Preuves"
QUOTE_NUMBER = "Citation {number}"
QUOTE = "« {text} »"
SOURCE = "Source :"
OPENS_OUTSIDE = "(s’ouvre dans un nouvel onglet)"
REFUSED = "Je ne sais pas"
TO_A_PERSON = "À voir avec une personne"
UNCLEAR = "Question à reformuler"
FAILED = "Réponse impossible"
FAILED_TEXT = (
    "Une erreur m’empêche de répondre. Réessayez dans un instant ; si rien ne change, prévenez la "
    "personne qui s’occupe de ce service."
)
SUGGESTIONS = "Questions auxquelles je peux répondre :"
COPY = "Copier"
COPIED = "Réponse copiée"
HELPFUL = "Utile"
UNHELPFUL = "Pas utile"
JUDGE = "Votre avis, gardé sur cette machine"
CONNECTION_LOST = "La connexion avec Repère est interrompue. Attendez un instant ou rechargez la page."
BAD_REQUEST = (
    "La question doit être du texte, et l’historique une liste d’objets « role » (user ou assistant) "
    "et « content » (du texte)."
)
SERVING = "Repère vous attend sur {address} (Ctrl+C pour arrêter)."
STOPPED = "Repère est arrêté."
PORT_TAKEN = (
    "Le port {port} est déjà pris sur {host}. Choisissez-en un autre, par exemple : "
    "python -m bot serve --port {other}"
)
ADDRESS_REFUSED = (
    "Impossible d’ouvrir {host}:{port} ({reason}). Essayez : python -m bot serve --host 127.0.0.1"
)
