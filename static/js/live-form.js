// The form of a permission set, or of access, while somebody types: a policy is checked and the effect shown after each
// pause, and what is not saved yet is kept in this tab. All of it is the server's word; without script buttons say the same.
const form = document.querySelector("[data-live-form]");
const TOKEN = "csrfmiddlewaretoken";
const CHECK_AFTER = 150; // ms without typing
const PREVIEW_AFTER = 500;
const KEEP_AFTER = 400;
const box = form.querySelector("[data-code]");
const editor = box?.editor;
const unchecked = form.querySelector("[data-unchecked]");

// --- Asking ------------------------------------------------------------------------------------------------------------

const TOO_OFTEN = 429;
const WAIT = 10; // s, where the server does not say how long

// One question at a time of each kind: a newer one ends the older. Gives the answer, or null with a word on the page.
// What was asked too often is asked again by itself, once the server takes it.
function makeAsker(askAgain = () => {}) {
  let running = null;
  let waiting = 0;
  return async (address, body) => {
    running?.abort();
    clearTimeout(waiting);
    const mine = (running = new AbortController());
    try {
      const response = await send(address, body, mine.signal);
      if (response.status === TOO_OFTEN) {
        say(await response.text());
        waiting = setTimeout(askAgain, 1000 * (Number(response.headers.get("Retry-After")) || WAIT));
        return null;
      }
      return tell(response) ? { ok: response.ok, text: await response.text() } : null;
    } catch (error) {
      if (error.name !== "AbortError") say(form.dataset.unreachable);
      return null;
    }
  };
}

// Whoever has signed in again in another tab has another token, and this form is to go on.
async function send(address, body, signal) {
  const response = await fetch(address, { method: "POST", body, signal });
  if (response.status !== 403 || !(await renewToken())) return response;
  body.set(TOKEN, form.elements[TOKEN].value);
  return fetch(address, { method: "POST", body, signal });
}

async function renewToken() {
  const response = await fetch(location.href);
  if (!response.ok || response.redirected) return false;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const token = page.querySelector(`[data-live-form] [name=${TOKEN}]`)?.value;
  if (token) form.elements[TOKEN].value = token;
  return Boolean(token);
}

let isLost = false;

function tell(response) {
  isLost = response.status === 401 || response.status === 403 || response.redirected;
  say(isLost ? form.dataset.lost : "");
  return !isLost;
}

// Back from the tab where one has signed in.
addEventListener("focus", () => isLost && preview());

function say(text) {
  if (!unchecked) return;
  unchecked.hidden = !text;
  unchecked.textContent = text;
}

function collect(values) {
  const data = new FormData();
  data.set(TOKEN, form.elements[TOKEN].value);
  for (const [name, value] of Object.entries(values)) data.set(name, value);
  return data;
}

function debounce(work, pause) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, pause);
  };
}

// --- The policy --------------------------------------------------------------------------------------------------------

const askCheck = makeAsker(() => check());
const askFormat = makeAsker();

async function check() {
  const answer = await askCheck(form.dataset.check, collect({ inline_policy: editor.area.value }));
  if (!answer?.ok) return;
  form.querySelector("[data-findings]").outerHTML = answer.text;
  showFindings();
  announce();
}

// The counts are said, politely and only when they are others; the list waits to be visited.
function announce() {
  const said = document.querySelector("[data-announce]");
  const counts = form.querySelector("[data-findings] .counts").textContent.trim().replace(/\s+/g, " ");
  if (said.textContent !== counts) said.textContent = counts;
}

function showFindings() {
  const marks = new Map();
  for (const item of form.querySelectorAll("[data-findings] [data-line]")) {
    const line = Number(item.dataset.line);
    if (!marks.has(line)) marks.set(line, item.dataset.severity);
    for (const fix of item.querySelectorAll("[data-fix]")) fix.hidden = false;
  }
  editor.mark(marks);
}

function readPlace(item) {
  const { line, column, endLine, endColumn } = item.dataset;
  return { line: Number(line), column: Number(column), endLine: Number(endLine), endColumn: Number(endColumn) };
}

async function layOut(event) {
  event.preventDefault();
  const answer = await askFormat(form.dataset.format, collect({ inline_policy: editor.area.value }));
  if (!answer) return;
  if (!answer.ok) form.querySelector("[data-findings] [data-jump]")?.focus();
  else if (answer.text !== editor.area.value) {
    const lines = editor.area.value.split("\n");
    const end = { endLine: lines.length, endColumn: [...lines.at(-1)].length + 1 };
    editor.replace({ line: 1, column: 1, ...end }, answer.text);
  }
}

