// The page that follows what was saved: the copies that forms kept of it in this tab are no longer needed.
for (const key of Object.keys(sessionStorage).filter((name) => name.endsWith(":sent"))) {
  sessionStorage.removeItem(key);
  sessionStorage.removeItem(key.replace(/:sent$/, ""));
}
