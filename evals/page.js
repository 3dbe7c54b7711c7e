// The table: filters, search, rows drawn some at a time. Text goes in as text, never as HTML.
"use strict";
(() => {
  const STEP = 60, PRINTED = 500;
  const { rows, verdicts, variants, words } = JSON.parse(document.getElementById("data").textContent);
  const form = document.querySelector(".filters"), list = document.querySelector(".rows");
  const counted = document.querySelector(".count"), more = document.querySelector(".more");
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/[’ʼ]/g, "'");
  const figure = (n, digits = 0) => n.toLocaleString("fr-FR", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const say = (key, numbers = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => numbers[name]);
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
  fill("verdict", say("all"), [
    ...(bad ? [option("failed", say("failures"))] : []),
    ...Object.entries(verdicts).filter(([k]) => present.has(k)).map(([k, v]) => option(k, v.label)),
  ]);
  fill("tag", say("all_tags"), [...new Set(rows.flatMap((row) => row.t || []))].sort().map((t) => option(t, t)));
  const several = Object.keys(variants).length > 1;
  fill("variant", say("all_tags"), Object.entries(variants).map(([v, label]) => option(`=${v}`, label)));
  form.elements.variant.parentElement.hidden = !several;

  const haystack = (row) => (row.$ ??= fold([row.id, row.q, row.u, row.a, row.w, ...(row.z || []).flat()].join(" ")));

  function wanted() {
    const ask = Object.fromEntries(new FormData(form));
    const words = fold(ask.text).split(/\s+/).filter(Boolean);
    const found = rows.filter((row) =>
      (!ask.verdict || (ask.verdict === "failed" ? !verdicts[row.k].good : row.k === ask.verdict)) &&
      (!ask.tag || (row.t || []).includes(ask.tag)) &&
      (!ask.variant || `=${row.v || ""}` === ask.variant) &&
      words.every((word) => haystack(row).includes(word)));
    const by = { c: (a, b) => (a.c ?? 2) - (b.c ?? 2), C: (a, b) => (b.c ?? -1) - (a.c ?? -1), S: (a, b) => b.s - a.s }[ask.sort];
    return by ? found.sort(by) : found;
  }

  function part(title, ...inside) {
    return el("div", "", el("h4", "", title), ...inside);
  }

  function facts(row) {
    const items = (row.f || []).map(([aliases, held]) => el("li", held ? "yes" : "no", aliases.join(say("or"))));
    const never = (row.x || []).map((text) => el("li", "", say("never") + text));
    const none = !items.length && ["refused", "bold"].includes(row.k);
    return items.length || never.length || none
      ? part(say("expected"), none ? el("p", "", say("a_refusal")) : null, el("ul", "", ...items, ...never)) : null;
  }

  function quotes(row) {
    const items = (row.z || []).map(([n, quote, title, id, source]) => {
      const from = el("small", "", [`[${n}] ${title || id}`, id, source].filter((t, i, all) => t && all.indexOf(t) === i).join(" · "));
      return el("li", "", quote ? el("blockquote", "", quote) : null, from);
    });
    return items.length ? part(say("quotes"), el("ul", "", ...items)) : null;
  }

  function passages(row) {
    const good = new Set(row.d || []);
    const items = (row.p || []).map(([id, score]) => el("li", good.has(id) ? "hit" : "", `${id} `, el("small", "", figure(score, 2))));
    const expected = good.size ? el("p", "", `${say("expected")}\u00a0: ${[...good].join(", ")}`) : null;
    return items.length || expected ? part(say("passages"), expected, el("ol", "", ...items)) : null;
  }

  function talk(row) {
    const turns = (row.h || []).map(([user, text]) => el("li", "", el("small", "", say(user ? "visitor" : "bot")), text));
    if (turns.length || row.u) return part(say("talk"), el("ul", "", ...turns), row.u ? el("p", "", el("small", "", say("understood")), row.u) : null);
    return null;
  }

  function measures(row) {
    const told = [say("time", { n: figure(1000 * row.s) }), say("name") + row.id];
    if (row.c !== null && row.c !== undefined) told.unshift(say("confidence", { n: figure(100 * row.c) }));
    return part(say("measures"), el("p", "", told.join(" · ")));
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
      ? say(shown.length < 2 ? "line" : "lines", { n: figure(shown.length), all: figure(rows.length), bad: say(failed < 2 ? "failure" : "failed", { n: figure(failed) }) })
      : say("none");
    extend(STEP);
    const state = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value && (name !== "variant" || several)));
    history.replaceState(null, "", `#${state}`);
  }

  function choose(values) {
    form.reset();
    if (several) form.elements.variant.value = "=";
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
  for (const key of ["verdict", "tag", "variant"])
    for (const button of document.querySelectorAll(`button[data-${key}]`))
      button.addEventListener("click", () => choose({ [key]: key === "variant" ? `=${button.dataset.variant}` : button.dataset[key] }));
  addEventListener("beforeprint", () => drawn < PRINTED && extend(PRINTED - drawn));

  const state = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of state) if (form.elements[name]) form.elements[name].value = value;
  if (several && ![...state].length) form.elements.variant.value = "=";
  form.hidden = document.querySelector(".columns").hidden = false;
  refresh();
})();
