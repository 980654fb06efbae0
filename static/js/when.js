// Keeps “2 minutes ago” true on a page that stays open.
const EVERY = 30_000; // ms
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]]; // seconds
const format = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always" });

setInterval(() => {
  for (const time of document.querySelectorAll("time[data-when]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const unit = UNITS.find(([, size]) => seconds >= size);
    if (unit) time.textContent = format.format(-Math.floor(seconds / unit[1]), unit[0]);
  }
}, EVERY);
