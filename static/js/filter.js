// My access, filtered while somebody types. Every word must fit the account (name, id, unit) or a permission set; the
// words that fit no account choose among its chips. The server does the same without script (views/access_rows.py).
const root = document.querySelector("[data-filter]");
const input = root?.querySelector("[data-filter-input]");
const fold = makeFold((root?.dataset.filter || "|").split("|"));
const shown = (selector, within = root) => [...within.querySelectorAll(selector)].filter((item) => !item.hidden);

function filterRow(row, words) {
  const account = row.dataset.filterRow;
  const rest = words.filter((word) => !account.includes(word));
  let fits = false;
  for (const chip of row.querySelectorAll("[data-filter-chip]")) {
    const name = chip.dataset.filterChip;
    chip.hidden = !rest.every((word) => name.includes(word));
    fits ||= !chip.hidden;
  }
  row.hidden = !fits;
}

function filter() {
  const words = splitQuery(input.value, fold).map(fold).filter(Boolean);
  for (const row of root.querySelectorAll("[data-filter-row]")) filterRow(row, words);
  for (const group of root.querySelectorAll("[data-filter-group]")) {
    group.hidden = shown("[data-filter-row]", group).length === 0;
  }
  root.querySelector("[data-filter-nothing]").hidden = shown("[data-filter-group]").length > 0;
  const elsewhere = root.querySelector("[data-filter-elsewhere]");
  elsewhere.search = new URLSearchParams({ q: input.value });
}

// Enter or the down arrow goes to the first chip that is left; Enter there opens it.
function enterFirst(event) {
  if (event.isComposing || !["Enter", "ArrowDown"].includes(event.key)) return;
  event.preventDefault();
  const chips = shown("[data-filter-group]").flatMap((group) =>
    shown("[data-filter-row]", group).flatMap((row) => shown("[data-filter-chip]", row)),
  );
  chips.map((chip) => chip.querySelector("[data-enter]")).find(Boolean)?.focus();
}

function focusFilter(event) {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  input.focus();
  input.select();
}

if (input) {
  root.querySelector("[data-filter-submit]").hidden = true;
  document.addEventListener("keydown", focusFilter);
  // What is not the whole does not hold the rest: there the form asks the server while somebody types (htmx).
  if ("filterWhole" in root.dataset) {
    input.addEventListener("input", filter);
    input.addEventListener("keydown", enterFirst);
    filter();
  }
  // Where there is a keyboard, typing filters at once; a phone would push one over the page.
  if (matchMedia("(hover: hover) and (pointer: fine)").matches) input.focus({ preventScroll: true });
}
