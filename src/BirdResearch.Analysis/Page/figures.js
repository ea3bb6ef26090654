// Figures as files: composed as one SVG each, drawn as a PNG with a palette, saved by the page's buttons or sent to bird report --figures.
(() => {
  const root = getComputedStyle(document.documentElement);
  const ink = root.getPropertyValue("--ink").trim(), sans = root.getPropertyValue("--sans").trim().replaceAll('"', "'");
  const safe = words => words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const text = (x, y, words) => `<text x="${x}" y="${y}" font-family="${sans}" font-size="13" fill="${ink}">${safe(words)}</text>`;
  const pen = document.createElement("canvas").getContext("2d");
  const edge = 8, gap = 24;

  // The key, the choice and the charts side by side, as wide as a page of paper is at 150 dots per inch.
  const compose = async figure => {
    const total = 1100, inner = total - 2 * edge;
    const places = [...figure.querySelectorAll(".chart")];
    let body = "", x = edge, y = edge;
    pen.font = "13px " + sans;
    for (const item of figure.querySelectorAll(".key li")) {
      const sign = item.querySelector("svg"), width = +sign.getAttribute("width");
      const long = width + 8 + pen.measureText(item.textContent).width;
      if (x > edge && x + long > total - edge) { x = edge; y += 21; }
      body += `<g transform="translate(${x},${y})">${sign.innerHTML}</g>` + text(x + width + 8, y + 13, item.textContent);
      x += long + 22;
    }
    if (x > edge) y += 28;
    const choice = figure.querySelector(".choice select");
    if (choice) { body += text(edge, y + 13, choice.selectedOptions[0].textContent); y += 26; }
    const width = Math.floor((inner - gap * (places.length - 1)) / places.length);
    let tallest = 0;
    for (const [index, place] of places.entries()) {
      drawChart(place);
      const height = place.layout.height;
      const url = await Plotly.toImage(place, { format: "svg", width, height });
      body += decodeURIComponent(url.slice(url.indexOf(",") + 1)).replace("<svg ", `<svg x="${edge + index * (width + gap)}" y="${y}" `);
      tallest = Math.max(tallest, height);
    }
    const height = Math.ceil(y + tallest + edge);
    return { width: total, height, svg: `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${total}" height="${height}" viewBox="0 0 ${total} ${height}"><rect width="${total}" height="${height}" fill="#fff"/>${body}</svg>` };
  };

  const crcTable = Uint32Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n; });
  const chunk = (name, data) => {
    const body = new Uint8Array(8 + data.length + 4), view = new DataView(body.buffer);
    view.setUint32(0, data.length);
    body.set([...name].map(letter => letter.charCodeAt(0)), 4);
    body.set(data, 8);
    let crc = 0xffffffff;
    for (let i = 4; i < 8 + data.length; i++) crc = crcTable[(crc ^ body[i]) & 255] ^ (crc >>> 8);
    view.setUint32(8 + data.length, ~crc);
    return body;
  };

  // The 256 commonest colours; every other pixel, at the edges of letters and lines, takes the nearest of them.
  const paletted = pixels => {
    const colours = new Uint32Array(pixels.buffer), counts = new Map();
    for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
    const palette = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 256).map(pair => pair[0]);
    const place = new Map(palette.map((colour, index) => [colour, index]));
    const nearest = colour => {
      let best = 0, least = Infinity;
      palette.forEach((other, index) => {
        let far = 0;
        for (const shift of [0, 8, 16]) far += (((colour >>> shift) & 255) - ((other >>> shift) & 255)) ** 2;
        if (far < least) { least = far; best = index; }
      });
      place.set(colour, best);
      return best;
    };
    const indices = new Uint8Array(colours.length);
    for (let i = 0; i < colours.length; i++) indices[i] = place.get(colours[i]) ?? nearest(colours[i]);
    return { palette: palette.flatMap(colour => [colour & 255, (colour >>> 8) & 255, (colour >>> 16) & 255]), indices };
  };

  const png = async (width, height, pixels) => {
    const { palette, indices } = paletted(pixels);
    const lines = new Uint8Array((width + 1) * height);
    for (let y = 0; y < height; y++) lines.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
    const packed = new Uint8Array(await new Response(new Blob([lines]).stream().pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
    const head = new Uint8Array(13), view = new DataView(head.buffer);
    view.setUint32(0, width);
    view.setUint32(4, height);
    head.set([8, 3, 0, 0, 0], 8);
    return new Blob([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), chunk("IHDR", head), chunk("PLTE", Uint8Array.from(palette)), chunk("IDAT", packed), chunk("IEND", new Uint8Array())], { type: "image/png" });
  };

  const raster = async ({ width, height, svg }) => {
    const image = new Image();
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
    await new Promise((done, fail) => { image.onload = done; image.onerror = () => fail(new Error("the SVG could not be drawn")); });
    const canvas = document.createElement("canvas");
    canvas.width = 2 * width;
    canvas.height = 2 * height;
    const brush = canvas.getContext("2d");
    brush.drawImage(image, 0, 0, canvas.width, canvas.height);
    return png(canvas.width, canvas.height, brush.getImageData(0, 0, canvas.width, canvas.height).data);
  };

  for (const button of document.querySelectorAll("[data-save]"))
    button.addEventListener("click", async () => {
      const figure = button.closest("figure"), kind = button.dataset.save, made = await compose(figure);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(kind === "png" ? await raster(made) : new Blob([made.svg], { type: "image/svg+xml" }));
      link.download = figure.dataset.name + "." + kind;
      link.click();
    });

  const asUri = blob => new Promise(done => { const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(blob); });

  // Asked by bird report --figures, the page answers with all of its figures.
  if (location.hash === "#figures" && location.protocol === "http:") (async () => {
    const made = [];
    for (const figure of document.querySelectorAll("figure[data-name]")) {
      const { name, title } = figure.dataset;
      try {
        const picture = await compose(figure);
        made.push({ name, title, svg: picture.svg, png: (await asUri(await raster(picture))).split(",")[1] });
      } catch (error) { made.push({ name, title, error: String(error) }); }
    }
    await fetch("/figures", { method: "POST", body: JSON.stringify(made) });
  })();
})();
