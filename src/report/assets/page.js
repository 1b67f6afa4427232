// SPDX-License-Identifier: Apache-2.0
"use strict";
(function () {
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  root.classList.add("js");
  const token = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const font = getComputedStyle(document.body).fontFamily;

  // ---- numbers as people read them ----------------------------------------------------------------------------------
  function digits(value, significant) {
    if (value === 0) return "0";
    const size = Math.floor(Math.log10(Math.abs(value)));
    return value.toFixed(Math.max(0, Math.min(6, significant - 1 - size)));
  }
  const formats = {
    plain: (v) => digits(v, 4),
    percent: (v) => (100 * v).toFixed(1) + " %",
    count: (v) => {
      const size = Math.abs(v);
      if (size >= 1e9) return digits(v / 1e9, 3) + " G";
      if (size >= 1e6) return digits(v / 1e6, 3) + " M";
      if (size >= 1e3) return digits(v / 1e3, 3) + " k";
      return String(Math.round(v));
    },
    ms: (v) => (Math.abs(v) < 1 ? digits(1000 * v, 3) + " us" : digits(v, 3) + " ms"),
  };
  const trimmed = (text) => text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");
  const show = (axis, value) => (axis.whole ? String(Math.round(value)) : formats[axis.format](value));
  // Ticks of one axis share a unit, that of the largest value.
  function tick(axis, most) {
    if (axis.format === "ms") return most < 1 ? (v) => trimmed(digits(1000 * v, 4)) + " us" : (v) => trimmed(digits(v, 4)) + " ms";
    if (axis.format === "count") {
      const [unit, name] = most >= 1e9 ? [1e9, " G"] : most >= 1e6 ? [1e6, " M"] : most >= 1e4 ? [1e3, " k"] : [1, ""];
      return (v) => trimmed(digits(v / unit, 4)) + name;
    }
    return (v) => trimmed(show(axis, v));
  }

  // ---- charts -------------------------------------------------------------------------------------------------------
  function axisOption(axis, vertical, most) {
    const option = {
      type: "value",
      name: axis.title,
      nameLocation: "middle",
      nameGap: vertical ? 52 : 28,
      nameTextStyle: { color: token("muted"), fontSize: 12 },
      scale: !axis.zero,
      axisLine: { show: !vertical, lineStyle: { color: token("muted") } },
      axisTick: { show: false },
      axisLabel: { color: token("muted"), fontSize: 11, formatter: tick(axis, most), hideOverlap: true, alignMaxLabel: vertical ? undefined : "right" },
      splitLine: { show: vertical, lineStyle: { color: token("grid") } },
      splitNumber: vertical ? 4 : 6,
    };
    if (axis.format === "percent" && axis.zero && most > 0.8) option.interval = 0.25;
    if (axis.format === "percent") option.max = (v) => (axis.zero ? (v.max > 0.8 ? 1 : null) : v.max + 0.1 * (v.max - v.min) > 1 ? 1 : null);
    if (axis.whole) Object.assign(option, { min: "dataMin", max: "dataMax", minInterval: 1 });
    return option;
  }

  function seriesOption(series) {
    const color = token(series.color);
    const option = {
      name: series.name,
      data: series.points.map((p) => ({ value: [p[0], p[1]], label_text: p[2] })),
      itemStyle: { color },
      emphasis: { focus: "none" },
    };
    if (series.kind === "dots") {
      option.type = "scatter";
      option.symbolSize = 2 * series.size + 1;
      option.itemStyle = series.ring
        ? { color: token("card"), borderColor: color, borderWidth: 2.5 }
        : { color, opacity: series.faint ? 0.4 : 0.9 };
      option.z = series.ring ? 6 : 3;
    } else {
      option.type = "line";
      option.step = series.kind === "step" ? "end" : false;
      option.showSymbol = series.points.length < 2;
      option.symbol = "circle";
      option.symbolSize = 6;
      option.lineStyle = { color, width: 2, type: series.dashed ? [5, 4] : "solid" };
    }
    return option;
  }

  function chartOption(chart, width) {
    const lines = chart.series.every((s) => s.kind === "line") || chart.x.whole;
    const series = chart.series.map(seriesOption);
    if (chart.marks.length && series.length) {
      series[0].markLine = {
        silent: true,
        symbol: "none",
        lineStyle: { color: token("c5"), type: [5, 4], width: 1.2 },
        data: chart.marks.map((m) => ({
          [m.vertical ? "xAxis" : "yAxis"]: m.at,
          label: { formatter: m.text, color: token("c5"), position: m.vertical ? "end" : "insideStartBottom", rotate: 0, fontSize: 11.5, textBorderColor: token("card"), textBorderWidth: 3 },
        })),
      };
    }
    const most = [0, 1].map((i) => Math.max(0, ...chart.series.flatMap((s) => s.points.map((p) => p[i])), ...chart.marks.filter((m) => m.vertical === (i === 0)).map((m) => m.at)));
    const x = axisOption(chart.x, false, most[0]), y = axisOption(chart.y, true, most[1]);
    // A line at the budget must be inside the picture even where the data are not.
    for (const m of chart.marks) {
      const axis = m.vertical ? x : y;
      axis.min = (v) => Math.min(v.min, m.at) - 0.04 * (Math.max(v.max, m.at) - Math.min(v.min, m.at));
      axis.max = (v) => Math.max(v.max, m.at) + 0.06 * (Math.max(v.max, m.at) - Math.min(v.min, m.at));
      axis.axisLabel.showMinLabel = axis.axisLabel.showMaxLabel = false;
    }
    if (chart.square) {
      let low = Infinity, high = -Infinity;
      for (const s of chart.series) for (const p of s.points) { low = Math.min(low, p[0], p[1]); high = Math.max(high, p[0], p[1]); }
      const pad = 0.06 * (high - low || high || 1);
      low = Math.max(0, low - pad); high += pad;
      for (const axis of [x, y]) { axis.min = low; axis.max = high; axis.axisLabel.showMinLabel = axis.axisLabel.showMaxLabel = false; }
      const guide = (factor, type) => ({
        type: "line", silent: true, symbol: "none", tooltip: { show: false }, z: 1, animation: false,
        data: [[low, low * factor], [high, high * factor]], lineStyle: { color: token("muted"), width: 1, type, opacity: type === "solid" ? 0.8 : 0.5 }, clip: true,
      });
      series.push(guide(1, "solid"), guide(1 / 1.1, [4, 4]), guide(1.1, [4, 4]));
    }
    const legend = chart.series.length > 1;
    const legendWidth = chart.series.reduce((sum, s) => sum + 34 + 6.2 * s.name.length, 0);
    const rows = legend ? Math.ceil(legendWidth / width) : 0;
    return {
      animation: false,
      textStyle: { fontFamily: font, color: token("ink") },
      aria: { enabled: true, label: { description: chart.title } },
      grid: { left: 66, right: 14, top: (rows ? 16 + 22 * rows : 12) + (chart.marks.some((m) => m.vertical) ? 12 : 0), bottom: 44, outerBoundsMode: "none" },
      legend: legend
        ? { left: 0, right: 0, top: 0, itemWidth: 16, itemHeight: 9, itemGap: 16, data: chart.series.map((s) => ({ name: s.name, icon: s.kind === "dots" ? "circle" : undefined })), textStyle: { color: token("muted"), fontSize: 12 }, pageIconColor: token("ink"), pageIconInactiveColor: token("line"), pageTextStyle: { color: token("muted") } }
        : undefined,
      tooltip: {
        trigger: lines ? "axis" : "item",
        confine: true,
        backgroundColor: token("card"), borderColor: token("line"), textStyle: { color: token("ink"), fontSize: 12.5 },
        axisPointer: { lineStyle: { color: token("muted"), type: "solid", width: 1 } },
        formatter: (hit) => {
          const rows = Array.isArray(hit) ? hit : [hit];
          const text = (s) => String(s).replace(/[&<>"]/g, (c) => "&#" + c.charCodeAt(0) + ";");
          if (!rows.length || !rows[0].value) return "";
          const head = lines ? chart.x.title + " " + show(chart.x, rows[0].value[0]) : rows[0].data.label_text || rows[0].seriesName;
          let html = "<b>" + text(head) + "</b>";
          for (const r of rows) {
            const label = lines && r.data.label_text ? " <small>" + text(r.data.label_text) + "</small>" : "";
            html += lines
              ? "<br>" + r.marker + text(r.seriesName) + " <b>" + text(show(chart.y, r.value[1])) + "</b>" + label
              : "<br>" + text(chart.x.title) + " <b>" + text(show(chart.x, r.value[0])) + "</b><br>" + text(chart.y.title) + " <b>" + text(show(chart.y, r.value[1])) + "</b>";
          }
          return html;
        },
      },
      xAxis: x,
      yAxis: y,
      series,
    };
  }

  const live = new Map();
  function draw() {
    let drawn = 0;
    for (const chart of data.charts) {
      const plot = document.querySelector('[data-chart="' + CSS.escape(chart.id) + '"]');
      let box = plot.querySelector(".live");
      if (!box) {
        box = document.createElement("div");
        box.className = "live";
        plot.prepend(box);
      }
      plot.classList.add("drawn");
      if (live.has(chart.id)) live.get(chart.id).dispose();
      const instance = echarts.init(box, null, { renderer: "svg" });
      instance.setOption(chartOption(chart, box.clientWidth));
      live.set(chart.id, instance);
      drawn += box.querySelector("svg") ? 1 : 0;
    }
    return drawn;
  }

  // ---- heat maps: what is under the pointer ---------------------------------------------------------------------------
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  function heatTip(event) {
    const svg = event.target.closest ? event.target.closest("svg[data-heat]") : null;
    if (!svg) { tip.hidden = true; return; }
    const map = data.heat[svg.dataset.heat], edge = map.edges[svg.dataset.edge];
    const [x0, y0, width, row] = svg.dataset.cells.split(",").map(Number);
    const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal;
    const x = ((event.clientX - box.left) * view.width) / box.width - x0, y = ((event.clientY - box.top) * view.height) / box.height - y0;
    const column = Math.floor((x / width) * map.epochs.length), op = Math.floor(y / row);
    if (column < 0 || column >= map.epochs.length || op < 0 || op >= edge.labels.length) { tip.hidden = true; return; }
    tip.replaceChildren();
    const head = document.createElement("b");
    head.textContent = edge.name + ", epoch " + map.epochs[column];
    tip.append(head);
    edge.labels.forEach((label, i) => {
      const line = document.createElement("div"), p = edge.p[i][column];
      if (i === op) line.className = "at";
      line.append(Object.assign(document.createElement("span"), { textContent: label }), Object.assign(document.createElement("span"), { textContent: p < 0 ? "dropped" : (p / 10).toFixed(1) + " %" }));
      tip.append(line);
    });
    tip.hidden = false;
    const right = event.clientX + 18 + tip.offsetWidth > innerWidth;
    tip.style.left = (right ? Math.max(4, event.clientX - 14 - tip.offsetWidth) : event.clientX + 16) + "px";
    tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 4)) + "px";
  }
  document.addEventListener("pointermove", heatTip);
  document.addEventListener("pointerdown", heatTip);
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  // ---- downloads ----------------------------------------------------------------------------------------------------
  function field(value) {
    const text = String(value === undefined ? "" : value);
    return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
  }
  function csvOf(id) {
    if (data.csv[id]) return data.csv[id];
    if (data.heat[id]) {
      const lines = [["edge", "op"].concat(data.heat[id].epochs)];
      for (const edge of data.heat[id].edges) edge.p.forEach((row, op) => lines.push([edge.name, edge.labels[op]].concat(row.map((p) => (p < 0 ? "" : p / 1000)))));
      return lines.map((r) => r.map(field).join(",")).join("\n") + "\n";
    }
    const chart = data.charts.find((c) => c.id === id);
    const rows = [["series", chart.x.title, chart.y.title, "label"]];
    for (const s of chart.series) for (const p of s.points) rows.push([s.name, p[0], p[1], p[2]]);
    return rows.map((r) => r.map(field).join(",")).join("\n") + "\n";
  }
  function svgOf(id) {
    const figures = [...document.getElementById(id).querySelectorAll("svg.fig")].filter((s) => !s.closest(".tall") && !s.closest(".live"));
    const style = document.querySelector("style").textContent;
    let height = 0, body = "", width = 0;
    for (const figure of figures) {
      const view = figure.viewBox.baseVal;
      body += '<g transform="translate(0 ' + height + ')">' + figure.innerHTML + "</g>";
      height += view.height + 8;
      width = Math.max(width, view.width);
    }
    const escaped = style.replace(/&/g, "&amp;").replace(/</g, "&lt;");
    return '<svg xmlns="http://www.w3.org/2000/svg" class="fig" viewBox="0 0 ' + width + " " + height + '" width="' + width + '" height="' + height + '"><style>' + escaped + '</style><rect width="100%" height="100%" class="paper"/>' + body + "</svg>";
  }
  function save(name, type, text) {
    const link = document.createElement("a");
    link.download = name;
    link.href = "data:" + type + ";charset=utf-8," + encodeURIComponent(text);
    link.click();
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.csv) save(button.dataset.csv + ".csv", "text/csv", csvOf(button.dataset.csv));
    if (button.dataset.svg) save(button.dataset.svg + ".svg", "image/svg+xml", svgOf(button.dataset.svg));
  });
  for (const button of document.querySelectorAll("button[data-svg]")) {
    if (!document.getElementById(button.dataset.svg).querySelector("svg.fig")) button.remove();
  }

  // ---- light and dark -------------------------------------------------------------------------------------------------
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const toggle = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const label = () => { toggle.textContent = isDark() ? "Light" : "Dark"; };
  toggle.hidden = false;
  toggle.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); draw(); });
  dark.addEventListener("change", () => { label(); draw(); });
  label();

  let width = innerWidth, timer = 0;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(timer);
    timer = setTimeout(draw, 120);
  });

  const drawn = draw();
  const status = document.createElement("pre");
  status.id = "status";
  status.textContent = (drawn === data.charts.length ? "ok " : "bad ") + drawn;
  document.body.append(status);
})();
