// Draws a chart of the page from the JSON beside it when it comes near, and all of them at the width of paper before printing.
const drawChart = (() => {
  const settings = { responsive: true, displayModeBar: false, showTips: false };
  const drawn = new Set();
  return chart => {
    if (drawn.has(chart)) return;
    drawn.add(chart);
    const figure = JSON.parse(document.getElementById(chart.id + "-data").textContent);
    Plotly.newPlot(chart, figure.data, figure.layout, settings);
  };
})();

(() => {
  const charts = [...document.querySelectorAll(".chart")];
  const near = new IntersectionObserver(seen => {
    for (const entry of seen) if (entry.isIntersecting) { near.unobserve(entry.target); drawChart(entry.target); }
  }, { rootMargin: "1200px" });
  charts.forEach(chart => near.observe(chart));

  // A figure's choice shows one trace of each chart that holds one per choice.
  for (const select of document.querySelectorAll(".choice select"))
    select.addEventListener("change", () => {
      for (const chart of select.closest("figure").querySelectorAll(".chart")) {
        drawChart(chart);
        if (chart.data.length === select.options.length)
          Plotly.restyle(chart, "visible", chart.data.map((_, index) => index === select.selectedIndex));
      }
    });

  const paper = 182 / 25.4 * 96; // A4 less the margins of report.css, in CSS pixels
  const gap = 16;
  const beside = chart => chart.parentElement.childElementCount;
  const screen = new Map();
  addEventListener("beforeprint", () => {
    for (const chart of charts) {
      drawChart(chart);
      screen.set(chart, chart.layout.height);
      const height = beside(chart) > 1 ? Math.min(chart.layout.height, 250 + Math.max(0, chart.layout.height - 360)) : chart.layout.height;
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
