// Buttons that copy: `data-copy` holds the text, `data-copy-from` the id of the element that shows it. `data-copy-html`
// beside it is what editors take that know links with words.
// The word of the button changes for a moment, and a live region says it to those who do not see that.
const SHOWN_FOR = 1600; // ms

document.documentElement.toggleAttribute("data-can-copy", Boolean(navigator.clipboard));

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copyFrom);
  await copy(source ? source.textContent : button.dataset.copy, button.dataset.copyHtml);
  announce(button);
});

function copy(text, html) {
  if (!html) return navigator.clipboard.writeText(text);
  const kinds = Object.entries({ "text/plain": text, "text/html": html });
  const blobs = kinds.map(([type, content]) => [type, new Blob([content], { type })]);
  return navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
}

function announce(button) {
  const word = button.querySelector("span");
  const before = word?.textContent;
  button.classList.add("copied");
  document.querySelector("[data-announce]").textContent = button.dataset.copied;
  if (word) word.textContent = button.dataset.copied;
  setTimeout(() => {
    button.classList.remove("copied");
    document.querySelector("[data-announce]").textContent = "";
    if (word) word.textContent = before;
  }, SHOWN_FOR);
}
