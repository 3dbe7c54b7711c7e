// What the page does in the browser: sends questions, opens quotes, copies. It builds no HTML of its own.
// Gradio runs this once with `element` (the conversation), `trigger`, `props` and `watch`.
const box = () => document.getElementById("question");
const say = (text) => { document.getElementById("notice").textContent = text; };
const opened = new Set();
let sent = null;
let last = null;

function ask(question) {
  sent = question;
  trigger("ask", { question });
}

function complaint(text) {
  if ([...text].length > props.longest) return props.too_long;
  return text.trim() ? "" : props.missing;
}

function check(problem) {
  box().setAttribute("aria-invalid", String(Boolean(problem)));
  say(problem);
  return !problem;
}

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // the clipboard is only there on this machine or over https
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.nextElementSibling.textContent = props.copied;
}

function open(reference) {
  const quote = document.getElementById(reference.getAttribute("href").slice(1));
  quote.open = true;
  quote.querySelector("summary").focus();
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-question], [data-verdict], [data-copy], [data-clear], .reference, .skip");
  if (!target) return;
  if (target.matches("a")) event.preventDefault();
  if (target.matches(".skip")) box().focus();
  else if (target.matches(".reference")) open(target);
  else if ("question" in target.dataset) ask(target.dataset.question);
  else if ("copy" in target.dataset) copy(target);
  else if ("clear" in target.dataset) { trigger("start_again"); check(""); box().focus(); }
  else trigger("judge", { number: Number(target.dataset.number), verdict: target.dataset.verdict });
});

document.addEventListener("keydown", (event) => {
  if (event.target === box() && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    box().form.requestSubmit();
  }
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  if (check(complaint(box().value))) ask(box().value.trim());
});

document.addEventListener("input", (event) => {
  const problem = complaint(box().value);
  if (event.target === box()) check(problem === props.missing ? "" : problem);
});

// Drawing a new answer resets the attributes of the old ones: what was open opens again.
element.addEventListener("toggle", (event) => {
  opened[event.target.open ? "add" : "delete"](event.target.id);
}, true);

watch("value", () => {
  opened.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  const newest = element.querySelector(".exchange:last-child");
  if (newest && newest.id !== last) {
    // The box is emptied only now: a question the server never took is not lost.
    if (box().value.trim() === sent) box().value = "";
    newest.scrollIntoView({ block: "start" });
  }
  last = newest?.id ?? null;
});

// Gradio tells of a lost server in English boxes, which web.css hides; this says it in French.
new MutationObserver(() => {
  const lost = document.querySelector(".toast-wrap > *") !== null;
  const told = document.getElementById("notice")?.textContent === props.lost;
  if (lost !== told) say(lost ? props.lost : "");
}).observe(document.querySelector(".gradio-container"), { childList: true, subtree: true });
