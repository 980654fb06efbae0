// Lists that are chosen from: what is typed brings options, and what is chosen becomes a ticked box. Without script the
// button beside the input does it, and the server reads the input in any case.
const AFTER = 150; // ms without typing

for (const input of document.querySelectorAll("[data-suggest]")) {
  let timer = 0;
  let asked = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      asked += 1;
      const mine = asked;
      const html = await ask(input);
      if (html !== null && mine === asked) input.list.innerHTML = html;
    }, AFTER);
  });
  // Browsers show the options of an empty input on its first click.
  input.addEventListener("focus", () => input.list.children.length || input.dispatchEvent(new Event("input")), { once: true });
}

async function ask(input) {
  const address = new URL(input.dataset.suggest, location.href);
  address.search = new URLSearchParams({ q: input.value });
  try {
    const response = await fetch(address);
    return response.ok && !response.redirected ? response.text() : null;
  } catch {
    return null;
  }
}

for (const field of document.querySelectorAll("[data-picks]")) {
  const input = field.querySelector("[data-suggest]");
  const list = field.querySelector("[data-picked]");
  const add = () => addAll(field.dataset.picks, list, input);
  field.querySelector("button").addEventListener("click", (event) => {
    if (!input.value.trim()) return;
    event.preventDefault();
    add();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    add();
  });
  // An option that was clicked comes as a whole.
  input.addEventListener("input", (event) => {
    const isChosen = !(event instanceof InputEvent) || event.inputType === "insertReplacementText";
    if (isChosen && [...input.list.options].some((option) => option.value === input.value)) add();
  });
}

function addAll(name, list, input) {
  const names = new Map([...input.list.options].map((option) => [option.value, option.textContent]));
  const known = new Set([...list.querySelectorAll("input")].map((box) => box.value));
  for (const value of input.value.split(/[\s,]+/).filter(Boolean)) {
    if (known.has(value)) continue;
    known.add(value);
    list.append(makeItem(name, value, names.get(value) || value));
  }
  input.value = "";
  list.dispatchEvent(new Event("change", { bubbles: true }));
}

function makeItem(name, value, shown) {
  const item = document.createElement("li");
  const label = item.appendChild(document.createElement("label"));
  label.className = "pick";
  const box = label.appendChild(document.createElement("input"));
  Object.assign(box, { type: "checkbox", name, value, checked: true });
  const text = document.createElement("span");
  text.textContent = shown;
  label.append(" ", text);
  return item;
}
