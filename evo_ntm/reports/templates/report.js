"use strict";
// Draws the figures, and leads from a birth in one of them to its row, and back.
(() => {
  const root = document.documentElement;
  const charts = JSON.parse(document.getElementById("island").textContent);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const coarse = matchMedia("(pointer: coarse)");
  const plots = [...document.querySelectorAll(".plot")];
  const RING = "chosen";
  const NARROW = 600;

  // Without scripts all tables are open; with them, figures come first.
  for (const table of document.querySelectorAll("details.data[open]")) table.open = false;

  // ---- colours of the page

  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const role = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();

  function colours(layout) {
    const told = {
      "font.color": role("soft"),
      "modebar.bgcolor": "rgba(0, 0, 0, 0)",
      "modebar.color": role("line"),
      "modebar.activecolor": role("soft"),
      "hoverlabel.bgcolor": role("raised"),
      "hoverlabel.bordercolor": role("line"),
      "hoverlabel.font.color": role("ink"),
    };
    for (const axis of Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name))) {
      told[`${axis}.gridcolor`] = role("faint");
      told[`${axis}.tickcolor`] = role("line");
      if (axis.startsWith("x")) told[`${axis}.linecolor`] = role("line");
    }
    (layout.annotations ?? []).forEach((_, place) => {
      told[`annotations[${place}].font.color`] = role("ink");
    });
    return told;
  }

  // Bars that touch are set apart by the colour of the paper.
  function edged(data) {
    return data.flatMap((trace, place) => (trace.type === "bar" ? [place] : []));
  }

  function repaint() {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `${button.textContent} paper`);
    for (const plot of plots) if (plot.data) recolour(plot);
  }

  function recolour(plot) {
    const bars = edged(plot.data);
    const edges = bars.length ? { "marker.line.color": role("paper") } : {};
    return Plotly.update(plot, edges, colours(plot.layout), bars);
  }

  const button = document.getElementById("theme");
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    repaint();
  });
  dark.addEventListener("change", repaint);

  // ---- figures

  // Titles that are wider than a phone go over two lines.
  function wrap(layout) {
    layout.margin = { ...layout.margin, t: layout.margin.t + 14, r: 6 };
    layout.height += 14;
    for (const note of layout.annotations ?? []) {
      note.text = note.text.replace(/^(<b>.{20,34}) (?=.{8,})/, "$1<br>");
      note.align = "left";
    }
  }

  async function draw(plot) {
    const { data, layout } = charts[plot.dataset.chart];
    if (plot.dataset.chart === "trunk") {
      data.push({
        type: "scatter", mode: "markers", name: RING, x: [], y: [], hoverinfo: "skip",
        showlegend: false,
        marker: { symbol: "circle-open", size: 20, color: "#c98500", line: { width: 3 } },
      });
    }
    layout.showlegend = false; // the page has one of its own
    delete layout.width;
    if (coarse.matches) layout.dragmode = false; // or nobody could scroll
    if (innerWidth < NARROW) wrap(layout);
    await Plotly.newPlot(plot, data, layout, {
      responsive: true, displaylogo: false, displayModeBar: coarse.matches || innerWidth < NARROW ? false : "hover",
      modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
    });
    await recolour(plot);
    if (plot.dataset.chart === "trunk") {
      plot.on("plotly_click", ({ points }) => {
        const point = points.find((each) => each.customdata !== undefined);
        if (point) choose(point.customdata, "mark");
      });
      plot.on("plotly_afterplot", () => reachable(plot));
      reachable(plot);
    }
  }

  // ---- marks of the line, reached with Tab and the arrow keys

  function marksOf(plot) {
    const found = [];
    for (const group of plot.querySelectorAll(".scatterlayer .trace")) {
      const trace = group.__data__?.[0]?.trace;
      if (!trace?.customdata) continue;
      for (const mark of group.querySelectorAll("path.point")) {
        const place = mark.__data__.i;
        found.push({
          mark, birth: trace.customdata[place], told: trace.text[place], x: trace.x[place],
          y: trace.y[place], curve: trace.index, place,
        });
      }
    }
    return found.sort((one, other) => one.x - other.x || one.birth - other.birth);
  }

  function reachable(plot) {
    const marks = marksOf(plot);
    const held = String(chosen ?? "");
    const first = Math.max(marks.findIndex(({ birth }) => String(birth) === held), 0);
    marks.forEach(({ mark, birth, told, curve, place }, number) => {
      mark.setAttribute("tabindex", number === first ? "0" : "-1");
      mark.setAttribute("role", "button");
      mark.setAttribute("aria-label", plainly(told));
      mark.dataset.birth = birth;
      mark.onfocus = () => Plotly.Fx.hover(plot, [{ curveNumber: curve, pointNumber: place }]);
      mark.onblur = () => Plotly.Fx.unhover(plot);
      mark.onkeydown = (event) => walk(event, marks.map((each) => each.mark), number, birth, "mark");
    });
  }

  const plainly = (text) => {
    const page = new DOMParser().parseFromString((text ?? "").replaceAll("<br>", " · "), "text/html");
    return page.body.textContent;
  };

  function walk(event, all, number, birth, from) {
    const last = all.length - 1;
    const to = {
      ArrowRight: Math.min(number + 1, last), ArrowDown: Math.min(number + 1, last),
      ArrowLeft: Math.max(number - 1, 0), ArrowUp: Math.max(number - 1, 0), Home: 0, End: last,
    }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(birth, from);
    } else if (to !== undefined) {
      event.preventDefault();
      for (const each of all) each.setAttribute("tabindex", "-1");
      all[to].setAttribute("tabindex", "0");
      all[to].focus();
    }
  }

  const nodes = [...document.querySelectorAll(".ancestry .node")];
  nodes.forEach((node, number) => {
    node.setAttribute("tabindex", number ? "-1" : "0");
    node.addEventListener("keydown", (event) => walk(event, nodes, number, node.dataset.birth, "node"));
    node.addEventListener("click", (event) => {
      event.preventDefault();
      choose(node.dataset.birth, "node");
    });
  });

  // ---- the birth that is chosen

  let chosen = null;
  const bar = document.getElementById("chosen");
  const told = document.getElementById("chosen-told");
  const leads = document.getElementById("chosen-leads");
  const trunk = document.getElementById("plot-trunk");

  const rowOf = (birth) => document.getElementById(`birth-${birth}`);
  const nodeOf = (birth) => document.getElementById(`node-${birth}`);
  const markOf = (birth) =>
    trunk?.data && marksOf(trunk).find((each) => String(each.birth) === String(birth));

  function show(element, focused) {
    for (let box = element.closest("details"); box; box = box.parentElement.closest("details")) {
      box.open = true;
    }
    const behavior = calm.matches ? "auto" : "smooth";
    element.scrollIntoView({ behavior, block: "center", inline: "center" });
    if (focused) focused.focus({ preventScroll: true });
  }

  const showRow = (birth) => show(rowOf(birth), rowOf(birth).querySelector("a"));
  const showMark = (birth) => show(trunk, markOf(birth)?.mark);
  const showNode = (birth) => show(nodeOf(birth), nodeOf(birth));

  function choose(birth, from) {
    chosen = String(birth);
    const mark = markOf(birth);
    const node = nodeOf(birth);
    const row = rowOf(birth);
    for (const each of document.querySelectorAll(".is-chosen")) each.classList.remove("is-chosen");
    for (const each of document.querySelectorAll(`tr[data-birth="${chosen}"]`)) {
      each.classList.add("is-chosen");
    }
    node?.classList.add("is-chosen");
    ring(mark);
    told.textContent = mark ? plainly(mark.told) : node?.querySelector("title").textContent ?? `birth ${birth}`;
    leads.replaceChildren();
    lead(row, "row", () => showRow(birth));
    lead(mark, "on the line", () => showMark(birth));
    lead(node, "in the ancestry", () => showNode(birth));
    bar.hidden = false;
    if (from === "mark" || from === "node") row && showRow(birth);
    if (from === "row") mark ? showMark(birth) : node && showNode(birth);
  }

  function lead(there, words, go) {
    if (!there) return;
    const link = document.createElement("a");
    link.href = "#";
    link.textContent = words;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go();
    });
    leads.append(link);
  }

  function ring(mark) {
    if (!trunk?.data) return;
    const place = trunk.data.findIndex((trace) => trace.name === RING);
    Plotly.restyle(trunk, { x: [mark ? [mark.x] : []], y: [mark ? [mark.y] : []] }, [place]);
  }

  function leave() {
    if (chosen === null) return;
    chosen = null;
    bar.hidden = true;
    for (const each of document.querySelectorAll(".is-chosen")) each.classList.remove("is-chosen");
    ring(null);
  }

  document.getElementById("chosen-leave").addEventListener("click", leave);
  addEventListener("keydown", (event) => event.key === "Escape" && leave());

  // A birth's number in a table leads to its row or to the figure; a click on the row chooses it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#birth-'], a[href^='#node-'], a[href='#figure-trunk']");
    const row = event.target.closest("tr[data-birth]");
    if (link && !link.classList.contains("node")) {
      const [, kind, number] = /^#(birth|node|figure)-(.*)$/.exec(link.getAttribute("href"));
      event.preventDefault();
      if (kind === "birth") choose(number, "mark");
      else choose(row.dataset.birth, "row");
    } else if (row && !event.target.closest("a, summary") && !String(getSelection())) {
      choose(row.dataset.birth, "table");
    }
  });

  // ---- contents

  const entries = new Map(
    [...document.querySelectorAll("nav li a")].map((link) => [link.hash.slice(1), link]),
  );
  const seen = new Set();
  const watcher = new IntersectionObserver(
    (changes) => {
      for (const { target, isIntersecting } of changes) {
        seen[isIntersecting ? "add" : "delete"](target.id);
      }
      const current = [...entries.keys()].find((id) => seen.has(id));
      for (const [id, link] of entries) {
        if (id === current) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-12% 0px -70% 0px" },
  );
  for (const section of document.querySelectorAll("main section")) watcher.observe(section);

  // ---- begin

  (async () => {
    repaint();
    for (const plot of plots) await draw(plot);
    root.dataset.drawn = "true";
    const [, birth] = /^#birth-(\d+)$/.exec(location.hash) ?? [];
    if (birth && rowOf(birth)) choose(birth, "mark");
  })();
})();
