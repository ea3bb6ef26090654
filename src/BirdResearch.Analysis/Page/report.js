// Draws every chart of the page from the JSON beside it, and draws it again at the width of paper before printing.
(() => {
  const charts = [...document.querySelectorAll(".chart")];
  const settings = { responsive: true, displayModeBar: false, showTips: false };
  for (const chart of charts) {
    const figure = JSON.parse(document.getElementById(chart.id + "-data").textContent);
    Plotly.newPlot(chart, figure.data, figure.layout, settings);
  }
  const paper = 182 / 25.4 * 96; // A4 less the margins of report.css, in CSS pixels
  const gap = 16;
  const beside = chart => chart.parentElement.childElementCount;
  const screen = new Map(charts.map(chart => [chart, chart.layout.height]));
  addEventListener("beforeprint", () => {
    for (const chart of charts) {
      const height = beside(chart) > 1 ? 250 : screen.get(chart);
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
