// Runs before the page is drawn: puts the chosen theme on <html>, so that nothing flashes.
// A classic script in the head, hence the braces: no name of it is global.
{
  const root = document.documentElement;
  try {
    const chosen = localStorage.getItem("park-theme");
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  } catch {
    // Storage is closed to this page: the system's theme holds.
  }
}
