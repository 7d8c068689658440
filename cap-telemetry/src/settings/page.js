// Refreshes the status every second. Without this script, the page shows the status of its last load.
"use strict";

const show = (name, text) => {
  for (const place of document.querySelectorAll(`[data-status="${name}"]`)) {
    place.textContent = text;
  }
};

const refresh = async () => {
  const answer = await fetch("status", { headers: { accept: "application/json" } });
  if (!answer.ok) return show("state", `unknown (${answer.status}): reload the page`);
  const { status, warning } = await answer.json();
  const place = document.getElementById("warning");
  place.hidden = warning === null;
  // A screen reader would read the text again if it were set to the same value.
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
