// The chart as a picture: the same shapes, drawn on a canvas in the page's colours.
const SCALE = 2; // for screens with small pixels
const [WIDTH, HEIGHT] = [1200, 630];
const [LEFT, RIGHT, TOP, BOTTOM] = [90, 40, 110, 60];

export function bindPng(dashboard) {
  const button = dashboard.querySelector("[data-chart-png]");
  if (!button) return; // a monitor has no controls
  button.hidden = false;
  button.addEventListener("click", () => {
    const figure = dashboard.querySelector("[data-chart-of]");
    if (!figure.querySelector("svg")) return;
    draw(figure).toBlob((blob) => save(blob, figure), "image/png");
  });
}

function draw(figure) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH * SCALE, HEIGHT * SCALE];
  const context = canvas.getContext("2d");
  context.scale(SCALE, SCALE);
  const { color, fontFamily } = getComputedStyle(document.body);
  const { backgroundColor } = getComputedStyle(document.documentElement);
  context.fillStyle = backgroundColor;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const write = (text, x, y, font, align = "start") => {
    context.fillStyle = color;
    context.textAlign = align;
    context.font = `${font} ${fontFamily}`;
    context.fillText(text, x, y, WIDTH - LEFT - RIGHT);
  };
  write(figure.dataset.chartOf, LEFT, 50, "600 28px");
  const names = [...figure.querySelectorAll(".chart-name")].map(({ textContent }) =>
    textContent.trim().replaceAll(/\s+/g, " "),
  );
  write(names.join(" · "), LEFT, 84, "18px");
  const [width, height] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  for (const path of figure.querySelector("svg").querySelectorAll("path"))
    stroke(context, path, width, height);
  figure
    .querySelector(".chart-scale")
    .querySelectorAll("span")
    .forEach((label, n, { length }) => {
      const y = TOP + (height * n) / (length - 1) + 6;
      write(label.textContent, LEFT - 14, y, "16px", "end");
    });
  const aligns = ["start", "center", "end"];
  figure.querySelectorAll(".chart-times span").forEach((label, n) => {
    write(label.textContent, LEFT + (width * n) / 2, HEIGHT - 24, "16px", aligns[n]);
  });
  return canvas;
}

function stroke(context, path, width, height) {
  const style = getComputedStyle(path);
  const shape = new Path2D();
  const matrix = new DOMMatrix([width / 1000, 0, 0, height / 300, LEFT, TOP]);
  shape.addPath(new Path2D(path.getAttribute("d")), matrix);
  if (style.fill !== "none") {
    context.fillStyle = style.fill;
    context.fill(shape);
  }
  if (style.stroke === "none") return;
  context.strokeStyle = style.stroke;
  context.lineWidth = parseFloat(style.strokeWidth);
  const dashes = style.strokeDasharray;
  context.setLineDash(dashes === "none" ? [] : dashes.split(/[ ,]+/).map(parseFloat));
  context.stroke(shape);
}

function save(blob, figure) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${figure.dataset.grows}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}
