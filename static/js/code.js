// A textarea that shows its text as code: a layer below it has line numbers, colours, marks and matching brackets. The
// text, the caret, the keyboard and what a screen reader hears stay the textarea's own, and Tab leaves it as any field.
const TOKEN = /("(?:\\.|[^"\\])*")(?=\s*:)|("(?:\\.|[^"\\])*"?)|([^"]+)/g;
const PAIRS = { "{": "}", "[": "]" };
const STEP = "  ";

// The editor of a box is its property `editor`, for scripts that come later.
for (const box of document.querySelectorAll("[data-code]")) box.editor = enhance(box);

function enhance(box) {
  const area = box.querySelector("textarea");
  const layer = document.createElement("ol");
  layer.setAttribute("aria-hidden", "true");
  box.prepend(layer);
  box.classList.add("editor", "live");
  let marks = new Map();
  const paint = () => paintLines(layer, area.value, marks, findPair(area));
  area.addEventListener("input", paint);
  area.addEventListener("keydown", (event) => indent(event, area));
  document.addEventListener("selectionchange", () => document.activeElement === area && paint());
  area.addEventListener("blur", paint);
  paint();
  return {
    area,
    // `found`: line → severity
    mark(found) {
      marks = found;
      paint();
    },
    select: (place) => select(box, layer, area, place),
    replace: (place, text) => replace(area, place, text),
  };
}

// --- What is painted ---------------------------------------------------------------------------------------------------

// Only lines that look different are made anew.
function paintLines(layer, text, marks, pair) {
  const lines = text.split("\n");
  while (layer.children.length > lines.length) layer.lastChild.remove();
  let start = 0;
  for (const [index, line] of lines.entries()) {
    const severity = marks.get(index + 1) ?? "";
    const columns = pair.map((place) => place - start).filter((column) => column >= 0 && column < line.length);
    const look = `${severity}|${columns}|${line}`;
    const item = layer.children[index] ?? layer.appendChild(document.createElement("li"));
    if (item.look !== look) paintLine(item, line, severity, columns);
    item.look = look;
    start += line.length + 1;
  }
}

function paintLine(item, line, severity, columns) {
  item.className = severity;
  const code = document.createElement("code");
  for (const match of line.matchAll(TOKEN)) {
    const kind = match[1] ? "key" : match[2] ? "string" : "";
    if (kind) code.append(makePiece(kind, match[0]));
    else appendRest(code, match[0], columns.map((column) => column - match.index));
  }
  item.replaceChildren(code);
}

function appendRest(code, text, columns) {
  let from = 0;
  for (const column of columns.filter((place) => place >= 0 && place < text.length).sort((a, b) => a - b)) {
    code.append(text.slice(from, column), makePiece("bracket", text[column]));
    from = column + 1;
  }
  code.append(text.slice(from));
}

function makePiece(kind, text) {
  const piece = document.createElement("span");
  piece.className = kind;
  piece.textContent = text;
  return piece;
}

// The bracket at the caret, and the one that belongs to it; nothing where there is none.
function findPair(area) {
  if (document.activeElement !== area || area.selectionStart !== area.selectionEnd) return [];
  const caret = area.selectionStart;
  const open = [];
  let inText = false;
  for (let place = 0; place < area.value.length; place += 1) {
    const sign = area.value[place];
    if (inText && sign === "\\") place += 1;
    else if (sign === '"') inText = !inText;
    else if (!inText && PAIRS[sign]) open.push(place);
    else if (!inText && (sign === "}" || sign === "]")) {
      const begin = open.pop();
      if (begin === undefined) return [];
      const isAtCaret = [begin, place].some((one) => one === caret || one === caret - 1);
      if (isAtCaret) return PAIRS[area.value[begin]] === sign ? [begin, place] : [];
    }
  }
  return [];
}

// --- Typing ------------------------------------------------------------------------------------------------------------

// A new line begins below the one before it; between brackets the closing one gets a line of its own.
function indent(event, area) {
  if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const before = area.value.slice(0, area.selectionStart);
  const margin = /^[ \t]*/.exec(before.slice(before.lastIndexOf("\n") + 1))[0];
  const closing = PAIRS[before.trimEnd().at(-1)];
  type(area, `\n${margin}${closing ? STEP : ""}`);
  if (!closing || area.value[area.selectionEnd] !== closing) return;
  const caret = area.selectionStart;
  type(area, `\n${margin}`);
  area.setSelectionRange(caret, caret);
}

// As if it had been typed, so that it can be undone.
function type(area, text) {
  area.focus();
  if (document.execCommand(text ? "insertText" : "delete", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- Places ------------------------------------------------------------------------------------------------------------

// Lines and columns count from 1, and columns count characters; a textarea counts half of some.
function toOffset(text, line, column) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return before + [...(lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
}

function choose(area, { line, column, endLine, endColumn }) {
  area.focus({ preventScroll: true });
  area.setSelectionRange(toOffset(area.value, line, column), toOffset(area.value, endLine, endColumn));
}

function select(box, layer, area, place) {
  choose(area, place);
  const item = layer.children[place.line - 1];
  if (!item) return;
  box.scrollTop = item.offsetTop - box.clientHeight / 3;
  box.scrollLeft = 0;
  item.scrollIntoView({ block: "nearest" });
}

function replace(area, place, text) {
  choose(area, place);
  type(area, text);
}
