"use strict";
// Everything can be read without this: it sorts, chooses, searches and switches the theme.
document.documentElement.classList.add("js");

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, i) => row.cells[i].dataset.key ?? row.cells[i].textContent.trim();
  heads.forEach((head, i) => head.firstElementChild.addEventListener("click", () => {
    const rows = [...table.tBodies[0].rows];
    const numeric = rows.every(r => value(r, i) === "-" || Number.isFinite(parseFloat(value(r, i))) && !head.classList.contains("word"));
    const before = head.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numeric;
    const compare = (a, b) => {
      const [x, y] = [value(a, i), value(b, i)];
      if (!numeric) return x.localeCompare(y, undefined, { numeric: true });
      // A dash, no value, stands last either way.
      if (x === "-" || y === "-") return (x === "-") - (y === "-") ? ((x === "-") ? 1 : -1) * (down ? -1 : 1) : 0;
      return parseFloat(x) - parseFloat(y);
    };
    rows.sort((a, b) => compare(a, b) * (down ? -1 : 1));
    heads.forEach(h => h.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.tBodies[0].append(...rows);
  }));
}

for (const select of document.querySelectorAll("select[data-panels]")) {
  const panels = document.querySelectorAll(`[data-group="${select.dataset.panels}"]`);
  const show = () => panels.forEach((panel, i) => panel.classList.toggle("on", i === Number(select.value)));
  select.addEventListener("change", show);
  show();
}

const find = document.getElementById("find");
if (find) {
  const moved = document.getElementById("moved");
  const matches = document.getElementById("matches");
  const examples = [...document.querySelectorAll(".example")].map(e => [e, e.textContent.toLowerCase()]);
  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const [example, text] of examples) {
      const kind = moved.value === "all" || moved.value === example.dataset.moved;
      example.hidden = !kind || !words.every(word => text.includes(word));
    }
    const panel = document.querySelector('[data-group="examples"].on') ?? document;
    const shown = panel.querySelectorAll(".example:not([hidden])").length;
    matches.textContent = `${shown} of ${panel.querySelectorAll(".example").length}`;
  };
  find.addEventListener("input", filter);
  moved.addEventListener("change", filter);
  document.getElementById("examples-choice")?.addEventListener("change", filter);
  filter();
}

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

// On paper everything chosen is open.
addEventListener("beforeprint", () => document.querySelectorAll(".panel.on details, section > details").forEach(d => { d.open = true; }));
