// Draws every chart of the page from the JSON beside it.
for (const place of document.querySelectorAll(".chart")) {
  const figure = JSON.parse(place.nextElementSibling.textContent);
  Plotly.newPlot(place, figure.data, figure.layout, figure.config);
}
