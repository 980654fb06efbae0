// Pickers: what is typed opens a list of what may be meant, and what is chosen or pasted becomes a ticked box. All of it
// is the server's word. Without script the button beside the box sends it, and the page comes back with the same.
const AFTER = 150; // ms without typing

for (const field of document.querySelectorAll("[data-chooser]")) makeChooser(field);

function makeChooser(field) {
  const area = makeInput(field.querySelector("[data-choose]"));
  const list = field.querySelector("[role=listbox]");
  const picked = field.querySelector("[data-picked]");
  const lost = field.querySelector("[data-lost]");
  const address = field.dataset.chooser;
  let timer = 0;
  let asked = 0;
  let active = -1;

  field.classList.add("live-choosing");
  area.setAttribute("role", "combobox");
  area.setAttribute("aria-controls", list.id);
  area.setAttribute("aria-autocomplete", "list");
  close();

  area.addEventListener("input", (event) => {
    event.stopPropagation(); // what is only typed changes nothing yet
    clearTimeout(timer);
    move(-1); // what is offered is for what stood here before
    timer = setTimeout(search, AFTER);
  });
  area.addEventListener("change", (event) => event.stopPropagation());
  area.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!/[\n,;\t]/.test(text.trim())) return;
    event.preventDefault();
    take(`${area.value}\n${text}`);
  });
  area.addEventListener("keydown", onKey);
  area.addEventListener("blur", () => setTimeout(close, 150));
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[data-value]");
    if (option) take(option.dataset.value);
  });
  picked.addEventListener("change", (event) => {
    event.target.closest("li").remove();
    announceChange();
    area.focus(); // the box that had it is gone
  });

  if (area.value && document.activeElement === area) search();

  field.addEventListener("restore", (event) => {
    picked.replaceChildren();
    if (event.detail) take(event.detail);
  });

  function onKey(event) {
    if (event.isComposing) return;
    const options = list.querySelectorAll("[data-value]");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!options.length) return;
      event.preventDefault();
      move((active + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const option = options[active];
      if (option || area.value.trim()) take(option ? option.dataset.value : area.value);
    } else if (event.key === "Escape") close();
    else if (event.key === "Backspace" && !area.value) {
      const last = picked.querySelector("li:last-child");
      if (last) {
        last.remove();
        announceChange();
      }
    }
  }

  async function search() {
    const query = area.value.trim();
    asked += 1;
    const mine = asked;
    if (!query) return close();
    const html = await ask(`${address}?${new URLSearchParams({ q: query })}`);
    if (html === null || mine !== asked || document.activeElement !== area) return;
    list.innerHTML = html;
    for (const [number, option] of list.querySelectorAll("[role=option]").entries()) option.id = `${list.id}-${number}`;
    list.style.setProperty("--options-up", `${field.getBoundingClientRect().bottom - area.closest(".box").getBoundingClientRect().bottom}px`);
    list.hidden = !list.children.length;
    area.setAttribute("aria-expanded", String(!list.hidden));
    move(list.querySelector("[data-value]") ? 0 : -1);
  }

  function move(number) {
    active = number;
    const options = list.querySelectorAll("[data-value]");
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === number)));
    if (options[number]) {
      area.setAttribute("aria-activedescendant", options[number].id);
      options[number].scrollIntoView({ block: "nearest" });
    } else area.removeAttribute("aria-activedescendant");
  }

  function close() {
    asked += 1;
    active = -1;
    list.hidden = true;
    area.setAttribute("aria-expanded", "false");
    area.removeAttribute("aria-activedescendant");
  }

  async function take(text) {
    clearTimeout(timer);
    close();
    const sent = join(text);
    area.value = sent; // who sends the form before the answer is here loses nothing: the server reads the box
    const token = field.form.elements.csrfmiddlewaretoken.value;
    const html = await ask(address, { method: "POST", body: new URLSearchParams({ text, csrfmiddlewaretoken: token }) });
    if (html === null) return;
    const answer = new DOMParser().parseFromString(html, "text/html");
    add(answer.querySelectorAll("ul > li"));
    lost.replaceChildren(...answer.querySelectorAll("div > *"));
    const left = join(answer.querySelector("pre").textContent);
    if (area.value === sent) area.value = left;
    else if (area.value.startsWith(sent)) area.value = join(`${left}\n${area.value.slice(sent.length)}`); // typed meanwhile
    area.setAttribute("aria-invalid", String(Boolean(left)));
    announceChange();
    if (left && area.value === sent) search(); // nobody is called so: who is nearly?
  }

  function add(items) {
    const known = new Set([...picked.querySelectorAll("input")].map((box) => `${box.name} ${box.value}`));
    for (const item of items) {
      const box = item.querySelector("input");
      if (!known.has(`${box.name} ${box.value}`)) picked.append(item);
    }
  }

  function announceChange() {
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

// A box of several lines is for pages without script; only one of a single line may offer a list.
function makeInput(area) {
  const input = document.createElement("input");
  for (const { name, value } of area.attributes) if (name !== "rows") input.setAttribute(name, value);
  input.value = join(area.value);
  const hadFocus = document.activeElement === area;
  area.replaceWith(input);
  if (hadFocus) input.focus(); // somebody types already
  return input;
}

function join(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean).join(", ");
}

async function ask(address, options = {}) {
  try {
    const response = await fetch(address, options);
    return response.ok && !response.redirected ? response.text() : null;
  } catch {
    return null;
  }
}
