// The palette: Ctrl-K (⌘K on a Mac) on every page, or a click on the field in the bar. What one can go to is fetched when
// it is opened, and matched here (seek.js); people, who are too many, are asked for while one types. All it offers are
// plain links. A screen reader is told of a combobox with a list, how many there are, and which one is meant.
(() => {
  const AFTER = 150; // ms without typing until people are asked for
  const FRESH = 60_000; // ms for which what was fetched is taken as it is
  const isMac = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);

  const dialog = document.querySelector("[data-palette]");
  if (dialog) makePalette(dialog);

  function makePalette(palette) {
    const input = palette.querySelector("input");
    const list = palette.querySelector("[role=listbox]");
    const nothing = palette.querySelector("[data-palette-nothing]");
    const said = palette.querySelector("[data-palette-said]");
    const icons = new Map();
    let sent = null;
    let seeker = null;
    let fetchedAt = 0;
    let found = [];
    let people = [];
    let active = -1;
    let timer = 0;

    for (const key of document.querySelectorAll("[data-palette-modifier]")) key.textContent = isMac ? "⌘" : "Ctrl";
    palette.querySelector("[data-palette-copies]").hidden = !navigator.clipboard;
    for (const opener of document.querySelectorAll("[data-palette-open]")) {
      opener.setAttribute("role", "button");
      opener.setAttribute("aria-haspopup", "dialog");
      opener.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        open();
      });
      opener.addEventListener("keydown", (event) => event.key === " " && (event.preventDefault(), open()));
    }
    document.addEventListener("keydown", (event) => {
      const isAsked = event.key.toLowerCase() === "k" && (isMac ? event.metaKey : event.ctrlKey);
      if (!isAsked || event.altKey || event.shiftKey) return;
      event.preventDefault();
      if (palette.open) palette.close();
      else open();
    });
    palette.querySelector("[data-palette-close]").addEventListener("click", () => palette.close());
    palette.addEventListener("click", (event) => {
      if (event.target === palette) palette.close(); // beside it
      if (event.target.closest("[role=option]")) palette.close();
    });
    palette.addEventListener("close", () => clearTimeout(timer));
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the caret stays where one types
    list.addEventListener("mousemove", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) move([...list.children].indexOf(option), { scrolls: false });
    });
    input.addEventListener("input", () => {
      people = [];
      show(0);
      clearTimeout(timer);
      timer = setTimeout(askPeople, AFTER);
    });
    input.addEventListener("keydown", onKey);

    function open() {
      if (palette.open) return;
      input.value = "";
      people = [];
      palette.showModal();
      input.focus();
      if (seeker) show(0);
      if (Date.now() - fetchedAt > FRESH) load();
    }

    async function load() {
      const answer = await fetchJson(palette.dataset.world);
      if (!answer) {
        if (!seeker) tellNothing(palette.dataset.failed);
        return;
      }
      fetchedAt = Date.now();
      sent = answer;
      seeker = makeSeeker(sent);
      if (palette.open) show(active);
      setTimeout(() => seeker.rank("a b"), 0); // the first letter would wait for code and texts that nobody has read yet
    }

    async function askPeople() {
      const query = input.value.trim();
      if (!query || !seeker) return;
      const answer = await fetchJson(`${palette.dataset.people}?${new URLSearchParams({ q: query })}`);
      if (!answer?.found.length || query !== input.value.trim()) return;
      people = answer.found;
      show(active);
    }

    function onKey(event) {
      if (event.isComposing || event.keyCode === 229) return; // Enter ends a conversion of kana
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (found.length) move((active + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
      } else if (event.key === "Enter" && list.children[active]) {
        event.preventDefault();
        if (event.ctrlKey || event.metaKey) copy(list.children[active]);
        else list.children[active].click();
      }
    }

    // --- Showing -----------------------------------------------------------------------------------------------------------

    // What was meant stays meant when people come in between.
    function show(wanted) {
      if (!seeker) return;
      const before = found[wanted]?.entry.href;
      const stays = wanted > 0 || people.length > 0;
      found = seeker.rank(input.value, people);
      const marker = makeMarker(seeker, input.value);
      list.replaceChildren(...found.map((each, number) => buildOption(each, number, marker)));
      list.hidden = !found.length;
      list.scrollTop = 0;
      input.setAttribute("aria-expanded", String(found.length > 0));
      tellNothing(found.length ? "" : palette.dataset[input.value.trim() ? "none" : "help"]);
      const place = stays ? found.findIndex(({ entry }) => entry.href === before) : 0;
      move(found.length ? Math.max(place, 0) : -1);
      if (found.length) say(found.length === 1 ? palette.dataset.one : palette.dataset.many.replace("COUNT", found.length));
    }

    function move(number, { scrolls = true } = {}) {
      active = number;
      for (const [place, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(place === number));
      const option = list.children[number];
      if (!option) return input.removeAttribute("aria-activedescendant");
      input.setAttribute("aria-activedescendant", option.id);
      if (scrolls) option.scrollIntoView({ block: "nearest" });
    }

    function buildOption({ entry, account, set }, number, marker) {
      const option = document.createElement("a");
      option.id = `palette-option-${number}`;
      option.setAttribute("role", "option");
      option.tabIndex = -1;
      option.href = entry.href;
      option.className = entry.stage;
      if (account) {
        option.target = "_blank";
        option.rel = "noopener noreferrer";
        option.dataset.visit = palette.dataset.visit.replace("ACCOUNT", account.account_id).replace("SET", encodeURIComponent(set.name));
      }
      const title = document.createElement("b");
      title.append(...marker(entry.title));
      const below = document.createElement("span");
      below.textContent = [sent.kinds[entry.kind], entry.below].filter(Boolean).join(" · ");
      option.append(drawIcon(entry.icon), title, below);
      return option;
    }

    function drawIcon(name) {
      if (!icons.has(name)) {
        const template = document.createElement("template");
        template.innerHTML = sent.icons[name] ?? sent.icons["arrow-up-right"]; // drawn by the server
        icons.set(name, template.content.firstElementChild);
      }
      return icons.get(name).cloneNode(true);
    }

    function tellNothing(text) {
      nothing.hidden = !text;
      nothing.textContent = text;
      if (text) say(text);
    }

    function say(text) {
      said.textContent = text;
    }

    async function copy(option) {
      if (!navigator.clipboard) return;
      await navigator.clipboard.writeText(option.href);
      option.classList.add("copied");
      option.dataset.said = palette.dataset.copied;
      say(palette.dataset.copied);
    }
  }

  // Letters of the name that were typed, or that mean the same.
  function makeMarker(seeker, query) {
    const needles = seeker.listNeedles(query);
    return (title) => {
      const letters = [...title];
      const folded = letters.map((letter) => seeker.foldLetter(letter));
      const starts = [];
      let whole = "";
      for (const [place, text] of folded.entries()) {
        for (let left = text.length; left > 0; left -= 1) starts.push(place);
        whole += text;
      }
      const marked = new Set();
      for (const group of needles) {
        const needle = group.find((text) => whole.includes(text));
        if (!needle) continue;
        const begin = whole.indexOf(needle);
        for (let place = starts[begin]; place <= starts[begin + needle.length - 1]; place += 1) marked.add(place);
      }
      return cut(letters, marked);
    };
  }

  function cut(letters, marked) {
    const parts = [];
    for (const [place, letter] of letters.entries()) {
      const isMarked = marked.has(place);
      const last = parts.at(-1);
      if (last?.isMarked === isMarked) last.text += letter;
      else parts.push({ isMarked, text: letter });
    }
    return parts.map(({ isMarked, text }) => {
      if (!isMarked) return text;
      const mark = document.createElement("mark");
      mark.textContent = text;
      return mark;
    });
  }

  // Null for whatever is no answer, such as the way to sign in again.
  async function fetchJson(address) {
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      return response.ok && !response.redirected ? await response.json() : null;
    } catch {
      return null;
    }
  }
})();
