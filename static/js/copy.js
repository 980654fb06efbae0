// Buttons that copy: `data-copy` holds the text, `data-copy-from` the id of the element that shows it.
// The word of the button changes for a moment, and a live region says it to those who do not see that.
const SHOWN_FOR = 1600; // ms

document.documentElement.toggleAttribute("data-can-copy", Boolean(navigator.clipboard));

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copyFrom);
  await navigator.clipboard.writeText(source ? source.textContent : button.dataset.copy);
  announce(button);
});

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
