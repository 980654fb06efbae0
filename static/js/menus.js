// Menus are <details>, so they open without script. With it, one is open at a time, and Escape or a click elsewhere
// closes it.
// On a narrow screen the main pages scroll sideways: the current one is brought into view.
showCurrent(document.querySelector(".bar nav"));

const OPEN = "details[data-menu][open]";

function closeAll(except) {
  for (const menu of document.querySelectorAll(OPEN)) if (menu !== except) menu.open = false;
}

document.addEventListener("click", (event) => closeAll(event.target.closest("details[data-menu]")));

document.addEventListener("focusin", (event) => closeAll(event.target.closest("details[data-menu]")));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(OPEN);
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// scrollIntoView would do, but newer browsers go on tabbing from what it showed, past the link that skips to the content.
function showCurrent(nav) {
  const current = nav?.querySelector("[aria-current]");
  if (!current) return;
  const [outer, inner] = [nav.getBoundingClientRect(), current.getBoundingClientRect()];
  nav.scrollLeft += inner.left + inner.width / 2 - (outer.left + outer.width / 2);
}
