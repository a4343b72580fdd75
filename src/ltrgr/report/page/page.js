"use strict";
// Everything but the charts can be read without this: it draws, sorts, chooses, searches and switches the theme.
document.documentElement.classList.add("js");

const parsed = element => JSON.parse(element.textContent);
const template = parsed(document.getElementById("template"));
const touch = matchMedia("(pointer: coarse)").matches;
const config = {
  responsive: true, displaylogo: false, displayModeBar: touch || "hover", plotlyServerURL: "",
  // Named one by one: a new version of Plotly may bring buttons that send a chart somewhere.
  modeBarButtons: [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
};
// A finger that moves over a chart scrolls the page; the buttons above the chart zoom.
if (touch) template.layout.dragmode = false;

// A chart is drawn when it comes near the window: a page may hold hundreds.
const draw = plot => {
  seen.unobserve(plot);
  const { data, layout } = parsed(plot.nextElementSibling);
  Plotly.newPlot(plot, data, { ...layout, template }, config);
};
const seen = new IntersectionObserver(
  entries => entries.filter(e => e.isIntersecting).forEach(e => draw(e.target)), { rootMargin: "600px" });
document.querySelectorAll(".plot").forEach(plot => seen.observe(plot));

const words = text => text.toLowerCase().split(/\s+/).filter(Boolean);
const holds = (text, searched) => searched.every(word => text.toLowerCase().includes(word));

for (const input of document.querySelectorAll(".filter")) {
  const rows = [...input.parentElement.nextElementSibling.querySelectorAll("tbody tr")];
  input.addEventListener("input", () => {
    const searched = words(input.value);
    rows.forEach(row => { row.hidden = !holds(row.textContent, searched); });
    input.nextElementSibling.textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length}`;
  });
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, i) => row.cells[i].dataset.key ?? row.cells[i].textContent.trim();
  const number = text => parseFloat(text.replace("<", ""));
  heads.forEach((head, i) => head.firstElementChild.addEventListener("click", () => {
    const rows = [...table.tBodies[0].rows];
    const numeric = !head.classList.contains("word")
      && rows.every(row => value(row, i) === "-" || Number.isFinite(number(value(row, i))));
    const before = head.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numeric;
    const compare = (a, b) => {
      const [x, y] = [value(a, i), value(b, i)];
      // A dash, no value, stands last either way.
      if (x === "-" || y === "-") return (x === "-") - (y === "-");
      return (numeric ? number(x) - number(y) : x.localeCompare(y, undefined, { numeric: true })) * (down ? -1 : 1);
    };
    heads.forEach(h => h.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.tBodies[0].append(...rows.sort(compare));
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
  const examples = [...document.querySelectorAll(".example")].map(e => [e, e.textContent]);
  const filter = () => {
    const searched = words(find.value);
    for (const [example, text] of examples)
      example.hidden = !["all", example.dataset.moved].includes(moved.value) || !holds(text, searched);
    const panel = document.querySelector('[data-group="examples"].on') ?? document;
    const count = which => panel.querySelectorAll(`.example${which}`).length;
    document.getElementById("matches").textContent = `${count(":not([hidden])")} of ${count("")}`;
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

// On paper everything chosen is open and drawn.
addEventListener("beforeprint", () => {
  document.querySelectorAll(".panel.on details, section > details").forEach(d => { d.open = true; });
  document.querySelectorAll(".plot:not(.js-plotly-plot)").forEach(plot => { if (plot.checkVisibility()) draw(plot); });
});