if (editor) {
  const checkSoon = debounce(check, CHECK_AFTER);
  editor.area.addEventListener("input", checkSoon);
  form.querySelector("[data-format-button]").addEventListener("click", layOut);
  form.addEventListener("click", (event) => {
    const item = event.target.closest("[data-line]");
    const fix = event.target.closest("[data-fix]");
    if (event.target.closest("[data-jump]")) {
      event.preventDefault();
      editor.select(readPlace(item));
    } else if (fix) editor.replace(readPlace(item), fix.dataset.fix);
  });
  showFindings();
}

// --- The effect --------------------------------------------------------------------------------------------------------

const askPreview = makeAsker(() => preview());
const AGAIN_AFTER = 2000; // ms, while something is being read that the effect depends on
const MOST_AGAIN = 8;
let again = 0;

function lookAgain() {
  if (form.querySelector("[data-preview][data-again]") && again < MOST_AGAIN) {
    again += 1;
    setTimeout(preview, AGAIN_AFTER);
  }
}

async function preview() {
  const data = new FormData(form);
  data.set("do", "preview");
  const answer = await askPreview(form.getAttribute("action") ?? location.href, data);
  if (!answer?.ok) return;
  const before = form.querySelector("[data-preview]");
  const hadFocus = before.contains(document.activeElement);
  before.outerHTML = answer.text;
  if (hadFocus) form.querySelector("[data-preview] .primary")?.focus();
  lookAgain();
}

const previewSoon = debounce(() => {
  again = 0;
  preview();
}, PREVIEW_AFTER);
lookAgain();
form.addEventListener("input", previewSoon);
form.addEventListener("change", previewSoon);

// --- What is not saved yet ----------------------------------------------------------------------------------------------

const KEY = `genkan:${location.pathname}`;
const LEFT_OUT = new Set([TOKEN, "base", "seen", "do", "token"]);
const bar = document.querySelector("[data-kept]");

function readForm() {
  return [...new FormData(form)].filter(([name, value]) => !LEFT_OUT.has(name) && value !== "");
}

const opened = JSON.stringify(readForm());

function keep() {
  const now = JSON.stringify(readForm());
  try {
    if (now === opened && form.hasAttribute("data-fresh")) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, now);
  } catch {
    // A full or forbidden store keeps nothing; the form itself is as good as ever.
  }
}

function restore(pairs) {
  for (const field of form.querySelectorAll("input:not([type=hidden], [type=checkbox]), textarea, select")) {
    field.value = pairs.find(([name]) => name === field.name)?.[1] ?? "";
  }
  for (const field of form.querySelectorAll("[data-picks]")) {
    const input = field.querySelector("[data-suggest]");
    field.querySelector("[data-picked]").replaceChildren();
    input.value = pairs.filter(([name]) => name === field.dataset.picks).map(([, value]) => value).join(" ");
    if (input.value) field.querySelector("button").click();
  }
  for (const field of form.querySelectorAll("[data-chooser]")) {
    const names = field.dataset.names.split(" ");
    const text = pairs.filter(([name]) => names.includes(name)).map(([, value]) => value).join("\n");
    field.dispatchEvent(new CustomEvent("restore", { detail: text }));
  }
  editor?.area.dispatchEvent(new Event("input", { bubbles: true }));
}

function offer() {
  const kept = sessionStorage.getItem(KEY);
  if (!kept || kept === opened || !form.hasAttribute("data-fresh")) return;
  bar.hidden = false;
  bar.querySelector("[data-kept-restore]").addEventListener("click", () => {
    restore(JSON.parse(kept));
    bar.hidden = true;
  });
  bar.querySelector("[data-kept-forget]").addEventListener("click", () => {
    sessionStorage.removeItem(KEY);
    bar.hidden = true;
  });
}

offer();
const keepSoon = debounce(keep, KEEP_AFTER);
form.addEventListener("input", keepSoon);
form.addEventListener("change", keepSoon);
addEventListener("pagehide", keep);
// Whether it was saved is known on the page that follows it (saved.js); any other page means that it was not.
sessionStorage.removeItem(`${KEY}:sent`);
form.addEventListener("submit", (event) => {
  if (event.submitter?.value === "save") sessionStorage.setItem(`${KEY}:sent`, "1");
});

// What was chosen while the page still loaded, or what the browser brought back, is looked at as well.
function isOther(field) {
  if (field.tagName === "SELECT") return field.value !== "" && !field.selectedOptions[0]?.defaultSelected;
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  return field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;
}

if ([...form.elements].some(isOther)) preview();
