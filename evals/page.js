// The table: filters, search, rows drawn some at a time. Text goes in as text, never as HTML.
"use strict";
(() => {
  const STEP = 60, PRINTED = 500;
  const { rows, verdicts, variants } = JSON.parse(document.getElementById("data").textContent);
  const form = document.querySelector(".filters"), list = document.querySelector(".rows");
  const counted = document.querySelector(".count"), more = document.querySelector(".more");
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[’ʼ]/g, "'");
  const figure = (n, digits = 0) => n.toLocaleString("fr-FR", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  let shown = [], drawn = 0;

  const el = (tag, kind, ...inside) => {
    const made = document.createElement(tag);
    if (kind) made.className = kind;
    made.append(...inside.filter((part) => part !== null && part !== ""));
    return made;
  };

  const option = (value, label) => Object.assign(el("option", "", label), { value });
  const fill = (name, all, options) => form.elements[name].append(option("", all), ...options);
  const present = new Set(rows.map((row) => row.k));
  const bad = Object.values(verdicts).some((v) => !v.good);
  fill("verdict", "tous", [
    ...(bad ? [option("échecs", "tous les échecs")] : []),
    ...Object.entries(verdicts).filter(([k]) => present.has(k)).map(([k, v]) => option(k, v.label)),
  ]);
  fill("etiquette", "toutes", [...new Set(rows.flatMap((row) => row.t || []))].sort().map((t) => option(t, t)));
  const several = Object.keys(variants).length > 1;
  fill("variante", "toutes", Object.entries(variants).map(([v, label]) => option(`=${v}`, label)));
  form.elements.variante.parentElement.hidden = !several;

  const haystack = (row) => (row.$ ??= fold([row.id, row.q, row.u, row.a, row.w, ...(row.z || []).flat()].join(" ")));

  function wanted() {
    const ask = Object.fromEntries(new FormData(form));
    const words = fold(ask.texte).split(/\s+/).filter(Boolean);
    const found = rows.filter((row) =>
      (!ask.verdict || (ask.verdict === "échecs" ? !verdicts[row.k].good : row.k === ask.verdict)) &&
      (!ask.etiquette || (row.t || []).includes(ask.etiquette)) &&
      (!ask.variante || `=${row.v || ""}` === ask.variante) &&
      words.every((word) => haystack(row).includes(word)));
    const by = { c: (a, b) => (a.c ?? 2) - (b.c ?? 2), C: (a, b) => (b.c ?? -1) - (a.c ?? -1), S: (a, b) => b.s - a.s }[ask.tri];
    return by ? found.sort(by) : found;
  }

  function part(title, ...inside) {
    return el("div", "", el("h4", "", title), ...inside);
  }

  function facts(row) {
    const items = (row.f || []).map(([aliases, held]) => el("li", held ? "yes" : "no", aliases.join(" ou ")));
    const never = (row.x || []).map((text) => el("li", "", `jamais\u00a0: ${text}`));
    const none = !items.length && ["refused", "bold"].includes(row.k);
    return items.length || never.length || none
      ? part("Attendu", none ? el("p", "", "un refus") : null, el("ul", "", ...items, ...never)) : null;
  }

  function quotes(row) {
    const items = (row.z || []).map(([n, quote, title, id, source]) => {
      const from = el("small", "", [`[${n}] ${title || id}`, id, source].filter((t, i, all) => t && all.indexOf(t) === i).join(" · "));
      return el("li", "", quote ? el("blockquote", "", quote) : null, from);
    });
    return items.length ? part("Citations", el("ul", "", ...items)) : null;
  }

  function passages(row) {
    const good = new Set(row.d || []);
    const items = (row.p || []).map(([id, score]) => el("li", good.has(id) ? "hit" : "", `${id} `, el("small", "", figure(score, 2))));
    const expected = good.size ? el("p", "", `Attendu\u00a0: ${[...good].join(", ")}`) : null;
    return items.length || expected ? part("Passages trouvés", expected, el("ol", "", ...items)) : null;
  }

  function talk(row) {
    const turns = (row.h || []).map(([user, text]) => el("li", "", el("small", "", user ? "visiteur\u00a0: " : "robot\u00a0: "), text));
    if (turns.length || row.u) return part("Conversation", el("ul", "", ...turns), row.u ? el("p", "", el("small", "", "compris\u00a0: "), row.u) : null);
    return null;
  }

  function measures(row) {
    const told = [`temps ${figure(1000 * row.s)}\u00a0ms`, `identifiant ${row.id}`];
    if (row.c !== null && row.c !== undefined) told.unshift(`confiance ${figure(100 * row.c)}\u00a0%`);
    return part("Mesures", el("p", "", told.join(" · ")));
  }

  function open(row, box) {
    if (box.open && !box.querySelector(".detail"))
      box.append(el("div", "detail", ...[talk(row), facts(row), quotes(row), passages(row), measures(row)].filter(Boolean)));
  }

  function draw(row) {
    const { label, good } = verdicts[row.k];
    const about = [...(row.t || []), ...(several ? [variants[row.v || ""]] : [])].join(" · ");
    const box = el("details", `row ${row.k}`, el("summary", "",
      el("span", good ? "sign good" : "sign", label),
      el("span", "", el("span", "asked", row.q), el("small", "", about)),
      el("span", "answer", row.a || "–"),
      el("span", "reason", row.w || "")));
    box.addEventListener("toggle", () => open(row, box));
    return box;
  }

  function extend(count) {
    list.append(...shown.slice(drawn, drawn + count).map(draw));
    drawn = Math.min(shown.length, drawn + count);
    more.hidden = drawn === shown.length;
  }

  function refresh() {
    shown = wanted();
    drawn = 0;
    list.replaceChildren();
    const failed = shown.filter((row) => !verdicts[row.k].good).length;
    counted.textContent = shown.length
      ? `${figure(shown.length)} ${shown.length < 2 ? "ligne" : "lignes"} sur ${figure(rows.length)}, dont ${figure(failed)} ${failed < 2 ? "échec" : "échecs"}`
      : "Aucune ligne ne correspond\u00a0: retirez un filtre.";
    extend(STEP);
    const state = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value && (name !== "variante" || several)));
    history.replaceState(null, "", `#${state}`);
  }

  function choose(values) {
    form.reset();
    if (several) form.elements.variante.value = "=";
    for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
    refresh();
    document.getElementById("table").scrollIntoView();
    document.getElementById("table").focus({ preventScroll: true });
  }

  let waiting;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(refresh, 120); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(refresh));
  more.firstElementChild.addEventListener("click", () => {
    const first = drawn;
    extend(STEP);
    list.children[first]?.firstElementChild.focus();
  });
  new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && extend(STEP), { rootMargin: "600px" }).observe(more);
  for (const [key, name] of [["verdict", "verdict"], ["tag", "etiquette"], ["variant", "variante"]])
    for (const button of document.querySelectorAll(`button[data-${key}]`))
      button.addEventListener("click", () => choose({ [name]: key === "variant" ? `=${button.dataset.variant}` : button.dataset[key] }));
  addEventListener("beforeprint", () => drawn < PRINTED && extend(PRINTED - drawn));

  const state = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of state) if (form.elements[name]) form.elements[name].value = value;
  if (several && ![...state].length) form.elements.variante.value = "=";
  form.hidden = document.querySelector(".columns").hidden = false;
  refresh();
})();
