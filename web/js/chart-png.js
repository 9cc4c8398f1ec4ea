// The charts as one picture: the same shapes, drawn on a canvas in the page's colours, each event below
// the other.
const SCALE = 2; // for screens with small pixels
const [WIDTH, HEIGHT] = [1200, 630]; // of each event
const [LEFT, RIGHT, TOP, BOTTOM] = [90, 40, 110, 60];
const [MARK, GAP] = [24, 10]; // the line before a name, and the space after it

export function bindPng(dashboard) {
  const button = dashboard.querySelector("[data-chart-png]");
  if (!button) return; // a monitor has no controls
  button.hidden = false;
  button.addEventListener("click", () => {
    const all = [...dashboard.querySelectorAll("[data-chart-of]")];
    const figures = all.filter((figure) => figure.querySelector("svg"));
    if (figures.length) draw(figures).toBlob((blob) => save(blob, figures), "image/png");
  });
}

function draw(figures) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH * SCALE, HEIGHT * figures.length * SCALE];
  const context = canvas.getContext("2d");
  context.scale(SCALE, SCALE);
  context.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
  context.fillRect(0, 0, WIDTH, HEIGHT * figures.length);
  for (const figure of figures) {
    drawOne(context, figure);
    context.translate(0, HEIGHT);
  }
  return canvas;
}

function drawOne(context, figure) {
  const { color, fontFamily } = getComputedStyle(document.body);
  const write = (text, x, y, font, align = "start") => {
    context.fillStyle = color;
    context.textAlign = align;
    context.font = `${font} ${fontFamily}`;
    context.fillText(text, x, y, WIDTH - LEFT - RIGHT);
    return context.measureText(text).width;
  };
  write(figure.dataset.chartOf, LEFT, 50, "600 28px");
  const lines = figure.querySelector("svg");
  let x = LEFT;
  for (const { path, text } of namesOf(figure, lines)) {
    stroke(context, getComputedStyle(path), new Path2D(`M${x} 78h${MARK}`));
    x += MARK + GAP;
    x += write(text, x, 84, "18px") + 2 * GAP;
  }
  const [width, height] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
  const matrix = new DOMMatrix([width / 1000, 0, 0, height / 300, LEFT, TOP]);
  for (const path of lines.querySelectorAll("path")) {
    const shape = new Path2D();
    shape.addPath(new Path2D(path.getAttribute("d")), matrix);
    const style = getComputedStyle(path);
    if (style.fill !== "none") {
      context.fillStyle = style.fill;
      context.fill(shape);
    }
    stroke(context, style, shape);
  }
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
}

/** The names of the lines that are drawn, with the line of each; watchers have a drawing of their own. */
function namesOf(figure, lines) {
  return ["registered", "waiting", "capacity"].flatMap((kind) => {
    const name = figure.querySelector(`.chart-name-${kind}`);
    const text = name?.textContent.trim().replaceAll(/\s+/g, " ");
    return name ? [{ path: lines.querySelector(`.chart-${kind}`), text }] : [];
  });
}

function stroke(context, style, shape) {
  if (style.stroke === "none") return;
  context.strokeStyle = style.stroke;
  context.lineWidth = parseFloat(style.strokeWidth);
  const dashes = style.strokeDasharray;
  context.setLineDash(dashes === "none" ? [] : dashes.split(/[ ,]+/).map(parseFloat));
  context.stroke(shape);
}

function save(blob, figures) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  const slugs = figures.map(({ dataset }) => dataset.grows.replace(/^chart-/, ""));
  link.download = `chart-${slugs.join("-")}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}
