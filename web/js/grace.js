// A form that cannot be taken back waits some seconds before it is sent, so that it can be stopped.

/** Waits as long as the form says; `false` if it was stopped. */
export function waitGrace(form) {
  const note = form.querySelector("[data-grace]");
  const stop = note.querySelector("[data-grace-stop]");
  const left = note.querySelector("[data-grace-left]");
  let seconds = Number(note.dataset.grace);
  note.hidden = false;
  left.textContent = String(seconds);
  stop.focus();
  return new Promise((resolve) => {
    const end = (goes) => {
      clearInterval(timer);
      stop.removeEventListener("click", stopped);
      note.hidden = true;
      resolve(goes);
    };
    const stopped = () => {
      form.querySelector("[type=submit]").focus(); // the pressed button is hidden now
      end(false);
    };
    const timer = setInterval(() => {
      seconds -= 1;
      left.textContent = String(seconds);
      if (seconds <= 0) end(true);
    }, 1_000);
    stop.addEventListener("click", stopped);
  });
}
