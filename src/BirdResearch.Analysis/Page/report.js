// Draws a chart of the page from the JSON beside it when it comes into view, and all of them at the width of paper before printing.
(() => {
  const charts = [...document.querySelectorAll(".chart")];
  const settings = { responsive: true, displayModeBar: false, showTips: false };
  const drawn = new Set();
  const draw = chart => {
    if (drawn.has(chart)) return;
    drawn.add(chart);
    const figure = JSON.parse(document.getElementById(chart.id + "-data").textContent);
    Plotly.newPlot(chart, figure.data, figure.layout, settings);
  };
  const near = new IntersectionObserver(seen => {
    for (const entry of seen) if (entry.isIntersecting) { near.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "1200px" });
  charts.forEach(chart => near.observe(chart));

  // A figure's choice shows one trace of each chart that holds one per choice.
  for (const select of document.querySelectorAll(".choice select"))
    select.addEventListener("change", () => {
      for (const chart of select.closest("figure").querySelectorAll(".chart")) {
        draw(chart);
        if (chart.data.length === select.options.length && chart.data.length > 1)
          Plotly.restyle(chart, "visible", chart.data.map((_, index) => index === select.selectedIndex));
      }
    });

  // A figure as one SVG: its key, the choice, and its charts side by side.
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  const sans = getComputedStyle(document.documentElement).getPropertyValue("--sans").trim().replaceAll('"', "'");
  const text = (x, y, words) => {
    const safe = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    return `<text x="${x}" y="${y}" font-family="${sans}" font-size="13" fill="${ink}">${safe}</text>`;
  };
  const measure = document.createElement("canvas").getContext("2d");
  const compose = async (figure, total) => {
    const places = [...figure.querySelectorAll(".chart")];
    const gap = 24, width = Math.floor((total - gap * (places.length - 1)) / places.length);
    let body = "", y = 4, x = 0;
    measure.font = "13px " + sans;
    for (const item of figure.querySelectorAll(".key li")) {
      const sign = item.querySelector("svg"), signWidth = +sign.getAttribute("width"), long = signWidth + 10 + measure.measureText(item.textContent).width;
      if (x > 0 && x + long > total) { x = 0; y += 21; }
      body += `<g transform="translate(${x},${y})">${sign.innerHTML}</g>` + text(x + signWidth + 8, y + 13, item.textContent);
      x += long + 22;
    }
    if (x > 0) y += 28;
    const choice = figure.querySelector(".choice select");
    if (choice) { body += text(0, y + 13, choice.selectedOptions[0].textContent); y += 26; }
    let height = 0;
    for (const [index, chart] of places.entries()) {
      draw(chart);
      const tall = chart.layout.height;
      const url = await Plotly.toImage(chart, { format: "svg", width, height: tall });
      const svg = decodeURIComponent(url.slice(url.indexOf(",") + 1));
      body += svg.replace("<svg ", `<svg x="${index * (width + gap)}" y="${y}" `);
      height = Math.max(height, tall);
    }
    height += y;
    return { width: total, height, svg: `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${total}" height="${height}" viewBox="0 0 ${total} ${height}"><rect width="100%" height="100%" fill="#fff"/>${body}</svg>` };
  };
  const raster = ({ width, height, svg }) => new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = 2 * width;
      canvas.height = 2 * height;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      done(canvas.toDataURL("image/png"));
    };
    image.onerror = () => fail(new Error("the SVG could not be drawn"));
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  });
  const paperWidth = 1100;
  for (const button of document.querySelectorAll("[data-save]"))
    button.addEventListener("click", async () => {
      const figure = button.closest("figure"), kind = button.dataset.save;
      const made = await compose(figure, paperWidth);
      const link = document.createElement("a");
      link.href = kind === "png" ? await raster(made) : URL.createObjectURL(new Blob([made.svg], { type: "image/svg+xml" }));
      link.download = figure.dataset.name + "." + kind;
      link.click();
    });

  // Opened as report.html#figures the page turns into its figures as data, for bird report --figures.
  if (location.hash === "#figures") (async () => {
    const made = document.createElement("main");
    for (const figure of document.querySelectorAll("figure[data-name]")) {
      const place = document.createElement("pre");
      place.dataset.name = figure.dataset.name;
      try {
        const picture = await compose(figure, paperWidth);
        place.dataset.png = await raster(picture);
        place.textContent = picture.svg;
      } catch (error) { place.dataset.error = String(error); }
      made.append(place);
    }
    document.body.replaceChildren(made);
    document.documentElement.dataset.figures = "done";
  })();

  const paper = 182 / 25.4 * 96; // A4 less the margins of report.css, in CSS pixels
  const gap = 16;
  const beside = chart => chart.parentElement.childElementCount;
  const screen = new Map();
  addEventListener("beforeprint", () => {
    for (const chart of charts) {
      draw(chart);
      screen.set(chart, chart.layout.height);
      const height = beside(chart) > 1 && chart.layout.height < 400 ? 250 : chart.layout.height;
      chart.style.height = height + "px";
      Plotly.relayout(chart, { autosize: false, height, width: Math.floor((paper - gap * (beside(chart) - 1)) / beside(chart)) - 2 });
    }
  });
  addEventListener("afterprint", () => {
    for (const chart of charts) {
      chart.style.height = screen.get(chart) + "px";
      Plotly.relayout(chart, { autosize: true, height: screen.get(chart), width: null });
    }
  });
})();
