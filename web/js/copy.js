// Buttons that copy, share or print. Each shows itself where the browser can do it.
const COPIED_MS = 2_500;

const source = (id) => document.getElementById(id).textContent.trim();

export function start(button) {
  const { copy, share } = button.dataset;
  if (copy) bindCopy(button, copy);
  else if (share) bindShare(button, share);
  else {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }
}

function bindCopy(button, id) {
  const words = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!(await put(id))) return;
    button.textContent = button.dataset.copied;
    setTimeout(() => {
      button.textContent = words;
    }, COPIED_MS);
  });
}

/** Over plain HTTP there is no clipboard: then the text is selected, ready to be copied. */
async function put(id) {
  try {
    await navigator.clipboard.writeText(source(id));
    return true;
  } catch {
    getSelection().selectAllChildren(document.getElementById(id));
    return document.execCommand("copy");
  }
}

function bindShare(button, id) {
  if (!navigator.share) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    // Closing the dialog is no fault.
    navigator.share({ title: document.title, url: source(id) }).catch(() => {});
  });
}
