"use strict";
/* Draws the figures of a report from the data beside it, in the reader's theme, and light on paper. */
(() => {
  const FIGURES = JSON.parse(document.getElementById("figures").textContent);
  const THEMES = {
    light: {
      ink: "#171c21", quiet: "#55606b", line: "#d3d8dd", surface: "#ffffff",
      compute: "#0069a6", local: "#3291c9", transfer: "#008f69", wait: "#b37a00", predicted: "#7d8791",
      runs: ["#332288", "#882255", "#6f7012", "#c4456a", "#117733", "#9a4fb5", "#7a4a21", "#48535e"],
    },
    dark: {
      ink: "#e4e8ec", quiet: "#97a2ad", line: "#2e363e", surface: "#171c21",
      compute: "#2f86cf", local: "#7cc4f0", transfer: "#1fae88", wait: "#e69f00", predicted: "#97a2ad",
      runs: ["#8f86e8", "#d1719f", "#b9b83f", "#f08aa3", "#5cb874", "#c590dc", "#c39065", "#a6b1bc"],
    },
  };
  const DASHES = ["solid", "dash", "dot", "dashdot"];
  const STATES = { compute: "computes", local: "computes while a push travels", transfer: "transfer", wait: "waits" };
  const MAX_HOVERS = 6000;
  const CONFIG = { displaylogo: false, responsive: true, displayModeBar: false, doubleClick: "reset" };

  const colourOf = (theme, role) => (typeof role === "number" ? theme.runs[role % theme.runs.length] : theme[role]);
  const round = (value) => Number(value.toPrecision(4));
  /* Plotly reads some HTML in its texts: what a person has written must stay what it is. */
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  function layoutOf(theme, { x_title, y_title, y_percent, y_from_zero, target, x_whole }) {
    const axis = { gridcolor: theme.line, zerolinecolor: theme.line, linecolor: theme.line, automargin: true };
    return {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: theme.ink, size: 12, family: getComputedStyle(document.body).fontFamily },
      margin: { l: 8, r: 8, t: 8, b: 8 },
      hovermode: "closest",
      hoverlabel: { bgcolor: theme.surface, bordercolor: theme.line, font: { color: theme.ink } },
      showlegend: false,
      xaxis: { ...axis, title: { text: x_title, font: { color: theme.quiet } }, ...(x_whole && { dtick: undefined, tickformat: "d" }) },
      yaxis: {
        ...axis,
        title: { text: y_title, font: { color: theme.quiet } },
        ...(y_percent && { tickformat: ".1~%" }),
        ...(y_from_zero && { rangemode: "tozero" }),
      },
      shapes: target === undefined || target === null ? [] : [
        { type: "line", xref: "paper", x0: 0, x1: 1, y0: target, y1: target, line: { color: theme.quiet, width: 1, dash: "dot" } },
      ],
    };
  }

  function lines(figure, theme) {
    const traces = [];
    for (const [place, one] of figure.traces.entries()) {
      const colour = colourOf(theme, one.colour);
      if (one.low) {
        traces.push({
          x: [...one.x, ...one.x.toReversed()], y: [...one.high, ...one.low.toReversed()], type: "scatter", mode: "none",
          fill: "toself", fillcolor: colour + "2e", hoverinfo: "skip",
        });
      }
      traces.push({
        x: one.x, y: one.y, type: "scatter", mode: one.x.length > 60 ? "lines" : "lines+markers",
        line: { color: colour, width: 1.75, dash: DASHES[place % DASHES.length] }, marker: { size: 4, color: colour },
        hovertemplate: `%{x:.4g}, %{y:.4g}<extra>${plain(one.name)}</extra>`,
      });
    }
    return [traces, layoutOf(theme, figure)];
  }

  function bars(figure, theme) {
    const trace = {
      x: figure.x, y: figure.y, type: "bar", marker: { color: colourOf(theme, figure.colour) },
      hovertemplate: "%{x}: %{y}<extra></extra>",
    };
    const layout = layoutOf(theme, figure);
    layout.bargap = 0.15;
    if (figure.is_named) layout.xaxis.type = "category";
    return [[trace], layout];
  }

  /* Rectangles of one state in all lanes are one shape, so that thousands of them are drawn at once. */
  function timeline(figure, theme) {
    const { lanes, is_exact: isExact, column_s: columnS } = figure;
    const height = 0.78;
    const shapes = Object.fromEntries(Object.keys(STATES).map((state) => [state, { x: [], y: [] }]));
    const points = { x: [], y: [], text: [] };
    const box = ({ x, y }, x0, x1, y0, y1) => {
      x.push(x0, x1, x1, x0, x0, null);
      y.push(y0, y0, y1, y1, y0, null);
    };
    lanes.forEach((lane, row) => {
      const bottom = lanes.length - 1 - row - height / 2;
      if (isExact) {
        for (const state of Object.keys(STATES)) {
          const spans = lane[state];
          for (let i = 0; i < spans.length; i += 2) {
            const [from, to] = [spans[i], spans[i + 1]];
            box(shapes[state], from, to, bottom, bottom + height);
            points.x.push((from + to) / 2);
            points.y.push(bottom + height / 2);
            points.text.push(`${lane.name} ${STATES[state]} ${round(to - from)} s<br>from ${round(from)} s to ${round(to)} s`);
          }
        }
        return;
      }
      const num = Math.max(...Object.keys(STATES).map((state) => lane[state].length));
      for (let column = 0; column < num; column += 1) {
        let base = bottom;
        const said = [];
        for (const state of Object.keys(STATES)) {
          const share = Math.min(1, lane[state][column] ?? 0);
          if (share <= 0) continue;
          box(shapes[state], column * columnS, (column + 1) * columnS, base, Math.min(bottom + height, base + share * height));
          base = Math.min(bottom + height, base + share * height);
          said.push(`${STATES[state]} ${round(100 * share)}%`);
        }
        points.x.push((column + 0.5) * columnS);
        points.y.push(bottom + height / 2);
        points.text.push(`${plain(lane.name)}, ${round(column * columnS)} s to ${round((column + 1) * columnS)} s<br>${said.join("<br>")}`);
      }
    });
    const traces = Object.entries(shapes).map(([state, { x, y }]) => ({
      x, y, type: "scatter", mode: "none", fill: "toself", fillcolor: colourOf(theme, state), hoverinfo: "skip",
    }));
    if (points.x.length <= MAX_HOVERS) {
      traces.push({ ...points, type: "scatter", mode: "markers", marker: { opacity: 0, size: 8 }, hovertemplate: "%{text}<extra></extra>", });
    }
    const layout = layoutOf(theme, figure);
    layout.yaxis = { ...layout.yaxis, tickvals: lanes.map((_, row) => lanes.length - 1 - row), ticktext: lanes.map(({ name }) => name), showgrid: false, zeroline: false, range: [-0.6, lanes.length - 0.4], fixedrange: true };
    return [traces, layout];
  }

  const DRAW = { lines, bars, timeline };
  const DASH_LENGTHS = ["", "6 4", "2 3", "6 3 2 3"];

  /* Beside the figure, not in it, so that many or long names take no room from the curves. */
  function legend(place, figure, theme) {
    const entries = figure.kind === "timeline"
      ? Object.entries(STATES).map(([state, name]) => [name, colourOf(theme, state), null])
      : (figure.traces ?? []).map((one, i) => [one.name, colourOf(theme, one.colour), DASH_LENGTHS[i % DASHES.length]]);
    const list = place.nextElementSibling;
    list.replaceChildren(...(entries.length < 2 ? [] : entries).map(([name, colour, dash]) => {
      const entry = document.createElement("span");
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
      line.setAttribute("d", "M0 6h24");
      line.setAttribute("stroke", colour);
      line.setAttribute("stroke-width", dash === null ? "10" : "2");
      line.setAttribute("stroke-dasharray", dash ?? "");
      for (const [key, value] of [["width", "24"], ["height", "12"], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
      svg.append(line);
      entry.append(svg, name);
      return entry;
    }));
  }

  function draw(name) {
    document.documentElement.dataset.theme = name;
    const theme = THEMES[name];
    for (const place of document.querySelectorAll("[data-figure]")) {
      const figure = FIGURES[place.dataset.figure];
      const [traces, layout] = DRAW[figure.kind](figure, theme);
      void Plotly.react(place, traces, layout, CONFIG);
      legend(place, figure, theme);
    }
    for (const swatch of document.querySelectorAll("[data-colour]")) {
      const role = swatch.dataset.colour;
      swatch.style.color = colourOf(theme, /^\d+$/.test(role) ? Number(role) : role);
    }
  }

  const isDark = window.matchMedia("(prefers-color-scheme: dark)");
  const themeOfReader = () => (isDark.matches ? "dark" : "light");
  isDark.addEventListener("change", () => draw(themeOfReader()));
  window.addEventListener("beforeprint", () => draw("light"));
  window.addEventListener("afterprint", () => draw(themeOfReader()));
  draw(themeOfReader());
})();
