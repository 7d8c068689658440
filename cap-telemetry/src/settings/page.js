// Refreshes the status. Without it the page works, and shows how things were when it was loaded.
"use strict";

const show = (name, text) => {
  for (const place of document.querySelectorAll(`[data-status="${name}"]`)) {
    place.textContent = text;
  }
};

const refresh = async () => {
  const answer = await fetch("status", { headers: { accept: "application/json" } });
  if (!answer.ok) return show("state", `unknown (${answer.status}): open the page anew`);
  const { status, warning } = await answer.json();
  const place = document.getElementById("warning");
  place.hidden = warning === null;
  // Unchanged text is left alone, so that a screen reader does not read it out again.
  if (place.textContent !== (warning ?? "")) place.textContent = warning ?? "";
  if (status === null) return show("state", "switched off");
  for (const name of ["state", "queued", "capacity", "delivered", "dropped"]) show(name, status[name]);
  show("relay", status.relay ?? "none yet");
  show("last_error", status.last_error?.message ?? "none");
  for (const meter of document.querySelectorAll('[data-meter="queued"]')) {
    meter.max = status.capacity;
    meter.value = status.queued;
  }
};

setInterval(() => { refresh().catch(() => {}); }, 1000);
